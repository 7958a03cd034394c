"""Searches of scikit-learn over portanet's estimators in the processes of a cluster, with nothing of ours between."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

CLUSTERS = {
    "distributed": ("dask", "distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None)"),
    "ray": ("ray", "ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)"),
}


@pytest.mark.parametrize("library", CLUSTERS)
def test_a_search_in_a_cluster_is_the_search_here(library: str) -> None:
    assert pytest.importorskip(library, reason="it makes the cluster")
    backend, cluster = CLUSTERS[library]
    program = f"""
        import os
        import joblib
        import numpy as np
        import {library}
        from sklearn.model_selection import GridSearchCV
        from portanet.estimators import PortanetClassifier

        if __name__ == "__main__":
            x = np.random.default_rng(0).standard_normal((60, 3)).astype("float32")
            y = (x[:, 0] > 0).astype("int64")
            estimator = PortanetClassifier(hidden_layer_sizes=(4,), epochs=3, random_state=1)
            search = GridSearchCV(estimator, {{"batch_size": [8, 16]}}, cv=2)
            here = search.fit(x, y).cv_results_["mean_test_score"]
            if "{backend}" == "ray":
                from ray.util.joblib import register_ray

                register_ray()
            with {cluster}, joblib.parallel_config(backend="{backend}", n_jobs=2):
                assert os.getpid() not in joblib.Parallel()(joblib.delayed(os.getpid)() for _ in range(2))
                there = search.fit(x, y).cv_results_["mean_test_score"]
            np.testing.assert_array_equal(there, here)
            print("same scores")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    env = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert "same scores" in done.stdout, done.stderr

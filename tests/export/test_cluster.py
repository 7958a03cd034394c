"""Searches of scikit-learn over portanet's estimators in the processes of a cluster, with nothing of ours between."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def test_a_search_in_dask_is_the_search_here() -> None:
    assert pytest.importorskip("distributed", reason="it makes the cluster")
    program = """
        import os
        import joblib
        import numpy as np
        from distributed import Client
        from sklearn.model_selection import GridSearchCV
        from portanet.estimators import PortanetClassifier

        if __name__ == "__main__":
            x = np.random.default_rng(0).standard_normal((60, 3)).astype("float32")
            y = (x[:, 0] > 0).astype("int64")
            estimator = PortanetClassifier(hidden_layer_sizes=(4,), epochs=3, random_state=1)
            search = GridSearchCV(estimator, {"batch_size": [8, 16]}, cv=2)
            here = search.fit(x, y).cv_results_["mean_test_score"]
            with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
                assert os.getpid() not in client.run(os.getpid).values()
                with joblib.parallel_config(backend="dask"):
                    there = search.fit(x, y).cv_results_["mean_test_score"]
            np.testing.assert_array_equal(there, here)
            print("same scores")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "same scores" in done.stdout, done.stderr

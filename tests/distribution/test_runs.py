"""A run in several processes is the run in one."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import distribution
from tests.distribution import jobs, programs
from tests.support import PATIENCE


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every workload in one process, without a distribution."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["programs", "workloads", str(folder)])
        assert distribution.distribution() is None
        return programs.workloads()


def differences(a: Any, b: Any, path: str = "") -> dict[str, float]:
    """The largest difference of the numbers in each entry of two results."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), path
        found: dict[str, float] = {}
        for key in a:
            found |= differences(a[key], b[key], f"{path}/{key}")
        return found
    if path.endswith(("start", "curves")):
        pairs = zip(a, b, strict=True)
        return {path: max(float(np.max(np.abs(np.subtract(x, y)), initial=0.0)) for x, y in pairs)}
    return {path: float(np.max(np.abs(np.subtract(a, b)), initial=0.0))}


@pytest.mark.parametrize(
    ("count", "backends", "variables"),
    [
        (1, "numpy", ""), (2, "numpy", ""), (3, "numpy", "FAR"), (4, "numpy", ""), (2, "torch", "FAR"),
        (2, "strict", "SHARD FAR"), (2, "numpy,torch", ""), (3, "jax,numpy,torch", "SHARD"),
    ],
)  # fmt: skip
def test_the_run_is_that_of_one_process(
    alone: Any, tmp_path: pathlib.Path, count: int, backends: str, variables: str
) -> None:
    for name in backends.split(","):
        reason = portanet.backends.registry.backend_class(name).unavailable()
        if reason is not None:
            pytest.skip(reason)
    names = [] if backends == "numpy" else ["mlp", "cnn", "lstm"]
    results = jobs.run(count, "workloads", tmp_path, *names, BACKENDS=backends, **dict.fromkeys(variables.split(), "1"))
    for rank, result in enumerate(results):
        for workload, values in result.items():
            found = differences(alone[workload], values, workload)
            assert found.get(f"{workload}/start", 0.0) == 0.0, workload  # bit for bit
            worst = max(found, key=lambda path: found[path])
            assert found[worst] < 1e-5 * (100 if "/weights" in worst else 1), (rank, worst, found[worst])
    if backends == "numpy":
        for result in results[1:]:  # bit for bit
            assert result == results[0]


def test_several_devices_of_one_process(alone: Any, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("jax")
    flags = "--xla_force_host_platform_device_count=4"
    names = ("mlp", "cnn", "lstm", "sources", "overridden")
    (result,) = jobs.run(1, "workloads", tmp_path, *names, BACKENDS="jax", DEVICES="4", XLA_FLAGS=flags)
    for workload, values in result.items():
        found = differences(alone[workload], values, workload)
        worst = max(found, key=lambda path: found[path])
        assert found[worst] < 1e-5 * (100 if "/weights" in worst else 1), (worst, found[worst])


def test_metrics_are_those_of_all_examples(alone: Any) -> None:
    logs = alone["two_outputs"]["history"]
    assert {"a_auc", "a_accuracy", "b_mae", "b_r2score"} <= {name.lower() for name in logs}


def test_devices_of_processes_that_jax_has_joined(alone: Any, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("jax")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "tests.distribution.programs", "workloads", str(tmp_path), "mlp"]
    env = {**os.environ, "PYTHONPATH": str(jobs.ROOT), "JAX_PLATFORMS": "cpu", "JAX_ADDRESS": address}
    env |= {"BACKENDS": "jax", "DEVICES": "2"}
    started = [subprocess.Popen(command, env={**env, "JAX_PROCESS": str(i)}, cwd=jobs.ROOT) for i in range(2)]
    try:
        assert [process.wait(PATIENCE) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
    for rank in range(2):
        found = differences(alone["mlp"], json.loads((tmp_path / f"{rank}.json").read_text())["mlp"])
        assert max(found.values()) < 1e-4, found

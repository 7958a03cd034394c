"""Arrays of several processes that are added up on their devices: with a fake of NCCL, whose sums are MPI's."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from portanet.distribution.engines import chosen
from tests.distribution import jobs, programs
from tests.distribution.test_runs import differences

NAMES = ("mlp", "cnn", "lstm")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The workloads in one process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["programs", "workloads", str(tmp_path_factory.mktemp("alone"))])
        return programs.workloads(*NAMES)


def require_same(alone: Any, results: list[Any]) -> None:
    for result in results:
        for workload, values in result["results"].items():
            found = differences(alone[workload], values, workload)
            assert found[f"{workload}/start"] == 0.0
            worst = max(found, key=lambda path: found[path])
            assert found[worst] < 1e-5 * (100 if "/weights" in worst else 1), (worst, found[worst])
        assert result["results"] == results[0]["results"]  # bit for bit


@pytest.mark.parametrize("shard", [False, True])
def test_steps_are_recorded_with_their_sums(alone: Any, tmp_path: pathlib.Path, shard: bool) -> None:
    names, options = (NAMES[:1], {"SHARD": "1"}) if shard else (NAMES, {})
    results = jobs.run(2, "linked", tmp_path, *names, BACKENDS="recorded", **options)
    require_same(alone, results)
    for result in results:
        assert result["warnings"] == []
        assert result["calls"] == results[0]["calls"]
        assert result["launches"] > 5
        assert result["recorded"] > 2 * result["launches"]
        assert result["dtypes"] == ["float32", "float64", *(["uint8"] if shard else [])]
        expected = {"allGather", "allReduce", "broadcast", "reduce", "reduceScatter"} if shard else {"allReduce"}
        assert result["calls"].keys() == expected


@pytest.mark.parametrize(
    ("variables", "how", "why"),
    [
        ({"LACKS": "1", "READS": "1"}, "by MPI on the GPUs", "in process 0, there is none"),
        ({"SHARED": "1"}, "on the host", "processes 0 and 1 use the same GPU"),
        ({"BACKENDS": "recorded,numpy"}, "on the host", "process 1 computes on the host, with the backend 'numpy'"),
    ],
)
def test_what_takes_the_place_of_nccl_is_said_once(
    alone: Any, tmp_path: pathlib.Path, variables: dict[str, str], how: str, why: str
) -> None:
    first, second = jobs.run(2, "linked", tmp_path, "mlp", **{"BACKENDS": "recorded", "SHARD": "1", **variables})
    require_same(alone, [first, second])
    (warning,) = first["warnings"]
    assert how in warning
    assert why in warning
    assert second["warnings"] == []
    for result in (first, second):
        assert (result["calls"], result["launches"]) == ({}, 0)


def test_choice() -> None:
    here = {"backend": "cupy", "device": "a", "lacks": None, "version": 22304, "mpi": False}
    there = {**here, "device": "b"}
    host = {"backend": "numpy", "device": None}
    assert chosen([here, there]) == ("nccl", "")
    assert chosen([host, host]) == ("host", "")
    assert chosen([here, {**there, "version": 22205}])[1] == "process 0 has version 22304, process 1 version 22205"
    assert chosen([here, {**there, "lacks": "there is none", "mpi": True}])[0] == "host"
    assert chosen([{**here, "mpi": True}, {**here, "mpi": True}])[0] == "mpi"
    assert chosen([here, host])[0] == "host"


def test_devices_that_nccl_does_not_connect(tmp_path: pathlib.Path) -> None:
    message = jobs.ends(2, "linked", tmp_path, "mlp", BACKENDS="recorded", FAILS="1")
    assert "NCCL could not connect the GPU of process" in message
    assert "NCCL_DEBUG=INFO" in message


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("leaves", "Process 1 of 2 has left the script, and process 0 waits for it on its device."),
        ("sleeps", "has waited 2 s for the others"),
    ],
)
def test_a_process_that_waits_on_its_device_ends_the_job(tmp_path: pathlib.Path, what: str, message: str) -> None:
    said = jobs.ends(2, "waiting", tmp_path, what)
    assert message in said
    assert "NCCL's calls are ended." in said

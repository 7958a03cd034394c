"""What happens to a job in which something goes wrong: it ends, with a message, and can go on from its last state."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import numpy as np
import pytest

from portanet.saving import load_model
from tests.distribution import jobs


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("raise", "RuntimeError: The machine is on fire."),
        ("catch", "Process 1 of 2 has left fit with RuntimeError: The machine is on fire."),
        ("exit", "of which one has left the script"),
        ("exit in fit", "Process 1 of 2 has left fit with SystemExit: 3"),
        ("wait", "has waited 2 s for the others"),
        ("full", "No space left on device"),
        ("seed", "All processes must have the same seed"),
        ("count", "All processes must have the same data"),
        ("order", "All processes must have the same examples in the same order"),
        ("weights", "All processes must have the same weights"),
        ("stop", "All processes must have the same place in training"),
        ("ema", "`use_ema` of an optimizer must be False with EASGD"),
    ],
)
def test_the_job_ends_with_a_message(tmp_path: pathlib.Path, what: str, message: str) -> None:
    assert message in jobs.ends(2, "training", tmp_path, what)


def test_the_optimizer_in_slices_is_not_saved_by_one_process(tmp_path: pathlib.Path) -> None:
    message = "Process 0 of 2 asks for the optimizer's state, of which each keeps a slice"
    assert message in jobs.ends(2, "by_one", tmp_path, SHARD="1")


def test_a_file_is_not_written_by_another_process_than_the_first(tmp_path: pathlib.Path) -> None:
    assert "Process 1 of 2 writes a file alone." in jobs.ends(2, "by_one", tmp_path, "1")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return jobs.run(2, "training", tmp_path_factory.mktemp("unbroken"))[0]


@pytest.mark.parametrize("turn", range(int(os.environ.get("PORTANET_KILLS", "1"))))
def test_a_killed_job_goes_on_in_more_or_fewer_processes(unbroken: Any, tmp_path: pathlib.Path, turn: int) -> None:
    jobs.ends(2 + turn % 3, "training", tmp_path, "kill", **{"SHARD": "1"} if turn % 2 == 0 else {})
    load_model(tmp_path / "backup" / "state.safetensors")  # whole
    for count, options in ((1, {"PORTANET_BACKEND": "strict"}), (2, {"SHARD": "1"}), (3, {})):
        folder = tmp_path / str(count)
        (folder / "backup").mkdir(parents=True)
        state = (tmp_path / "backup" / "state.safetensors").read_bytes()
        (folder / "backup" / "state.safetensors").write_bytes(state)
        resumed = jobs.run(count, "training", folder, **options)[0]
        for name, curve in unbroken["history"].items():
            assert np.allclose(resumed["history"][name], curve, rtol=0, atol=1e-5), (count, name)


def test_one_process_writes_files(tmp_path: pathlib.Path, unbroken: Any) -> None:
    assert unbroken["files"] == [f"{epoch}.safetensors" for epoch in (1, 2, 3, 4)]


def test_an_error_that_all_catch_and_a_file_that_all_read(tmp_path: pathlib.Path) -> None:
    first, second, third = jobs.run(3, "going_on", tmp_path)
    assert first == second == third
    assert first["errors"] == ["The machine is on fire."] * 2

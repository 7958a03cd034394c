"""Threads and processes: training on two backends at once; fork and spawn."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from portanet.backends import Backend, use_backend
from tests.portability.curves import curve
from tests.support import PATIENCE


def test_two_threads_train_at_once(backend: Backend) -> None:
    """On two backends, with the results of each alone, bit for bit."""

    def train(name: str, device: object, start: threading.Barrier | None) -> list[float]:
        with use_backend(name, device):
            if start is not None:
                start.wait(PATIENCE)
            return curve("MLP").tolist()

    runs = [("numpy", None), (backend.name, backend.device)]
    alone = [train(*run, None) for run in runs]
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        together = [pool.submit(train, *run, barrier) for run in runs]
        assert [each.result(PATIENCE) for each in together] == alone


FORK = """
import os, sys, threading, time
import numpy as np
from portanet.backends.numpy import threads
from portanet.backends.numpy.threads import map_rows
from tests.portability.curves import curve

expected = curve("CNN")
big = np.ones((512, 64), dtype="float32")
def pieces():
    return map_rows(lambda a: a * 2, [big], 2**16)
pieces()
blas = [library.num_threads for library in threads._blas()]
stop = threading.Event()
def work():
    while not stop.is_set():
        map_rows(lambda a: (time.sleep(0.001), computing.set(), a * 2)[2], [big], 2**16)
computing = threading.Event()
other = threading.Thread(target=work); other.start(); computing.wait()
child = os.fork()
if child == 0:
    ok = bool((pieces() == 2).all()) and bool((curve("CNN") == expected).all())
    pieces()
    ok = ok and [library.num_threads for library in threads._blas()] == blas
    os._exit(0 if ok else 3)
_, status = os.waitpid(child, 0)
stop.set(); other.join()
assert (curve("CNN") == expected).all()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_trains_with_threads_of_its_own() -> None:
    """Forked while another thread is computing in pieces: the child does not hang, and its results are the same."""
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        cwd=root, env={**os.environ, "PORTANET_BACKEND": "numpy", "PYTHONPATH": str(root)},
        timeout=PATIENCE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_spawned_processes_train(monkeypatch: pytest.MonkeyPatch) -> None:
    with use_backend("numpy"):
        expected = curve("MLP")
    monkeypatch.setenv("PORTANET_BACKEND", "numpy")
    monkeypatch.setenv("PYTHONPATH", str(pathlib.Path(__file__).parents[2]))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for result in pool.map(curve, ["MLP", "MLP"], timeout=PATIENCE):
            np.testing.assert_array_equal(result, expected)

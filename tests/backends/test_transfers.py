"""Copies of batches beside the steps, with streams that do their work in any order that CUDA permits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.backends.cupy import transfers as cupy_transfers
from portanet.backends.cupy.transfers import CupyTransfers
from portanet.backends.torch.transfers import TorchTransfers
from portanet.training.data.prefetch import prefetch
from tests.backends.simulated_cuda import Device, Event, Machine, Stream, Tensor, cupy_on, torch_on

SEEDS = range(20)
LIBRARIES: dict[str, tuple[Any, Callable[[Machine], Any]]] = {
    "cupy": (CupyTransfers, cupy_on),
    "torch": (TorchTransfers, torch_on),
}


class Run:
    """What steps see of batches, of which some are prepared in advance."""

    def __init__(self, library: str, seed: int, monkeypatch: pytest.MonkeyPatch, arrays: int = 1000) -> None:
        self.machine = machine = Machine(seed, arrays)
        kind, module = LIBRARIES[library]
        monkeypatch.setitem(sys.modules, library, module(machine))
        self.at_once = 0
        self.transfers = kind(Device(), self.usual)
        self.wrong = 0

    def usual(self, x: Any) -> Any:
        self.at_once += 1
        return Tensor(self.machine, np.array(x))

    def send(self, number: int) -> Any:
        """A batch of two arrays, in memory that is used for something else at once; the last one is smaller."""
        x, y = np.full((3 if number % 7 == 6 else 5, 4), number, "float32"), np.full(5, -number, "int32")
        moved = self.transfers.send(x), self.transfers.send(y)
        x[...] = y[...] = 55
        return number, moved, self.transfers.sent()

    def use(self, batch: Any) -> None:
        """Ask the device for a step, which reads the batch when its turn comes."""
        number, (x, y), sent = batch
        self.transfers.arrive(sent)
        there = x.at(), y.at()
        self.machine.compute.ask(lambda: self.look(number, *there))

    def look(self, number: int, x: Any, y: Any) -> None:
        self.wrong += not (np.all(x == number) and np.all(y == -number))

    def __call__(self, count: int = 25, depth: int = 2) -> int:
        """How many steps have seen other values than those of their batch."""
        waiting = []
        for number in range(count):
            waiting.append(self.send(number))
            if len(waiting) > depth:
                self.use(waiting.pop(0))
        while waiting:
            self.use(waiting.pop(0))
        self.machine.finish()
        return self.wrong


@pytest.mark.parametrize("library", LIBRARIES)
def test_steps_see_their_batches(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in SEEDS:
        run = Run(library, seed, monkeypatch)
        assert run() == 0
        assert run.at_once == 0
        assert 1000 - run.machine.free <= 60, "buffers are used again"


@pytest.mark.parametrize(
    ("library", "owner", "method", "without"),
    [
        ("cupy", Stream, "wait_event", lambda self, event: None),
        ("cupy", Event, "synchronize", lambda self: None),
        ("cupy", Event, "record", lambda self, stream: None),
        ("torch", Stream, "wait_event", lambda self, event: None),
        ("torch", Tensor, "record_stream", lambda self, stream: None),
    ],
)
def test_without_one_of_the_waits_they_would_not(
    library: str, owner: Any, method: str, without: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, method, without)
    assert any(Run(library, seed, monkeypatch)() for seed in SEEDS)


def test_a_buffer_waits_for_the_step_that_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait before a buffer of the device is filled again, alone."""
    monkeypatch.setattr(CupyTransfers, "_take_back", lambda self, buffers: self.spare.append(buffers))
    assert any(Run("cupy", seed, monkeypatch)() for seed in SEEDS)


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_array_that_is_kept_keeps_its_values(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in SEEDS:
        run = Run(library, seed, monkeypatch)
        kept = run.send(100)
        run.use(kept)
        run()
        number, (x, y), _ = kept
        run.look(number, x.at(), y.at())
        assert run.wrong == 0


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("arrays", [0, 1, 5, 8])
def test_where_there_is_no_memory_arrays_are_sent_at_once(
    library: str, arrays: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(library, 3, monkeypatch, arrays)
    if library == "torch":  # the memory of the device is PyTorch's concern
        page_locked, run.machine.memory = run.machine.memory, lambda nbytes: np.full(nbytes, 77, "uint8")

        def empty(shape: Any, dtype: Any, pin_memory: bool) -> Any:
            page_locked(1)
            return Tensor.new(run.machine, shape, dtype, None)

        monkeypatch.setattr(sys.modules["torch"], "empty", empty)
    assert run() == 0
    assert run.at_once > 0
    assert run.transfers.full


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_thread_sends_in_advance(library: str, depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(library, depth, monkeypatch)
    for batch in prefetch(map(run.send, range(25)), depth):
        run.use(batch)
    run.machine.finish()
    assert run.wrong == 0


class Interrupted:
    """An array in the middle of whose values Ctrl-C is pressed."""

    shape, dtype, size, nbytes = (5, 4), np.dtype("float32"), 20, 80

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise KeyboardInterrupt


@pytest.mark.parametrize("library", LIBRARIES)
def test_ctrl_c_leaves_no_half_filled_buffer_in_use(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in SEEDS:
        run = Run(library, seed, monkeypatch)
        for number in range(9):
            batch = run.send(number)
            with pytest.raises(KeyboardInterrupt):
                run.transfers.send(Interrupted())
            run.use(batch)
        assert run() == 0


def test_batches_that_never_arrive_free_their_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run("cupy", 0, monkeypatch)
    for number in range(9):
        run.send(number)
    assert 1000 - run.machine.free <= 8
    assert run() == 0


def test_spare_buffers_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run("cupy", 0, monkeypatch)
    waiting = [run.transfers.send(np.zeros(size, "int8")) for size in range(1, 40)]
    assert len(waiting) == 39
    waiting.clear()
    run.transfers.sent()
    assert run() == 0
    run.send(0)
    assert len(run.transfers.spare) <= cupy_transfers.MOST_SPARE


def test_arrays_of_any_layout_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    for library in LIBRARIES:
        run = Run(library, 0, monkeypatch)
        for each in (x[::-1], x.transpose(2, 0, 1), np.asfortranarray(x), np.broadcast_to(x[:1], (5, 3, 4)), x[:, :0]):
            each.flags.writeable = False
            moved = run.transfers.send(each)
            run.transfers.arrive(run.transfers.sent())
            run.machine.finish()
            np.testing.assert_array_equal(moved.at(), each)

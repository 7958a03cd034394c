"""A library whose arrays lie on devices that NCCL connects: that of `tests.recorded`, with MPI in place of NCCL."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import array_api_strict as strict
import numpy as np

from portanet.backends import registry
from portanet.backends.link import NUMBERS, SUM, Link
from tests.recorded import tape
from tests.recorded.backend import RecordedBackend

DTYPES = {number: name for name, number in NUMBERS.items()}


class FakeLink(Link):
    """NCCL's calls by their addresses and numbers; those of a group begin at its end, those of a recording later.

    The variables LACKS and SHARED say whether NCCL is missing, and whether the processes use one device.
    """

    calls: ClassVar[list[tuple[Any, ...]]] = []
    """Names of the calls, their counts, dtypes, and whether they came from a recording."""

    def __init__(self) -> None:
        self.opened: tuple[int, bytes, int] | None = None
        self.aborted = False
        self._group: list[Callable[[], None]] | None = None

    def unavailable(self) -> str | None:
        return "there is none" if "LACKS" in os.environ else None

    def version(self) -> int:
        return 22304

    def identity(self) -> str:
        return "a device" if "SHARED" in os.environ else f"device of {os.getpid()}"

    def unique_id(self) -> bytes:
        return bytes(range(128))

    def open(self, size: int, unique_id: bytes, rank: int) -> None:
        from mpi4py import MPI

        tape.forbid("NCCL connects devices")
        if "FAILS" in os.environ:
            raise RuntimeError("unhandled system error")
        self.opened = size, unique_id, rank
        self.comm = MPI.COMM_WORLD.Dup()

    def abort(self) -> None:
        self.aborted = True
        print("NCCL's calls are ended.", flush=True)

    def call(self, name: str, *args: int) -> None:
        assert self._group is not None

        def begin(recorded: bool = False) -> None:
            number = args[3]
            self.calls.append((name, args[2], DTYPES[number], recorded))
            getattr(self, f"_{name}")(*args)

        recording = getattr(tape.state, "tape", None)
        if recording is None:
            self._group.append(begin)
        else:  # a recording computes nothing
            recording.calls.append((lambda: begin(True), (), {}, None))

    @contextlib.contextmanager
    def group(self) -> Iterator[None]:
        self._group = []
        yield
        for begin in self._group:
            begin()
        self._group = None

    def _allReduce(self, sent: int, received: int, count: int, number: int, op: int) -> None:  # noqa: N802
        assert op == SUM
        self.comm.Allreduce(_at(sent, count, number), _at(received, count, number))

    def _reduceScatter(self, sent: int, received: int, count: int, number: int, op: int) -> None:  # noqa: N802
        assert op == SUM
        whole = _at(sent, count * self.comm.Get_size(), number)
        self.comm.Reduce_scatter_block(whole, _at(received, count, number))

    def _reduce(self, sent: int, received: int, count: int, number: int, op: int, root: int) -> None:
        assert op == SUM
        target = _at(received, count, number) if self.comm.Get_rank() == root else None
        self.comm.Reduce(_at(sent, count, number), target, root=root)

    def _allGather(self, sent: int, received: int, count: int, number: int) -> None:  # noqa: N802
        self.comm.Allgather(_at(sent, count, number), _at(received, count * self.comm.Get_size(), number))

    def _broadcast(self, sent: int, received: int, count: int, number: int, root: int) -> None:
        target = _at(received, count, number)
        if self.comm.Get_rank() == root:
            target[...] = _at(sent, count, number)
        self.comm.Bcast(target, root)

    def pointer(self, x: Any) -> int:
        return int(x.inner._array.ctypes.data)

    def buffer(self, x: Any) -> Any:
        return x.inner._array

    def contiguous(self, x: Any) -> Any:
        if x.inner._array.flags.c_contiguous:
            return x
        return tape.call(lambda x: strict.asarray(np.ascontiguousarray(x._array), device=x.device), x)

    def mark(self) -> Callable[[], bool]:
        tape.forbid("an event that is asked for later")
        return lambda: True

    def synchronize(self) -> None:
        tape.forbid("waiting for the device")


def _at(place: int, count: int, number: int) -> Any:
    """The numbers at an address."""
    dtype = np.dtype(DTYPES[number])
    return np.frombuffer((ctypes.c_byte * (count * dtype.itemsize)).from_address(place), dtype)


class LinkedBackend(RecordedBackend):
    """Arrays of `tests.recorded` on devices that are connected."""

    def link(self) -> Link | None:
        return FakeLink()


def register() -> None:
    """Give this process of a job the backend."""
    registry.BACKENDS["recorded"] = ("tests.distribution.linked", "LinkedBackend")  # type: ignore[index]


def linked(*names: str) -> Any:
    """Workloads on devices, NCCL's calls, and what processes were warned of."""
    import warnings

    from portanet.distribution import engines
    from tests.distribution import programs  # which imports this module
    from tests.recorded.backend import FakeGraphs

    register()
    if "READS" in os.environ:
        engines.reads_devices = lambda: True
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        results = programs.workloads(*names)
    calls = FakeLink.calls
    return {
        "results": results,
        "calls": {name: sum(call[0] == name for call in calls) for name in sorted({call[0] for call in calls})},
        "recorded": sum(call[3] for call in calls),
        "dtypes": sorted({call[2] for call in calls}),
        "launches": FakeGraphs.launches[0],
        "warnings": sorted(str(each.message) for each in warned if each.category is UserWarning),
    }


def waiting(what: str) -> None:
    """The first process waits on its device for another, which does not come."""
    import time

    import portanet
    from portanet import distribution
    from portanet.distribution import engines

    register()
    if what == "sleeps":
        distribution.initialize(timeout=2.0)
    strategy = distribution.distribution()
    assert strategy is not None
    assert strategy.processes is not None
    with portanet.use_backend("recorded"):
        engine = engines.engine_of(strategy.processes)
    if strategy.rank == 0:
        engine.link.mark = lambda: lambda: False  # type: ignore[attr-defined]
        engine.watch()
        time.sleep(1000)
    elif what == "sleeps":
        time.sleep(1000)

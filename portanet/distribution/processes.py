"""The processes of a job and what they exchange: MPI, through mpi4py."""

from __future__ import annotations

import atexit
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.extras import install_command

LAUNCHERS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE")
"""Variables by which programs that start the processes of a job, such as mpiexec and srun, tell them so."""

BUSY = 2e-3
"""Seconds of waiting after which a process gives its core to others."""

LARGE = 1 << 18
"""Bytes from which an array is sent as it lies: to copy it next to others costs more than a message."""

PATIENCE = 0.5
"""Seconds of waiting after which a process asks whether another has left."""


class Processes:
    """The processes of a job, of which this is one.

    Args:
        comm: The communicator, `mpi4py.MPI.COMM_WORLD` or a part of it.
        timeout: Seconds to wait for the other processes before all are ended.
    """

    def __init__(self, comm: Any, timeout: float) -> None:
        self.comm, self.leaving = comm.Dup(), comm.Dup()
        self.rank: int = comm.Get_rank()
        self.size: int = comm.Get_size()
        self.timeout = timeout
        self.messages = 0
        """Messages that were started, and their bytes: what a step costs."""
        self.bytes = 0
        self._serving, self._left = False, threading.Event()

    def __repr__(self) -> str:
        return f"<process {self.rank} of {self.size}>"

    def start_sum(self, x: HostArray) -> Callable[[], HostArray]:
        """Begin to add up the arrays of all processes; what is returned waits for the sum.

        The sum has the same bits in every process.
        """
        held = np.ascontiguousarray(x, _summable(x.dtype))
        total = np.empty_like(held)
        self.messages, self.bytes = self.messages + 1, self.bytes + held.nbytes
        request = self.comm.Iallreduce(held, total)

        def finish() -> HostArray:
            self._wait(request)
            # `held` is kept until here: it is read meanwhile.
            return total.astype(x.dtype) if held.dtype != x.dtype else total

        return finish

    def start_sums(self, arrays: Sequence[HostArray]) -> Callable[[], list[HostArray]]:
        """The same for several arrays, in one message for each dtype."""
        groups = _groups([a.nbytes for a in arrays], [a.dtype for a in arrays])
        started = [(group, self.start_sum(_row([arrays[i].reshape(-1) for i in group]))) for group in groups]
        shapes = [a.shape for a in arrays]

        def finish() -> list[HostArray]:
            sums: list[Any] = [None] * len(shapes)
            for group, each in started:
                total, place = each(), 0
                for i in group:
                    size = math.prod(shapes[i])
                    sums[i], place = total[place : place + size].reshape(shapes[i]), place + size
            return sums

        return finish

    def start_slices(self, arrays: Sequence[HostArray]) -> Callable[[], list[HostArray]]:
        """Begin to add up arrays of which this process needs its slices alone: rows of elements, see `part_of`."""
        started = []
        for group in _groups([a.nbytes for a in arrays], [a.dtype for a in arrays]):
            rows = [arrays[i].reshape(-1) for i in group]
            parts = [[row[part_of(len(row), rank, self.size)] for row in rows] for rank in range(self.size)]
            counts = [sum(map(len, each)) for each in parts]
            held = rows[0] if len(rows) == 1 else _row([part for each in parts for part in each])
            held = np.ascontiguousarray(held, _summable(held.dtype))
            own = np.empty(counts[self.rank], held.dtype)
            self.messages, self.bytes = self.messages + 1, self.bytes + held.nbytes
            started.append((group, held, own, self.comm.Ireduce_scatter(held, own, counts)))

        def finish() -> list[HostArray]:
            slices: list[Any] = [None] * len(arrays)
            for group, _, own, request in started:
                self._wait(request)
                place = 0
                for i in group:
                    part = part_of(arrays[i].size, self.rank, self.size)
                    slices[i] = own[place : place + part.stop - part.start].astype(arrays[i].dtype, copy=False)
                    place += part.stop - part.start
            return slices

        return finish

    def join(self, slices: Sequence[HostArray], sizes: Sequence[int]) -> list[HostArray]:
        """Rows of elements, from the slices of all processes.

        Args:
            slices: Those of this process.
            sizes: How many elements the rows have.
        """
        rows: list[Any] = [None] * len(slices)
        dtypes = [a.dtype for a in slices]
        started = []
        for group in _groups([n * t.itemsize for n, t in zip(sizes, dtypes, strict=True)], dtypes):
            parts = [[part_of(sizes[i], rank, self.size) for i in group] for rank in range(self.size)]
            counts = [sum(part.stop - part.start for part in each) for each in parts]
            own, whole = _row([slices[i] for i in group]), np.empty(sum(counts), dtypes[group[0]])
            self.messages, self.bytes = self.messages + 1, self.bytes + own.nbytes
            sent = [count * own.itemsize for count in counts]
            request = self.comm.Iallgatherv(_as_bytes(own), (_as_bytes(whole), sent))
            started.append((group, parts, own, whole, request))
        for group, parts, _, whole, request in started:
            self._wait(request)
            if len(group) == 1:
                rows[group[0]] = whole
                continue
            for i in group:
                rows[i] = np.empty(sizes[i], whole.dtype)
            place = 0
            for each in parts:
                for i, part in zip(group, each, strict=True):
                    rows[i][part] = whole[place : place + part.stop - part.start]
                    place += part.stop - part.start
        return rows

    def sum(self, arrays: Sequence[HostArray]) -> list[HostArray]:
        """The sums of arrays over all processes."""
        return self.start_sums(arrays)()

    def each(self, number: int) -> HostArray:
        """The numbers of all processes."""
        numbers = np.zeros(self.size, "int64")
        numbers[self.rank] = number
        (numbers,) = self.sum([numbers])
        return numbers

    def gather(self, x: HostArray) -> list[HostArray]:
        """The arrays of all processes, which may differ in their first axis."""
        x = np.ascontiguousarray(x)
        counts = self.each(len(x))
        each = int(np.prod(x.shape[1:], dtype="int64")) * x.dtype.itemsize
        whole = np.empty((int(counts.sum()), *x.shape[1:]), x.dtype)
        sizes = [int(n) * each for n in counts]
        self.messages, self.bytes = self.messages + 1, self.bytes + x.nbytes
        self._wait(self.comm.Iallgatherv(_as_bytes(x), (_as_bytes(whole), sizes)))
        return np.split(whole, np.cumsum(counts)[:-1])

    def broadcast(self, arrays: Sequence[HostArray]) -> list[HostArray]:
        """The arrays of the first process, in all; those of the others say shapes and dtypes."""
        copies = [np.array(a, order="C") for a in arrays]
        for request in [self.comm.Ibcast(_as_bytes(a), 0) for a in copies]:
            self._wait(request)
        return copies

    def texts(self, text: str) -> list[str]:
        """The texts of all processes."""
        return [part.tobytes().decode() for part in self.gather(np.frombuffer(text.encode(), "uint8"))]

    def _wait(self, request: Any) -> None:
        started = time.monotonic()
        while not request.Test():
            waited = time.monotonic() - started
            if waited > self.timeout:
                self.abort(
                    f"Process {self.rank} of {self.size} has waited {self.timeout:g} s for the others, which have not "
                    "come to the same place: one may have stopped, be slow, or have other data or callbacks. "
                    "distribution.initialize(timeout=...) sets the time."
                )
            if waited > BUSY:
                time.sleep(min(1e-3, waited / 50))
            if waited > PATIENCE and self.leaving.Iprobe():
                self.abort(
                    f"Process {self.rank} of {self.size} waits for the others, of which one has left the script. All "
                    "must go through the same calls of fit, evaluate and predict."
                )

    def proceed(self) -> None:
        """From now on let MPI serve the others by a thread, where it allows calls of several: it does so in calls."""
        from mpi4py import MPI

        def serve() -> None:
            while not self._left.wait(5e-4):
                self.leaving.Iprobe()

        if not self._serving and MPI.Query_thread() == MPI.THREAD_MULTIPLE:
            self._serving = True
            threading.Thread(target=serve, daemon=True).start()

    def leave(self) -> None:
        """Tell the other processes that this one comes to its end, and waits for no more sums."""
        self._left.set()
        for rank in range(self.size):
            if rank != self.rank:
                self.leaving.Isend(np.zeros(1, "uint8"), rank)

    def abort(self, message: str) -> None:
        """Say what has happened, and end all processes."""
        print(message, file=sys.stderr, flush=True)
        self.comm.Abort(1)


def part_of(count: int, rank: int, size: int) -> slice:
    """What one of several processes takes of so many elements or examples."""
    return slice(count * rank // size, count * (rank + 1) // size)


def _groups(sizes: Sequence[int], dtypes: Sequence[Any]) -> list[list[int]]:
    """The numbers of arrays that go into one message: the small ones of each dtype.

    Args:
        sizes: Bytes of the whole arrays, the same in all processes.
        dtypes: Their dtypes.
    """
    groups: dict[Any, list[int]] = {}
    for i, (size, dtype) in enumerate(zip(sizes, dtypes, strict=True)):
        groups.setdefault(i if size >= LARGE else dtype, []).append(i)
    return list(groups.values())


def _row(rows: Sequence[HostArray]) -> HostArray:
    """Rows of elements, one after the other; the row itself, if there is one."""
    return np.ascontiguousarray(rows[0]) if len(rows) == 1 else np.concatenate(rows)


def _summable(dtype: Any) -> Any:
    """The dtype in which MPI adds up: it has no sums of float16."""
    return np.dtype("float32") if dtype.itemsize < 4 and dtype.kind == "f" else dtype


def _as_bytes(x: HostArray) -> HostArray:
    return x.reshape(-1).view("uint8")


_joined: list[Processes] = []


def joined() -> Processes | None:
    """The processes of this job, if `initialize` was called."""
    return _joined[0] if _joined else None


def launched() -> bool:
    """Whether this process was started as one of several, by mpiexec, srun or the like."""
    return any(name in os.environ for name in LAUNCHERS)


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    timeout: float = 600.0,
) -> None:
    """Join the other processes of the job, which mpiexec, srun or the like has started; as in Keras.

    An error that nothing catches in one process then ends all of them, with its message. `DataParallel()` calls it,
    where a job was started. Called again, it sets `timeout`.

    Args:
        job_addresses: Must be None: MPI knows where the processes are.
        num_processes: How many processes the job must have; None for as many as there are.
        process_id: Which of them this one must be, from 0; None for whichever it is.
        timeout: Seconds to wait for another process before all are ended.

    Raises:
        ImportError: mpi4py is not installed, or finds no MPI.
        ValueError: The job is another.

    Example:
        >>> from portanet import distribution
        >>> distribution.initialize(timeout=60.0)  # doctest: +SKIP
    """
    timeout = checks.positive("timeout", timeout, "initialize")
    if job_addresses is not None:
        raise checks.invalid("job_addresses", job_addresses, "None: MPI knows where the processes are", "initialize")
    if not _joined:
        _joined.append(Processes(_world(), timeout))
        if _joined[0].size > 1:
            sys.excepthook = _end_all
            atexit.register(_joined[0].leave)
    processes = _joined[0]
    processes.timeout = timeout
    for name, value, is_it in (
        ("num_processes", num_processes, processes.size),
        ("process_id", process_id, processes.rank),
    ):
        if value is not None and checks.integer(name, value, "initialize", least=0) != is_it:
            raise ValueError(
                f"Argument `{name}` of initialize does not fit the job, where it is {is_it}. Received: {value}"
            )


def _world() -> Any:
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(
            f"Many processes need mpi4py and an MPI, which it found no way to load. Type: {install_command('mpi')}, "
            f"which brings mpich and mpiexec; on a cluster, pip install mpi4py for its own MPI. ({error})"
        ) from error
    return MPI.COMM_WORLD


_before = sys.excepthook


def _end_all(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Show an error that nothing has caught, and end all processes, which would wait for this one."""
    _before(kind, error, trace)
    processes = _joined[0]
    processes.abort(f"Process {processes.rank} of {processes.size} ended with {kind.__name__}, and so do all.")

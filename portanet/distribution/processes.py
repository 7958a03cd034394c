"""The processes of a job and what they exchange: MPI, through mpi4py."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.distribution.notes import FAILED, LEFT, WRITTEN, Notes
from portanet.distribution.rows import as_bytes, groups_of, part_of, row_of, summable
from portanet.extras import install_command

LAUNCHERS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE")
"""Variables by which programs that start the processes of a job, such as mpiexec and srun, tell them so."""

BUSY = 2e-3
"""Seconds of waiting after which a process gives its core to others."""

PATIENCE = 0.5
"""Seconds of waiting after which a process asks whether another has left."""


GRACE = 3.0
"""Seconds that a process has to show an error, before others end all for it."""


class Processes:
    """The processes of a job, of which this is one.

    Args:
        comm: The communicator, `mpi4py.MPI.COMM_WORLD` or a part of it.
        timeout: Seconds to wait for the other processes before all are ended.
    """

    def __init__(self, comm: Any, timeout: float) -> None:
        self.comm, self.notes = comm.Dup(), Notes(comm)
        self.rank: int = comm.Get_rank()
        self.size: int = comm.Get_size()
        self.timeout = timeout
        self.messages = 0
        """Messages that were started, and their bytes: what a step costs."""
        self.bytes = 0
        self.started = 0
        """How many messages were started so far: all processes start the same ones."""
        self._failures: list[int] = []
        """What `started` was when errors left calls; others must have had them, too, before this process goes on."""
        self._latest: BaseException | None = None
        self._known: dict[str, float] = {}
        self._files = 0
        self._serving, self._left = False, threading.Event()

    def __repr__(self) -> str:
        return f"<process {self.rank} of {self.size}>"

    def start_sum(self, x: HostArray) -> Callable[[], HostArray]:
        """Begin to add up the arrays of all processes; what is returned waits for the sum.

        The sum has the same bits in every process.
        """
        held = np.ascontiguousarray(x, summable(x.dtype))
        total = np.empty_like(held)
        number = self._begin(held.nbytes)
        request = self.comm.Iallreduce(held, total)

        def finish() -> HostArray:
            self._wait(request, number)
            # `held` is kept until here: it is read meanwhile.
            return total.astype(x.dtype) if held.dtype != x.dtype else total

        return finish

    def start_sums(self, arrays: Sequence[HostArray]) -> Callable[[], list[HostArray]]:
        """The same for several arrays, in one message for each dtype."""
        groups = groups_of([a.nbytes for a in arrays], [a.dtype for a in arrays])
        started = [(group, self.start_sum(row_of([arrays[i].reshape(-1) for i in group]))) for group in groups]
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
        for group in groups_of([a.nbytes for a in arrays], [a.dtype for a in arrays]):
            rows = [arrays[i].reshape(-1) for i in group]
            parts = [[row[part_of(len(row), rank, self.size)] for row in rows] for rank in range(self.size)]
            counts = [sum(map(len, each)) for each in parts]
            held = rows[0] if len(rows) == 1 else row_of([part for each in parts for part in each])
            held = np.ascontiguousarray(held, summable(held.dtype))
            own = np.empty(counts[self.rank], held.dtype)
            number = self._begin(held.nbytes)
            started.append((group, held, own, self.comm.Ireduce_scatter(held, own, counts), number))

        def finish() -> list[HostArray]:
            slices: list[Any] = [None] * len(arrays)
            for group, _, own, request, number in started:
                self._wait(request, number)
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
        for group in groups_of([n * t.itemsize for n, t in zip(sizes, dtypes, strict=True)], dtypes):
            parts = [[part_of(sizes[i], rank, self.size) for i in group] for rank in range(self.size)]
            counts = [sum(part.stop - part.start for part in each) for each in parts]
            own, whole = row_of([slices[i] for i in group]), np.empty(sum(counts), dtypes[group[0]])
            number = self._begin(own.nbytes)
            sent = [count * own.itemsize for count in counts]
            request = self.comm.Iallgatherv(as_bytes(own), (as_bytes(whole), sent))
            started.append((group, parts, own, whole, request, number))
        for group, parts, _, whole, request, number in started:
            self._wait(request, number)
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
        number = self._begin(x.nbytes)
        self._wait(self.comm.Iallgatherv(as_bytes(x), (as_bytes(whole), sizes)), number)
        return np.split(whole, np.cumsum(counts)[:-1])

    def broadcast(self, arrays: Sequence[HostArray]) -> list[HostArray]:
        """The arrays of the first process, in all; those of the others say shapes and dtypes."""
        copies = [np.array(a, order="C") for a in arrays]
        numbers = [self._begin(a.nbytes) for a in copies]
        requests = [self.comm.Ibcast(as_bytes(a), 0) for a in copies]
        for request, number in zip(requests, numbers, strict=True):
            self._wait(request, number)
        return copies

    def texts(self, text: str) -> list[str]:
        """The texts of all processes."""
        return [part.tobytes().decode() for part in self.gather(np.frombuffer(text.encode(), "uint8"))]

    def _begin(self, size: int) -> int:
        """Count a message of so many bytes, which is about to be started; its number."""
        while self._failures:
            self._meet(self._failures.pop(0))
        self.messages, self.bytes, self.started = self.messages + 1, self.bytes + size, self.started + 1
        return self.started

    def _wait(self, request: Any, number: int) -> None:
        since = time.monotonic()
        while not request.Test():
            self._pause(since, number)

    def _pause(self, since: float, number: int | None = None) -> None:
        """Wait a little; end all processes, if what this one waits for does not come.

        Args:
            since: When the waiting began.
            number: The message that it waits for.
        """
        waited = time.monotonic() - since
        if waited > self.timeout:
            self.abort(
                f"Process {self.rank} of {self.size} has waited {self.timeout:g} s for the others, which have not "
                "come to the same place: one may have stopped, be slow, or have other data or callbacks. "
                "distribution.initialize(timeout=...) sets the time."
            )
        if waited > BUSY:
            time.sleep(min(1e-3, waited / 50))
        if waited < PATIENCE:
            return
        for rank in self.notes.others:
            failed = self.notes.read(rank, FAILED)
            left = self.notes.read(rank, LEFT)
            if number is not None and failed and json.loads(failed[0])[0] < number:
                known = self._known.setdefault(failed[0], time.monotonic())
                if left or time.monotonic() - known > GRACE:
                    self._end_for(rank, failed[0])
            if left:
                self.abort(
                    f"Process {self.rank} of {self.size} waits for the others, of which one has left the script. All "
                    "must go through the same calls of fit, evaluate and predict."
                )

    @contextlib.contextmanager
    def call(self, name: str) -> Iterator[None]:
        """In a `with` block, a call with messages in it: others are told of an error that leaves it."""
        try:
            yield
        except BaseException as error:
            if error is not self._latest:  # which has left a call in this one
                self._latest = error
                self._failures.append(self.started)
                self.notes.send(FAILED, json.dumps([self.started, f"{name} with {type(error).__name__}: {error}"]))
            raise

    def _meet(self, started: int) -> None:
        """Go on after an error that was caught, if all processes had one at the same place."""
        since = time.monotonic()
        for rank in self.notes.others:
            while not (told := self.notes.read(rank, FAILED)):
                self._pause(since)
            note = told.pop(0)
            if json.loads(note)[0] != started:
                self._end_for(rank, note)

    def _end_for(self, rank: int, note: str) -> None:
        self.abort(
            f"Process {rank} of {self.size} has left {json.loads(note)[1]}. Process {self.rank} has not, or at another "
            "place. To catch an error and go on, all processes must have it at the same place."
        )

    def wait_for_file(self) -> None:
        """Wait until the first process has written as many files as this one went by, each of which it tells of."""
        self._files += 1
        since = time.monotonic()
        while len(self.notes.read(0, WRITTEN)) < self._files:
            self._pause(since)

    def proceed(self) -> None:
        """From now on let MPI serve the others by a thread, where it allows calls of several: it does so in calls."""
        from mpi4py import MPI

        def serve() -> None:
            while not self._left.wait(5e-4):
                self.notes.proceed()

        if not self._serving and MPI.Query_thread() == MPI.THREAD_MULTIPLE:
            self._serving = True
            threading.Thread(target=serve, daemon=True).start()

    def leave(self) -> None:
        """Tell the other processes that this one comes to its end, and waits for no more sums."""
        self._left.set()
        self.notes.send(LEFT)

    def abort(self, message: str) -> None:
        """Say what has happened, and end all processes."""
        print(message, file=sys.stderr, flush=True)
        self.comm.Abort(1)


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

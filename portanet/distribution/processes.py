"""The processes of a job and what they exchange: MPI, through mpi4py."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from portanet.backends import HostArray
from portanet.distribution.notes import ASKED, FAILED, LEFT, WRITTEN, Notes
from portanet.distribution.rows import as_bytes, groups_of, part_of, row_of, summable
from portanet.distribution.standing import StandingSums

BUSY = 2e-3
"""Seconds of waiting after which a process gives its core to others."""

TURNS = 100
"""How often a process looks whether a message has come before it looks at the clock, too."""

PATIENCE = 0.5
"""Seconds of waiting after which a process asks whether another has left."""


GRACE = 3.0
"""Seconds that a process has to show an error, before others end all for it."""


class OnDevice(Protocol):
    """What exchanges arrays with other processes without going through the host."""

    def finish(self) -> None:
        """Wait until all exchanges that this process has begun are done; there are no more."""

    def abort(self) -> None:
        """End exchanges that wait for other processes."""


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
        self.place, count = self._on_machine()
        """Which of the processes on this machine this is."""
        self.near = count == self.size
        """Whether all are on one machine, where messages are copies by the cores that compute."""
        self.timeout = timeout
        self.messages = 0
        """Messages that were started, and their bytes: what a step costs."""
        self.bytes = 0
        self.started = 0
        """How many messages were started so far: all processes start the same ones."""
        self._standing = StandingSums(self.comm, self._wait)
        self._failures: list[int] = []
        """What `started` was when errors left calls; others must have had them, too, before this process goes on."""
        self._latest: BaseException | None = None
        self._known: dict[str, float] = {}
        self._files = 0, 0
        """What `started` was when this process last went by a file, and by how many it has gone there."""
        self._serving: threading.Thread | None = None
        self._left = threading.Event()
        self.on_devices: list[OnDevice] = []
        """What lets this process exchange arrays with others without going through the host."""

    def __repr__(self) -> str:
        return f"<process {self.rank} of {self.size}>"

    def start_sum(self, x: HostArray) -> Callable[[], HostArray]:
        """Begin to add up the arrays of all processes; what is returned waits for the sum.

        The sum has the same bits in every process.
        """
        number = self._begin(x.nbytes)
        if (standing := self._standing.find(x)) is not None:
            return standing.start(x, number)
        held = np.ascontiguousarray(x, summable(x.dtype))
        total = np.empty_like(held)
        request = self.comm.Iallreduce(held, total)

        def finish() -> HostArray:
            self._wait(request, number)
            # `held` is kept until here: it is read meanwhile.
            return total.reshape(x.shape).astype(x.dtype, copy=False)

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

    def _on_machine(self) -> tuple[int, int]:
        """Which of the processes on this machine this is, and how many they are."""
        from mpi4py import MPI

        here = self.comm.Split_type(MPI.COMM_TYPE_SHARED)
        place = int(here.Get_rank()), int(here.Get_size())
        here.Free()
        return place

    def _begin(self, size: int) -> int:
        """Count a message of so many bytes, which is about to be started; its number."""
        if self._failures:
            self._meet_failures()
        self.messages, self.bytes, self.started = self.messages + 1, self.bytes + size, self.started + 1
        return self.started

    def begin_step(self) -> None:
        """Count a step whose messages go from device to device, as one."""
        self._begin(0)

    def waits_since(self, since: float) -> None:
        """End all processes, if what this one waits for on its device since then does not come."""
        waited = time.monotonic() - since
        if waited > self.timeout:
            self.abort(self._late())
        for rank in self.notes.others if waited > GRACE else ():
            for note in (*self.notes.read(rank, FAILED)[:1], *self.notes.read(rank, LEFT)[:1]):
                if time.monotonic() - self._known.setdefault(f"{rank}: {note}", time.monotonic()) > GRACE:
                    what = json.loads(note)[1] if note else "the script"
                    self.abort(
                        f"Process {rank} of {self.size} has left {what}, and process {self.rank} waits for it on its "
                        "device."
                    )

    def _wait(self, request: Any, number: int) -> None:
        for _ in range(TURNS):
            if request.Test():
                return
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
            self.abort(self._late())
        if waited > BUSY:
            time.sleep(min(1e-3, waited / 50))
        if waited < PATIENCE:
            return
        for rank in self.notes.others:
            failed = self.notes.read(rank, FAILED)
            left = self.notes.read(rank, LEFT)
            asked = self.notes.read(rank, ASKED)
            if number is not None and asked and json.loads(asked[0])[0] < min(number, self.started):
                self._end_asked(rank, asked[0])
            if number is not None and failed and json.loads(failed[0])[0] < number:
                known = self._known.setdefault(failed[0], time.monotonic())
                if left or time.monotonic() - known > GRACE:
                    self._end_for(rank, failed[0])
            if left:
                self.abort(
                    f"Process {self.rank} of {self.size} waits for the others, of which one has left the script. All "
                    "must go through the same calls of fit, evaluate and predict."
                )

    def _late(self) -> str:
        return (
            f"Process {self.rank} of {self.size} has waited {self.timeout:g} s for the others, which have not come to "
            "the same place: one may have stopped, be slow, or have other data or callbacks. "
            "distribution.initialize(timeout=...) sets the time."
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

    def _meet_failures(self) -> None:
        """Go on after errors that were caught, if all processes had them at the same places."""
        while self._failures:
            started, since = self._failures.pop(0), time.monotonic()
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

    def meet(self, what: str) -> None:
        """Wait until all processes come here: before messages that not all might send, such as those for a file.

        Args:
            what: What these are for.
        """
        self._meet_failures()
        note = json.dumps([self.started, what])
        self.notes.send(ASKED, note)
        since, missing = time.monotonic(), set(self.notes.others)
        while missing:
            for rank in sorted(missing):
                if asked := self.notes.read(rank, ASKED):
                    if asked[0] != note:
                        self._end_asked(rank, asked[0])
                    asked.pop(0)
                    missing.remove(rank)
            if missing:
                self._pause(since, self.started + 1)

    def _end_asked(self, rank: int, note: str) -> None:
        self.abort(
            f"Process {rank} of {self.size} asks for {json.loads(note)[1]}, and process {self.rank} does not, or at "
            "another place. All must do so together."
        )

    def wrote_file(self) -> None:
        """Tell the other processes that this one, the first, has written a file."""
        self.notes.send(WRITTEN, str(self.started))

    def wait_for_file(self) -> None:
        """Wait until the first process has written as many files at this place of the script as this one went by.

        It may have written others elsewhere alone.
        """
        place, count = self._files
        self._files = self.started, count + 1 if place == self.started else 1
        since = time.monotonic()
        while True:
            written = self.notes.read(0, WRITTEN)
            written[:] = [each for each in written if int(each) >= self.started]
            if written.count(str(self.started)) >= self._files[1]:
                return
            self._pause(since)

    def proceed(self) -> None:
        """From now on let MPI serve the others by a thread, where it allows calls of several: it does so in calls."""

        def serve() -> None:
            while not self._left.wait(5e-4):
                self.notes.proceed()

        if self._serving is None and self.threads_may_call:
            self._serving = threading.Thread(target=serve, daemon=True)
            self._serving.start()

    def leave(self) -> None:
        """Tell the other processes that this one comes to its end, and waits for no more sums."""
        for each in self.on_devices:
            each.finish()
        self.notes.send(LEFT)
        if self._serving is not None:  # until no other may ask for numbers that lie here
            end = time.monotonic() + self.timeout
            while time.monotonic() < end and not all(self.notes.read(rank, LEFT) for rank in self.notes.others):
                time.sleep(1e-3)
            self._left.set()
            self._serving.join()

    @property
    def threads_may_call(self) -> bool:
        """Whether MPI allows calls of several threads."""
        from mpi4py import MPI

        return bool(MPI.Query_thread() == MPI.THREAD_MULTIPLE)

    def abort(self, message: str) -> None:
        """Say what has happened, and end all processes."""
        print(message, file=sys.stderr, flush=True)
        for each in self.on_devices:
            with contextlib.suppress(Exception):  # the job ends in any case
                each.abort()
        self.comm.Abort(1)

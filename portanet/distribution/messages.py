"""What the processes of a job exchange: sums and arrays, by MPI, through mpi4py."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet.backends import HostArray
from portanet.distribution.rows import as_bytes, chunks, groups_of, part_of, row_of, summable
from portanet.distribution.standing import StandingSums

SECONDS = 1e-9
"""That a byte of a message takes at most, where it moves all the time."""

TURNS = 100
"""How often a process looks whether a message has come before it looks at the clock, too."""


class Messages:
    """Exchanges arrays of the host with the other processes of a communicator, which all make the same calls.

    Args:
        comm: The communicator, `mpi4py.MPI.COMM_WORLD` or a part of it.
    """

    def __init__(self, comm: Any) -> None:
        self.comm = comm.Dup()
        self.rank: int = comm.Get_rank()
        self.size: int = comm.Get_size()
        self.place, count = self._on_machine()
        """Which of the processes on this machine this is."""
        self.near = count == self.size
        """Whether all are on one machine, where messages are copies by the cores that compute."""
        self.messages = 0
        """Messages that were started, and their bytes: what a step costs."""
        self.bytes = 0
        self.started = 0
        """How many messages were started so far: all processes start the same ones."""
        self._standing = StandingSums(self.comm, self._wait)
        self._under_way: dict[int, tuple[Any, Any]] = {}
        """Requests, and the arrays that MPI reads and writes for them, be it that an error came and nobody waits."""

    def start_sum(self, x: HostArray) -> Callable[[], HostArray]:
        """Begin to add up the arrays of all processes; what is returned waits for the sum.

        The sum has the same bits in every process.
        """
        number = self._begin(x.nbytes)
        if (standing := self._standing.find(x)) is not None:
            return standing.start(x, number)
        held = np.ascontiguousarray(x, summable(x.dtype))
        total = np.empty_like(held)
        pairs = zip(chunks(held), chunks(total), strict=True)
        requests = [self._kept(self.comm.Iallreduce(part, result), part, result) for part, result in pairs]

        def finish() -> HostArray:
            for request in requests:
                self._wait(request, number)
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
            started.append(
                (group, held, own, self._kept(self.comm.Ireduce_scatter(held, own, counts), held, own), number)
            )

        def finish() -> list[HostArray]:
            slices: list[Any] = [None] * len(arrays)
            for group, held, own, request, number in started:
                self._wait(request, number, held.nbytes)
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
            request = self._kept(self.comm.Iallgatherv(as_bytes(own), (as_bytes(whole), sent)), own, whole)
            started.append((group, parts, own, whole, request, number))
        for group, parts, _, whole, request, number in started:
            self._wait(request, number, whole.nbytes)
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
        request = self._kept(self.comm.Iallgatherv(as_bytes(x), (as_bytes(whole), sizes)), x, whole)
        self._wait(request, number, whole.nbytes)
        return np.split(whole, np.cumsum(counts)[:-1])

    def broadcast(self, arrays: Sequence[HostArray]) -> list[HostArray]:
        """The arrays of the first process, in all; those of the others say shapes and dtypes."""
        copies = [np.array(a, order="C") for a in arrays]
        numbers = [self._begin(a.nbytes) for a in copies]
        requests = [self._kept(self.comm.Ibcast(as_bytes(a), 0), a) for a in copies]
        for request, number, each in zip(requests, numbers, copies, strict=True):
            self._wait(request, number, each.nbytes)
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

    def _kept(self, request: Any, *arrays: HostArray) -> Any:
        """A request that was started; its arrays are kept until it is done."""
        self._under_way = {key: each for key, each in self._under_way.items() if not each[0].Test()}
        self._under_way[id(request)] = request, arrays
        return request

    def _begin(self, size: int) -> int:
        """Count a message of so many bytes, which is about to be started; its number."""
        self._meet_failures()
        self.messages, self.bytes, self.started = self.messages + 1, self.bytes + size, self.started + 1
        return self.started

    def _wait(self, request: Any, number: int, size: int = 0) -> None:
        """Wait for a message of this number, and of so many bytes: it moves only in calls of MPI, so not in sleep."""
        turns, since = 0, 0.0
        while not request.Test():
            turns += 1
            if turns == TURNS:
                since = time.monotonic() + size * SECONDS
            elif turns > TURNS:
                self.pause(since, number)
        self._under_way.pop(id(request), None)

    def _meet_failures(self) -> None:
        """Called before a message is started."""

    def pause(self, since: float, number: int | None = None) -> None:
        """Called while a message has not come.

        Args:
            since: When the waiting began.
            number: The message.
        """

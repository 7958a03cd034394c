"""Numbers that all processes of a job read and change without waiting for each other: MPI's one-sided windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from portanet.backends import HostArray
from portanet.distribution.processes import Processes
from portanet.distribution.rows import part_of

LEAST = 4096
"""Numbers of a row that a process holds at least: messages cost more than fewer numbers."""


class Server:
    """Rows of numbers in double precision, of which processes hold parts.

    A process changes a part at a time, which no other does meanwhile; so there is no process that only serves.

    Args:
        processes: The processes of the job, which all make the server together.
        rows: The rows, the same in all of them.
    """

    def __init__(self, processes: Processes, rows: Sequence[HostArray]) -> None:
        from mpi4py import MPI

        self.processes = processes
        self.shape = len(rows), len(rows[0])
        self.holders = max(1, min(processes.size, self.shape[1] // LEAST))
        self._exclusive = MPI.LOCK_EXCLUSIVE
        own = self._part(processes.rank)
        size = 8 * self.shape[0] * (own.stop - own.start)
        self._window = MPI.Win.Allocate(size, 8, comm=processes.comm)
        if processes.rank < self.holders:
            self._change(processes.rank, lambda part, _: np.stack([row[part] for row in rows]))
        processes.proceed()
        processes.each(0)

    def _part(self, rank: int) -> slice:
        return part_of(self.shape[1], rank, self.holders) if rank < self.holders else slice(0, 0)

    def _change(self, rank: int, change: Callable[[slice, HostArray], HostArray]) -> None:
        part = self._part(rank)
        held = np.empty((self.shape[0], part.stop - part.start))
        self._window.Lock(rank, self._exclusive)
        self._window.Get(held, rank)
        self._window.Flush(rank)
        self._window.Put(np.ascontiguousarray(change(part, held)), rank)
        self._window.Unlock(rank)

    def revise(self, change: Callable[[slice, HostArray], HostArray]) -> None:
        """Change all parts, one after the other, processes beginning with different ones.

        Args:
            change: What a part becomes, for its place in the rows and the part of each row.
        """
        for i in range(self.holders):
            self._change((self.processes.rank + i) % self.holders, change)

    def settled(self) -> list[HostArray]:
        """The rows when all processes have come here, the same in all."""
        self.processes.each(0)
        rows = np.empty(self.shape)

        def read(part: slice, held: HostArray) -> HostArray:
            rows[:, part] = held
            return held

        if self.processes.rank == 0:
            self.revise(read)
        (rows,) = self.processes.broadcast([rows])
        return list(rows)

    def close(self) -> None:
        """Give the memory back; all processes do so together."""
        self._window.Free()


def as_row(arrays: Sequence[HostArray]) -> HostArray:
    """The numbers of arrays in double precision; of complex ones, both parts."""
    reals = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    return np.concatenate([(a.view(a.real.dtype) if a.dtype.kind == "c" else a).astype("float64") for a in reals])


def from_row(row: HostArray, like: Sequence[HostArray]) -> list[HostArray]:
    """Arrays from the result of `as_row`, with the shapes and dtypes of others."""
    arrays, place = [], 0
    for each in like:
        real, size = each.real.dtype, each.size * (2 if each.dtype.kind == "c" else 1)
        arrays.append(row[place : place + size].astype(real).view(each.dtype).reshape(each.shape))
        place += size
    return arrays

"""Sums of few numbers that come again and again, such as those of a step's losses: MPI keeps their requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends import HostArray
from portanet.distribution.rows import summable

SMALL = 1 << 14
"""Bytes up to which the request of a sum is kept: to make a request takes as long as such a message."""
MOST = 64
"""How many requests are kept."""


class StandingSums:
    """The sums whose requests are kept, one for each shape and dtype.

    Args:
        comm: The communicator, whose processes all begin the same sums.
        wait: Waits for a request, given with the number of its message.
    """

    def __init__(self, comm: Any, wait: Callable[[Any, int], None]) -> None:
        from mpi4py import MPI

        self._comm, self._wait = comm, wait
        self._most = MOST if MPI.Get_version() >= (4, 0) else 0
        self._known: dict[Any, _StandingSum] = {}

    def find(self, x: HostArray) -> _StandingSum | None:
        """The sum for arrays like this one, or None for arrays whose requests are not kept."""
        known = self._known.get((x.shape, x.dtype))
        if known is None and x.nbytes <= SMALL and len(self._known) < self._most and summable(x.dtype) == x.dtype:
            known = self._known[x.shape, x.dtype] = _StandingSum(self._comm, self._wait, x)
        return known


class _StandingSum:
    """A request, and the arrays that it reads and writes."""

    def __init__(self, comm: Any, wait: Callable[[Any, int], None], like: HostArray) -> None:
        self._held, self._total = (np.empty(like.shape, like.dtype) for _ in range(2))
        self._request, self._wait = comm.Allreduce_init(self._held, self._total), wait
        self._number = 0  # of the message that is under way; 0 for none
        self._result: list[HostArray] = []

    def start(self, x: HostArray, number: int) -> Callable[[], HostArray]:
        """Begin to add up an array, as a message of this number; what is returned waits for the sum."""
        if self._number:  # nobody has waited for the last one so far, be it that an error came first
            self._settle()
        self._held[...] = x
        self._number, self._result = number, []
        result = self._result
        self._request.Start()

        def finish() -> HostArray:
            if not result:
                self._settle()
            return result[0]

        return finish

    def _settle(self) -> None:
        """Wait for the sum, and copy it to where it was promised."""
        self._wait(self._request, self._number)
        self._result.append(self._total.copy())
        self._number = 0

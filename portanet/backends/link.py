"""What a library does so that several processes add up its arrays where they lie, on their devices."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array

SUM = 0
"""NCCL's number for an addition."""

NUMBERS = {
    **{"int8": 0, "uint8": 1, "int32": 2, "uint32": 3, "int64": 4, "uint64": 5},
    **{"float16": 6, "float32": 7, "float64": 8, "bfloat16": 9},
}
"""NCCL's numbers for dtypes."""


class Link:
    """NCCL's calls for one device, on the stream that the library computes on, so that a recording may contain them.

    See `portanet.distribution.engines`, which uses it.
    """

    def unavailable(self) -> str | None:
        """Why NCCL cannot be used, with the remedy, or None if it can."""
        raise NotImplementedError

    def version(self) -> int:
        """NCCL's version, such as 22304; all processes must have the same."""
        raise NotImplementedError

    def identity(self) -> str:
        """What tells the device from all others, also those of other machines."""
        raise NotImplementedError

    def unique_id(self) -> bytes:
        """What one process makes for all that are to be connected: 128 bytes."""
        raise NotImplementedError

    def open(self, size: int, unique_id: bytes, rank: int) -> None:
        """Connect this process with the others, which all call this together."""
        raise NotImplementedError

    def abort(self) -> None:
        """End calls that wait for other processes."""
        raise NotImplementedError

    def call(self, name: str, *args: int) -> None:
        """Begin a call such as `"allReduce"`, whose arguments are addresses and numbers, on the current stream."""
        raise NotImplementedError

    def group(self) -> contextlib.AbstractContextManager[Any]:
        """In a `with` block, calls that begin together at its end."""
        raise NotImplementedError

    def pointer(self, x: Array) -> int:
        """The address of an array."""
        raise NotImplementedError

    def buffer(self, x: Array) -> Any:
        """An array as mpi4py takes it."""
        return x

    def contiguous(self, x: Array) -> Array:
        """The array, or a copy of it, whose elements lie in order."""
        raise NotImplementedError

    def mark(self) -> Callable[[], bool]:
        """What tells, in any thread, whether all that the current stream has been given so far is done."""
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait until all that the current stream has been given is done."""
        raise NotImplementedError

"""The counter-based generator on NumPy."""

from __future__ import annotations

import numpy as np

from portanet.backends.base import HostArray

CHUNK = 2**15  # two such arrays of uint32 stay in a core's cache


def random_words(start: HostArray, size: int, threshold: int | None, before: int = 0) -> HostArray:
    """The hash of `portanet.random.streams.bits`, chunk by chunk, without temporary arrays or the masks that unsigned
    shifts do not need.
    """
    a, b = (int(word) for word in start.view(np.uint32)[:, 0])
    result: HostArray = np.empty(size, dtype=np.int32 if threshold is None else np.bool_)
    counter = np.arange(min(CHUNK, size), dtype=np.uint32)
    scratch = np.empty_like(counter)
    buffer, elements = np.empty_like(counter), np.empty_like(counter)
    for first in range(0, size, CHUNK):
        count = min(CHUNK, size - first)
        i, spare = elements[:count], scratch[:count]
        np.add(counter[:count], np.uint32(before + first), out=i)
        words = buffer[:count] if threshold is not None else result[first : first + count].view(np.uint32)
        np.bitwise_xor(i, np.uint32(a), out=words)
        _mix(words, spare)
        words += i
        words += np.uint32(b)
        _mix(words, spare)
        if threshold is not None:
            np.less(words.view(np.int32), np.int32(threshold), out=result[first : first + count])
    return result


def _mix(x: HostArray, spare: HostArray) -> None:
    """The finaliser of `portanet.random.streams.bits`, in place."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        np.right_shift(x, shift, out=spare)
        x ^= spare
        x *= np.uint32(factor)
    np.right_shift(x, 16, out=spare)
    x ^= spare

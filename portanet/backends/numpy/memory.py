"""Memory that is freed is kept for what is allocated next; arrays that begin with a line of the cache."""

from __future__ import annotations

import ctypes
import functools
import math
import os
from typing import Any

import numpy as np

from portanet.backends.base import Array

# From malloc.h of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT = 2**30
"""Bytes that may stay with the process after they were freed."""
LARGE = 2**25
"""Arrays of more bytes are given back to the system as soon as they are freed."""
LINE = 64
"""Bytes of a line of the cache, and of the widest registers."""
LONG = 2**14
"""Elements of arrays that are worth 2 us more to begin with a line of the cache."""


@functools.cache
def keep_freed_memory() -> bool:
    """Have the C library keep freed memory, as PyTorch's, JAX's and CuPy's allocators do; whether it does.

    A step of training allocates what the last one freed. Given back to the system in between, it comes page by page,
    filled with zeros, which took a third of the time of a step. Only the GNU C library is told so, and only if its
    environment variables (MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_, GLIBC_TUNABLES) say nothing else.
    """
    told = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & os.environ.keys()
    if told or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "") or os.name != "posix":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(library.mallopt(_MMAP_THRESHOLD, LARGE) and library.mallopt(_TRIM_THRESHOLD, KEPT))


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array, not initialised, that begins with a line of the cache.

    NumPy's begin 16 bytes after: a product of small matrices whose second factor is such an array takes 1.3 times as
    long, and a sum of two 1.2 times.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + LINE, dtype=np.uint8)
    start = -raw.__array_interface__["data"][0] % LINE
    return raw[start : start + size].view(dtype).reshape(shape)


def in_line(x: Array) -> Array:
    """A copy that begins with a line of the cache; a short or scattered array itself."""
    if x.size < LONG or not x.flags.c_contiguous or x.dtype.hasobject:
        return x
    out = aligned(x.shape, x.dtype)
    np.copyto(out, x)
    return out

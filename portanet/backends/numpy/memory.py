"""Memory that is freed is kept for what is allocated next."""

from __future__ import annotations

import ctypes
import functools
import os

# From malloc.h of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT = 2**30
"""Bytes that may stay with the process after they were freed."""
LARGE = 2**25
"""Arrays of more bytes are given back to the system as soon as they are freed."""


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

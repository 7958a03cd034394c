"""Joining of arrays without a table of pointers, which CuPy sends from the host."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet.backends.base import Array

MOST = 8
"""Arrays that one kernel joins."""
LARGE = 2**18
"""Elements from which on copies, one per array, are faster: the kernel divides for every element."""


def concat(arrays: Sequence[Array], axis: int | None) -> Array:
    """The arrays joined along an axis, with None flat."""
    import cupy

    arrays = [x.reshape(-1) for x in arrays] if axis is None else list(arrays)
    first = arrays[0]
    axis = np.lib.array_utils.normalize_axis_index(axis or 0, first.ndim)
    before, after = first.shape[:axis], first.shape[axis + 1 :]
    if any(x.ndim != first.ndim or x.shape[:axis] != before or x.shape[axis + 1 :] != after for x in arrays):
        raise ValueError(
            f"Arrays to join must have equal shapes but for axis {axis}. Received: shapes {[x.shape for x in arrays]}"
        )
    dtype = np.result_type(*(x.dtype for x in arrays))
    sizes = [x.shape[axis] for x in arrays]
    small = 0 < math.prod((*before, sum(sizes), *after)) < LARGE and all(x.dtype == dtype for x in arrays)
    if small and len(arrays) > MOST:
        return concat([concat(arrays[i : i + MOST], axis) for i in range(0, len(arrays), MOST)], axis)
    with first.device:
        out = cupy.empty((*before, sum(sizes), *after), dtype=dtype)
    if small and len(arrays) > 1:
        _joined(len(arrays))(*arrays, *sizes, math.prod(after), sum(sizes), out)
        return out
    start = 0
    for x, size in zip(arrays, sizes, strict=True):
        out[(slice(None),) * axis + (slice(start, start + size),)] = x
        start += size
    return out


@functools.cache
def _joined(count: int) -> Any:
    """A kernel whose every element finds the array that it comes from."""
    import cupy

    numbers = range(count)
    choose = "\n".join(
        f"if (place < n{k}) out = x{k}[(before * n{k} + place) * inner + after]; else {{ place -= n{k};"
        for k in numbers[:-1]
    )
    last = count - 1
    return cupy.ElementwiseKernel(
        ", ".join([*(f"raw T x{k}" for k in numbers), *(f"int64 n{k}" for k in numbers), "int64 inner, int64 total"]),
        "T out",
        f"""
        long long after = i % inner, row = i / inner, place = row % total, before = row / total;
        {choose}
        out = x{last}[(before * n{last} + place) * inner + after];
        {"}" * last}
        """,
        f"portanet_concat_{count}",
    )

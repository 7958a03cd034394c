"""Sums over leading axes, as of channels-last arrays and of gradients over rows."""

from __future__ import annotations

import functools
import math
from typing import Any

from portanet.backends.base import Array

LARGE = 2**16
"""Elements from which on it pays."""
THREADS = 2**17
"""About as many sums are computed at once; they fill the GPU."""
LEAST = 64
"""Rows of a sum, at least."""
FEW = 1024
"""Rows that one block of threads sums up: no more for each thread than where there are many."""
WIDTH = 32
"""Columns from which on neighbouring threads read neighbouring elements: one warp."""


def leading_axes(x: Array, axis: Any) -> int:
    """How many leading axes a sum is over; 0 if it is over others, or CuPy's own does as well."""
    if axis is None or x.dtype.char not in "fd" or x.size < LARGE or not x.flags.c_contiguous:
        return 0
    axes = sorted(a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,)))
    count = len(axes)
    return count if axes == list(range(count)) and math.prod(x.shape[count:]) >= WIDTH else 0


def sum_leading(x: Array, count: int, keepdims: bool) -> Array:
    """The sum over the first `count` axes of a contiguous array.

    CuPy's reductions give each result to a block of threads, which read elements far apart; here neighbouring threads
    have neighbouring columns, and add some rows each. The order of addition follows from the shape.
    """
    import cupy

    kept = x.shape[count:]
    columns = math.prod(kept)
    with x.device:
        x = x.reshape(-1, columns)
        while x.shape[0] > FEW:
            rows = x.shape[0]
            step = max(LEAST, -(-rows * columns // THREADS))
            out = cupy.empty((-(-rows // step), columns), dtype=x.dtype)
            _sums_of_rows()(x, rows, columns, step, out)
            x = out
        if x.shape[0] > 1:
            x = _few_rows(x)
    return x.reshape((1,) * count * keepdims + kept)


def sum_rows(x: Array) -> Any:
    """As `portanet.fused.products.sum_rows`."""
    import cupy

    if x.dtype.char not in "fd" or x.ndim < 2 or not x.size:
        return NotImplemented
    total = sum_leading(cupy.ascontiguousarray(x), x.ndim - 1, False)
    return total if x.size > x.shape[-1] else total.copy()  # of a single row, it is a view


def _few_rows(x: Array) -> Array:
    """The sum of the rows of a matrix, by a block of threads for each `WIDTH` columns."""
    import cupy

    rows, columns = x.shape
    lanes = 1
    while lanes < 16 and lanes * 4 < rows:
        lanes *= 2
    out = cupy.empty((1, columns), dtype=x.dtype)
    threads = WIDTH * lanes
    _sums_of_few_rows()(x, rows, columns, out, size=-(-columns // WIDTH) * threads, block_size=threads)
    return out


@functools.cache
def _sums_of_few_rows() -> Any:
    import cupy

    return cupy.ElementwiseKernel(
        "raw T x, int64 rows, int64 columns",
        "raw T out",
        """
        __shared__ T parts[512];
        const int lanes = blockDim.x / 32, lane = threadIdx.x / 32;
        const long long column = (long long)blockIdx.x * 32 + threadIdx.x % 32;
        T sum = T(0);
        if (column < columns) {
            for (long long row = lane; row < rows; row += lanes) sum += x[row * columns + column];
        }
        parts[threadIdx.x] = sum;
        __syncthreads();
        if (lane == 0 && column < columns) {
            for (int k = 1; k < lanes; ++k) sum += parts[k * 32 + threadIdx.x];
            out[column] = sum;
        }
        """,
        "portanet_sums_of_few_rows",
    )


@functools.cache
def _sums_of_rows() -> Any:
    import cupy

    return cupy.ElementwiseKernel(
        "raw T x, int64 rows, int64 columns, int64 step",
        "T out",
        """
        const long long column = i % columns, first = i / columns * step;
        const long long last = first + step < rows ? first + step : rows;
        T total = T(0);
        for (long long row = first; row < last; ++row) total += x[row * columns + column];
        out = total;
        """,
        "portanet_sums_of_rows",
    )

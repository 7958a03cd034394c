"""Sums of rows that share an index, in a fixed order."""

from __future__ import annotations

import functools
from typing import Any

from portanet.backends.base import Array


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`.

    The rows are sorted, and each sum adds its own one after the other: additions by atomic instructions come in another
    order in every run, so a resumed run would differ in the last bits.
    """
    import cupy

    with rows.device:
        dtype = rows.dtype
        if dtype == "float16":  # whose few digits sums would lose
            rows = rows.astype("float32")
        out = cupy.zeros((size, rows.shape[1]), dtype=rows.dtype)
        if rows.size:
            order = cupy.argsort(index, kind="stable")
            sorted_index, places = index[order], cupy.arange(size, dtype=index.dtype)
            first, last = (cupy.searchsorted(sorted_index, places, side)[:, None] for side in ("left", "right"))
            _segment_sums()(rows, order, first, last, rows.shape[1], out)
        return out.astype(dtype, copy=False)


@functools.cache
def _segment_sums() -> Any:
    import cupy

    return cupy.ElementwiseKernel(
        "raw T rows, raw int64 order, int64 first, int64 last, int64 columns",
        "T out",
        """
        T total = T(0);
        for (long long k = first; k < last; ++k) total += rows[order[k] * columns + i % columns];
        out = total;
        """,
        "portanet_segment_sums",
    )

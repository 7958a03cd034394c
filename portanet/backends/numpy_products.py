"""Products of matrices on NumPy; in steps that work in pieces, divided among the same threads.

A product that OpenBLAS divides wakes threads of its own, which then look out for more to do without a pause (26 ms)
and take half a core from whatever is computed in pieces meanwhile: a step of training took half as long again. Where
there are no pieces that is an advantage: the next product finds them awake.
"""

from __future__ import annotations

import numpy as np

from portanet.backends.base import Array
from portanet.backends.threads import has_cores, run_pieces

SMALL = 8_000_000
"""Products with fewer multiplications and additions are not worth a second thread."""


def matmul(x1: Array, x2: Array, /) -> Array:
    """As in the standard; large products in pieces of rows, columns or matrices, whose sizes follow from the shapes."""
    if not has_cores() or x1.ndim < 2 or x2.ndim < 2 or 2 * x1.size * x2.shape[-1] < SMALL or x1.dtype != x2.dtype:
        return np.matmul(x1, x2)
    if x1.ndim == 2 and x2.ndim == 2:
        rows, columns = x1.shape[0], x2.shape[1]
        out = np.empty((rows, columns), dtype=x1.dtype)
        if rows >= columns:
            size = max(128, -(-rows // 128) * 16)
            run_pieces(lambda i: _product(x1[_piece(i, size)], x2, out[_piece(i, size)]), -(-rows // size))
        else:
            size = max(128, -(-columns // 64) * 16)
            run_pieces(lambda i: _product(x1, x2[:, _piece(i, size)], out[:, _piece(i, size)]), -(-columns // size))
        return out
    if x1.shape[:-2] != x2.shape[:-2]:
        return np.matmul(x1, x2)
    out = np.empty((*x1.shape[:-1], x2.shape[-1]), dtype=x1.dtype)
    size = max(1, -(-x1.shape[0] // 8))
    run_pieces(
        lambda i: _product(x1[_piece(i, size)], x2[_piece(i, size)], out[_piece(i, size)]), -(-x1.shape[0] // size)
    )
    return out


def _product(x1: Array, x2: Array, out: Array) -> None:
    np.matmul(x1, x2, out=out)


def _piece(i: int, size: int) -> slice:
    return slice(i * size, (i + 1) * size)

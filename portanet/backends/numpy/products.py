"""Products of matrices on NumPy; in steps that work in pieces, divided among the same threads.

A product that OpenBLAS divides wakes threads of its own, which then look out for more to do without a pause (26 ms)
and take half a core from whatever is computed in pieces meanwhile: a step of training took half as long again. Where
there are no pieces that is an advantage: the next product finds them awake.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.threads import has_cores, in_a_piece, run_pieces

SMALL = 8_000_000
"""Products with fewer multiplications and additions are not worth a second thread."""
COPIED = 2**14
"""Products of batches of second factors with no more numbers take half as long if transposed ones are copied first."""
LARGE = 32 * SMALL
"""Nor are these within a piece: the others have most of the threads, and each call takes the interpreter."""


def matmul(x1: Array, x2: Array, /) -> Array:
    """As in the standard; large products in pieces of rows, columns or matrices, whose sizes follow from the shapes."""
    if x2.ndim > 2 and x2.strides[-1] != x2.itemsize and x2.shape[-1] * x2.shape[-2] <= COPIED:
        x2 = np.ascontiguousarray(x2)
    if x1.ndim < 2 or x2.ndim < 2 or x1.dtype != x2.dtype or not _divides(2 * x1.size * x2.shape[-1]):
        return np.matmul(x1, x2)
    if x1.ndim > 2 or x2.ndim > 2:
        if x1.shape[:-2] != x2.shape[:-2]:
            return np.matmul(x1, x2)
        out = np.empty((*x1.shape[:-1], x2.shape[-1]), dtype=x1.dtype)
        _in_pieces(x1.shape[0], max(1, -(-x1.shape[0] // 8)), lambda p: np.matmul(x1[p], x2[p], out=out[p]))
        return out
    rows, columns = x1.shape[0], x2.shape[1]
    out = np.empty((rows, columns), dtype=x1.dtype)
    if rows >= columns:
        _in_pieces(rows, max(256, -(-rows // 128) * 16), lambda p: np.matmul(x1[p], x2, out=out[p]))
    else:
        _in_pieces(columns, max(128, -(-columns // 64) * 16), lambda p: np.matmul(x1, x2[:, p], out=out[:, p]))
    return out


def _divides(operations: int) -> bool:
    return operations >= LARGE if in_a_piece() else operations >= SMALL and has_cores()


def _in_pieces(count: int, size: int, product: Callable[[slice], Array]) -> None:
    run_pieces(lambda i: product(slice(i * size, (i + 1) * size)), -(-count // size))

"""Convolution with three rows of kernel at the price of two: the minimal filtering F(2, 3) along the height.

S. Winograd, Arithmetic Complexity of Computations, 1980; for networks: A. Lavin and S. Gray, arXiv:1509.09308, section
4.1. Two rows of outputs y that see four rows of inputs d through three rows of the kernel k need six products in the
ordinary way, and here four: m = (B d) * (G k), y = A m, with

    B d = (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
    G k = (k0, (k0 + k1 + k2) / 2, (k0 - k1 + k2) / 2, k2)
    A m = (m0 + m1 + m2, m1 - m2 - m3)

In float32 the result is about as exact as the ordinary one: its mean error is 8 % larger, with 64 channels. What sees
an infinity may become no number, since inputs are subtracted from each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.memory import aligned


def pairs(rows: int) -> int:
    """How many pairs of rows make `rows` rows; the last may have a row too many."""
    return -(-rows // 2)


_OF_INPUTS: tuple[tuple[Any, int, int], ...] = (
    (np.subtract, 0, 2),
    (np.add, 1, 2),
    (np.subtract, 2, 1),
    (np.subtract, 1, 3),
)
"""The rows of B: what is done to which two of the four rows of inputs."""


def of_inputs(x: Array, before: int, out: Array) -> None:
    """B for all pairs of outputs, written to `out` (4, examples, n, *size).

    Args:
        x: Rows of inputs (examples, rows, *size).
        before: Rows of zeros before them; those after them are as many as are needed.
        out: The results.
    """
    height, count = x.shape[1], out.shape[2]
    for (combine, *rows), target in zip(_OF_INPUTS, out, strict=True):
        starts = [row - before for row in rows]  # of the first pair
        low = min(count, max(0, *(-(start // 2) for start in starts)))
        high = max(low, min(count, *((height - 1 - start) // 2 + 1 for start in starts)))
        if low < high:
            first, second = (x[:, start + 2 * low : start + 2 * high - 1 : 2] for start in starts)
            combine(first, second, out=target[:, low:high])
        for pair in (*range(low), *range(high, count)):
            first, second = (x[:, i] if 0 <= i < height else 0.0 for i in (start + 2 * pair for start in starts))
            combine(first, second, out=target[:, pair])


def of_kernel(kernel: Array) -> Array:
    """G: from (3, ...) to (4, ...)."""
    out = aligned((4, *kernel.shape[1:]), kernel.dtype)
    middle = (kernel[0] + kernel[2]) * 0.5
    half = kernel[1] * 0.5
    out[0], out[3] = kernel[0], kernel[2]
    np.add(middle, half, out=out[1])
    np.subtract(middle, half, out=out[2])
    return out


def to_kernel(g: Array) -> Array:
    """The transpose of G: from (4, ...) to (3, ...)."""
    middle, half = (g[1] + g[2]) * 0.5, (g[1] - g[2]) * 0.5
    return np.stack([g[0] + middle, half, middle + g[3]])


def to_outputs(m: Array, out: Array) -> None:
    """A, written to the rows of `out` (examples, rows, size), from (4, examples, n, size), which may be overwritten."""
    odd = out.shape[1] // 2
    m[0] += m[2]
    np.add(m[0], m[1], out=out[:, ::2])
    m[1] -= m[2]
    np.subtract(m[1, :, :odd], m[3, :, :odd], out=out[:, 1::2])


def of_outputs(g: Array) -> Array:
    """The transpose of A: from rows (examples, rows, size) to (4, examples, n, size)."""
    examples, rows, size = g.shape
    out = aligned((4, examples, pairs(rows), size), g.dtype)
    out[0] = g[:, ::2]
    out[3, :, : rows // 2] = g[:, 1::2]
    out[3, :, rows // 2 :] = 0
    np.add(out[0], out[3], out=out[1])
    np.subtract(out[0], out[3], out=out[2])
    np.negative(out[3], out=out[3])
    return out

"""Convolution on NumPy, as a kernel of `portanet.ops.convolution_plain`, which defines it.

The height is unfolded, with the margins, to [n, oh, W, kh*C]. All places that a column of outputs sees are then
neighbours, and the column is, for all rows of all examples of a piece, one product, written to where it belongs: no
array is copied but the unfolded one, which stays in a core's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.threads import run_pieces

PIECE = 3 * 2**19
"""Bytes of a piece, unfolded, with its results."""


def convolve(x: Array, weights: Array, bias: Array | None, window: Any, groups: int) -> Array | None:
    """The convolution; None where the version in the standard is as good."""
    places = window.places(x.shape[1:-1])
    planes = _planes(x, window, groups, places)
    if planes is None:
        return None
    x, (kh, kw), strides, padding, dilation, (oh, ow) = planes
    batch, channels, filters = x.shape[0], x.shape[-1], weights.shape[-1]
    matrix = weights.reshape(kh, kw, channels, filters).transpose(1, 0, 2, 3).reshape(-1, filters)
    out = np.empty((batch, oh, ow * filters), dtype=np.result_type(x, weights))
    added = None if bias is None else np.tile(bias, ow)
    step, line = strides[1] * kh * channels, kw * kh * channels
    size = _rows(x, padding, kh, oh, ow * filters)

    def run(i: int) -> None:
        part = slice(i * size, (i + 1) * size)
        seen = _unfolded(x[part], kh, strides[0], padding, dilation, oh)
        rows = out[part].reshape(-1, ow * filters)
        for k in range(ow):
            np.matmul(seen[:, k * step : k * step + line], matrix, out=rows[:, k * filters : (k + 1) * filters])
        if added is not None:
            rows += added

    run_pieces(run, -(-batch // size))
    return out.reshape(batch, *places, filters)


def _planes(x: Array, window: Any, groups: int, count: tuple[int, ...]) -> tuple[Any, ...] | None:
    """The convolution as one over two axes, if it is one that this layout suits."""
    size, strides, padding, dilation = window.size, window.strides, window.padding, window.dilation
    if window.rank == 1:
        x = x[:, :, None, :]
        size, strides, padding, dilation = (*size, 1), (*strides, 1), (*padding, (0, 0)), (*dilation, 1)
        count = (*count, 1)
    if (
        (window.rank > 2 or groups > 1 or dilation[1] > 1 or max(size) == 1)
        or (0 in x.shape or 0 in count or min(map(min, padding)) < 0)
        or 4 * count[0] < count[1]  # short columns make small products
    ):
        return None
    return x, size, strides, padding, dilation[0], count


def _rows(x: Array, padding: Any, kh: int, oh: int, results: int) -> int:
    """How many examples make a piece."""
    width, channels = x.shape[2] + sum(padding[1]), x.shape[3]
    return int(max(1, min(x.shape[0], PIECE // (oh * (width * kh * channels + results) * x.itemsize))))


def _unfolded(x: Array, kh: int, stride: int, padding: Any, dilation: int, oh: int) -> Array:
    """The rows that each row of outputs sees, side by side and with their margins: [n * oh, W * kh * C]."""
    batch, height, width, channels = x.shape
    (top, _), (left, right) = padding
    out = np.empty((batch, oh, left + width + right, kh, channels), dtype=x.dtype)
    out[:, :, :left] = 0
    out[:, :, left + width :] = 0
    inside = out[:, :, left : left + width]
    for i in range(kh):
        first = i * dilation - top  # the row of x that the first row of outputs sees
        low = min(oh, max(0, -(first // stride)))
        high = max(low, min(oh, (height - 1 - first) // stride + 1))
        inside[:, :low, :, i] = 0
        inside[:, high:, :, i] = 0
        if low < high:
            inside[:, low:high, :, i] = x[:, first + low * stride : first + (high - 1) * stride + 1 : stride]
    return out.reshape(batch * oh, -1)

"""Sums, orders and products of the standard, which MLX has with other arguments or for fewer dtypes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mlx.core as mx

from portanet.backends import contraction
from portanet.backends.base import Array

Axis = int | tuple[int, ...] | None


def sum(x: Array, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:  # noqa: A001
    """As in the standard; MLX's has no `dtype`, and widens small integers."""
    out = mx.sum(sound(_widened(x, dtype)), axis, keepdims)
    return out if dtype is None else out.astype(dtype)


def prod(x: Array, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    """As in the standard; see `sum`."""
    out = mx.prod(sound(_widened(x, dtype)), axis, keepdims)
    return out if dtype is None else out.astype(dtype)


def all(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """As in the standard; see `sound`."""
    return mx.all(sound(x), axis, keepdims)


def any(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:  # noqa: A001
    """As in the standard; see `sound`."""
    return mx.any(sound(x), axis, keepdims)


def mean(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """As in the standard; see `sound`."""
    return mx.mean(sound(x), axis, keepdims)


def sound(x: Array) -> Array:
    """An array that MLX can reduce: where one without elements comes from NumPy, an index or a transposition, MLX has
    not set all that it knows of it, and its sums are wrong or do not end.
    """
    return x if x.size else mx.zeros(x.shape, x.dtype)


def _widened(x: Array, dtype: Any) -> Array:
    """In the dtype, by default that of the standard for sums: MLX adds few small integers in their own."""
    if dtype is None and x.itemsize < 4 and mx.issubdtype(x.dtype, mx.integer):
        dtype = mx.uint32 if mx.issubdtype(x.dtype, mx.unsignedinteger) else mx.int32
    return x if dtype is None else x.astype(dtype)


def var(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """As in the standard; MLX's correction is an integer and has another name."""
    x = sound(x)
    if correction == int(correction):
        return mx.var(x, axis, keepdims, int(correction))
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    count = math.prod(x.shape[a] for a in axes)
    return mx.var(x, axis, keepdims) * (count / (count - correction) if count > correction else mx.nan)


def std(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """As in the standard; see `var`."""
    return mx.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def cumulative_sum(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """As in the standard; MLX's keeps small integers, and starts with no zero."""
    return _cumulative(mx.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """As in the standard; see `cumulative_sum`."""
    return _cumulative(mx.cumprod, 1, x, axis, dtype, include_initial)


def _cumulative(function: Any, start: int, x: Array, axis: int | None, dtype: Any, include_initial: bool) -> Array:
    axis = 0 if axis is None else axis
    x = _widened(x, dtype)
    out = function(x, axis)
    if include_initial:
        shape = list(x.shape)
        shape[axis] = 1
        out = mx.concatenate([mx.full(shape, start, dtype=out.dtype), out], axis)
    return out


def argmax(x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """As in the standard; MLX's indices are unsigned, and it refuses arrays without rows."""
    return _index(mx.argmax, x, axis, keepdims)


def argmin(x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """As in the standard; see `argmax`."""
    return _index(mx.argmin, x, axis, keepdims)


def _index(function: Any, x: Array, axis: int | None, keepdims: bool) -> Array:
    without_rows = x.size == 0 and axis is not None and x.shape[axis]
    return (mx.sum if without_rows else function)(sound(x), axis, keepdims).astype(mx.int32)


def sort(x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """As in the standard; MLX's is ascending."""
    out = mx.sort(x, axis)
    return mx.flip(out, axis) if descending else out


def argsort(x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """As in the standard; MLX's is ascending, and its indices are unsigned."""
    if not descending:
        return mx.argsort(x, axis).astype(mx.int32)
    order = mx.argsort(mx.flip(x, axis), axis).astype(mx.int32)  # equal elements stay in their order
    return mx.flip(x.shape[axis] - 1 - order, axis)


def searchsorted(x1: Array, x2: Any, /, *, side: str = "left", sorter: Array | None = None) -> Array:
    """As in the standard; MLX's has no `sorter`, and its indices are unsigned."""
    x1 = x1 if sorter is None else mx.take(x1, sorter)
    x2 = x2 if isinstance(x2, mx.array) else mx.array(x2, dtype=x1.dtype)
    return mx.searchsorted(x1, x2, side).astype(mx.int32)


def matmul(x1: Array, x2: Array, /) -> Array:
    """As in the standard; MLX's has no integers, which are multiplied and added."""
    if mx.issubdtype(x1.dtype, mx.inexact) or mx.issubdtype(x2.dtype, mx.inexact):
        return mx.matmul(x1, x2)
    a = x1[None, :] if x1.ndim == 1 else x1
    b = x2[:, None] if x2.ndim == 1 else x2
    out = sum(a[..., :, :, None] * b[..., None, :, :], axis=-2).astype(mx.result_type(x1, x2))
    if x1.ndim == 1:
        out = mx.squeeze(out, -2)
    return mx.squeeze(out, -1) if x2.ndim == 1 else out


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """As in the standard; MLX's has no integers, and repeats single elements."""
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(
            f"vecdot needs as many elements in both. Received: shapes {x1.shape} and {x2.shape}, axis={axis}"
        )
    x1 = mx.conj(x1) if x1.dtype == mx.complex64 else x1
    return sum(x1 * x2, axis=axis).astype(mx.result_type(x1, x2))


def tensordot(x1: Array, x2: Array, /, *, axes: int | Sequence[Sequence[int]] = 2) -> Array:
    """As in the standard; MLX's has no integers."""
    return contraction.tensordot(matmul, x1, x2, axes)

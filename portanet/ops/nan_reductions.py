"""Reductions that leave out NaN."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops import reductions
from portanet.ops.dtypes import floating
from portanet.ops.operation import Axes, operation
from portanet.ops.searching import argmax, argmin


def _is_nan(x: Array) -> Array | None:
    xp = array_namespace(x)
    return xp.isnan(x) if xp.isdtype(x.dtype, ("real floating", "complex floating")) else None


def _replaced(x: Array, value: float) -> Array:
    nan = _is_nan(x)
    return x if nan is None else array_namespace(x).where(nan, value, x)


@operation
def nansum(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Sum over axes of the elements that are not NaN.

    Example:
        >>> nansum([1.0, float("nan"), 3.0])
        np.float32(4.0)
    """
    return reductions.sum(_replaced(x, 0.0), axis, keepdims)


@operation
def nanprod(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Product over axes of the elements that are not NaN.

    Example:
        >>> float(nanprod([2.0, float("nan"), 3.0]))
        6.0
    """
    return reductions.prod(_replaced(x, 1.0), axis, keepdims)


@operation
def nanmax(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Maximum over axes of the elements that are not NaN; NaN if there are none.

    Example:
        >>> float(nanmax([1.0, float("nan"), 3.0]))
        3.0
    """
    return _unless_all_nan(x, reductions.amax(_replaced(x, -math.inf), axis, keepdims), axis, keepdims)


@operation
def nanmin(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Minimum over axes of the elements that are not NaN; NaN if there are none.

    Example:
        >>> float(nanmin([1.0, float("nan"), 3.0]))
        1.0
    """
    return _unless_all_nan(x, reductions.amin(_replaced(x, math.inf), axis, keepdims), axis, keepdims)


def _unless_all_nan(x: Array, result: Array, axis: Axes, keepdims: bool, otherwise: float = math.nan) -> Array:
    nan = _is_nan(x)
    if nan is None:
        return result
    xp = array_namespace(x)
    return xp.where(xp.all(nan, axis=axis, keepdims=keepdims), otherwise, result)


@operation
def nanmean(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Mean over axes of the elements that are not NaN.

    Example:
        >>> float(nanmean([1.0, float("nan"), 3.0]))
        2.0
    """
    x = floating(x)
    xp = array_namespace(x)
    count = xp.sum(xp.astype(~xp.isnan(x), x.dtype), axis=axis, keepdims=keepdims)
    return xp.sum(_replaced(x, 0.0), axis=axis, keepdims=keepdims) / count


@operation
def nanvar(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Variance over axes of the elements that are not NaN.

    Example:
        >>> float(nanvar([1.0, float("nan"), 3.0]))
        1.0
    """
    x = floating(x)
    xp = array_namespace(x)
    distance = _replaced(x - nanmean(x, axis, True), 0.0)
    count = xp.sum(xp.astype(~xp.isnan(x), x.dtype), axis=axis, keepdims=keepdims)
    return xp.sum(distance * distance, axis=axis, keepdims=keepdims) / count


@operation
def nanstd(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Standard deviation over axes of the elements that are not NaN.

    Example:
        >>> float(nanstd([1.0, float("nan"), 3.0]))
        1.0
    """
    variance = nanvar(x, axis, keepdims)
    return array_namespace(variance).sqrt(variance)


@operation
def nanargmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the maximum of the elements that are not NaN, as int32; -1 if there are none.

    Example:
        >>> int(nanargmax([1.0, float("nan"), 3.0]))
        2
    """
    return _unless_all_nan(x, argmax(_replaced(x, -math.inf), axis, keepdims), axis, keepdims, -1)


@operation
def nanargmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the minimum of the elements that are not NaN, as int32; -1 if there are none.

    Example:
        >>> int(nanargmin([1.0, float("nan"), 3.0]))
        0
    """
    return _unless_all_nan(x, argmin(_replaced(x, math.inf), axis, keepdims), axis, keepdims, -1)


@operation
def nancumsum(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Cumulative sums, NaN counting as 0.

    Example:
        >>> nancumsum([2.0, float("nan"), 3.0])
        array([2., 2., 5.], dtype=float32)
    """
    return reductions.cumsum(_replaced(x, 0.0), axis, dtype)


@operation
def nancumprod(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Cumulative products, NaN counting as 1.

    Example:
        >>> nancumprod([2.0, float("nan"), 3.0])
        array([2., 2., 6.], dtype=float32)
    """
    return reductions.cumprod(_replaced(x, 1.0), axis, dtype)

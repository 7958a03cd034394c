"""Sums, means, extremes and other reductions over axes."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.casting import saturate_cast
from portanet.ops.comparisons import truth
from portanet.ops.conversion import promoted
from portanet.ops.dtypes import at_least_float32, counted, find_dtype, floating
from portanet.ops.operation import Axes, Operand, operation


def _reduced(name: str, x: Array, axis: Axes, keepdims: bool) -> Array:
    return getattr(array_namespace(x), name)(x, axis=axis, keepdims=keepdims)


@operation
def sum(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Sum over axes.

    Args:
        x: Array; booleans and integers of less than 32 bits are summed as int32.
        axis: The axes; None for all.
        keepdims: Whether the axes stay, with size 1.

    Example:
        >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
        array([4., 6.], dtype=float32)
        >>> sum([True, True])
        np.int32(2)
    """
    x = counted(x, short=True)
    return array_namespace(x).sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


@operation
def prod(x: Array, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """Product over axes; booleans and integers of less than 32 bits as int32, unless there is a `dtype`.

    Example:
        >>> prod([[1.0, 2.0], [3.0, 4.0]], axis=1)
        array([ 2., 12.], dtype=float32)
    """
    xp = array_namespace(x)
    x = counted(x, short=True) if dtype is None else xp.astype(x, find_dtype(dtype, x, "prod"))
    return xp.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


@operation
def mean(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Mean over axes; of integers in the default floating-point dtype.

    Example:
        >>> mean([1, 2])
        np.float32(1.5)
    """
    return _reduced("mean", floating(x), axis, keepdims)


@operation
def var(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Variance over axes, the mean of the squared distances from the mean.

    Example:
        >>> float(var([1.0, 3.0]))
        1.0
    """
    return _reduced("var", floating(x), axis, keepdims)


@operation
def std(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Standard deviation over axes, the square root of the variance.

    Example:
        >>> float(std([1.0, 3.0]))
        1.0
    """
    return _reduced("std", floating(x), axis, keepdims)


@operation
def max(x: Array, axis: Axes = None, keepdims: bool = False, initial: Any = None) -> Array:
    """Maximum over axes.

    Args:
        x: Array.
        axis: The axes; None for all.
        keepdims: Whether the axes stay, with size 1.
        initial: The result is at least this number; needed if there are no elements.

    Example:
        >>> max([[1.0, 5.0], [3.0, 4.0]], axis=1)
        array([5., 4.], dtype=float32)
    """
    return _extreme("max", "maximum", x, axis, keepdims, initial)


@operation
def min(x: Array, axis: Axes = None, keepdims: bool = False, initial: Any = None) -> Array:
    """Minimum over axes; with `initial`, at most this number.

    Args:
        x: An array.
        axis: Axis or axes; None for all.
        keepdims: Whether these axes are kept, with size 1.
        initial: An upper bound of the result.

    Example:
        >>> min([[1.0, 5.0], [7.0, 3.0]], axis=1)
        array([1., 3.], dtype=float32)
    """
    return _extreme("min", "minimum", x, axis, keepdims, initial)


def _extreme(name: str, pair: str, x: Array, axis: Axes, keepdims: bool, initial: Any) -> Array:
    xp = array_namespace(x)
    if xp.isdtype(x.dtype, "bool"):  # the standard has no order of booleans
        return _reduced("any" if name == "max" else "all", x, axis, keepdims)
    if initial is None:
        return _reduced(name, x, axis, keepdims)
    if math.prod(x.shape) == 0:
        return xp.full_like(xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype), initial)
    return getattr(xp, pair)(*promoted(_reduced(name, x, axis, keepdims), initial))


@operation
def amax(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Maximum over axes.

    Example:
        >>> amax([[1.0, 5.0], [7.0, 3.0]], axis=1)
        array([5., 7.], dtype=float32)
    """
    return max(x, axis, keepdims)


@operation
def amin(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Minimum over axes.

    Example:
        >>> amin([[1.0, 5.0], [7.0, 3.0]], axis=1)
        array([1., 3.], dtype=float32)
    """
    return min(x, axis, keepdims)


@operation
def ptp(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Maximum less minimum over axes.

    Example:
        >>> ptp([[1.0, 5.0], [7.0, 3.0]], axis=1)
        array([4., 4.], dtype=float32)
    """
    return _reduced("max", x, axis, keepdims) - _reduced("min", x, axis, keepdims)


@operation
def all(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Whether all elements are true over axes; numbers are true if they differ from 0.

    Example:
        >>> all([[True, True], [True, False]], axis=1)
        array([ True, False])
    """
    return _reduced("all", truth(x), axis, keepdims)


@operation
def any(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Whether any element is true over axes.

    Example:
        >>> any([[False, True], [False, False]], axis=1)
        array([ True, False])
    """
    return _reduced("any", truth(x), axis, keepdims)


@operation
def count_nonzero(x: Array, axis: Axes = None) -> Array:
    """Number of elements that differ from 0, as int32.

    Example:
        >>> count_nonzero([[1, 0], [2, 3]], axis=1)
        array([1, 2], dtype=int32)
    """
    return sum(truth(x), axis)


@operation
def logsumexp(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """`log(sum(exp(x)))` over axes, without overflow.

    Example:
        >>> round(float(logsumexp([1000.0, 1000.0])), 3)
        1000.693
    """
    x = floating(x)
    xp = array_namespace(x)
    largest = xp.max(x, axis=axis, keepdims=True)
    largest = xp.where(xp.isfinite(largest), largest, 0.0)
    total = xp.sum(xp.exp(x - largest), axis=axis, keepdims=keepdims)
    return xp.log(total) + xp.reshape(largest, total.shape)


@operation
def average(x: Operand, axis: Axes = None, weights: Operand | None = None) -> Array:
    """Weighted mean over axes.

    Args:
        x: Array.
        axis: The axes; None for all.
        weights: As `x`, or one per element of the single axis; None for equal weights.

    Example:
        >>> average([1.0, 4.0], weights=[2.0, 1.0])
        np.float32(2.0)
    """
    x = floating(x)
    if weights is None:
        return _reduced("mean", x, axis, False)
    weights = floating(weights)
    xp = array_namespace(x, weights)
    if len(weights.shape) == 1 and len(x.shape) > 1 and isinstance(axis, int):
        shape = [1] * len(x.shape)
        shape[axis] = -1
        weights = xp.reshape(weights, tuple(shape))
    weights = xp.broadcast_to(weights, x.shape)
    return xp.sum(x * weights, axis=axis) / xp.sum(weights, axis=axis)


@operation
def cumsum(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Cumulative sums along an axis; of all elements in one row for None.

    Example:
        >>> cumsum([1, 2, 3])
        array([1, 3, 6], dtype=int32)
    """
    return _cumulative("cumulative_sum", x, axis, dtype, "cumsum")


@operation
def cumprod(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Cumulative products along an axis; of all elements in one row for None.

    Example:
        >>> cumprod([1.0, 2.0, 3.0])
        array([1., 2., 6.], dtype=float32)
    """
    return _cumulative("cumulative_prod", x, axis, dtype, "cumprod")


def _cumulative(name: str, x: Array, axis: int | None, dtype: Any, of: str) -> Array:
    xp = array_namespace(x)
    x = counted(x) if dtype is None else xp.astype(x, find_dtype(dtype, x, of))
    if axis is None:
        x, axis = xp.reshape(x, (-1,)), 0
    return getattr(xp, name)(x, axis=axis, dtype=x.dtype)


@operation
def moments(x: Array, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> tuple[Array, Array]:
    """Mean and variance over axes; of float16, computed in float32 and clipped to what float16 holds.

    Args:
        x: Array.
        axes: The axes.
        keepdims: Whether the axes stay, with size 1.
        synchronized: Must be False: there is one device.

    Example:
        >>> moments([1.0, 3.0], 0)
        (np.float32(2.0), np.float32(1.0))
    """
    if synchronized:
        raise ValueError("Argument `synchronized` of moments must be False. Received: synchronized=True")
    x = floating(x)
    wide = at_least_float32(x)
    mean, variance = (_reduced(name, wide, axes, keepdims) for name in ("mean", "var"))
    return (mean, variance) if wide is x else (saturate_cast(mean, x.dtype), saturate_cast(variance, x.dtype))

"""Activations over an axis: probabilities, and the maximum of groups."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, custom_vjp, stop_gradient
from portanet.backends import Array, device_of, overridable


@custom_vjp
@overridable
def softmax(x: Array, axis: int | tuple[int, ...] | None = -1) -> Any:
    """`exp(x) / sum(exp(x))` over an axis; the maximum is subtracted first, so that nothing overflows.

    Args:
        x: Floating-point array.
        axis: Axis or axes over which the result sums to 1; None for all.

    Example:
        >>> import numpy as np
        >>> softmax(np.asarray([-1.0, 0.0, 1.0])).round(6)
        array([0.090031, 0.244728, 0.665241])
    """
    xp = array_namespace(x)
    if axis is not None and (not x.ndim or type(axis) is not int or axis != -1):
        checks.axes("axis", axis, x.ndim, "softmax")
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    y = e / xp.sum(e, axis=axis, keepdims=True)

    def pullback(g: Array) -> tuple[Array, None]:
        xp = array_namespace(g, y)
        gy = g * y
        return gy - y * xp.sum(gy, axis=axis, keepdims=True), None

    return y, pullback


@custom_vjp
def log_softmax(x: Array, axis: int | tuple[int, ...] | None = -1) -> Any:
    """The logarithm of `softmax`, without a logarithm of 0.

    Args:
        x: Floating-point array.
        axis: Axis or axes over which the exponentials of the result sum to 1; None for all.

    Example:
        >>> import numpy as np
        >>> log_softmax(np.asarray([0.0, 1000.0]))
        array([-1000.,     0.])
    """
    xp = array_namespace(x)
    if axis is not None and (not x.ndim or type(axis) is not int or axis != -1):
        checks.axes("axis", axis, x.ndim, "log_softmax")
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    y = shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))

    def pullback(g: Array) -> tuple[Array, None]:
        xp = array_namespace(g, y)
        return g - xp.exp(y) * xp.sum(g, axis=axis, keepdims=True), None

    return y, pullback


@custom_vjp
def sparsemax(x: Array, axis: int = -1) -> Any:
    """The nearest point to x whose elements along an axis are non-negative and sum to 1; many of them are 0.

    Source: A. Martins and R. Astudillo, From Softmax to Sparsemax (2016).

    Args:
        x: Floating-point array.
        axis: Axis over which the result sums to 1.

    Example:
        >>> import numpy as np
        >>> sparsemax(np.asarray([0.0, 0.5, 1.0]))
        array([0.  , 0.25, 0.75])
    """
    xp = array_namespace(x)
    checks.axis("axis", axis, x.ndim, "sparsemax")
    fixed = stop_gradient(x)
    ranked = xp.sort(fixed, axis=axis, descending=True)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    count = xp.reshape(xp.arange(1, x.shape[axis] + 1, dtype=x.dtype, device=device_of(ranked)), tuple(shape))
    # The support is the largest k for which the k-th largest element is above the threshold of the k largest.
    # Negated comparisons are true for NaN, which spreads over the axis as in softmax.
    supported = ~(1 + count * ranked <= xp.cumulative_sum(ranked, axis=axis))
    size = xp.sum(xp.astype(supported, x.dtype), axis=axis, keepdims=True)
    least = xp.min(xp.where(supported, ranked, xp.max(ranked, axis=axis, keepdims=True)), axis=axis, keepdims=True)
    support = xp.astype(~(fixed < least), x.dtype)
    threshold = (xp.sum(support * x, axis=axis, keepdims=True) - 1) / size

    def pullback(g: Array) -> tuple[Array, None]:
        xp = array_namespace(g, support)
        masked = g * support
        return masked - support * (xp.sum(masked, axis=axis, keepdims=True) / size), None

    return xp.where(support > 0, x - threshold, 0.0), pullback


def maxout(x: Array, pieces: int, axis: int = -1) -> Array:
    """The maximum of each group of `pieces` neighbours along an axis (Goodfellow et al. 2013).

    Args:
        x: Floating-point array.
        pieces: Size of a group; it must divide the size of the axis.
        axis: The axis, divided by `pieces` in the result.

    Example:
        >>> import numpy as np
        >>> maxout(np.asarray([[1.0, 2.0, 5.0, 3.0]]), 2)
        array([[2., 5.]])
    """
    xp = array_namespace(x)
    size = x.shape[checks.axis("axis", axis, x.ndim, "maxout")]
    if size % checks.positive_int("pieces", pieces, "maxout"):
        raise checks.invalid("pieces", pieces, f"a divisor of the size of axis {axis}, {size}", "maxout")
    axis = axis % x.ndim
    groups = xp.reshape(x, (*x.shape[:axis], size // pieces, pieces, *x.shape[axis + 1 :]))
    return xp.max(groups, axis=axis + 1)

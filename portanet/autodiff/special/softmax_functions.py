"""Sums of exponentials along axes."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.special.declare import promoted, value
from portanet.backends import Array


def logsumexp(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))`, which overflows only if the result does.

    Args:
        x: Floating-point array.
        axis: Axes to sum over; None for all.
        keepdims: Whether the axes are kept, with size 1.

    Example:
        >>> import numpy as np
        >>> logsumexp(np.asarray([1000.0, 1000.0])).round(6)
        np.float64(1000.693147)
    """
    xp, (x,) = promoted("logsumexp", ["x"], (x,))
    top = _top(xp, x, axis)
    total = xp.sum(xp.exp(x - top), axis=axis, keepdims=True)
    none = total == 0
    total = xp.where(none, -math.inf, xp.log(xp.where(none, 1.0, total))) + top
    if keepdims:
        return total
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return xp.squeeze(total, axis=tuple(axes))


def softmax(x: Array, /, *, axis: int | tuple[int, ...] | None = None) -> Any:
    """`exp(x) / sum(exp(x))`.

    Args:
        x: Floating-point array.
        axis: Axes to sum over; None, as in SciPy, for all.

    Example:
        >>> import numpy as np
        >>> softmax(np.asarray([[1000.0, 1000.0], [0.0, 1.0]]), axis=1).round(6)
        array([[0.5     , 0.5     ],
               [0.268941, 0.731059]])
    """
    xp, (x,) = promoted("softmax", ["x"], (x,))
    terms = xp.exp(x - _top(xp, x, axis))
    return terms / xp.sum(terms, axis=axis, keepdims=True)


def log_softmax(x: Array, /, *, axis: int | tuple[int, ...] | None = None) -> Any:
    """`x - logsumexp(x)`.

    Args:
        x: Floating-point array.
        axis: Axes to sum over; None, as in SciPy, for all.

    Example:
        >>> import numpy as np
        >>> log_softmax(np.asarray([1000.0, 1000.0])).round(6)
        array([-0.693147, -0.693147])
    """
    xp, (x,) = promoted("log_softmax", ["x"], (x,))
    x = x - _top(xp, x, axis)
    return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True))


def _top(xp: Any, x: Array, axis: Any) -> Any:
    """The largest value, as a constant, 0 where it is infinite."""
    constant = value(x)
    top = xp.max(constant, axis=axis, keepdims=True)
    return xp.where(xp.isfinite(top), top, 0.0)

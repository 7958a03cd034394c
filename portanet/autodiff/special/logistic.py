"""The logistic function, its inverse and its logarithm."""

from __future__ import annotations

from portanet.autodiff.special.declare import namespace_of, special
from portanet.backends import Array


@special
def expit(x: Array) -> Array:
    """The logistic function, `1 / (1 + exp(-x))`.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> expit(np.asarray([-1000.0, 0.0, 2.0])).round(6)
        array([0.      , 0.5     , 0.880797])
    """
    xp = namespace_of(x)
    small = xp.exp(-xp.abs(x))
    return xp.where(x < 0, small, 1.0) / (1 + small)


@special
def logit(p: Array) -> Array:
    """The inverse of `expit`, `log(p / (1 - p))`.

    Args:
        p: Floating-point array; NaN results outside 0 to 1.

    Example:
        >>> import numpy as np
        >>> logit(np.asarray([0.0, 0.5, 0.9])).round(6)
        array([    -inf, 0.      , 2.197225])
    """
    xp = namespace_of(p)
    center = xp.abs(p - 0.5) < 0.2
    near = xp.where(center, p, 0.5)  # atanh is accurate near 1/2, where the logarithms cancel
    inside = (p > 0) & (p < 1)
    safe = xp.where(inside, p, 0.5)
    out = xp.where(center, 2 * xp.atanh(2 * near - 1), xp.log(safe) - xp.log1p(-safe))
    infinite = xp.full_like(p, float("inf"))
    out = xp.where(inside, out, xp.where(p == 0, -infinite, xp.where(p == 1, infinite, float("nan"))))
    return out


@special
def log_expit(x: Array) -> Array:
    """The logarithm of `expit(x)`, which is finite for all finite x.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> log_expit(np.asarray([-1000.0, 0.0])).round(3)
        array([-1.00e+03, -6.93e-01])
    """
    xp = namespace_of(x)
    return xp.minimum(x, 0.0) - xp.log1p(xp.exp(-xp.abs(x)))

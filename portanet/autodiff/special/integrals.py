"""Exponential and elliptic integrals."""

from __future__ import annotations

import math

from portanet.autodiff.special.declare import composed, either, namespace_of, special
from portanet.autodiff.special.incomplete import exponential_integral
from portanet.backends import Array


@special
def exp1(x: Array) -> Array:
    """The exponential integral, the integral of `exp(-t) / t` from x to infinity; infinity at 0, NaN below.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> exp1(np.asarray([0.5, 2.0])).round(6)
        array([0.559774, 0.048901])
    """
    xp = namespace_of(x)
    inside = (x > 0) & (x < math.inf)
    edge = xp.where(x == 0, xp.full_like(x, math.inf), either(xp, x == math.inf, 0.0, math.nan, x))
    return xp.where(inside, exponential_integral(xp, xp.ones_like(x), xp.where(inside, x, 1.0)), edge)


@special
def expn(n: Array, x: Array) -> Array:
    """The integral of `exp(-x t) / t^n` from 1 to infinity, for x > 0.

    Args:
        n: Integers, as a number or an array. There is no derivative by `n`.
        x: Floating-point array, positive, which broadcasts with `n`.

    Example:
        >>> import numpy as np
        >>> expn(2, np.asarray([0.5, 2.0])).round(6)
        array([0.326644, 0.037534])
    """
    xp = namespace_of(n, x)
    n, x = xp.broadcast_arrays(n, x)
    inside = (x > 0) & (x < math.inf)
    edge = xp.where(x == math.inf, 0.0, xp.full_like(x, math.nan))
    return xp.where(inside, exponential_integral(xp, n, xp.where(inside, x, 1.0)), edge)


@composed
def ellipkm1(p: Array) -> Array:
    """`ellipk(1 - p)`, accurate for small p.

    Args:
        p: Floating-point array, not negative.

    Example:
        >>> import numpy as np
        >>> ellipkm1(np.asarray([1.0, 0.5, 1e-20])).round(6)
        array([ 1.570796,  1.854075, 24.412145])
    """
    xp = namespace_of(p)
    inside = p > 0
    arithmetic, geometric = xp.ones_like(p), xp.sqrt(xp.where(inside, p, 1.0))
    for _ in range(12):  # the arithmetic-geometric mean; each step doubles the digits
        arithmetic, geometric = (arithmetic + geometric) / 2, xp.sqrt(arithmetic * geometric)
    edge = xp.where(p == 0, xp.full_like(p, math.inf), math.nan)
    return xp.where(inside, 0.5 * math.pi / arithmetic, edge)


@composed
def ellipk(m: Array) -> Array:
    """The complete elliptic integral of the first kind of the parameter m; infinity at 1, NaN above.

    Args:
        m: Floating-point array.

    Example:
        >>> import numpy as np
        >>> ellipk(np.asarray([-1.0, 0.0, 0.5])).round(6)
        array([1.311029, 1.570796, 1.854075])
    """
    return ellipkm1(1 - m)

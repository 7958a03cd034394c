"""Entropies, and products with logarithms."""

from __future__ import annotations

import math

from portanet.autodiff.special.declare import either, namespace_of, special
from portanet.backends import Array


@special
def entr(x: Array) -> Array:
    """`-x log(x)`: 0 at 0, minus infinity below.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> entr(np.asarray([-1.0, 0.0, 0.5])).round(6)
        array([    -inf, 0.      , 0.346574])
    """
    xp = namespace_of(x)
    positive = x > 0
    out = -x * xp.log(xp.where(positive, x, 1.0))
    return xp.where(positive, out, xp.where(x == 0, 0.0, xp.where(x < 0, -math.inf, x)))


@special
def rel_entr(x: Array, y: Array) -> Array:
    """`x log(x / y)` for positive x and y: 0 where x is 0 and y is not negative, else infinity.

    Args:
        x: Floating-point array.
        y: Floating-point array, which broadcasts with `x`.

    Example:
        >>> import numpy as np
        >>> rel_entr(np.asarray([0.5, 0.0, 1.0]), np.asarray([0.25, 0.0, 0.0])).round(6)
        array([0.346574, 0.      ,      inf])
    """
    xp = namespace_of(x, y)
    x, y = xp.broadcast_arrays(x, y)
    both = (x > 0) & (y > 0)
    ratio = xp.where(both, x, 1.0) / xp.where(both, y, 1.0)
    difference = xp.log(xp.where(both, x, 1.0)) - xp.log(xp.where(both, y, 1.0))
    fits = (ratio > 0) & xp.isfinite(ratio)
    out = xp.where(both, x, 0.0) * xp.where(fits, xp.log(xp.where(fits, ratio, 1.0)), difference)
    out = xp.where(both, out, either(xp, (x == 0) & (y >= 0), 0.0, math.inf, x))
    return xp.where(xp.isnan(x) | xp.isnan(y), math.nan, out)


@special
def kl_div(x: Array, y: Array) -> Array:
    """`x log(x / y) - x + y` for positive x and y: y where x is 0 and y is not negative, else infinity.

    Args:
        x: Floating-point array.
        y: Floating-point array, which broadcasts with `x`.

    Example:
        >>> import numpy as np
        >>> kl_div(np.asarray([0.5, 0.0]), np.asarray([0.25, 2.0])).round(6)
        array([0.096574, 2.      ])
    """
    xp = namespace_of(x, y)
    x, y = xp.broadcast_arrays(x, y)
    outside = (x < 0) | (y < 0) | ((x > 0) & (y == 0))
    return rel_entr(x, y) + xp.where(outside, 0.0, y) - xp.where(outside, 0.0, x)


@special
def xlogy(x: Array, y: Array) -> Array:
    """`x log(y)`, and 0 where x is 0 and y is not NaN.

    Args:
        x: Floating-point array.
        y: Floating-point array, which broadcasts with `x`.

    Example:
        >>> import numpy as np
        >>> xlogy(np.asarray([0.0, 2.0]), np.asarray([0.0, 3.0])).round(6)
        array([0.      , 2.197225])
    """
    xp = namespace_of(x, y)
    x, y = xp.broadcast_arrays(x, y)
    zero = (x == 0) & ~xp.isnan(y)
    return xp.where(zero, 0.0, x * xp.log(xp.where(zero, 1.0, y)))


@special
def xlog1py(x: Array, y: Array) -> Array:
    """`x log(1 + y)`, and 0 where x is 0 and y is not NaN.

    Args:
        x: Floating-point array.
        y: Floating-point array, which broadcasts with `x`.

    Example:
        >>> import numpy as np
        >>> xlog1py(np.asarray([0.0, 2.0]), np.asarray([-1.0, 1e-9])).round(12)
        array([0.e+00, 2.e-09])
    """
    xp = namespace_of(x, y)
    x, y = xp.broadcast_arrays(x, y)
    zero = (x == 0) & ~xp.isnan(y)
    return xp.where(zero, 0.0, x * xp.log1p(xp.where(zero, 0.0, y)))

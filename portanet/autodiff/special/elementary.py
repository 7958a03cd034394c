"""Powers, angles in degrees, transformations of data and losses that SciPy counts as special functions."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.special.declare import composed, either, namespace_of, polynomial, special, value
from portanet.backends import Array


@special
def cbrt(x: Array) -> Array:
    """The real cube root.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> cbrt(np.asarray([-8.0, 0.0, 27.0])).round(6)
        array([-2.,  0.,  3.])
    """
    xp = namespace_of(x)
    regular = (x != 0) & xp.isfinite(x)
    size = xp.abs(xp.where(regular, x, 1.0))
    root = size ** (1 / 3)
    root = root - (root - size / (root * root)) / 3
    return xp.where(regular, xp.sign(x) * root, x)


@special
def exp2(x: Array) -> Array:
    """`2^x`.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> exp2(np.asarray([-1.0, 10.0]))
        array([5.000e-01, 1.024e+03])
    """
    return 2.0**x


@special
def exp10(x: Array) -> Array:
    """`10^x`.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> exp10(np.asarray([-1.0, 2.0]))
        array([  0.1, 100. ])
    """
    return 10.0**x


@composed
def exprel(x: Array) -> Array:
    """`(exp(x) - 1) / x`, and 1 at 0.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> exprel(np.asarray([0.0, 1.0])).round(6)
        array([1.      , 1.718282])
    """
    xp = namespace_of(x)
    near = xp.abs(x) < 0.5
    series = polynomial(xp.where(near, x, 0.0), tuple(1 / math.factorial(k + 1) for k in reversed(range(14))))
    infinite = x == math.inf
    far = xp.where(near | infinite, 1.0, x)
    return xp.where(near, series, xp.where(infinite, math.inf, xp.expm1(far) / far))


@composed
def cosm1(x: Array) -> Array:
    """`cos(x) - 1`, accurate near 0.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> cosm1(np.asarray([0.0, 1e-8]))
        array([-0.e+00, -5.e-17])
    """
    sine = namespace_of(x).sin(x / 2)
    return -2 * (sine * sine)


@composed
def sinc(x: Array) -> Array:
    """`sin(pi x) / (pi x)`, and 1 at 0.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> sinc(np.asarray([0.0, 0.5])).round(6)
        array([1.     , 0.63662])
    """
    xp = namespace_of(x)
    angle = math.pi * x
    near = xp.abs(angle) < 1
    square = xp.where(near, angle, 0.0) ** 2
    far = xp.where(near, 1.0, angle)
    series = polynomial(square, tuple((-1) ** k / math.factorial(2 * k + 1) for k in reversed(range(10))))
    return xp.where(near, series, xp.sin(far) / far)


# Angles in degrees: multiples of 90 are exact


def _is_lost(xp: Any, x: Array) -> Any:
    """Whether so large an angle has no digits in a turn: SciPy gives 0."""
    return xp.abs(x) > 1e14


def _quadrant(x: Array) -> tuple[Any, Any, Any, Any]:
    """The namespace, the angle in radians within an eighth of a turn, and whether sine and cosine are exchanged."""
    xp = namespace_of(x)
    angle = xp.remainder(xp.where(_is_lost(xp, x), 0.0, x), 360.0)
    quarter = xp.round(angle / 90)
    rest = (angle - 90 * quarter) * (math.pi / 180)
    quarter = xp.remainder(quarter, 4.0)
    return xp, rest, xp.remainder(quarter, 2.0) == 1, quarter


@composed
def sindg(x: Array) -> Array:
    """The sine of an angle in degrees.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> sindg(np.asarray([30.0, 180.0, 270.0])).round(6)
        array([ 0.5, -0. , -1. ])
    """
    xp, rest, swapped, quarter = _quadrant(x)
    sine = xp.where(swapped, xp.cos(rest), xp.sin(rest)) * either(xp, quarter >= 2, -1.0, 1.0, x)
    return xp.where(_is_lost(xp, x), 0.0, sine)


@composed
def cosdg(x: Array) -> Array:
    """The cosine of an angle in degrees.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> cosdg(np.asarray([60.0, 180.0])).round(6)
        array([ 0.5, -1. ])
    """
    xp, rest, swapped, quarter = _quadrant(x)
    negative = (quarter == 1) | (quarter == 2)
    cosine = xp.where(swapped, xp.sin(rest), xp.cos(rest)) * either(xp, negative, -1.0, 1.0, x)
    return xp.where(_is_lost(xp, x), 0.0, cosine)


@composed
def tandg(x: Array) -> Array:
    """The tangent of an angle in degrees.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> tandg(np.asarray([0.0, 45.0])).round(6)
        array([0., 1.])
    """
    xp = namespace_of(x)
    return sindg(x) / xp.where(_is_lost(xp, x), 1.0, cosdg(x))


@composed
def cotdg(x: Array) -> Array:
    """The cotangent of an angle in degrees.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> cotdg(np.asarray([45.0, 30.0])).round(6)
        array([1.      , 1.732051])
    """
    xp = namespace_of(x)
    return cosdg(x) / xp.where(_is_lost(xp, x), 1.0, sindg(x))


@composed
def radian(d: Array, m: Array, s: Array) -> Array:
    """Degrees, minutes and seconds as radians.

    Args:
        d: Floating-point array, degrees.
        m: Floating-point array, minutes.
        s: Floating-point array, seconds.

    Example:
        >>> import numpy as np
        >>> radian(np.asarray([180.0]), 30, 0).round(6)
        array([3.150319])
    """
    return (d + m / 60 + s / 3600) * (math.pi / 180)


# Transformations of data


@composed
def boxcox(x: Array, lmbda: Array) -> Array:
    """`(x^lmbda - 1) / lmbda`, and `log(x)` where lmbda is 0; differentiable there too.

    Args:
        x: Floating-point array, positive.
        lmbda: Floating-point array, which broadcasts with `x`.

    Example:
        >>> import numpy as np
        >>> boxcox(np.asarray([4.0]), np.asarray([0.5, 0.0])).round(6)
        array([2.      , 1.386294])
    """
    return _power_less_one(namespace_of(x, lmbda), x == 0, lmbda, lambda xp, zero: xp.log(xp.where(zero, 1.0, x)))


@composed
def boxcox1p(x: Array, lmbda: Array) -> Array:
    """`boxcox(1 + x, lmbda)`, accurate near x = 0.

    Args:
        x: Floating-point array, above -1.
        lmbda: Floating-point array, which broadcasts with `x`.

    Example:
        >>> import numpy as np
        >>> boxcox1p(np.asarray([3.0]), np.asarray([0.5, 0.0])).round(6)
        array([2.      , 1.386294])
    """
    return _power_less_one(namespace_of(x, lmbda), x == -1, lmbda, lambda xp, zero: xp.log1p(xp.where(zero, 0.0, x)))


def _power_less_one(xp: Any, zero: Array, lmbda: Array, logarithm: Any) -> Any:
    log = logarithm(xp, zero)
    finite = ~zero & xp.isfinite(log)
    log = xp.where(finite, log, xp.where(zero, xp.full_like(log, -math.inf), value(log)))
    # At 0 and infinity the power is 0, 1 or infinite; exponents of less than 1e-19 count as 0.
    power = value(lmbda * log)
    vanishes = ~finite & (power < 0) & (xp.abs(lmbda) >= 1e-19)
    edge = xp.where(vanishes, -1 / xp.where(vanishes, lmbda, 1.0), log + 0 * value(lmbda))
    away = xp.where(finite, log, 1.0)
    out = xp.where(finite, away * exprel(lmbda * away), edge)
    return xp.where(xp.isinf(lmbda) & (power == math.inf), math.nan, out)


@composed
def inv_boxcox(y: Array, lmbda: Array) -> Array:
    """The inverse of `boxcox`.

    Args:
        y: Floating-point array.
        lmbda: Floating-point array, which broadcasts with `y`.

    Example:
        >>> import numpy as np
        >>> inv_boxcox(np.asarray([2.0, 1.0]), np.asarray([0.5, 0.0])).round(6)
        array([4.      , 2.718282])
    """
    xp = namespace_of(y, lmbda)
    return xp.exp(_log_of_inverse(xp, y, lmbda))


@composed
def inv_boxcox1p(y: Array, lmbda: Array) -> Array:
    """The inverse of `boxcox1p`.

    Args:
        y: Floating-point array.
        lmbda: Floating-point array, which broadcasts with `y`.

    Example:
        >>> import numpy as np
        >>> inv_boxcox1p(np.asarray([2.0, 1.0]), np.asarray([0.5, 0.0])).round(6)
        array([3.      , 1.718282])
    """
    xp = namespace_of(y, lmbda)
    return xp.expm1(_log_of_inverse(xp, y, lmbda))


def _log_of_inverse(xp: Any, y: Array, lmbda: Array) -> Any:
    """`log(1 + lmbda y) / lmbda`, with a series near 0."""
    product = lmbda * y
    near = xp.abs(product) < 0.1
    series = polynomial(xp.where(near, product, 0.0), tuple((-1) ** k / (k + 1) for k in reversed(range(17))))
    huge = product == math.inf
    far = xp.where(near | huge, 1.0, product)
    out = y * xp.where(near, series, xp.log1p(far) / far)
    logarithm = xp.log(xp.abs(xp.where(huge, y, 1.0))) + xp.log(xp.abs(xp.where(huge, lmbda, 1.0)))
    out = xp.where(huge, logarithm / xp.where(huge, lmbda, 1.0), out)
    return xp.where((lmbda == 0) & xp.isinf(y), y, out)


# Losses


@composed
def huber(delta: Array, r: Array) -> Array:
    """`r^2 / 2` for |r| <= delta, and `delta (|r| - delta / 2)` beyond; infinity where delta is negative.

    Args:
        delta: Floating-point array.
        r: Floating-point array, which broadcasts with `delta`.

    Example:
        >>> import numpy as np
        >>> huber(1.0, np.asarray([0.5, 3.0]))
        array([0.125, 2.5  ])
    """
    xp = namespace_of(delta, r)
    size = xp.abs(r)
    loss = xp.where(size <= delta, 0.5 * (r * r), delta * (size - 0.5 * delta))
    return xp.where(delta < 0, math.inf, loss)


@composed
def pseudo_huber(delta: Array, r: Array) -> Array:
    """`delta^2 (sqrt(1 + (r / delta)^2) - 1)`; 0 where delta is 0, infinity where it is negative.

    Args:
        delta: Floating-point array.
        r: Floating-point array, which broadcasts with `delta`.

    Example:
        >>> import numpy as np
        >>> pseudo_huber(1.0, np.asarray([0.5, 3.0])).round(6)
        array([0.118034, 2.162278])
    """
    xp = namespace_of(delta, r)
    positive = delta > 0
    infinite = xp.isinf(r)
    finite = xp.where(infinite, 1.0, r)
    ratio = finite / xp.where(positive, delta, 1.0)
    loss = finite * (finite / (1 + xp.hypot(ratio, xp.ones_like(ratio))))
    loss = xp.where(infinite, math.inf, loss)
    return xp.where(positive, loss, xp.where(delta < 0, math.inf, xp.where(r == 0, 0.0, 0.0 * delta)))

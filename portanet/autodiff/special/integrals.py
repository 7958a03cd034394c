"""Exponential and elliptic integrals, and the dilogarithm."""

from __future__ import annotations

import math

from portanet.autodiff.special.declare import EULER, composed, either, namespace_of, polynomial, special
from portanet.autodiff.special.incomplete import exponential_integral
from portanet.backends import Array

# B(2k) / (2k + 1)!, highest power first.
_DILOGARITHM = (
    43867 / 798 / math.factorial(19), -3617 / 510 / math.factorial(17), 7 / 6 / math.factorial(15),
    -691 / 2730 / math.factorial(13), 5 / 66 / math.factorial(11), -1 / 30 / math.factorial(9),
    1 / 42 / math.factorial(7), -1 / 30 / math.factorial(5), 1 / 6 / math.factorial(3),
)  # fmt: skip


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
def expi(x: Array) -> Array:
    """The exponential integral, the principal value of the integral of `exp(t) / t` from minus infinity to x.

    By the power series up to 40, then by the asymptotic one (NIST Digital Library of Mathematical Functions, 6.6 and
    6.12).

    Args:
        x: Floating-point array; minus infinity at 0.

    Example:
        >>> import numpy as np
        >>> expi(np.asarray([-1.0, 0.5, 50.0]))
        array([-2.19383934e-01,  4.54219905e-01,  1.05856369e+20])
    """
    xp = namespace_of(x)
    near = xp.where((x > 0) & (x <= 40), x, 1.0)
    far = xp.where((x > 40) & (x < math.inf), x, 40.0)
    series, term = 0 * near, 1.0
    for k in range(1, 140):
        term = term * near / k
        series = series + term / k
    series = xp.log(near) + EULER + series
    asymptotic, term = 1 + 0 * far, 1.0
    for k in range(1, 40):
        term = term * k / far
        asymptotic = asymptotic + term
    half = xp.exp(far / 2)  # the exponential alone may overflow
    positive = xp.where(x > 40, half * (asymptotic / far) * half, series)
    out = xp.where(x < 0, -exp1(xp.where(x < 0, -x, 1.0)), positive)
    out = xp.where(x == 0, -math.inf, xp.where(x == math.inf, math.inf, out))
    return xp.where(xp.isnan(x), x, out)


@special
def spence(z: Array) -> Array:
    """The dilogarithm of `1 - z`, the integral of `log(t) / (1 - t)` from 1 to z; NaN below 0 and at infinity.

    Between 1/2 and 2 by its series in `log(z)`, whose coefficients are Bernoulli numbers; else by reflection (L. Lewin,
    Polylogarithms and Associated Functions, 1981).

    Args:
        z: Floating-point array.

    Example:
        >>> import numpy as np
        >>> spence(np.asarray([0.0, 1.0, 3.0])).round(6)
        array([ 1.644934,  0.      , -1.436746])
    """
    xp = namespace_of(z)
    inside = (z > 0) & (z < math.inf)
    x = xp.where(inside, z, 1.0)
    large = x > 2
    y = xp.where(large, 1 / x, x)
    small = y < 0.5
    u = -xp.where(small, xp.log1p(xp.where(small, -y, 0.0)), xp.log(y))
    out = u - u * u / 4 + u * u * u * polynomial(u * u, _DILOGARITHM)
    out = xp.where(small, math.pi**2 / 6 + xp.log(y) * u - out, out)
    out = xp.where(large, -0.5 * xp.log(x) ** 2 - out, out)
    return xp.where(inside, out, either(xp, z == 0, math.pi**2 / 6, math.nan, z))


@special
def expn_of_any_order(n: Array, x: Array) -> Array:
    """`expn` for all real n, those of its derivatives; NaN for x <= 0."""
    xp = namespace_of(n, x)
    n, x = xp.broadcast_arrays(n, x)
    inside = (x > 0) & (x < math.inf)
    edge = either(xp, x == math.inf, 0.0, math.nan, x)
    return xp.where(inside, exponential_integral(xp, n, xp.where(inside, x, 1.0)), edge)


@composed
def expn(n: Array, x: Array) -> Array:
    """The integral of `exp(-x t) / t^n` from 1 to infinity.

    Args:
        n: Integers from 0, as a number or an array; others are truncated. There is no derivative by `n`.
        x: Floating-point array, not negative, which broadcasts with `n`.

    Example:
        >>> import numpy as np
        >>> expn(2, np.asarray([0.5, 2.0])).round(6)
        array([0.326644, 0.037534])
    """
    xp = namespace_of(n, x)
    order = xp.trunc(n)
    valid = (order >= 0) & (x >= 0)
    positive = valid & (x > 0)
    out = expn_of_any_order(xp.where(valid, order, 1.0), xp.where(positive, x, 1.0))
    above = order >= 2
    at_zero = xp.where(above, 1 / (xp.where(above, order, 2.0) - 1), math.inf)
    return xp.where(positive, out, xp.where(valid, at_zero, math.nan))


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
    inside = (p > 0) & (p < math.inf)
    arithmetic, geometric = xp.ones_like(p), xp.sqrt(xp.where(inside, p, 1.0))
    for _ in range(12):  # the arithmetic-geometric mean; each step doubles the digits
        arithmetic, geometric = (arithmetic + geometric) / 2, xp.sqrt(arithmetic * geometric)
    pole = -0.5 * xp.log(xp.where(p == 0, p, 1.0))  # its derivatives at 0 are infinite, too
    edge = xp.where(p == 0, pole, either(xp, p == math.inf, 0.0, math.nan, p))
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

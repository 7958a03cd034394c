"""The incomplete gamma and beta functions, and their derivatives by parameters.

Both are integrals of a density. From the limit x away from the mean, `t = x exp(-s)` (for the upper incomplete gamma
function `t = x + s`) gives integrands whose only singularities near the path are at negative s: the double exponential
rule integrates them to rounding with a fixed number of nodes (H. Takahasi and M. Mori, Double exponential formulas for
numerical integration, 1974). Derivatives by a parameter have the logarithm of t as another factor. As functions of the
standard with a fixed number of terms, they can be differentiated again.
"""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.special.beta_functions import betaln
from portanet.autodiff.special.declare import EULER, device_of, either, namespace_of, special, value
from portanet.autodiff.special.gamma_functions import LARGE, digamma, digamma_rise, gammaln, stirling
from portanet.backends import Array

NODES, LOW, HIGH = 80, -3.7, 4.0


def _nodes(xp: Any, scale: Array) -> tuple[Any, Any]:
    """Nodes s and weights along a new last axis, for integrals over s > 0 of what decays like exp(-s/scale)."""
    own = namespace_of(scale)  # in a rule, plain arrays stay plain
    v = own.linspace(LOW, HIGH, NODES, dtype=scale.dtype, device=device_of(scale))
    small = xp.exp(-v)
    s = xp.expand_dims(scale, axis=-1) * xp.exp(v - small)
    return s, s * ((HIGH - LOW) / (NODES - 1) * (1 + small))


def _scale(xp: Any, slope: Array, curvature: Array, far: Array, exponent: Any) -> Any:
    """Where a concave exponent, with this slope and curvature at 0, is about -1; it is beyond -1 at `far`."""
    near = 2 / (slope + xp.sqrt(slope * slope + 2 * curvature))
    for _ in range(6):
        height, steepness = exponent(far)
        far = far + (height + 1) / steepness
    return xp.where(near < 0.5, near, far)


def _column(xp: Any, x: Array) -> Any:
    return xp.expand_dims(x, axis=-1)


def _log_less(xp: Any, u: Array, ratio: Array) -> Any:
    """`log(ratio) - u` for `u = ratio - 1`."""
    near = xp.abs(u) < 0.5
    return xp.where(near, xp.log1p(xp.where(near, u, 0.0)), xp.log(xp.where(near, 1.0, ratio))) - u


# Gamma


def gamma_mass(xp: Any, a: Array, x: Array) -> Any:
    """`x^a exp(-x) / gamma(a)` for a, x > 0: x times the density of the gamma distribution."""
    large = a >= LARGE
    b, y = xp.where(large, a, LARGE), xp.where(large, x, LARGE)
    exponent = b * _log_less(xp, (y - b) / b, y / b) - stirling(b)
    asymptotic = xp.sqrt(b / (2 * math.pi)) * xp.exp(exponent)
    c, z = xp.where(large, 1.0, a), xp.where(large, 1.0, x)
    return xp.where(large, asymptotic, xp.exp(c * xp.log(z) - z - gammaln(c)))


def gamma_density(xp: Any, a: Array, x: Array) -> Any:
    """The density of the gamma distribution, the derivative of `gammainc` by x."""
    inside = (x > 0) & (x < math.inf)
    y = xp.where(inside, x, 1.0)
    edge = xp.where(a < 1, math.inf, either(xp, a == 1, 1.0, 0.0, a))
    return xp.where(inside, gamma_mass(xp, a, y) / y, xp.where(x == 0, edge, 0.0))


def _gamma_tails(xp: Any, a: Array, x: Array, by_parameter: bool) -> tuple[Any, Any, Any]:
    """Whether x < a; the lower tail, valid there; and the upper one, valid elsewhere. Or their derivatives by `a`."""
    low = x < a
    y = xp.where(low, x, a)
    av, yv = value(a), value(y)
    scale = _scale(xp, av - yv, yv, (1 + yv) / av, lambda s: (-av * s - yv * xp.expm1(-s), av - yv * xp.exp(-s)))
    s, weights = _nodes(xp, scale)
    terms = weights * xp.exp(-_column(xp, a) * s - _column(xp, y) * xp.expm1(-s))
    if by_parameter:
        terms = terms * (_column(xp, xp.log(y) - digamma(a)) - s)
    lower = gamma_mass(xp, a, y) * xp.sum(terms, axis=-1)
    z = xp.where(low, a, x)
    zv = value(z)
    excess = xp.maximum(av - 1, 0.0)
    slope, curvature = xp.maximum(1 - excess / zv, 0.0), excess / (zv * zv)
    s, weights = _nodes(xp, 2 / (slope + xp.sqrt(slope * slope + 2 * curvature)))
    rise = xp.log1p(s / _column(xp, z))
    terms = weights * xp.exp(_column(xp, a - 1) * rise - s)
    if by_parameter:
        terms = terms * (_column(xp, xp.log(z) - digamma(a)) + rise)
    return low, lower, gamma_mass(xp, a, z) / z * xp.sum(terms, axis=-1)


def gammainc_by_parameter(xp: Any, a: Array, x: Array) -> Any:
    """The derivative of `gammainc(a, x)` by `a`."""
    a, x = xp.broadcast_arrays(a, x)
    inside = (a > 0) & (x > 0) & (a < math.inf) & (x < math.inf)
    low, lower, upper = _gamma_tails(xp, xp.where(inside, a, 1.0), xp.where(inside, x, 1.0), True)
    edge = either(xp, (x == 0) | (x == math.inf), 0.0, math.nan, x)
    return xp.where(inside, xp.where(low, lower, -upper), edge)


def _gammainc(a: Array, x: Array, upper: bool) -> Array:
    xp = namespace_of(a, x)
    a, x = xp.broadcast_arrays(a, x)
    inside = (a > 0) & (x > 0) & (a < math.inf) & (x < math.inf)
    low, left, right = _gamma_tails(xp, xp.where(inside, a, 1.0), xp.where(inside, x, 1.0), False)
    none = ((x == 0) & (a > 0)) | ((a == math.inf) & (x < math.inf) & (x >= 0))
    whole = ((a == 0) & (x > 0)) | ((x == math.inf) & (a < math.inf) & (a >= 0))
    if upper:
        edge = xp.where(none, 1.0, either(xp, whole, 0.0, math.nan, x))
        return xp.where(inside, xp.where(low, 1 - left, right), edge)
    edge = xp.where(none, 0.0, either(xp, whole, 1.0, math.nan, x))
    return xp.where(inside, xp.where(low, left, 1 - right), edge)


@special
def gammainc(a: Array, x: Array) -> Array:
    """The regularized lower incomplete gamma function: the integral of `t^(a-1) exp(-t) / gamma(a)` from 0 to x.

    Where the array library has none, the relative error is below 1e-13 in float64 for a up to 1e6 (measured against
    SciPy). The derivative by `a` is an integral too, of the same accuracy.

    Args:
        a: Floating-point array.
        x: Floating-point array, which broadcasts with `a`.

    Example:
        >>> import numpy as np
        >>> gammainc(np.asarray([0.5, 3.0]), np.asarray([0.5, 2.0])).round(6)
        array([0.682689, 0.323324])
    """
    return _gammainc(a, x, False)


@special
def gammaincc(a: Array, x: Array) -> Array:
    """`1 - gammainc(a, x)`, accurate where that is small.

    Args:
        a: Floating-point array.
        x: Floating-point array, which broadcasts with `a`.

    Example:
        >>> import numpy as np
        >>> gammaincc(np.asarray([0.5, 3.0]), np.asarray([0.5, 20.0])).round(9)
        array([3.17310508e-01, 4.56000000e-07])
    """
    return _gammainc(a, x, True)


def exponential_integral(xp: Any, n: Array, x: Array) -> Any:
    """The integral of `exp(-x t) / t^n` from 1 to infinity, for x > 0: an upper incomplete gamma function.

    With `t = exp(s)` for n >= 2, `t = 1 + s / x` for smaller n; for n = 1 or 2 and x < 1, by the power series.
    """
    steep = n >= 2
    m = xp.where(steep, n, 2.0)
    s, weights = _nodes(xp, 1 / (value(m) - 1 + value(x)))
    first = xp.sum(weights * xp.exp(-_column(xp, m - 1) * s - _column(xp, x) * xp.expm1(s)), axis=-1)
    flat = xp.where(steep, 1.0, n)
    s, weights = _nodes(xp, 1 + xp.maximum(-value(flat), 0.0) + 0 * value(x))
    terms = weights * xp.exp(-_column(xp, flat) * xp.log1p(s / _column(xp, x)) - s)
    second = xp.sum(terms, axis=-1) / x
    small = xp.minimum(x, 1.0)
    series, term = -xp.log(small) - EULER, -1.0
    for k in range(1, 20):
        term = term * -small / k
        series = series + term / k
    near = xp.where(n == 1, series, xp.exp(-x) - x * series)
    return xp.where(((n == 1) | (n == 2)) & (x < 1), near, xp.exp(-x) * xp.where(steep, first, second))


# Beta


def beta_mass(xp: Any, a: Array, b: Array, x: Array, y: Array) -> Any:
    """`x^a y^b / beta(a, b)` for y = 1 - x, 0 < x < 1: x y times the density of the beta distribution."""
    large = (a >= LARGE) & (b >= LARGE)
    c, d = xp.where(large, a, LARGE), xp.where(large, b, LARGE)
    p, q = c / (c + d), d / (c + d)
    z, w = xp.where(large, x, p), xp.where(large, y, q)
    distance = xp.where(p < 0.5, z - p, q - w)
    exponent = c * _log_less(xp, distance / p, z / p) + d * _log_less(xp, -distance / q, w / q)
    exponent = exponent - stirling(c) - stirling(d) + stirling(c + d)
    asymptotic = xp.sqrt(c * q / (2 * math.pi)) * xp.exp(exponent)
    c, d = xp.where(large, 1.0, a), xp.where(large, 1.0, b)
    plain = xp.exp(c * _log(xp, x, y) + d * _log(xp, y, x) - betaln(c, d))
    return xp.where(large, asymptotic, plain)


def _log(xp: Any, x: Array, y: Array) -> Any:
    """`log(x)`, where `y = 1 - x` has the digits that x lacks near 1."""
    near = x > 0.5
    return xp.where(near, xp.log1p(xp.where(near, -y, 0.0)), xp.log(xp.where(near, 1.0, x)))


def beta_density(xp: Any, a: Array, b: Array, x: Array) -> Any:
    """The density of the beta distribution, the derivative of `betainc` by x."""
    inside = (x > 0) & (x < 1)
    z = xp.where(inside, x, 0.5)
    near = xp.where(x == 0, a, b)  # the exponent at the end where x is
    edge = xp.where(near < 1, math.inf, xp.where(near == 1, xp.where(x == 0, b, a), 0.0))
    return xp.where(inside, beta_mass(xp, a, b, z, 1 - z) / (z * (1 - z)), edge)


def _beta_tail(xp: Any, a: Array, b: Array, x: Array, y: Array, parameter: str | None) -> tuple[Any, Any]:
    """Whether x is below the mean, and the smaller tail; or its derivative by the parameter `a` or `b`."""
    low = x * b <= y * a
    c, d = xp.where(low, a, b), xp.where(low, b, a)
    z, w = xp.where(low, x, y), xp.where(low, y, x)
    cv, zv, wv = value(c), value(z), value(w)
    excess = xp.maximum(value(d) - 1, 0.0)
    scale = _scale(
        xp,
        xp.maximum(cv - excess * zv / wv, 0.0),
        excess * zv / wv / wv,
        (1 - excess * xp.log(wv)) / cv,
        lambda s: (
            -cv * s + excess * xp.log1p(-zv * xp.expm1(-s) / wv),
            cv - excess * zv * xp.exp(-s) / (wv - zv * xp.expm1(-s)),
        ),
    )
    s, weights = _nodes(xp, scale)
    rise = xp.log1p(-_column(xp, z / w) * xp.expm1(-s))
    terms = weights * xp.exp(-_column(xp, c) * s + _column(xp, d - 1) * rise)
    if parameter:
        first = low if parameter == "a" else ~low  # whether the logarithm is of t or of 1 - t
        gap = digamma_rise(xp, a, b) if parameter == "a" else digamma_rise(xp, b, a)
        constant = xp.where(first, _log(xp, z, w), _log(xp, w, z)) + gap
        terms = terms * (_column(xp, constant) + xp.where(_column(xp, first), -s, rise))
    return low, beta_mass(xp, c, d, z, w) / w * xp.sum(terms, axis=-1)


def beta_by_parameter(xp: Any, a: Array, b: Array, x: Array, y: Array, parameter: str) -> Any:
    """The derivative of `betainc(a, b, x)`, `y = 1 - x`, by the parameter `"a"` or `"b"`."""
    a, b, x, y = xp.broadcast_arrays(a, b, x, y)
    inside = (a > 0) & (b > 0) & (x > 0) & (y > 0) & (a < math.inf) & (b < math.inf)
    a, b, x, y = (xp.where(inside, v, safe) for v, safe in ((a, 1.0), (b, 1.0), (x, 0.5), (y, 0.5)))
    low, tail = _beta_tail(xp, a, b, x, y, parameter)
    return xp.where(inside, xp.where(low, tail, -tail), 0.0)


def beta_cumulative(xp: Any, a: Array, b: Array, x: Array, y: Array) -> Any:
    """`betainc(a, b, x)` for `y = 1 - x`."""
    a, b, x, y = xp.broadcast_arrays(a, b, x, y)
    inside = (a > 0) & (b > 0) & (x > 0) & (y > 0) & (a < math.inf) & (b < math.inf)
    c, d, z, w = (xp.where(inside, v, safe) for v, safe in ((a, 1.0), (b, 1.0), (x, 0.5), (y, 0.5)))
    low, tail = _beta_tail(xp, c, d, z, w, None)
    valid = (a >= 0) & (b >= 0) & (x >= 0) & (y >= 0) & ((a > 0) | (b > 0)) & ((a < math.inf) | (b < math.inf))
    none = (x == 0) | (b == 0) | (a == math.inf)
    whole = (y == 0) | (a == 0) | (b == math.inf)
    edge = xp.where(
        valid & (none | whole), xp.where(x == 0, 0.0, xp.where(y == 0, 1.0, either(xp, whole, 1.0, 0.0, x))), math.nan
    )
    return xp.where(inside, xp.where(low, tail, 1 - tail), edge)


@special
def betainc(a: Array, b: Array, x: Array) -> Array:
    """The regularized incomplete beta function: the integral of `t^(a-1) (1-t)^(b-1) / beta(a, b)` from 0 to x.

    Where the array library has none, the relative error is below 1e-12 in float64 for a and b up to 1e6 (measured
    against SciPy). The derivatives by `a` and `b` are integrals too, of the same accuracy.

    Args:
        a: Floating-point array.
        b: Floating-point array, which broadcasts with `a` and `x`.
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> betainc(np.asarray([0.5, 3.0]), np.asarray([0.5, 2.0]), np.asarray(0.25)).round(6)
        array([0.333333, 0.050781])
    """
    xp = namespace_of(a, b, x)
    return beta_cumulative(xp, a, b, x, 1 - x)


@special
def betaincc(a: Array, b: Array, x: Array) -> Array:
    """`1 - betainc(a, b, x)`, accurate where that is small.

    Args:
        a: Floating-point array.
        b: Floating-point array, which broadcasts with `a` and `x`.
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> betaincc(np.asarray([0.5, 3.0]), np.asarray([0.5, 2.0]), np.asarray(0.75)).round(6)
        array([0.333333, 0.261719])
    """
    xp = namespace_of(a, b, x)
    return beta_cumulative(xp, b, a, 1 - x, x)

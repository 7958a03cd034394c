"""The gamma function and its relatives.

The approximations for the logarithm of the gamma function are those of the Cephes library (S. L. Moshier, Methods and
Programs for Mathematical Functions, 1989, file gamma.c); the zeta function is summed by the formula of Euler and
Maclaurin (NIST Digital Library of Mathematical Functions, 25.11.28).
"""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff.special.declare import composed, either, namespace_of, polynomial, promoted, special
from portanet.autodiff.special.declare import value as value_of
from portanet.backends import Array

# log gamma(2 + u) = u B(u) / C(u) for 0 <= u <= 1; highest power first.
_B = (
    -1.37825152569120859100e3, -3.88016315134637840924e4, -3.31612992738871184744e5, -1.16237097492762307383e6,
    -1.72173700820839662146e6, -8.53555664245765465627e5,
)  # fmt: skip
_C = (
    1.0, -3.51815701436523470549e2, -1.70642106651881159223e4, -2.20528590553854454839e5, -1.13933444367982507207e6,
    -2.53252307177582951285e6, -2.01889141433532773231e6,
)  # fmt: skip
_STIRLING = (-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)
_DIGAMMA = (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)
# (2k)! / B(2k)
_ZETA = (
    12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10, -2.950130727918164224e12,
    1.1646782814350067249e14, -4.5979787224074726105e15, 1.8152105401943546773e17, -7.1661652561756670113e18,
)  # fmt: skip
LARGE = 10.0
"""Arguments from which on asymptotic series are used."""


def stirling(x: Array) -> Any:
    """`log(gamma(x))` less Stirling's formula, `(x - 1/2) log(x) - x + log(2 pi)/2`, for x >= 10."""
    return polynomial(1 / (x * x), _STIRLING) / x


@special
def gammaln(x: Array) -> Array:
    """The logarithm of the absolute value of the gamma function.

    Where the array library has none, the relative error is below 1e-15 in float64 except near zeros, where the absolute
    error is (measured against SciPy).

    Args:
        x: Floating-point array; infinity at 0, -1, -2, ...

    Example:
        >>> import numpy as np
        >>> gammaln(np.asarray([0.5, 1.0, 100.0])).round(6)
        array([  0.572365,   0.      , 359.134205])
    """
    xp = namespace_of(x)
    negative = x < 0.5  # reflected
    y = xp.where(negative, 1 - x, x)
    # Small arguments are moved to 2 <= u < 3, by gamma(u + 1) = u gamma(u).
    small = xp.where(y < 13, y, 2.0)
    u, product = small, xp.ones_like(small)
    for _ in range(11):
        above = u >= 3
        u = xp.where(above, u - 1, u)
        product = xp.where(above, product * u, product)
    low = xp.where(small < 2, small, 1.0)
    near = xp.where(small < 1, small, xp.where(small < 2, small - 1, u - 2))
    value = near * (polynomial(near, _B) / polynomial(near, _C))
    value = value + xp.log(product) - xp.log1p(low - 1) - xp.where(low < 1, xp.log1p(low), 0.0)
    large = xp.where(y < 13, 13.0, y)
    series = (large - 0.5) * xp.log(large) - large + 0.5 * math.log(2 * math.pi) + stirling(large)
    value = xp.where(y < 13, value, xp.where(y == math.inf, math.inf, series))
    # gamma(x) gamma(1 - x) = pi / sin(pi x)
    period = x - xp.round(xp.where(negative, x, 0.0))
    sine = xp.abs(xp.sin(math.pi * xp.where(negative, period, 0.5)))
    pole = negative & (sine == 0)
    reflected = math.log(math.pi) - xp.log(xp.where(pole, 1.0, sine)) - value
    value = xp.where(pole, math.inf, xp.where(negative, reflected, value))
    return xp.where(xp.isinf(x), math.inf, value)


@special
def gammasgn(x: Array) -> Array:
    """The sign of the gamma function; NaN at -1, -2, ..., and that of the zero at 0. Its derivative is 0.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> gammasgn(np.asarray([2.5, -0.5, -1.5]))
        array([ 1., -1.,  1.])
    """
    xp = namespace_of(x)
    floor = xp.floor(x)
    odd = xp.remainder(xp.where(xp.isfinite(x), floor, 0.0), 2.0) != 0
    sign = either(xp, (x > 0) | ~odd, 1.0, -1.0, x)
    sign = xp.where(x == 0, either(xp, xp.signbit(x), -1.0, 1.0, x), sign)
    return xp.where(xp.isnan(x) | ((x < 0) & (x == floor)), math.nan, sign)


@composed
def gamma(x: Array) -> Array:
    """The gamma function, by its logarithm and sign: the relative error grows with `log(gamma(x))`.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> gamma(np.asarray([5.0, 0.5, -0.5])).round(6)
        array([24.      ,  1.772454, -3.544908])
    """
    xp = namespace_of(x)
    return xp.exp(gammaln(x)) * gammasgn(value_of(x))


@composed
def rgamma(x: Array) -> Array:
    """`1 / gamma(x)`, which is 0 at 0, -1, -2, ...

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> rgamma(np.asarray([5.0, 0.5])).round(6)
        array([0.041667, 0.56419 ])
    """
    xp = namespace_of(x)
    # By reflection, which is differentiable at the zeros.
    infinite = xp.isinf(x)
    left = (x < 0.5) & ~infinite
    away = xp.where(left, x, 0.0)
    reflected = times_exp(xp, sine_of_half_turns(xp, away) / math.pi, gammaln(1 - away))
    return xp.where(left, reflected, xp.where(infinite, 0.0, xp.exp(-gammaln(xp.where(left | infinite, 1.0, x)))))


def times_exp(xp: Any, x: Array, log: Array) -> Any:
    """`x exp(log)`, which is 0 where x is, with infinite derivatives where the exponential overflows."""
    limit = 0.95 * math.log(float(xp.finfo(log.dtype).max))
    half = xp.where(log < math.inf, log / 2, limit)
    half = xp.exp(xp.where(half > limit, half - value_of(half) + limit, half))
    return half * x * half


def sine_of_half_turns(xp: Any, x: Array) -> Any:
    """`sin(pi x)`, exact at integers."""
    whole = xp.round(value_of(x))
    sine = xp.sin(math.pi * (x - whole))
    return xp.where(xp.remainder(whole, 2.0) != 0, -sine, sine)


@special
def digamma(x: Array) -> Array:
    """The derivative of `gammaln`.

    Where the array library has none, the error is below 2e-15 (absolute and relative) in float64, measured against
    SciPy for positive x.

    Args:
        x: Floating-point array; NaN at -1, -2, ...

    Example:
        >>> import numpy as np
        >>> digamma(np.asarray([0.5, 1.0, 10.0])).round(6)
        array([-1.96351 , -0.577216,  2.251753])
    """
    xp = namespace_of(x)
    negative = x < 0
    y = xp.where(negative, 1 - x, x)
    total = xp.zeros_like(y)
    for _ in range(10):
        small = y < LARGE
        total = xp.where(small, total + 1 / xp.where(small, y, 1.0), total)
        y = xp.where(small, y + 1, y)
    z = 1 / (y * y)
    value = xp.log(y) - 0.5 / y - z * polynomial(z, _DIGAMMA) - total
    # digamma(1 - x) - digamma(x) = pi cot(pi x)
    period = xp.where(negative, x - xp.round(x), 0.25)
    pole = period == 0
    value = xp.where(negative, value - math.pi / xp.tan(math.pi * xp.where(pole, 0.25, period)), value)
    value = xp.where(pole, math.nan, value)
    return xp.where(x == 0, xp.copysign(xp.full_like(x, math.inf), -x), value)


psi = digamma


def digamma_rise(xp: Any, x: Array, step: Array) -> Any:
    """`digamma(x + step) - digamma(x)`, without the cancellation of large logarithms."""
    large = (x >= LARGE) & (x + step >= LARGE)
    start, rise = xp.where(large, x, LARGE), xp.where(large, step, 1.0)
    below, above = 1 / start, 1 / (start + rise)
    gap = rise * below * above
    z, w = below * below, above * above
    # The quotient of differences of the polynomial, by Horner's scheme
    value, quotient = 0.0, 0.0
    for c in (*_DIGAMMA, 0.0):
        value, quotient = value * z + c, quotient * w + value
    series = xp.log1p(rise * below) + gap * (0.5 + (below + above) * quotient)
    small = xp.where(large, 1.0, x)
    plain = digamma(xp.where(large, 2.0, x + step)) - digamma(small)
    return xp.where(large, series, plain)


@special
def zeta(x: Array, q: Array) -> Array:
    """The Hurwitz zeta function; the public one, in `zeta_functions.py`, is also Riemann's."""
    xp = namespace_of(x, q)
    x, q = xp.broadcast_arrays(x, q)
    valid = (x > 1) & (q > 0) & (q < math.inf)
    value = zeta_sum(xp, xp.where(valid, x, 2.0), xp.where(valid, q, 1.0))
    pole = (x == 1) | ((q <= 0) & (q == xp.floor(q)) & (x > 1))
    edge = xp.where((x > 1) & (q == math.inf), 0.0, either(xp, pole, math.inf, math.nan, x))
    return xp.where(valid, value, edge)


def zeta_sum(xp: Any, s: Array, q: Array) -> Any:
    """Euler and Maclaurin's sum for s > 1, q > 0."""
    total = 0 * s
    for k in range(10):
        total = total + (q + k) ** -s
    end = q + 10.0
    power = end**-s
    total = total + power * (end / (s - 1) + 0.5)
    factor, power = s, power / end
    for k, divisor in enumerate(_ZETA):
        total = total + factor * power / divisor
        factor = factor * (s + (2 * k + 1)) * (s + (2 * k + 2))
        power = power / end / end
    return total


def zeta_slope(xp: Any, s: Array, q: Array) -> Any:
    """The derivative of `zeta_sum` by s."""
    total = 0 * s
    for k in range(10):
        total = total - xp.log(q + k) * (q + k) ** -s
    end = q + 10.0
    power, log = end**-s, xp.log(end)
    pole = end / (s - 1)
    total = total - power * (log * (pole + 0.5) + pole / (s - 1))
    factor, rate, power = s, 1 / s, power / end
    for k, divisor in enumerate(_ZETA):
        total = total + factor * (rate - log) * power / divisor
        first, second = s + (2 * k + 1), s + (2 * k + 2)
        factor, rate = factor * first * second, rate + 1 / first + 1 / second
        power = power / end / end
    return total


@special
def polygamma(n: Array, x: Array) -> Array:
    """The n-th derivative of `digamma`.

    Where the array library has none, results for x < 0 are NaN for n > 0.

    Args:
        n: Non-negative integers, as a number or an array. There is no derivative by `n`.
        x: Floating-point array, which broadcasts with `n`.

    Example:
        >>> import numpy as np
        >>> polygamma(1, np.asarray([0.5, 1.0])).round(6)
        array([4.934802, 1.644934])
    """
    xp = namespace_of(n, x)
    n, x = xp.broadcast_arrays(n, x)
    order = xp.where(n > 0, n, 1.0)
    sign = either(xp, xp.remainder(order, 2.0) == 1, 1.0, -1.0, x)
    higher = sign * xp.exp(gammaln(order + 1)) * zeta(order + 1, x)
    out = xp.where(n == 0, digamma(x), higher)
    return xp.where((n >= 0) & (n == xp.floor(n)), out, math.nan)


def multigammaln(a: Array, d: int) -> Array:
    """The logarithm of the multivariate gamma function of dimension d, for `a > (d - 1) / 2`.

    Args:
        a: Floating-point array.
        d: The dimension, a positive integer.

    Raises:
        ValueError: `d` is not a positive integer.

    Example:
        >>> import numpy as np
        >>> multigammaln(np.asarray([2.0, 3.0]), 2).round(6)
        array([0.451583, 1.550195])
    """
    d = checks.positive_int("d", d, "special.multigammaln")
    _, (a,) = promoted("multigammaln", ["a"], (a,))
    value = gammaln(a)
    for j in range(1, d):
        value = value + gammaln(a - 0.5 * j)
    return value + d * (d - 1) / 4 * math.log(math.pi)


@composed
def loggamma(x: Array) -> Array:
    """The logarithm of the gamma function, which is real for x > 0; NaN for x < 0.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> loggamma(np.asarray([5.0, -0.5])).round(6)
        array([3.178054,      nan])
    """
    xp = namespace_of(x)
    return xp.where(x < 0, math.nan, gammaln(xp.where(x < 0, 1.0, x)))

"""Associated Legendre functions, as hypergeometric functions (NIST Digital Library of Mathematical Functions, 14.3)."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.batching.array import storage
from portanet.autodiff.special.declare import EULER, composed, either, namespace_of, special
from portanet.autodiff.special.gamma_functions import digamma, gammaln, rgamma
from portanet.autodiff.traced import unwrap
from portanet.backends import Array, raw_namespace

LARGEST = 10_000
"""Degrees and orders above it would take too many steps."""


def _largest(x: Array) -> int:
    """The largest element, of all examples in `vmap`."""
    x = storage(unwrap(x))
    return int(raw_namespace(x).max(x)) if math.prod(x.shape) else 0


def _series(xp: Any, m: Array, v: Array, z: Array, count: int) -> Any:
    """F(m - v, m + 1 + v; m + 1; z) for z up to 1/2."""
    out = term = xp.ones_like(z)
    for k in range(count):
        term = term * ((m + k - v) * (m + 1 + v + k) / ((m + 1 + k) * (k + 1)) * z)
        out = out + term
    return out


def _series_from_the_end(xp: Any, m: Array, v: Array, y: Array, orders: int, count: int) -> Any:
    """The same for `y = 1 - z` up to 1/2: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 15.3.12."""
    a, b = m - v, m + 1 + v
    fraction = v - xp.floor(v)
    even = xp.remainder(xp.floor(v) - m, 2.0) == 0
    sine = xp.sin(math.pi * xp.where(fraction > 0.5, 1 - fraction, fraction))
    sine = xp.where(even, sine, -sine) / math.pi
    whole = a == 0
    bracket = xp.log(y) + EULER - digamma(m + 1) + digamma(a + 1) + digamma(b)
    out = sine * bracket + xp.where(whole, 1.0, -sine / xp.where(whole, 1.0, a))
    term = sine
    for k in range(count):
        term = term * ((m + k - v) * (b + k) / ((k + 1) * (m + 1 + k)) * y)
        bracket = bracket - 1 / (m + 1 + k) - 1.0 / (k + 1) + 1 / (b + k)
        if k:
            bracket = bracket + 1 / (a + k)
        out = out + term * bracket
    some = m > 0
    order = xp.where(some, m, 1.0)
    part = xp.zeros_like(y)
    term = xp.exp(gammaln(order) + gammaln(order + 1) - gammaln(b) - m * xp.log(y)) * rgamma(a)
    for k in range(orders):
        inside = some & (k < m)
        part = part + xp.where(inside, term, 0.0)
        below = xp.where(k + 1 < m, m - 1 - k, 1.0)
        term = term * ((v - k) * (v + 1 + k) / (below * (k + 1)) * y)
    return out + part


@special
def legendre_factor(m: Array, v: Array, x: Array) -> Array:
    """F(m - v, m + 1 + v; m + 1; (1 - x) / 2) for integers m from 0: what `lpmv` consists of, without its powers.

    From series for degrees next to m; larger degrees by recurrence, upwards, in which errors do not grow.
    """
    xp = namespace_of(m, v, x)
    m, v, x = xp.broadcast_arrays(m, v, x)
    v = xp.where(v < -0.5, -1 - v, v)
    inside = (xp.abs(x) <= 1) & (m >= 0) & (m <= LARGEST) & (xp.floor(m) == m) & (v <= LARGEST)
    m, v, x = (xp.where(inside, t, 0.0) for t in (m, v, x))
    fraction = v - xp.floor(v)
    # Close to -1, the upward recurrence loses digits, and the series does not.
    direct = (x < 0) & (fraction > 0.01) & (fraction < 0.99) & (v * v * (1 + x) <= 14 * (m + 1))
    direct = direct | ((x == -1) & (fraction > 0))
    steps = xp.where((v >= m) & ~direct, xp.floor(v) - m, 0.0)
    orders = _largest(m)
    count = 56 + 3 * orders
    start = v - steps
    z, y = (1 - x) / 2, (1 + x) / 2
    near, end = z <= 0.5, y == 0
    small, rest = xp.where(near, z, 0.5), xp.where(near | end, 0.5, y)

    def value(degree: Array) -> Any:
        degree = xp.where(degree < -0.5, -1 - degree, degree)
        above = _series_from_the_end(xp, m, degree, rest, orders, count)
        limit = either(xp, rgamma(m - degree) < 0, -math.inf, math.inf, x)
        above = xp.where(end, xp.where(degree == m, 1.0, limit), above)
        return xp.where(near, _series(xp, m, degree, small, count), above)

    before, current = xp.where(start == m, 0.0, value(start - 1)), value(start)
    for k in range(_largest(steps)):
        degree = start + k
        following = ((2 * degree + 1) * x * current - (degree - m) * before) / (degree + m + 1)
        before, current = xp.where(k < steps, current, before), xp.where(k < steps, following, current)
    return xp.where(inside, current, math.nan)


@composed
def lpmv(m: Array, v: Array, x: Array) -> Array:
    """The associated Legendre function of the first kind, of integer order and real degree, for x from -1 to 1.

    With the factor (-1)^m of Condon and Shortley, as in SciPy.

    Args:
        m: Integers up to 10,000, as a number or an array; NaN for others. There is no derivative by `m`.
        v: Floating-point array, the degree, up to 10,000. There is no derivative by `v`.
        x: Floating-point array, NaN for numbers outside of [-1, 1].

    Example:
        >>> import numpy as np
        >>> lpmv(1, 2.0, np.asarray([0.5, 0.6])).round(6)  # -3 x sqrt(1 - x^2)
        array([-1.299038, -1.44    ])
        >>> lpmv(0, 0.5, np.asarray([-0.9, 0.6])).round(6)
        array([-0.501268,  0.839349])
    """
    xp = namespace_of(m, v, x)
    order = xp.abs(m)
    whole = xp.where((order <= LARGEST) & (xp.floor(order) == order), order, 0.0)
    degree = xp.where(v < -0.5, -1 - v, v)
    scale = 0 * degree + either(xp, (m < 0) | (xp.remainder(whole, 2.0) == 0), 1.0, -1.0, whole)
    for j in range(1, _largest(whole) + 1):
        rising = xp.where(m < 0, 1 / (2.0 * j) + 0 * degree, (degree - (whole - j)) * (degree + j) / (2 * j))
        # The order is in both factors: the product of all is Gamma(v + m + 1) / Gamma(v - m + 1) / (2^m m!).
        scale = xp.where(j <= whole, scale * rising, scale)
    power = (xp.abs(x) <= 1) & (whole > 0)
    root = xp.pow(xp.where(power, 1 - x, 1.0), whole / 2) * xp.pow(xp.where(power, 1 + x, 1.0), whole / 2)
    factor = legendre_factor(order, v, x)
    infinite = xp.isinf(factor)  # at -1, like a power higher than that of the root
    bounded = root * xp.where(infinite, 1.0, factor)
    return scale * xp.where(infinite & (scale != 0), factor, bounded)

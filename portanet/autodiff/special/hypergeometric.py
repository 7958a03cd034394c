"""The confluent hypergeometric function.

By Kummer's series in twice the digits, which says how many of them its cancellations took, or for large x by the
asymptotic one (NIST Digital Library of Mathematical Functions, 13.2.2, 13.2.39 and 13.7.2).
"""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.special.beta_functions import poch
from portanet.autodiff.special.declare import either, namespace_of, special
from portanet.autodiff.special.doubled import Doubled, difference, exact
from portanet.autodiff.special.gamma_functions import gammaln
from portanet.backends import Array

TERMS, ASYMPTOTIC_TERMS = 1400, 48
ACCURACY = 2048.0
"""The largest error by estimate, in units of the machine epsilon."""
PARTS = 16
"""Factors of a power, which are in range where the power alone is not."""


def _is_pole(xp: Any, x: Array) -> Any:
    """Whether x is 0, -1, -2, ..."""
    return (x <= 0) & (xp.floor(x) == x)


def _distance(xp: Any, x: Array) -> Any:
    """To the closest of these poles, 1 at most."""
    return xp.where(x > 0.5, 1.0, xp.abs(x - xp.round(x)))


def _rate(xp: Any, a: Array, b: Array, size: Array, k: int) -> Any:
    """A bound of the ratios of successive terms of the series from term k on; infinity up to a change of sign of b."""
    positive = b + k > 0
    upper, lower = xp.abs(a + k), xp.where(positive, b + k, 1.0)
    bound = size / lower * (xp.maximum(upper, xp.minimum(lower, 0 * lower + (k + 1))) / (k + 1))
    return xp.where(positive, bound, math.inf)


def _series(xp: Any, a: Doubled, b: Array, x: Array) -> tuple[Any, Any]:
    """Kummer's series divided by `2^(4 PARTS n)`, NaN where it is not accurate; and n."""
    epsilon, size = xp.finfo(x.dtype).eps, xp.abs(x)
    lower = exact(xp, b)
    term = total = exact(xp, xp.ones_like(x))
    absolute, scalings = xp.ones_like(x), xp.zeros_like(x)
    for k in range(TERMS):
        divisor = (lower + float(k)) * float(k + 1)
        divisor.high = xp.where(divisor.high == 0, 1.0, divisor.high)  # above the pole, a polynomial has ended
        term = term * ((a + float(k)) * x / divisor)
        total = total + term
        absolute = absolute + xp.abs(term.high)
        if k % 4 == 3:
            scale = either(xp, absolute > 2.0**32, 2.0 ** (-4 * PARTS), 1.0, x)
            scalings = scalings + xp.where(scale < 1, 1.0, 0 * x)
            term, total, absolute = term.scaled(scale), total.scaled(scale), absolute * scale
        if k % 8 == 7:
            rate = _rate(xp, a.high, b, size, k + 1)
            ended = term.high == 0
            finite = ended | (rate < 1)
            rest = xp.abs(term.high) * xp.where(finite & ~ended, rate / (1 - xp.where(finite, rate, 0.0)), 0.0)
            rounding = (8 * epsilon * epsilon * (k + 1)) * absolute
            done = finite & (rest <= epsilon / 4 * xp.abs(total.high) + rounding)
            if bool(xp.all(done | ~xp.isfinite(absolute))):
                break
    zero = (total.high == 0) & (absolute < 2.0**20)  # a root, as of 1 - x
    accurate = done & ((rest + rounding <= ACCURACY * epsilon * xp.abs(total.high)) | zero)
    return xp.where(accurate, total.high, math.nan), scalings


def _asymptotic(xp: Any, a: Array, b: Array, lower: Array, x: Array, reflected: Array) -> Any:
    """The expansion for large x, `lower = b - a`, NaN where it is not accurate; times `exp(-x)` if reflected."""
    term = total = absolute = xp.ones_like(x)
    falling = x > 0
    for s in range(ASYMPTOTIC_TERMS):
        following = term * ((1 - a + s) * (lower + s) / (s + 1)) / x
        falling = falling & (xp.abs(following) <= xp.abs(term))
        term = xp.where(falling, following, term)
        total = total + xp.where(falling, term, 0.0)
        absolute = absolute + xp.where(falling, xp.abs(term), 0.0)
    epsilon, logarithm = xp.finfo(x.dtype).eps, xp.log(x)
    other = gammaln(a) - gammaln(lower) - x + (b - 2 * a) * logarithm  # of the second solution, without its series
    distance = xp.maximum(xp.minimum(_distance(xp, a), _distance(xp, b)), 0 * x + epsilon)
    sensitivity = (xp.abs(a) + xp.abs(b)) * (logarithm + 1 / distance)  # to the rounding of the parameters
    error = 4 * xp.abs(term) + epsilon * (absolute + sensitivity * xp.abs(total))
    accurate = (error <= ACCURACY * epsilon * xp.abs(total)) & (other < math.log(epsilon) - 4)
    ratio = poch(a, lower)
    accurate = accurate & xp.isfinite(ratio) & (ratio != 0)
    out = ratio * total
    part = xp.exp(xp.where(reflected, 0.0, x / PARTS)) * xp.pow(x, (a - b) / PARTS)
    for _ in range(PARTS):
        out = out * part
    return xp.where(accurate, out, math.nan)


@special
def hyp1f1(a: Array, b: Array, x: Array) -> Array:
    """The confluent hypergeometric function 1F1, or M(a, b, x).

    Where the array library has none, the relative error is below 1e-12 in float64 and 1e-3 in float32, by an estimate
    in each element; where it is not, the result is NaN: for large negative a and positive x.

    Args:
        a: Floating-point array. There is no derivative by `a`.
        b: Floating-point array, which broadcasts with `a` and `x`; infinity at 0, -1, -2, ... unless the series ends
            before. There is no derivative by `b`.
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> hyp1f1(0.5, 1.5, np.asarray([-1.0, 2.0])).round(6)  # the integral of exp(x t^2) from 0 to 1
        array([0.746824, 2.364454])
    """
    xp = namespace_of(a, b, x)
    a, b, x = xp.broadcast_arrays(a, b, x)
    finite = xp.isfinite(a) & xp.isfinite(b) & xp.isfinite(x)
    pole = _is_pole(xp, b) & ~(_is_pole(xp, a) & (a < 0) & (a >= b))
    plain = finite & ~pole & (a != 0) & (x != 0)
    a, b, x = (xp.where(plain, v, safe) for v, safe in ((a, 1.0), (b, 1.0), (x, 1.0)))
    # M(a, b, x) = exp(x) M(b - a, b, -x), which has no cancellations for 0 < a < b and x < 0.
    reflected = (x < 0) & ~_is_pole(xp, a)
    rest = difference(xp, b, a)
    first, second = xp.where(reflected, rest.high, a), xp.where(reflected, a, rest.high)
    size = xp.abs(x)
    out = xp.full_like(x, math.nan)
    far = plain & (size > 8) & ((x > 0) | reflected)
    if bool(xp.any(far)):
        out = xp.where(far, _asymptotic(xp, first, b, second, xp.where(far, size, 1.0), reflected), out)
    largest = PARTS * math.log(xp.finfo(x.dtype).max)
    polynomial = _is_pole(xp, first) & (first > -TERMS) & (~reflected | (rest.low == 0))
    # Polynomials of low degree times exp(-x) are 0 from there on.
    size = xp.where(reflected & polynomial & (first > -100), xp.clip(size, max=largest), size)
    near = xp.isnan(out) & (polynomial | (_rate(xp, first, b, size, TERMS) < 0.9)) & ((size <= largest) | ~reflected)
    if bool(xp.any(near)):
        total, scalings = _series(
            xp,
            Doubled(xp, first, xp.where(reflected, rest.low, 0.0)),
            b,
            xp.where(near, xp.where(reflected, size, x), 0.0),
        )
        part = xp.exp(xp.where(reflected & near, -size / PARTS, 0.0)) * xp.pow(xp.full_like(x, 2.0), 4 * scalings)
        for _ in range(PARTS):
            total = total * part
        out = xp.where(near, total, out)
    edge = xp.where(pole, xp.full_like(x, math.inf), 1.0)
    return xp.where(plain, out, xp.where(finite, edge, math.nan))

"""Quantiles: inverses of cumulative distribution functions.

Where the array library has none, they are found by bisection, of the logarithm or of the log-odds. Derivatives follow
from the function that is inverted, those by its parameters too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet.autodiff.special.declare import composed, namespace_of, special
from portanet.autodiff.special.distributions import stdtr, whole
from portanet.autodiff.special.incomplete import beta_cumulative, betainc, gammainc, gammaincc
from portanet.autodiff.special.logistic import expit
from portanet.backends import Array, device_of

FEW = 2**8
"""Elements of arrays for which a call costs as much for 15 points at once as for one."""


def _bisected(xp: Any, low: Array, high: Array, below: Callable[[Array], Array]) -> Any:
    """The point between `low` and `high` up to which `below` is true; of small arrays 15 points are asked at once."""
    bits = 4 if math.prod(low.shape) <= FEW else 1
    parts = xp.arange(1, 2**bits, dtype=low.dtype, device=device_of(low)) / 2**bits
    parts = xp.reshape(parts, (-1, *(1 for _ in low.shape)))
    for _ in range(math.ceil((64 if xp.finfo(low.dtype).bits == 64 else 36) / bits)):
        middle = low + (high - low) * parts
        under = below(middle)
        low = xp.max(xp.where(under, middle, low), axis=0)
        high = xp.min(xp.where(under, high, middle), axis=0)
    return low + (high - low) / 2


def _gamma_quantile(a: Array, p: Array, upper: bool) -> Array:
    xp = namespace_of(a, p)
    a, p = xp.broadcast_arrays(a, p)
    inside = (a > 0) & (p > 0) & (p < 1)
    b, q = xp.where(inside, a, 1.0), xp.where(inside, p, 0.5)
    smallest = math.log(float(xp.finfo(a.dtype).smallest_normal))
    high = xp.log(b + 1) + math.log(-2 * smallest)
    if upper:
        log = _bisected(xp, xp.full_like(b, smallest), high, lambda y: gammaincc(b, xp.exp(y)) > q)
    else:
        log = _bisected(xp, xp.full_like(b, smallest), high, lambda y: gammainc(b, xp.exp(y)) < q)
    zero, infinite = (p == 1, p == 0) if upper else (p == 0, p == 1)
    edge = xp.where(zero & (a >= 0), 0.0, xp.where(infinite & (a >= 0), xp.full_like(p, math.inf), math.nan))
    return xp.where(inside, xp.exp(log), edge)


@special
def gammaincinv(a: Array, p: Array) -> Array:
    """The x for which `gammainc(a, x)` is p.

    Args:
        a: Floating-point array, positive.
        p: Floating-point array of probabilities, which broadcasts with `a`.

    Example:
        >>> import numpy as np
        >>> gammaincinv(np.asarray([0.5, 3.0]), np.asarray(0.5)).round(6)
        array([0.227468, 2.67406 ])
    """
    return _gamma_quantile(a, p, False)


@special
def gammainccinv(a: Array, p: Array) -> Array:
    """The x for which `gammaincc(a, x)` is p.

    Args:
        a: Floating-point array, positive.
        p: Floating-point array of probabilities, which broadcasts with `a`.

    Example:
        >>> import numpy as np
        >>> gammainccinv(np.asarray([0.5, 3.0]), np.asarray(0.05)).round(6)
        array([1.920729, 6.295794])
    """
    return _gamma_quantile(a, p, True)


def _beta_quantile(a: Array, b: Array, p: Array, complement: bool) -> Array:
    xp = namespace_of(a, b, p)
    a, b, p = xp.broadcast_arrays(a, b, p)
    inside = (a > 0) & (b > 0) & (p > 0) & (p < 1)
    c, d, q = xp.where(inside, a, 1.0), xp.where(inside, b, 1.0), xp.where(inside, p, 0.5)
    bound = xp.full_like(c, -math.log(float(xp.finfo(a.dtype).smallest_normal)))
    odds = _bisected(xp, -bound, bound, lambda y: beta_cumulative(xp, c, d, expit(y), expit(-y)) < q)
    end = 1 - p if complement else p
    edge = xp.where((a > 0) & (b > 0) & ((p == 0) | (p == 1)), end, math.nan)
    return xp.where(inside, expit(-odds if complement else odds), edge)


@special
def betaincinv(a: Array, b: Array, p: Array) -> Array:
    """The x for which `betainc(a, b, x)` is p.

    Args:
        a: Floating-point array, positive.
        b: Floating-point array, positive.
        p: Floating-point array of probabilities.

    Example:
        >>> import numpy as np
        >>> betaincinv(np.asarray([0.5, 3.0]), np.asarray([0.5, 2.0]), np.asarray(0.5)).round(6)
        array([0.5     , 0.614272])
    """
    return _beta_quantile(a, b, p, False)


@special
def betainccinv(a: Array, b: Array, p: Array) -> Array:
    """The x for which `betaincc(a, b, x)` is p.

    Args:
        a: Floating-point array, positive.
        b: Floating-point array, positive.
        p: Floating-point array of probabilities.

    Example:
        >>> import numpy as np
        >>> betainccinv(np.asarray([0.5, 3.0]), np.asarray([0.5, 2.0]), np.asarray(0.25)).round(6)
        array([0.853553, 0.756978])
    """
    return _beta_quantile(b, a, p, True)


@special
def stdtrit(df: Array, p: Array) -> Array:
    """The quantile of Student's t distribution, the inverse of `stdtr`.

    Args:
        df: Floating-point array, the degrees of freedom.
        p: Floating-point array of probabilities, which broadcasts with `df`.

    Example:
        >>> import numpy as np
        >>> stdtrit(np.asarray([1.0, 10.0]), np.asarray(0.975)).round(6)
        array([12.706205,  2.228139])
    """
    xp = namespace_of(df, p)
    df, p = xp.broadcast_arrays(df, p)
    inside = (df > 0) & (p > 0) & (p < 1)
    freedom = xp.where(inside, df, 1.0)
    tail = xp.where(inside, xp.minimum(p, 1 - p), 0.25)
    bound = xp.full_like(tail, -0.9 * math.log(float(xp.finfo(p.dtype).smallest_normal)))
    log = _bisected(xp, -bound, bound, lambda y: stdtr(freedom, -xp.exp(y)) > tail)
    size = xp.where(tail == 0.5, 0.0, xp.exp(log))
    infinite = xp.full_like(p, math.inf)
    edge = xp.where(p == 0, -infinite, xp.where(p == 1, infinite, math.nan))
    return xp.where(inside, xp.where(p < 0.5, -size, size), xp.where(df > 0, edge, math.nan))


@composed
def chdtri(v: Array, p: Array) -> Array:
    """The value that a chi-squared variable exceeds with probability p, the inverse of `chdtrc`.

    Args:
        v: Floating-point array, the degrees of freedom.
        p: Floating-point array of probabilities, which broadcasts with `v`.

    Example:
        >>> import numpy as np
        >>> chdtri(np.asarray([1.0, 4.0]), np.asarray(0.05)).round(6)
        array([3.841459, 9.487729])
    """
    valid = (p >= 0) & (p <= 1)
    return namespace_of(v, p).where(valid, 2 * gammainccinv(v / 2, p), math.nan)


@composed
def fdtri(dfn: Array, dfd: Array, p: Array) -> Array:
    """The quantile of the F distribution, the inverse of `fdtr`.

    Args:
        dfn: Floating-point array, the degrees of freedom of the numerator.
        dfd: Floating-point array, those of the denominator.
        p: Floating-point array of probabilities.

    Example:
        >>> import numpy as np
        >>> fdtri(2, 5, np.asarray([0.5, 0.95])).round(6)
        array([0.79877 , 5.786135])
    """
    xp = namespace_of(dfn, dfd, p)
    low = p < betainc(dfn / 2, dfd / 2, 0.5)  # the smaller part of the odds is inverted, so that no digits are lost
    part = betaincinv(dfn / 2, dfd / 2, xp.where(low, p, 0.5))
    rest = betaincinv(dfd / 2, dfn / 2, xp.where(low, 0.5, 1 - p))
    return dfd * xp.where(low, part, 1 - rest) / (dfn * xp.where(low, 1 - part, rest))


@composed
def pdtri(k: Array, y: Array) -> Array:
    """The mean for which a Poisson variable is at most k with probability y, the inverse of `pdtr`.

    Args:
        k: Floating-point array, rounded towards 0; its derivative is 0.
        y: Floating-point array of probabilities below 1, which broadcasts with `k`.

    Example:
        >>> import numpy as np
        >>> pdtri(np.asarray([0.0, 2.0]), np.asarray(0.5)).round(6)
        array([0.693147, 2.67406 ])
    """
    xp = namespace_of(k, y)
    k = whole(xp, k)
    valid = (k >= 0) & (y >= 0) & (y < 1)
    return xp.where(valid, gammainccinv(xp.where(valid, k, 0.0) + 1, xp.where(valid, y, 0.5)), math.nan)


@composed
def bdtri(k: Array, n: Array, y: Array) -> Array:
    """The probability of success for which there are at most k in n trials with probability y, the inverse of `bdtr`.

    Args:
        k: Floating-point array, below n, rounded down; its derivative is 0.
        n: Floating-point array, rounded towards 0; its derivative is 0.
        y: Floating-point array of probabilities.

    Example:
        >>> import numpy as np
        >>> bdtri(np.asarray([0.0, 2.0]), 3, 0.5).round(6)
        array([0.206299, 0.793701])
    """
    xp = namespace_of(k, n, y)
    k, n = xp.floor(k), whole(xp, n)
    valid = (k >= 0) & (n > k) & (y >= 0) & (y <= 1)
    k, n = xp.where(valid, k, 0.0), xp.where(valid, n, 1.0)
    return xp.where(valid, betainccinv(k + 1, n - k, xp.where(valid, y, 0.5)), math.nan)


@composed
def nbdtri(k: Array, n: Array, y: Array) -> Array:
    """The probability of success for which at most k failures precede the n-th one with probability y.

    Args:
        k: Floating-point array, rounded towards 0; its derivative is 0.
        n: Floating-point array, positive, rounded towards 0; its derivative is 0.
        y: Floating-point array of probabilities.

    Example:
        >>> import numpy as np
        >>> nbdtri(np.asarray([0.0, 2.0]), 3, 0.5).round(6)
        array([0.793701, 0.5     ])
    """
    xp = namespace_of(k, n, y)
    unknown = xp.isnan(n)
    k, n = whole(xp, k), whole(xp, n)
    valid = (k >= 0) & (n > 0) & (y >= 0) & (y <= 1)
    out = betaincinv(xp.where(valid, n, 1.0), xp.where(valid, k, 0.0) + 1, xp.where(valid, y, 0.5))
    end = ~unknown & (k >= 0) & ((y == 0) | (y == 1))
    return xp.where(valid, out, xp.where(end, y, math.nan))

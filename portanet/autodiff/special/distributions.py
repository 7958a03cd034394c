"""Cumulative distribution functions, named as in SciPy; those that end in `c` give the upper tail."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet.autodiff.special.declare import composed, namespace_of, special
from portanet.autodiff.special.error_functions import ndtr
from portanet.autodiff.special.incomplete import beta_cumulative, betainc, gammainc, gammaincc
from portanet.backends import Array

NORMAL = 1e17
"""Degrees of freedom from which on Student's t distribution is the normal one to rounding."""


@special
def stdtr(df: Array, t: Array) -> Array:
    """The probability that a variable of Student's t distribution is at most t.

    Args:
        df: Floating-point array, the degrees of freedom; not only integers.
        t: Floating-point array, which broadcasts with `df`.

    Example:
        >>> import numpy as np
        >>> stdtr(np.asarray([1.0, 5.5]), np.asarray(2.0)).round(6)
        array([0.852416, 0.951623])
    """
    xp = namespace_of(df, t)
    df, t = xp.broadcast_arrays(df, t)
    finite = xp.isfinite(t) & (df < NORMAL)
    freedom, size = xp.where(finite, df, 1.0), xp.where(finite, xp.abs(t), 1.0)
    ratio = size / xp.sqrt(freedom)
    near = ratio < 1  # no square overflows
    square = xp.where(near, ratio, 1 / xp.where(near, 1.0, ratio)) ** 2
    one, other = 1 / (1 + square), square / (1 + square)
    x, y = xp.where(near, one, other), xp.where(near, other, one)
    tail = beta_cumulative(xp, freedom / 2, xp.full_like(freedom, 0.5), x, y) / 2
    out = xp.where(finite, xp.where(t < 0, tail, 1 - tail), ndtr(t))
    return xp.where((df <= 0) | xp.isnan(df) | xp.isnan(t), math.nan, out)


@composed
def chdtr(v: Array, x: Array) -> Array:
    """The probability that a chi-squared variable is at most x.

    Args:
        v: Floating-point array, the degrees of freedom.
        x: Floating-point array, which broadcasts with `v`.

    Example:
        >>> import numpy as np
        >>> chdtr(np.asarray([1.0, 4.0]), np.asarray(3.0)).round(6)
        array([0.916735, 0.442175])
    """
    return gammainc(v / 2, x / 2)


@composed
def chdtrc(v: Array, x: Array) -> Array:
    """The probability that a chi-squared variable exceeds x.

    Args:
        v: Floating-point array, the degrees of freedom.
        x: Floating-point array, which broadcasts with `v`.

    Example:
        >>> import numpy as np
        >>> chdtrc(np.asarray([1.0, 4.0]), np.asarray(3.0)).round(6)
        array([0.083265, 0.557825])
    """
    return gammaincc(v / 2, x / 2)


@composed
def fdtr(dfn: Array, dfd: Array, x: Array) -> Array:
    """The probability that a variable of the F distribution is at most x.

    Args:
        dfn: Floating-point array, the degrees of freedom of the numerator.
        dfd: Floating-point array, those of the denominator.
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> fdtr(2, 5, np.asarray([1.0, 3.0])).round(6)
        array([0.568799, 0.860703])
    """
    valid, ratio, infinite = _odds(dfn, dfd, x)
    part = namespace_of(ratio).where(infinite, 1.0, ratio / (1 + ratio))
    return _where(valid, betainc(dfn / 2, dfd / 2, part))


def _odds(dfn: Array, dfd: Array, x: Array) -> tuple[Any, Any, Any]:
    """Where there is an F distribution, the odds of the beta distribution, and where they are infinite."""
    xp = namespace_of(dfn, dfd, x)
    ratio = dfn * x / dfd
    infinite = ratio == math.inf
    return (dfn > 0) & (dfd > 0) & (x >= 0), xp.where(infinite, 1.0, ratio), infinite


@composed
def fdtrc(dfn: Array, dfd: Array, x: Array) -> Array:
    """The probability that a variable of the F distribution exceeds x.

    Args:
        dfn: Floating-point array, the degrees of freedom of the numerator.
        dfd: Floating-point array, those of the denominator.
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> fdtrc(2, 5, np.asarray([1.0, 3.0])).round(6)
        array([0.431201, 0.139297])
    """
    valid, ratio, infinite = _odds(dfn, dfd, x)
    part = namespace_of(ratio).where(infinite, 0.0, 1 / (1 + ratio))
    return _where(valid, betainc(dfd / 2, dfn / 2, part))


@composed
def gdtr(a: Array, b: Array, x: Array) -> Array:
    """The probability that a variable of the gamma distribution with rate `a` and shape `b` is at most x.

    Args:
        a: Floating-point array, the rate.
        b: Floating-point array, the shape.
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> gdtr(2.0, 3.0, np.asarray([1.0, 2.0])).round(6)
        array([0.323324, 0.761897])
    """
    return _where(x >= 0, gammainc(b, a * x))


@composed
def gdtrc(a: Array, b: Array, x: Array) -> Array:
    """The probability that a variable of the gamma distribution with rate `a` and shape `b` exceeds x.

    Args:
        a: Floating-point array, the rate.
        b: Floating-point array, the shape.
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> gdtrc(2.0, 3.0, np.asarray([1.0, 2.0])).round(6)
        array([0.676676, 0.238103])
    """
    return _where(x >= 0, gammaincc(b, a * x))


def _where(valid: Array, values: Array) -> Array:
    """NaN where arguments are not valid."""
    return namespace_of(values).where(valid, values, math.nan)


@composed
def pdtr(k: Array, m: Array) -> Array:
    """The probability of at most `floor(k)` events of the Poisson distribution with mean `m`.

    Args:
        k: Floating-point array; its derivative is 0.
        m: Floating-point array, which broadcasts with `k`.

    Example:
        >>> import numpy as np
        >>> pdtr(np.asarray([0.0, 2.0]), np.asarray(1.5)).round(6)
        array([0.22313 , 0.808847])
    """
    return _of_poisson(k, m, gammaincc, 1.0)


@composed
def pdtrc(k: Array, m: Array) -> Array:
    """The probability of more than `floor(k)` events of the Poisson distribution with mean `m`.

    Args:
        k: Floating-point array; its derivative is 0.
        m: Floating-point array, which broadcasts with `k`.

    Example:
        >>> import numpy as np
        >>> pdtrc(np.asarray([0.0, 2.0]), np.asarray(1.5)).round(6)
        array([0.77687 , 0.191153])
    """
    return _of_poisson(k, m, gammainc, 0.0)


def _of_poisson(k: Array, m: Array, function: Callable[..., Any], without_events: float) -> Any:
    xp = namespace_of(k, m)
    out = function(xp.floor(xp.where(k < 0, math.nan, k)) + 1, m)
    return xp.where((m == 0) & ~(k < 0), without_events, out)


@composed
def bdtr(k: Array, n: Array, p: Array) -> Array:
    """The probability of at most `floor(k)` successes in `n` trials with probability `p`.

    Args:
        k: Floating-point array from 0 to n, NaN results elsewhere; its derivative is 0.
        n: Floating-point array, rounded towards 0; its derivative is 0.
        p: Floating-point array from 0 to 1, NaN results elsewhere.

    Example:
        >>> import numpy as np
        >>> bdtr(np.asarray([0.0, 2.0, 3.0]), 3, 0.4).round(6)
        array([0.216, 0.936, 1.   ])
    """
    xp = namespace_of(k, n, p)
    k, n = xp.floor(k), whole(xp, n)
    part = k < n
    value = xp.where(part, betainc(xp.where(part, n - k, 1.0), k + 1, 1 - p), 1.0)
    return xp.where(_trials(k, n, p) & (k >= 0), value, math.nan)


@composed
def bdtrc(k: Array, n: Array, p: Array) -> Array:
    """The probability of more than `floor(k)` successes in `n` trials with probability `p`.

    Args:
        k: Floating-point array from 0 to n, NaN results elsewhere; its derivative is 0.
        n: Floating-point array, rounded towards 0; its derivative is 0.
        p: Floating-point array from 0 to 1, NaN results elsewhere.

    Example:
        >>> import numpy as np
        >>> bdtrc(np.asarray([0.0, 2.0, 3.0]), 3, 0.4).round(6)
        array([0.784, 0.064, 0.   ])
    """
    xp = namespace_of(k, n, p)
    k, n = xp.floor(k), whole(xp, n)
    part = k < n
    value = xp.where(part, betainc(xp.maximum(k, 0.0) + 1, xp.where(part, n - k, 1.0), p), 0.0)
    return xp.where(_trials(k, n, p), xp.where(k < 0, 1.0, value), math.nan)


def _trials(k: Array, n: Array, p: Array) -> Array:
    """Where there is a binomial distribution, and k is not above its values."""
    return (k <= n) & (p >= 0) & (p <= 1)


@composed
def nbdtr(k: Array, n: Array, p: Array) -> Array:
    """The probability of at most k failures before the n-th success with probability `p`.

    Args:
        k: Floating-point array, rounded towards 0; its derivative is 0.
        n: Floating-point array, rounded towards 0; its derivative is 0.
        p: Floating-point array.

    Example:
        >>> import numpy as np
        >>> nbdtr(np.asarray([0.0, 2.0]), 3, 0.4).round(6)
        array([0.064  , 0.31744])
    """
    valid, a, b = _of_failures(k, n, p)
    return _where(valid, betainc(a, b, p))


def _of_failures(k: Array, n: Array, p: Array) -> tuple[Any, Any, Any]:
    """Where there is a negative binomial distribution, and the parameters of the beta distribution there."""
    xp = namespace_of(k, n, p)
    k, n = whole(xp, k), whole(xp, n)
    valid = (k >= 0) & (n > 0) & (p >= 0) & (p <= 1)
    return valid, xp.where(valid, n, 1.0), xp.where(valid, k, 0.0) + 1


def whole(xp: Any, x: Array) -> Any:
    """A number that SciPy casts to an integer: infinity is none."""
    return xp.trunc(xp.where(xp.isfinite(x), x, math.nan))


@composed
def nbdtrc(k: Array, n: Array, p: Array) -> Array:
    """The probability of more than k failures before the n-th success with probability `p`.

    Args:
        k: Floating-point array, rounded towards 0; its derivative is 0.
        n: Floating-point array, rounded towards 0; its derivative is 0.
        p: Floating-point array.

    Example:
        >>> import numpy as np
        >>> nbdtrc(np.asarray([0.0, 2.0]), 3, 0.4).round(6)
        array([0.936  , 0.68256])
    """
    valid, a, b = _of_failures(k, n, p)
    return _where(valid, betainc(b, a, 1 - p))

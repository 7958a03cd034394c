"""The beta function, and ratios of gamma functions."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.special.declare import composed, either, namespace_of, special, value
from portanet.autodiff.special.gamma_functions import (
    LARGE,
    gamma,
    gammaln,
    gammasgn,
    rgamma,
    sine_of_half_turns,
    stirling,
)
from portanet.backends import Array

SMALLEST = -(2.0**31)
"""Above it, poles are integers whose parity counts, as in SciPy."""


def _is_pole(xp: Any, x: Array) -> Any:
    """Whether it is 0, -1, -2, ..."""
    return (x <= 0) & (x == xp.floor(x))


def _parity(xp: Any, x: Array) -> Any:
    """`(-1)^x` of integers."""
    return either(xp, xp.remainder(xp.where(xp.isfinite(x), x, 0.0), 2.0) != 0, -1.0, 1.0, x)


def _reflects(xp: Any, a: Array, b: Array) -> Any:
    """Where the beta function of a pole a and an integer b is finite along with b: `(-1)^b beta(1 - a - b, b)`."""
    return _is_pole(xp, a) & (b > 0) & (b == xp.floor(b)) & (1 - a - b > 0) & (a > SMALLEST)


@special
def betaln(a: Array, b: Array) -> Array:
    """The logarithm of the absolute value of the beta function, `gammaln(a) + gammaln(b) - gammaln(a + b)`.

    It has no cancellation for large arguments. At 0, -1, -2, ..., it is infinite, but for integers 0 < b <= -a.

    Args:
        a: Floating-point array.
        b: Floating-point array, which broadcasts with `a`.

    Example:
        >>> import numpy as np
        >>> betaln(np.asarray([0.5, 1e10]), np.asarray([0.5, 2.0])).round(6)
        array([  1.14473 , -46.051702])
    """
    xp = namespace_of(a, b)
    a, b = xp.broadcast_arrays(a, b)
    a, b = xp.where(a < b, a, b), xp.where(a < b, b, a)  # not those of minimum: NaN beside a pole
    pole = _is_pole(xp, a) | _is_pole(xp, b)
    finite = _reflects(xp, a, b)
    out = _logarithm(xp, xp.where(finite, xp.minimum(1 - a - b, b), a), xp.where(finite, xp.maximum(1 - a - b, b), b))
    return xp.where(pole & ~finite, math.inf, out)


def _logarithm(xp: Any, a: Array, b: Array) -> Any:
    """`betaln` for a <= b that are no poles."""
    plain = gammaln(a) + (gammaln(b) - gammaln(a + b))
    # Stirling's formula for the larger one, or for both.
    long = (b >= LARGE) & (a + b >= LARGE) & xp.isfinite(a) & xp.isfinite(b)
    large = xp.where(long, b, LARGE)
    small = xp.where(long, a, 1.0)
    total = large + small
    rest = stirling(large) - stirling(total)
    ratio = xp.log1p(small / large)
    one = gammaln(small) - (large - 0.5) * ratio - small * (xp.log(total) - 1) + rest
    both = xp.where(long & (a >= LARGE), small, LARGE)
    two = (
        (both - 0.5) * xp.log(both / (both + large))
        - large * xp.log1p(both / large)
        + (
            0.5 * math.log(2 * math.pi)
            - 0.5 * xp.log(large)
            + stirling(both)
            + (stirling(large) - stirling(both + large))
        )
    )
    out = xp.where(long, xp.where(a >= LARGE, two, one), plain)
    edge = (b == math.inf) & xp.isfinite(a)
    return xp.where(edge, either(xp, a > 0, -math.inf, math.inf, a), out)


@composed
def beta(a: Array, b: Array) -> Array:
    """The beta function, `gamma(a) gamma(b) / gamma(a + b)`.

    Args:
        a: Floating-point array.
        b: Floating-point array, which broadcasts with `a`.

    Example:
        >>> import numpy as np
        >>> beta(np.asarray([0.5, 2.0]), np.asarray([0.5, 3.0])).round(6)
        array([3.141593, 0.083333])
    """
    xp = namespace_of(a, b)
    x, y = value(a), value(b)
    sign = gammasgn(x) * gammasgn(y) * gammasgn(x + y)
    first, second = _is_pole(xp, x), _is_pole(xp, y)
    sign = xp.where(xp.isnan(sign) | first | second, 1.0, sign)
    sign = xp.where(_reflects(xp, x, y) | (first & second & (x > SMALLEST)), _parity(xp, y), sign)
    sign = xp.where(_reflects(xp, y, x), _parity(xp, x), sign)
    return sign * xp.exp(betaln(a, b))


@composed
def poch(x: Array, m: Array) -> Array:
    """The rising factorial, `gamma(x + m) / gamma(x)`.

    Args:
        x: Floating-point array.
        m: Floating-point array, which broadcasts with `x`.

    Example:
        >>> import numpy as np
        >>> poch(np.asarray([1.0, 0.5]), np.asarray([4.0, 2.0])).round(6)
        array([24.  ,  0.75])
    """
    xp = namespace_of(x, m)
    total = x + m
    at, end = _is_pole(xp, x), _is_pole(xp, total)
    negligible = end & ~at & (total == m)
    both = (at & end & (m == xp.floor(m)) & xp.isfinite(m)) | negligible
    x_away, step = xp.where(at | end, 1.5, x), xp.where(at | end, 1.0, m)
    size = _log_of_rising(xp, x_away, step, x_away + step)
    out = xp.exp(size) * gammasgn(x_away) * gammasgn(x_away + step)
    # At two poles, by reflection.
    step = xp.where(both, m, 0.0)
    stop = 1 - xp.where(both & at, x, 0.0)
    ratio = _parity(xp, value(step)) * xp.exp(_log_of_rising(xp, stop - step, step, stop))
    edge = xp.where(at & (~end | xp.isinf(m)), 0.0, either(xp, at, math.nan, math.inf, total))
    zero = at & ~end & (total < 100) & (x > SMALLEST)  # a product with a derivative
    edge = xp.where(zero, gamma(xp.where(zero, total, 1.0)) * rgamma(xp.where(zero, x, 1.0)), edge)
    out = xp.where(both, ratio, xp.where(at | end, edge, out))
    limit = xp.where(m == 0, 1.0, either(xp, m > 0, math.inf, 0.0, total))
    return xp.where((x == math.inf) | ((m == 0) & ~xp.isfinite(x)), limit, out)


def _log_of_rising(xp: Any, x: Array, m: Array, total: Array) -> Any:
    """`gammaln(total) - gammaln(x)` for `total = x + m`, without the cancellation of large logarithms."""
    large = (x >= LARGE) & (total >= LARGE) & (total < math.inf)
    start, step = xp.where(large, x, 2 * LARGE), xp.where(large, m, 1.0)
    series = step * xp.log(start) + (start + step - 0.5) * xp.log1p(step / start) - step
    series = series + stirling(start + step) - stirling(start)
    return xp.where(large, series, gammaln(xp.where(large, 1.0, total)) - gammaln(xp.where(large, 1.0, x)))


@composed
def binom(n: Array, k: Array) -> Array:
    """The binomial coefficient for real arguments, `1 / ((n + 1) beta(1 + n - k, 1 + k))`; 0 for integers k > n >= 0.

    Args:
        n: Floating-point array; NaN results for negative integers.
        k: Floating-point array, which broadcasts with `n`.

    Example:
        >>> import numpy as np
        >>> binom(np.asarray([5.0, 0.5, 3.0]), np.asarray([2.0, 2.0, 4.0])).round(6)
        array([10.   , -0.125,  0.   ])
    """
    xp = namespace_of(n, k)
    n, k = xp.broadcast_arrays(n, k)
    whole_n, whole = n == xp.floor(n), k == xp.floor(k)
    usual = xp.isfinite(n) & xp.isfinite(k) & ~(whole_n & (n < 0)) & ~(whole & (k < 0))
    zero = whole_n & whole & (k > n)
    n_away, k_away = xp.where(usual, n, 2.5), xp.where(usual, k, 1.5)
    beyond = 1 + n_away - k_away < 0.5
    # gamma(n - k + 1) by reflection, where its argument is negative.
    left = xp.where(beyond, k_away - n_away, 1 + n_away - k_away)
    right = xp.where(beyond, n_away + 1, 1 + k_away)
    sine = xp.where(
        whole,
        -_parity(xp, value(k_away)) * sine_of_half_turns(xp, n_away),
        sine_of_half_turns(xp, k_away - n_away),
    )
    size = either(xp, beyond, 1.0, -1.0, n_away) * betaln(left, right)
    divisor = xp.where(beyond, 1.0, n_away + 1)
    sign = gammasgn(left) * gammasgn(right) * gammasgn(left + right) * xp.sign(divisor)
    out = sign * xp.exp(size - xp.log(xp.abs(divisor))) * xp.where(beyond, sine / math.pi, 1.0)
    exact, few = _few_factors(xp, value(n), value(k))
    corrected = few & xp.isfinite(value(out)) & usual
    out = xp.where(corrected, out + xp.where(corrected, exact - value(out), 0.0), xp.where(few, exact, out))
    out = xp.where((zero & ~xp.isfinite(value(out))) | (whole & (k < 0)), 0.0, out)
    lost = (whole_n & (n < 0)) | xp.isnan(n) | xp.isnan(k) | (k == math.inf) | (xp.isinf(n) & ~few & ~(whole & (k < 0)))
    return xp.where(lost, math.nan, out)


def _few_factors(xp: Any, n: Array, k: Array) -> tuple[Any, Any]:
    """The product for integers k with at most 20 factors, which is exact for integers, and where it is one."""
    mirrored = (n == xp.floor(n)) & (k > n / 2) & (n > 0)
    count = xp.where(mirrored, n - k, k)
    few = (k == xp.floor(k)) & (count >= 0) & (count < 20)
    count = xp.where(few, count, 0.0)
    product = xp.ones_like(count)
    for i in range(1, 20):
        product = xp.where(count >= i, product * (n - (i - 1)) / i, product)
    return product, few

"""Bessel functions.

Where the array library has none, they are integrals over a period (I, J, Y) and over the real line (K),
for which the trapezoidal rule converges exponentially, and Hankel's expansions for large arguments (NIST Digital
Library of Mathematical Functions, 10.9, 10.17, 10.32, 10.40).
"""

from __future__ import annotations

import functools
import math
from typing import Any

from portanet.autodiff.special.declare import EULER, device_of, either, namespace_of, special
from portanet.backends import Array, constant

FAR = 32.0
"""From which on Hankel's expansion is exact to rounding, in 18 terms."""
POINTS = 24
"""Of a quarter of a period."""


def _hankel(x: Array, order: int) -> Any:
    """`sqrt(2 pi x) exp(-x) I(x)` for large x."""
    total, term = 1.0, 1.0 + 0 * x
    for k in range(1, 18):
        term = term * -((4 * order * order - (2 * k - 1) ** 2) / (8 * k)) / x
        total = total + term
    return total


def _angles(xp: Any, like: Array, points: int = POINTS) -> Any:
    """The middles of equal parts of a quarter of a period."""
    first = math.pi / (4 * points)
    return xp.linspace(first, math.pi / 2 - first, points, dtype=like.dtype, device=device_of(like))


def _scaled(x: Array, order: int) -> Any:
    """`exp(-x) I(x)` of order 0 or 1 for x >= 0."""
    xp = namespace_of(x)
    near, far = xp.minimum(x, FAR), xp.maximum(x, FAR)
    cosine = xp.cos(_angles(xp, x))
    column = xp.expand_dims(near, axis=-1)
    decay = xp.exp(column * (cosine - 1))
    if order == 0:
        terms = decay * (1 + xp.exp(-2 * column * cosine)) / 2
    else:
        terms = decay * cosine * -xp.expm1(-2 * column * cosine) / 2
    large = _hankel(far, order) / xp.sqrt(2 * math.pi * far)
    return xp.where(x <= FAR, xp.mean(terms, axis=-1), xp.where(xp.isinf(x), 0.0, large))


@special
def i0(x: Array) -> Array:
    """The modified Bessel function of the first kind of order 0.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> i0(np.asarray([0.0, 1.0, -2.0])).round(6)
        array([1.      , 1.266066, 2.279585])
    """
    xp = namespace_of(x)
    size = xp.abs(x)
    return _grown(xp, size, _scaled(size, 0))


@special
def i0e(x: Array) -> Array:
    """`exp(-|x|) i0(x)`, which is finite for all x.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> i0e(np.asarray([0.0, 1000.0])).round(6)
        array([1.      , 0.012617])
    """
    return _scaled(namespace_of(x).abs(x), 0)


@special
def i1(x: Array) -> Array:
    """The modified Bessel function of the first kind of order 1.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> i1(np.asarray([0.0, 1.0, -2.0])).round(6)
        array([ 0.      ,  0.565159, -1.590637])
    """
    xp = namespace_of(x)
    size = xp.abs(x)
    return xp.sign(x) * _grown(xp, size, _scaled(size, 1))


@special
def i1e(x: Array) -> Array:
    """`exp(-|x|) i1(x)`, which is finite for all x.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> i1e(np.asarray([0.0, -1000.0])).round(6)
        array([ 0.      , -0.012611])
    """
    xp = namespace_of(x)
    return xp.sign(x) * _scaled(xp.abs(x), 1)


def _grown(xp: Any, size: Array, scaled: Array) -> Any:
    """`exp(size) * scaled`, in two factors: the exponential alone may overflow."""
    half = xp.exp(size / 2)
    return xp.where(xp.isinf(size), size, half * scaled * half)


def i1_over_x(xp: Any, x: Array) -> Any:
    """`i1(x) / x`, differentiable at 0 to any order: the power series where |x| < 1."""
    return _over_x(xp, x, xp.special.i1, 1.0)


def j1_over_x(xp: Any, x: Array) -> Any:
    """`j1(x) / x`, see `i1_over_x`."""
    return _over_x(xp, x, xp.special.j1, -1.0)


def _over_x(xp: Any, x: Array, function: Any, sign: float) -> Any:
    near = xp.abs(x) < 1
    square = xp.where(near, x, 0.0) ** 2 * (sign / 4)
    series, term = 0.5 + 0 * square, 0.5
    power = 1.0
    for k in range(1, 11):
        power = power * square
        term = term / (k * (k + 1))
        series = series + term * power
    return xp.where(near, series, function(x) / xp.where(near, 1.0, x))


def i1e_over_x(xp: Any, x: Array) -> Any:
    """`i1e(x) / x`, see `i1_over_x`."""
    near = xp.abs(x) < 1
    small, large = xp.where(near, x, 0.0), xp.where(near, 1.0, x)
    return xp.where(near, i1_over_x(xp, small) * xp.exp(-xp.abs(small)), xp.special.i1e(large) / large)


def _decaying(x: Array, order: int) -> Any:
    """`exp(x) K(x)` of order 0 or 1 for x > 0: the integral of `exp(x - x cosh(t)) cosh(order t)` over t > 0."""
    xp = namespace_of(x)
    size = xp.maximum(x, 1e-10)
    # Up to where the exponent is -45; near 0, K is -log(x / 2) less Euler's constant, or 1 / x.
    end = xp.acosh(1 + 45 / size)
    count = 110
    steps = xp.arange(count, dtype=x.dtype, device=device_of(x))
    t = xp.expand_dims(end / (count - 1), axis=-1) * steps
    half = xp.sinh(t / 2)
    terms = xp.exp(-2 * xp.expand_dims(size, axis=-1) * half * half)
    if order:
        terms = terms * xp.cosh(t)
    integral = (xp.sum(terms, axis=-1) - terms[..., 0] / 2) * (end / (count - 1))
    small = 1 / x if order else -xp.log(x / 2) - EULER
    return xp.where(x < 1e-10, small * (1 + x), xp.where(xp.isinf(x), 0.0, integral))


def _positive(xp: Any, x: Array, function: Any) -> Any:
    """A function of positive x: infinity at 0, NaN below."""
    inside = x > 0
    edge = xp.where(x == 0, xp.full_like(x, math.inf), math.nan)
    return xp.where(inside, function(xp.where(inside, x, 1.0)), edge)


@special
def k0(x: Array) -> Array:
    """The modified Bessel function of the second kind of order 0; infinity at 0, NaN below.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> k0(np.asarray([0.5, 2.0])).round(6)
        array([0.924419, 0.113894])
    """
    xp = namespace_of(x)
    return _positive(xp, x, lambda x: xp.exp(-x) * _decaying(x, 0))


@special
def k0e(x: Array) -> Array:
    """`exp(x) k0(x)`.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> k0e(np.asarray([0.5, 1000.0])).round(6)
        array([1.524109, 0.039628])
    """
    return _positive(namespace_of(x), x, lambda x: _decaying(x, 0))


@special
def k1(x: Array) -> Array:
    """The modified Bessel function of the second kind of order 1; infinity at 0, NaN below.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> k1(np.asarray([0.5, 2.0])).round(6)
        array([1.656441, 0.139866])
    """
    xp = namespace_of(x)
    return _positive(xp, x, lambda x: xp.exp(-x) * _decaying(x, 1))


@special
def k1e(x: Array) -> Array:
    """`exp(x) k1(x)`.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> k1e(np.asarray([0.5, 1000.0])).round(6)
        array([2.73101 , 0.039648])
    """
    return _positive(namespace_of(x), x, lambda x: _decaying(x, 1))


def _oscillating(x: Array, order: int) -> Any:
    """J(x) of order 0 or 1 for x >= 0."""
    xp = namespace_of(x)
    near, far = xp.minimum(x, FAR), xp.where(xp.isinf(x), FAR, xp.maximum(x, FAR))
    sine = xp.sin(_angles(xp, x))
    phase = xp.expand_dims(near, axis=-1) * sine
    integral = xp.mean(xp.sin(phase) * sine if order else xp.cos(phase), axis=-1)
    even, odd = _amplitudes(far, order)
    sin, cos = xp.sin(far), xp.cos(far)
    wave = even * (sin - cos) + odd * (sin + cos) if order else even * (sin + cos) - odd * (sin - cos)
    return xp.where(x <= FAR, integral, xp.where(xp.isinf(x), math.nan, wave / xp.sqrt(math.pi * far)))


def _amplitudes(x: Array, order: int) -> Any:
    """Hankel's expansions of the two waves that J and Y consist of."""
    even, odd, term = 0.0, 0.0, 1.0 + 0 * x
    for k in range(24):
        sign = (-1) ** (k // 2)
        even, odd = (even, odd + sign * term) if k % 2 else (even + sign * term, odd)
        term = term * ((4 * order * order - (2 * k + 1) ** 2) / (8 * (k + 1))) / x
    return even, odd


@special
def j0(x: Array) -> Array:
    """The Bessel function of the first kind of order 0.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> j0(np.asarray([0.0, 1.0, -50.0])).round(6)
        array([1.      , 0.765198, 0.055812])
    """
    return _oscillating(namespace_of(x).abs(x), 0)


@special
def j1(x: Array) -> Array:
    """The Bessel function of the first kind of order 1.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> j1(np.asarray([0.0, 1.0, -50.0])).round(6)
        array([0.      , 0.440051, 0.097512])
    """
    xp = namespace_of(x)
    return xp.sign(x) * _oscillating(xp.abs(x), 1)


@functools.cache
def _logarithmic_weights() -> list[float]:
    """Of `_angles` with twice the points, for means over the quarter period with the factor `2 log(4 sin^2(t))`.

    The factor is the Fourier series `-4 sum(cos(2 k t) / k)`; so products with polynomials of cosines are exact
    (R. Kress, Linear Integral Equations, 2014, section 12.3).
    """
    count = 2 * POINTS
    angles = [(j + 0.5) * math.pi / count for j in range(count)]
    return [-4 / count * sum(math.cos(k * angle) / k for k in range(1, count)) for angle in angles]


def _second_kind(x: Array, order: int) -> Any:
    """Y(x) of order 0 or 1; minus infinity at 0, NaN below."""
    xp = namespace_of(x)
    inside = (x > 0) & xp.isfinite(x)
    x0 = xp.where(inside, x, 1.0)
    near, far = xp.minimum(x0, FAR), xp.maximum(x0, FAR)
    cosine = xp.cos(_angles(xp, x, 2 * POINTS))
    weights = constant(x, _logarithmic_weights(), x.dtype)
    phase = xp.expand_dims(near, axis=-1) * cosine
    wave = xp.sin(phase) * cosine if order else xp.cos(phase)
    first_kind = xp.mean(wave, axis=-1)
    integral = (2 * first_kind * (xp.log(near / 2) + EULER) + xp.sum(wave * weights, axis=-1)) / math.pi
    if order:
        integral = integral - 2 / math.pi * xp.mean(xp.cos(phase), axis=-1) / near
    even, odd = _amplitudes(far, order)
    sin, cos = xp.sin(far), xp.cos(far)
    large = odd * (sin - cos) - even * (sin + cos) if order else even * (sin - cos) + odd * (sin + cos)
    value = xp.where(x0 <= FAR, integral, large / xp.sqrt(math.pi * far))
    return xp.where(inside, value, xp.where(x == 0, xp.full_like(x, -math.inf), math.nan))


@special
def y0(x: Array) -> Array:
    """The Bessel function of the second kind of order 0; minus infinity at 0, NaN below.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> y0(np.asarray([0.5, 2.0, 50.0])).round(6)
        array([-0.444519,  0.510376, -0.098065])
    """
    return _second_kind(x, 0)


@special
def y1(x: Array) -> Array:
    """The Bessel function of the second kind of order 1; minus infinity at 0, NaN below.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> y1(np.asarray([0.5, 2.0, 50.0])).round(6)
        array([-1.471472, -0.107032, -0.056796])
    """
    return _second_kind(x, 1)


@special
def yn(n: Array, x: Array) -> Array:
    """The Bessel function of the second kind of integer order; -infinity at 0, NaN below.

    By recurrence from orders 0 and 1, upwards, in which errors do not grow.

    Args:
        n: Integers, as a number or an array; others are truncated. There is no derivative by `n`.
        x: Floating-point array, which broadcasts with `n`.

    Example:
        >>> import numpy as np
        >>> yn(3, np.asarray([0.5, 2.0])).round(6)
        array([-42.059494,  -1.127784])
    """
    xp = namespace_of(n, x)
    n, x = xp.broadcast_arrays(xp.trunc(n), x)
    order = xp.where(xp.isfinite(n), xp.abs(n), 0.0)
    positive = (x > 0) & (x < math.inf)
    inside = xp.where(positive, x, 1.0)
    before, current = y0(inside), y1(inside)
    out = xp.where(order == 0, before, current)
    for k in range(1, int(xp.max(order)) if math.prod(order.shape) else 0):
        before, current = current, (2 * k / inside) * current - before
        current = xp.where(xp.isinf(before), before, current)
        out = xp.where(order == k + 1, current, out)
    edge = xp.where(x == math.inf, 0.0, either(xp, x == 0, -math.inf, math.nan, x))
    sign = either(xp, (n < 0) & (xp.remainder(order, 2.0) == 1), -1.0, 1.0, x)
    return xp.where(xp.isfinite(n), sign * xp.where(positive, out, edge), math.nan)

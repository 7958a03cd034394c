"""Elementwise functions of the standard that MLX has not, or has otherwise."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from portanet.backends.base import Array
from portanet.backends.mlx.reductions import sound

INTEGERS = {2: mx.int16, 4: mx.int32, 8: mx.int64}
"""The integers with as many bytes as a floating-point dtype."""


def exp(x: Array, /) -> Array:
    """As in the standard; MLX's has the precision of float32 in float64, too."""
    if x.dtype != mx.float64:
        return mx.exp(x)
    grown = mx.expm1(mx.abs(x)) + 1
    return mx.where(x < 0, 1 / grown, grown)


def expm1(x: Array, /) -> Array:
    """As in the standard; MLX's has no complex numbers."""
    if x.dtype != mx.complex64:
        return mx.expm1(x)
    a, b = mx.real(x), mx.imag(x)
    real = mx.expm1(a) * mx.cos(b) - 2 * mx.square(mx.sin(b / 2)) + 0.0  # not -0
    imag = mx.where(b == 0, b, mx.exp(a) * mx.sin(b))
    turning = mx.isinf(a) & ~mx.isfinite(b)
    return from_parts(mx.where(turning, mx.expm1(a), real), mx.where(turning & (a < 0), 0, imag))


def tanh(x: Array, /) -> Array:
    """As in the standard; MLX's is NaN for large complex numbers."""
    if x.dtype != mx.complex64:
        return mx.tanh(x)
    a, b = mx.real(x), mx.imag(x)
    large = (mx.abs(a) > 20) & mx.isfinite(b)  # the result differs from 1 or -1 by less than rounding
    limit = from_parts(mx.sign(a), copysign(mx.zeros_like(b), mx.sin(2 * b)))
    return mx.where(large, limit, mx.tanh(mx.where(large, 0, x)))


def from_parts(real: Array, imag: Array) -> Array:
    """Not by a product with 1j, whose real part is NaN for infinities."""
    return mx.squeeze(mx.view(mx.stack([real, imag], -1), mx.complex64), -1)


def sin(x: Array, /) -> Array:
    """As in the standard; see `exp`."""
    if x.dtype != mx.float64:
        return mx.sin(x)
    half = mx.tan(x / 2)
    return 2 * half / (1 + half * half)


def cos(x: Array, /) -> Array:
    """As in the standard; see `exp`."""
    if x.dtype != mx.float64:
        return mx.cos(x)
    half = mx.tan(x / 2)
    return 2 / (1 + half * half) - 1


def logaddexp(x1: Any, x2: Any, /) -> Array:
    """As in the standard; see `exp`."""
    if mx.float64 not in (getattr(x1, "dtype", mx.bool_), getattr(x2, "dtype", mx.bool_)):
        return mx.logaddexp(x1, x2)
    x1, x2 = _floats(x1, x2)
    apart = mx.where(x1 == x2, 0, mx.abs(x1 - x2))  # infinities
    return mx.maximum(x1, x2) + mx.log1p(exp(-apart))


def remainder(x1: Any, x2: Any, /) -> Array:
    """As in the standard: a 0 has the sign of `x2`, in MLX's that of `x1`."""
    out = mx.remainder(x1, x2)
    return mx.where(out == 0, copysign(out, x2), out) if mx.issubdtype(out.dtype, mx.floating) else out


def signbit(x: Array, /) -> Array:
    """As in the standard."""
    return mx.view(x, INTEGERS[x.itemsize]) < 0


def copysign(x1: Any, x2: Any, /) -> Array:
    """As in the standard."""
    x1, x2 = _floats(x1, x2)
    size = mx.abs(x1)
    return mx.where(signbit(x2), -size, size)


def hypot(x1: Any, x2: Any, /) -> Array:
    """As in the standard; scaled, since squares may overflow."""
    x1, x2 = (mx.abs(x) for x in _floats(x1, x2))
    large, small = mx.maximum(x1, x2), mx.minimum(x1, x2)
    ratio = mx.where((large == 0) | mx.isinf(large), 0, small / large)
    out = large * mx.sqrt(1 + ratio * ratio)
    return mx.where(mx.isinf(x1) | mx.isinf(x2), mx.inf, out)


def nextafter(x1: Any, x2: Any, /) -> Array:
    """As in the standard; neighbours have neighbouring bits."""
    x1, x2 = mx.broadcast_arrays(*_floats(x1, x2))
    integer = INTEGERS[x1.itemsize]
    bits = mx.view(x1, integer)
    step = mx.where((x2 > x1) == (x1 > 0), 1, -1).astype(integer)
    least = copysign(mx.view(mx.ones_like(bits), x1.dtype), x2)
    out = mx.where(x1 == 0, least, mx.view(bits + step, x1.dtype))
    return mx.where(mx.isnan(x1) | mx.isnan(x2), mx.nan, mx.where(x1 == x2, x2, out)).astype(x1.dtype)


def _floats(x1: Any, x2: Any) -> tuple[Array, Array]:
    """Both as arrays of one dtype."""
    x1, x2 = _arrays(x1, x2)
    dtype = mx.result_type(x1, x2)
    return x1.astype(dtype), x2.astype(dtype)


def _arrays(x1: Any, x2: Any) -> tuple[Array, Array]:
    """Both as arrays; a Python number has the dtype of the other."""
    like = x1 if isinstance(x1, mx.array) else x2
    first, second = (x if isinstance(x, mx.array) else mx.array(x, dtype=like.dtype) for x in (x1, x2))
    return first, second


def sign(x: Array, /) -> Array:
    """As in the standard; MLX's is 0 for NaN, and NaN for the complex 0."""
    out = mx.sign(x)
    if x.dtype == mx.complex64:
        return mx.where(x == 0, 0, out)
    return mx.where(mx.isnan(x), x, out) if mx.issubdtype(x.dtype, mx.floating) else out


def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:  # noqa: A002 -- the standard's names
    """As in the standard; MLX's names are other, wants a limit, and takes the dtype of limits."""
    limits = [limit.astype(x.dtype) if isinstance(limit, mx.array) else limit for limit in (min, max)]
    return mx.array(x) if limits == [None, None] else mx.clip(x, *limits).astype(x.dtype)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Array:
    """As in the standard."""
    x1, x2 = _arrays(x1, x2)
    out = mx.any(sound(mx.expand_dims(x1, -1) == mx.reshape(x2, (-1,))), axis=-1)
    return ~out if invert else out

"""Draws of floating-point numbers: from the same bits on every backend, equal up to the rounding of functions."""

from __future__ import annotations

import math
from typing import Any

from portanet.backends import Array
from portanet.random.counter_based import bits

# M. Giles, Approximating the erfinv function (GPU Computing Gems, 2011), single precision, central part: erfinv(x) / x
# as a polynomial in -log(1 - x**2) - 2.5, the highest power first.
_ERFINV = (
    *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087),
    *(-0.00125372503, -0.00417768164, 0.246640727, 1.50140941),
)


def uniform(
    xp: Any,
    shape: tuple[int, ...],
    key: int,
    step: Array,
    device: Any,
    dtype: Any,
    low: float = 0.0,
    high: float = 1.0,
) -> Array:
    """Multiples of 2**-24 in [0, 1), scaled to [low, high); 24 bits are what float32 holds exactly.

    The same bits on every backend; the same numbers in every dtype, up to its rounding.

    Args:
        xp: The namespace to compute in.
        shape: Shape of the result.
        key: The stream, see `stream_key`.
        step: Which draw of the stream, see `bits`.
        device: Where the result is put.
        dtype: Floating-point dtype of the result.
        low: Lower end of the range, included.
        high: Upper end, not included (save where rounding reaches it).
    """
    found = _fractions(xp, bits(xp, shape, key, step, device), dtype)
    if (low, high) != (0.0, 1.0):
        found *= high - low
        found += low
    return xp.astype(found, dtype, copy=False)


def normal(
    xp: Any,
    shape: tuple[int, ...],
    key: int,
    step: Array,
    device: Any,
    dtype: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
) -> Array:
    """Normal numbers by the Box-Muller transform: two from two uniform ones, `sqrt(-2 log u) (cos, sin)(2 pi v)`.

    Equal on every backend up to the rounding of log, cos and sin, a few units in the last place of float32 (the
    transform is computed in float64 only for float64). The largest is 5.77 standard deviations from the mean.
    Arguments are those of `uniform`, with the `mean` and standard deviation `stddev` of the result.
    """
    size = math.prod(shape)
    pairs = (size + 1) // 2
    fractions = _fractions(xp, bits(xp, (2 * pairs,), key, step, device), dtype)
    radius = xp.sqrt(-2.0 * xp.log(fractions[:pairs] + 2.0**-24))  # u in (0, 1]
    angle = fractions[pairs:] * (2 * math.pi)
    found = xp.concat((radius * xp.cos(angle), radius * xp.sin(angle)))[:size]
    return xp.astype(xp.reshape(found * stddev + mean, shape), dtype, copy=False)


def truncated_normal(
    xp: Any,
    shape: tuple[int, ...],
    key: int,
    step: Array,
    device: Any,
    dtype: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
) -> Array:
    """Normal numbers within two standard deviations `stddev` of the `mean`, which are those of the whole normal law.

    By inversion, which needs no rejection: `sqrt(2) erfinv(x)`, x uniform on 2**24 points between `-erf(sqrt(2))` and
    `erf(sqrt(2))`. The inverse error function is M. Giles's approximation of 2011, whose relative error of some 3e-7
    is that of float32; float64 has the points and the error too. Arguments are those of `uniform`.
    """
    wide = xp.float64 if dtype == xp.float64 else xp.float32
    words = (bits(xp, shape, key, step, device) >> 8) & 0xFFFFFF
    x = xp.astype(2 * words - (2**24 - 1), wide) * (2.0**-24 * math.erf(math.sqrt(2)))  # odd integers, which are exact
    w = -xp.log((1.0 - x) * (1.0 + x)) - 2.5
    factor = xp.full_like(w, _ERFINV[0])
    for coefficient in _ERFINV[1:]:
        factor = factor * w + coefficient
    found = xp.clip(factor * x * math.sqrt(2), -2.0, 2.0)
    return xp.astype(found * stddev + mean, dtype, copy=False)


def _fractions(xp: Any, words: Array, dtype: Any) -> Array:
    """The upper 24 bits of 32 as multiples of 2**-24 in [0, 1); float64 for float64, else float32. Uses up `words`."""
    words >>= 8
    words &= 0xFFFFFF
    found = xp.astype(words, xp.float64 if dtype == xp.float64 else xp.float32)
    found *= 2.0**-24
    return found

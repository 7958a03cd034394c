"""GELU on NumPy arrays, by one polynomial for the value and the slope."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.overrides import elementwise

# Half of exp(z**2) erfc(z) as a polynomial in 1 / (1 + z / 2) - 1/2, 0 <= z <= 10, highest power first; fitted for a
# small relative error (4.2e-7) by Lawson's algorithm. Around 1/2 the terms do not cancel.
_TAIL = (
    0.048858578, -0.0252009624, -0.110237099, 0.0297201585, 0.315829492, 0.483318552, 0.427186994, 0.127697843,
)  # fmt: skip


def gelu_value(x: Array, approximate: bool = False) -> Any:
    """`portanet.activations.gelu` in float32, of relative error 2e-6 for x > -6; other dtypes by definition."""
    if x.dtype != np.float32 or not x.ndim or approximate is not False:
        return NotImplemented
    return _gelu(np.empty_like(x), None, x)


def gelu_and_slope(x: Array, approximate: bool = False) -> Any:
    """The same with its slope."""
    if x.dtype != np.float32 or not x.ndim or approximate is not False:
        return NotImplemented
    return _gelu(np.empty_like(x), np.empty_like(x), x)


@elementwise
def _gelu(y: Array, slope: Array | None, x: Array) -> Any:
    """Write GELU and its slope into arrays of the shape of `x`.

    Both need exp(-x^2 / 2): computed together they cost little more than one of them. With q the probability of a
    normal number beyond |x|, and p its density there: y = max(x, 0) - |x| q, and r = q - |x| p is the slope below 0;
    above, it is 1 - r.
    """
    # Minimum and maximum are four times as fast with an array as with a number.
    size, bound = np.abs(x, out=slope), np.full_like(x, 40.0)
    np.minimum(size, bound, out=size)  # exp(-800) is 0, and 0 * inf no number
    bound.fill(0.0)
    np.maximum(x, bound, out=y)
    t = np.multiply(size, 0.5 * math.sqrt(0.5), out=bound)
    t += 1.0
    np.reciprocal(t, out=t)
    t -= 0.5
    q = t * _TAIL[0]
    q += _TAIL[1]
    for c in _TAIL[2:]:
        q *= t
        q += c
    bell = np.multiply(size, size, out=t)
    bell *= -0.5
    np.exp(bell, out=bell)
    q *= bell
    if slope is None:
        q *= size
        y -= q
        return y
    bell *= size
    bell *= 1 / math.sqrt(2 * math.pi)
    np.subtract(q, bell, out=bell)
    q *= size
    y -= q
    above = np.greater(x, 0, out=q, casting="unsafe")
    np.multiply(bell, above, out=slope)
    slope *= -2.0
    slope += bell
    slope += above
    return y, slope

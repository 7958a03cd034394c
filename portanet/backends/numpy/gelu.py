"""GELU on NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.overrides import elementwise

FAR = 6.0
"""Beyond, the probability is 0 or 1 within float32's precision."""

LOW = -2.0
"""Below, P is small, and so must its error be: the few values there are computed anew."""

# Half the logarithm of P / (1 - P), P the probability below x, divided by x: as a polynomial in x^2, highest power
# first, fitted for |x| <= FAR by Lawson's algorithm, so that the error of max(1, |x|) P is 7e-8 at most.
_LOGIT = (
    1.80936328e-09, -1.33646869e-07, 3.97311325e-06, -5.52779424e-05, -3.29547558e-05, 0.0363339113, 0.797884493,
)  # fmt: skip

# Half of exp(z**2) erfc(z) as a polynomial in 1 / (1 + z / 2) - 1/2, 0 <= z <= 10, highest power first; fitted for a
# small relative error (4.2e-7) by Lawson's algorithm. Around 1/2 the terms do not cancel.
_TAIL = (
    0.048858578, -0.0252009624, -0.110237099, 0.0297201585, 0.315829492, 0.483318552, 0.427186994, 0.127697843,
)  # fmt: skip


def gelu_value(x: Array, approximate: bool = False) -> Any:
    """`portanet.activations.gelu` in float32, with relative errors of 3e-6 for x > -6; no other dtypes."""
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

    P is (1 + tanh(half its logit)) / 2: few passes over the data. Every one of them counts: NumPy has no longer ones.
    """
    near = np.clip(x, -FAR, FAR, out=y if slope is None else slope)
    square = near * near
    p = square * _LOGIT[0]
    for c in _LOGIT[1:-1]:
        p += c
        p *= square
    p += _LOGIT[-1]
    p *= near
    np.tanh(p, out=p)
    p *= 0.5
    p += 0.5
    if slope is not None:
        bell = np.multiply(square, -0.5, out=square)
        np.exp(bell, out=bell)
        bell *= near
        bell *= 1 / math.sqrt(2 * math.pi)
        np.add(bell, p, out=slope)
    np.maximum(x, -FAR, out=y)  # 0 times minus infinity is no number
    y *= p
    low = x < LOW
    if low.any():
        values, slopes = _below(x[low])
        y[low] = values
        if slope is not None:
            slope[low] = slopes
    return y if slope is None else (y, slope)


def _below(x: Array) -> tuple[Array, Array]:
    """GELU and its slope of negative numbers: -|x| q and q - |x| p, with q and p the probability and density there."""
    size = np.minimum(-x, 40.0)  # exp(-800) is 0, and 0 times infinity no number
    t = 1.0 / (1.0 + size * (0.5 * math.sqrt(0.5))) - 0.5
    bell = np.exp(size * size * -0.5)
    q = bell * np.polyval(_TAIL, t)
    return -size * q, q - size * bell * (1 / math.sqrt(2 * math.pi))

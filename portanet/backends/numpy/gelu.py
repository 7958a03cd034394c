"""GELU on NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.overrides import elementwise

FAR = 6.0
"""Beyond, the probability is 0 or 1 within float32's precision."""

LOW = -3.5
"""Below, P is small, and so must its error be: the few values there are computed anew."""

# Minus the logarithm of P / (1 - P), P the probability below x, divided by x: as a polynomial in x^2, highest power
# first, fitted for |x| <= FAR by Lawson's algorithm, so that the error of max(1, |x|) P is 5e-8 at most, and that of P
# relative to itself 3e-6, where it is not computed anew.
_LOGIT = (
    -4.0902505e-09, 2.85029777e-07, -8.1835442e-06, 0.000111961281, 6.21495543e-05, -0.0726636221, -1.5957704,
)  # fmt: skip

# Half of exp(z**2) erfc(z) as a polynomial in 1 / (1 + z / 2) - 1/2, 0 <= z <= 10, highest power first; fitted for a
# small relative error (4.2e-7) by Lawson's algorithm. Around 1/2 the terms do not cancel.
_TAIL = (
    0.048858578, -0.0252009624, -0.110237099, 0.0297201585, 0.315829492, 0.483318552, 0.427186994, 0.127697843,
)  # fmt: skip


def gelu_value(x: Array, approximate: bool = False) -> Any:
    """`portanet.activations.gelu` in float32, with relative errors of 4e-6 for x > -6; no other dtypes."""
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

    P is 1 / (1 + exp(minus its logit)): few passes over the data. Every one of them counts: NumPy has no longer ones.
    """
    lowest, highest = (reduce(x, axis=None, initial=0.0) for reduce in (np.minimum.reduce, np.maximum.reduce))
    all_near = lowest >= -FAR and highest <= FAR  # mostly, and then nothing has to be cut off
    near = x if all_near else np.clip(x, -FAR, FAR, out=y if slope is None else slope)
    square = near * near
    inverse = square * _LOGIT[0]
    for c in _LOGIT[1:-1]:
        inverse += c
        inverse *= square
    inverse += _LOGIT[-1]
    inverse *= near
    np.exp(inverse, out=inverse)
    inverse += 1.0
    if slope is not None:
        bell = np.multiply(square, -0.5, out=square)
        np.exp(bell, out=bell)
        bell *= near
        bell *= 1 / math.sqrt(2 * math.pi)
    np.divide(x if all_near else np.maximum(x, -FAR, out=y), inverse, out=y)  # 0 times minus infinity is no number
    if slope is not None:
        np.add(bell, np.reciprocal(inverse, out=inverse), out=slope)
    if not lowest >= LOW:
        chosen = np.nonzero(x < LOW)
        values, slopes = _below(x[chosen])
        y[chosen] = values
        if slope is not None:
            slope[chosen] = slopes
    return y if slope is None else (y, slope)


def _below(x: Array) -> tuple[Array, Array]:
    """GELU and its slope of negative numbers: -|x| q and q - |x| p, with q and p the probability and density there."""
    size = np.minimum(-x, 40.0)  # exp(-800) is 0, and 0 times infinity no number
    t = 1.0 / (1.0 + size * (0.5 * math.sqrt(0.5))) - 0.5
    bell = np.exp(size * size * -0.5)
    q = bell * np.polyval(_TAIL, t)
    return -size * q, q - size * bell * (1 / math.sqrt(2 * math.pi))

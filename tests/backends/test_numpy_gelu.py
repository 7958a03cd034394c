"""GELU of float32 arrays on NumPy beside the error function of Python."""

from __future__ import annotations

import math

import numpy as np

from portanet.activations import gelu
from portanet.autodiff import vjp


def test_values_and_slopes_have_small_errors() -> None:
    x = np.concatenate([np.linspace(-12, 12, 24001), [-1e30, 1e30, -np.inf, -5e-39, 0.0]]).astype("float32")
    below = np.asarray([0.5 * math.erfc(-float(each) * math.sqrt(0.5)) for each in x])
    wide = np.clip(x, -40, 40).astype("float64")
    expected = np.maximum(x, -40).astype("float64") * below
    slope = below + wide * np.exp(-0.5 * wide**2) / math.sqrt(2 * math.pi)
    value, pull = vjp(gelu, x)
    (by_x,) = pull(np.ones_like(x))
    for y in (value, gelu(x)):
        assert np.max(np.abs(y - expected) / np.maximum(1, np.abs(expected))) < 3e-7
    assert np.max(np.abs(by_x - slope)) < 3e-7
    seen = (x > -12) & (x < -1e-30)  # far below 0, errors are small beside values that are small themselves
    for y in (value, gelu(x)):
        assert np.max(np.abs(y - expected)[seen] / np.abs(expected)[seen]) < 1e-5
    low = seen & (x < -2)
    assert np.max(np.abs(by_x - slope)[low] / np.abs(slope)[low]) < 1e-5
    assert np.isnan(gelu(np.asarray([np.nan], dtype="float32"))).all()

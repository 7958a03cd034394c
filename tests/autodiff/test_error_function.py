from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.activations import gelu
from portanet.autodiff import check_grads, vjp
from portanet.autodiff.special import erf, erfc
from tests.support import asarray, assert_close, to_numpy


def test_derivatives(xp: Any) -> None:
    x = asarray([-6.0, -1.3, -0.4, 0.0, 0.7, 2.0, 5.0])
    check_grads(erf, (x,), directions=1)
    check_grads(erfc, (x,), directions=1)


def test_they_sum_to_one_and_are_odd(xp: Any) -> None:
    x = asarray(np.linspace(-4, 4, 101), "float64")
    assert_close(erf(x) + erfc(x), np.ones(101), dtype="float64")
    assert_close(erf(-x), -erf(x), rtol=0, atol=0, dtype="float64")


def test_the_kernel_of_a_library_agrees_with_the_definition(xp: Any) -> None:
    x = np.linspace(-6, 6, 301)
    for function in (erf, erfc):
        assert_close(function(asarray(x, "float64")), function(x), rtol=1e-13, atol=1e-16, dtype="float64")


def test_the_far_tail(xp: Any) -> None:
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(7, 26, 501), [-9.0, 40.0, 1e300, np.inf, -np.inf, np.nan]])
    assert_close(erfc(asarray(x, "float64")), special.erfc(x), rtol=1e-12, atol=1e-307, dtype="float64")


def test_half_precision_is_computed_in_single(xp: Any) -> None:
    if not hasattr(xp, "float16"):
        return
    x = xp.astype(asarray([-3.0, 0.5, 2.0, 8.0]), xp.float16)
    assert erf(x).dtype == x.dtype
    assert_close(xp.astype(erf(x), xp.float32), erf(asarray([-3.0, 0.5, 2.0, 8.0])), rtol=1e-3)


def test_float32_in_large_arrays(xp: Any) -> None:
    """More than one block of the override, and every kind of value."""
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(-9, 8, 40_000), [np.inf, -np.inf, 0, 40, -40]]).astype("float32").reshape(5, -1)
    expected = special.erfc(x.astype("float64"))
    assert_close(erfc(asarray(x, "float32")), expected, rtol=7e-6, atol=1e-35, dtype="float32")
    assert np.isnan(to_numpy(erfc(asarray(np.asarray([np.nan]), "float32"))))


def test_gelu_in_float32_against_float64(xp: Any) -> None:
    """Values and derivatives of every magnitude, and NaN; more than one block of the override."""
    x = np.concatenate([np.linspace(-6, 9, 299_994), [np.inf, -np.inf, -3e38, 3e38, 0, -0.0]]).astype("float32")
    y, pull = vjp(gelu, asarray(x, "float32"))
    wide, pull_wide = vjp(gelu, x.astype("float64"))
    assert_close(y, wide, rtol=1e-5, atol=1e-30, dtype="float32")
    (slope,), (wide_slope,) = pull(xp.ones_like(y)), pull_wide(np.ones_like(wide))
    assert_close(slope, wide_slope, rtol=1e-4, atol=2e-6, dtype="float32")
    assert np.isnan(to_numpy(gelu(asarray(np.asarray([np.nan]), "float32"))))

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet.random import streams
from tests.random.drawing import draw, on_numpy
from tests.support import assert_close, assert_equal

NORMALS = [streams.normal, streams.truncated_normal]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_is_the_same_everywhere(backend: Any, dtype: str) -> None:
    expected = on_numpy(streams.uniform, (3, 5), 4, dtype=dtype)
    assert_equal(draw(streams.uniform, (3, 5), 4, dtype=dtype), expected, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (40, 50)])
@pytest.mark.parametrize("kind", NORMALS)
def test_normal_is_the_same_everywhere(backend: Any, kind: Any, shape: tuple[int, ...], dtype: str) -> None:
    expected = on_numpy(kind, shape, 4, dtype=dtype, mean=1.0, stddev=2.0)
    result = draw(kind, shape, 4, dtype=dtype, mean=1.0, stddev=2.0)
    few = 8 * float(np.finfo(dtype).eps)
    assert_close(result, expected, rtol=few, atol=4 * few, dtype=dtype)


@pytest.mark.parametrize("kind", NORMALS)
def test_dtypes_agree(kind: Any) -> None:
    wide = on_numpy(kind, (100,), dtype="float64")
    np.testing.assert_allclose(on_numpy(kind, (100,), dtype="float32"), wide, rtol=1e-5, atol=1e-6)
    half = on_numpy(kind, (100,), dtype="float16")
    assert half.dtype == "float16"
    np.testing.assert_allclose(half, wide, rtol=2e-3, atol=2e-3)


def test_uniform_is_uniform() -> None:
    stats = pytest.importorskip("scipy.stats")
    x = on_numpy(streams.uniform, (100_000,), dtype="float32", low=-1.0, high=3.0)
    assert x.min() >= -1
    assert x.max() < 3
    assert stats.kstest(x, "uniform", args=(-1, 4)).pvalue > 0.01


def test_normal_is_normal() -> None:
    stats = pytest.importorskip("scipy.stats")
    x = on_numpy(streams.normal, (100_000,), dtype="float32")
    assert stats.kstest(x, "norm").pvalue > 0.01
    halves = x.reshape(2, -1)  # cosines and sines of the same angles
    assert abs(np.corrcoef(halves)[0, 1]) < 4 / math.sqrt(50_000)
    assert np.abs(x).max() < 5.78


def test_truncated_normal_is_normal_between_its_ends() -> None:
    stats = pytest.importorskip("scipy.stats")
    x = on_numpy(streams.truncated_normal, (1_000_000,), dtype="float32", mean=3.0, stddev=0.5)
    assert stats.kstest(x[:100_000], stats.truncnorm(-2, 2, loc=3, scale=0.5).cdf).pvalue > 0.01
    assert 2.0 <= x.min() < 2.001
    assert 3.999 < x.max() <= 4.0


def test_truncated_normal_inverts_the_error_function(monkeypatch: pytest.MonkeyPatch) -> None:
    special = pytest.importorskip("scipy.special")
    words = np.concatenate((np.arange(-(2**31), 2**31, 65_521), [-1, 0, 2**31 - 1])).astype("int32")
    monkeypatch.setattr(streams, "bits", lambda *args: words)
    result = on_numpy(streams.truncated_normal, words.shape, dtype="float64")
    points = ((words.astype("int64") >> 8 & 0xFFFFFF) + 0.5) * 2.0**-24
    low = special.ndtr(-2.0)
    np.testing.assert_allclose(result, special.ndtri(low + points * (1 - 2 * low)), rtol=5e-7, atol=1e-12)
    assert result.min() >= -2
    assert result.max() <= 2


def test_draws_differ_by_step() -> None:
    first, second = (on_numpy(streams.normal, (10_000,), step, dtype="float32") for step in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.04


def test_all_fractions_are_below_one_and_logarithms_finite() -> None:
    words = np.array([-1, 0, 2**31 - 1, -(2**31)], dtype="int32")
    fractions = streams._fractions(np, words, np.dtype("float32"))
    np.testing.assert_array_equal(fractions, [1 - 2**-24, 0, 0.5 - 2**-24, 0.5])

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet import random
from portanet.backends import use_backend
from portanet.random import floats
from tests.support import asarray, assert_close, assert_equal, to_numpy

KEY = random.stream_key(7, "layer")


def draw(backend: Any, kind: Any, shape: tuple[int, ...], step: int = 0, dtype: str = "float32", **options: Any) -> Any:
    number = asarray(np.asarray(step, dtype="int32"))
    return kind(backend.xp, shape, KEY, number, backend.device, backend.find_dtype(dtype), **options)


def on_numpy(kind: Any, shape: tuple[int, ...], step: int = 0, dtype: str = "float32", **options: Any) -> Any:
    with use_backend("numpy") as backend:
        return draw(backend, kind, shape, step, dtype, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_is_the_same_everywhere(backend: Any, dtype: str) -> None:
    expected = on_numpy(random.uniform, (3, 5), 4, dtype)
    assert_equal(draw(backend, random.uniform, (3, 5), 4, dtype), expected, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (40, 50)])
def test_normal_is_the_same_everywhere(backend: Any, shape: tuple[int, ...], dtype: str) -> None:
    expected = on_numpy(random.normal, shape, 4, dtype, mean=1.0, stddev=2.0)
    found = draw(backend, random.normal, shape, 4, dtype, mean=1.0, stddev=2.0)
    few = 8 * float(np.finfo(dtype).eps)
    assert_close(found, expected, rtol=few, atol=4 * few, dtype=dtype)


def test_dtypes_agree() -> None:
    wide = on_numpy(random.normal, (100,), dtype="float64")
    np.testing.assert_allclose(on_numpy(random.normal, (100,)), wide, rtol=1e-5, atol=1e-6)
    half = on_numpy(random.normal, (100,), dtype="float16")
    assert half.dtype == "float16"
    np.testing.assert_allclose(half, wide, rtol=2e-3, atol=2e-3)


def test_uniform_is_uniform() -> None:
    stats = pytest.importorskip("scipy.stats")
    x = on_numpy(random.uniform, (100_000,), low=-1.0, high=3.0)
    assert x.min() >= -1
    assert x.max() < 3
    assert stats.kstest(x, "uniform", args=(-1, 4)).pvalue > 0.01


def test_normal_is_normal() -> None:
    stats = pytest.importorskip("scipy.stats")
    x = on_numpy(random.normal, (100_000,))
    assert stats.kstest(x, "norm").pvalue > 0.01
    halves = x.reshape(2, -1)  # cosines and sines of the same angles
    assert abs(np.corrcoef(halves)[0, 1]) < 4 / math.sqrt(50_000)
    assert np.abs(x).max() < 5.78


def test_draws_differ_by_step() -> None:
    first, second = (on_numpy(random.normal, (10_000,), step) for step in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.04


def test_all_fractions_are_below_one_and_logarithms_finite() -> None:
    words = np.array([-1, 0, 2**31 - 1, -(2**31)], dtype="int32")
    fractions = floats._fractions(np, words, np.dtype("float32"))
    np.testing.assert_array_equal(fractions, [1 - 2**-24, 0, 0.5 - 2**-24, 0.5])


def test_bernoulli_hits_its_probability(backend: Any) -> None:
    number = asarray(np.asarray(0, dtype="int32"))
    keep = to_numpy(random.bernoulli(backend.xp, (100_000,), 0.3, KEY, number, backend.device))
    assert keep.mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 100_000))
    assert to_numpy(random.bernoulli(backend.xp, (10,), 1.0, KEY, number, backend.device)).all()

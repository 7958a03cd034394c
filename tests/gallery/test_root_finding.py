"""Searches for zeros and minima: known solutions, SciPy's, and rates of convergence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import portanet
from portanet.autodiff import grad
from tests.gallery.pages import load

page = load("foundations/root_finding")


@pytest.fixture(autouse=True)
def numpy_backend():
    with portanet.use_backend("numpy", dtype="float64"):
        yield


def test_all_searches_find_the_cube_root():
    paths = page.searches()
    for path in paths.values():
        assert path[-1] == pytest.approx(2 ** (1 / 3), abs=1e-7)
    assert len(paths["Newton"]) < 10 < len(paths["gradient descent"])
    away = np.abs(np.asarray(paths["Newton"]) - 2 ** (1 / 3))
    assert all(after < 2 * before**2 for before, after in itertools.pairwise(away) if after > 1e-14)


def test_the_searches_are_scipys():
    scipy = pytest.importorskip("scipy.optimize")
    paths = page.searches()
    assert paths["bisection"][-1] == pytest.approx(scipy.bisect(lambda x: x**3 - 2, 0, 2), abs=1e-11)
    steps = scipy.newton(lambda x: x**3 - 2, 2.0, lambda x: 3 * x**2, full_output=True)[1].iterations
    assert abs(len(paths["Newton"]) - steps) <= 1


def test_the_slope_of_the_cube_root():
    y = np.asarray(2.0)
    assert float(grad(page.cube_root)(y)) == pytest.approx(2 ** (-2 / 3) / 3, rel=1e-9)


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.95])
def test_the_hill_is_climbed(rate):
    path, result = page.climb(rate, steps=200)
    assert -result.value == pytest.approx(4.0, abs=1e-6)
    powers = (1 - 2 * rate) ** np.arange(len(path))
    np.testing.assert_allclose(path, powers[:, None] * [1.5, -1.0], atol=1e-12)


def test_too_large_a_rate_leaves_the_hill():
    path, result = page.climb(1.05)
    assert not result.converged
    assert len(path) == 1

"""Ketkar 4-1 to 4-14: every number that the book prints."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.autodiff import grad
from portanet.backends import Backend, use_backend
from tests.gallery.pages import load

page = load("foundations/from_theano")


def test_expressions(backend: Backend) -> None:
    scalar, matrix, both = page.expressions()
    assert scalar == pytest.approx(1.6, rel=1e-6)
    np.testing.assert_array_equal(portanet.to_host(matrix), np.full((2, 2), -6.0))
    np.testing.assert_array_equal(portanet.to_host(both), np.full((2, 2), -26.25))


def test_activations(backend: Backend) -> None:
    expected = {
        "sigmoid": [0.268941, 0.5, 0.731059],
        "softplus": [0.313262, 0.693147, 1.313262],
        "relu": [0, 0, 1],
        "tanh": [-0.761594, 0, 0.761594],
        "softmax": [0.090031, 0.244728, 0.665241],
    }
    results = page.activations()
    for name, values in expected.items():
        np.testing.assert_allclose(results[name], values, atol=1e-6)


def test_shared_variables_and_gradients(backend: Backend) -> None:
    (total, value, slope), (total_later, value_later, slope_later) = page.shared()
    assert (value, value_later) == (68, 42)
    np.testing.assert_array_equal([slope, slope_later], [[7, 17, 33], [4, 13, 28]])
    np.testing.assert_array_equal([total, total_later], [[5, 7, 9], [2, 3, 4]])


def test_losses_and_penalties(backend: Backend) -> None:
    binary, categorical, squares = page.losses()
    assert binary == pytest.approx(3.058146503109446, rel=1e-6)
    assert categorical == pytest.approx(9.16428867, rel=1e-6)
    np.testing.assert_allclose(squares, [0.9604, 0.9604, 0.0], rtol=1e-6)
    assert page.penalties() == (4, 10)
    assert 0 < page.loss_of_negative_probabilities() < 50


def test_random_streams_differ_by_call_and_repeat_by_seed() -> None:
    first, second = page.draws(), page.draws()
    np.testing.assert_array_equal(first, second)
    assert len(np.unique(first)) == 9


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("kind", "before", "after"), [("logistic", (0.42, 0.58), (0.58, 0.68)), ("linear", (60, 150), (0.76, 1.02))]
)
def test_regression_on_noise(kind: str, seed: int, before: tuple[float, float], after: tuple[float, float]) -> None:
    """4-10: accuracy from about one half to 0.60-0.65; 4-11: the mean square from 76-132 to 0.80-0.97."""
    with use_backend("numpy", dtype="float64"):
        first, last, history = page.regression(kind, seed=seed)
    assert before[0] < first < before[1]
    assert after[0] < last < after[1]
    assert history[-1] < history[0]


def test_a_network_on_noise() -> None:
    with use_backend("numpy"):
        first, last, history = page.regression("network", steps=200)
    assert 0.4 < first < last
    assert np.all(np.isfinite(history))
    assert history[-1] < history[0]


def test_hinges(backend: Backend) -> None:
    for hinge in page.HINGES:
        values = [float(hinge(portanet.asarray(x), 1.0)) for x in (-2.0, -1.0, 0.0, 1.0, 2.0)]
        assert values == [3, 2, 1, 0, 0]
        assert [float(grad(hinge)(portanet.asarray(x), 1.0)) for x in (-2.0, 0.0, 2.0)] == [-1, -1, 0]


def test_scan(backend: Backend) -> None:
    assert float(page.power(portanet.asarray(2.0), 5)) == 32
    assert float(grad(page.power)(portanet.asarray(2.0), 5)) == 80

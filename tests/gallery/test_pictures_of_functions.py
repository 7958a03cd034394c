"""Activations, maxout, the landscape of a loss, and paths of optimizers (NumpyDL documentation, 2.1.3, 2.3.2, 2.4)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import portanet
from portanet import optimizers

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
from tests.gallery.pages import load

activations = load("foundations/activations")
maxout = load("foundations/maxout")
landscape = load("optimization/loss_landscape")
trajectories = load("optimization/trajectories")


@pytest.fixture(autouse=True)
def numpy_backend():
    with portanet.use_backend("numpy"):
        portanet.random.set_seed(0)
        yield


def test_the_sigmoid_saturates_and_tanh_is_a_scaled_sigmoid():
    expected = [math.exp(-x) / (1 + math.exp(-x)) ** 2 for x in (0, 2, 10)]
    np.testing.assert_allclose(activations.slopes(portanet.activations.sigmoid, [0, 2, 10]), expected, rtol=1e-3)
    assert activations.difference(101) < 1e-14


def test_the_page_shows_the_functions_of_numpydl():
    shown = {*activations.NUMPYDL, "softmax"}
    assert shown == {
        "sigmoid", "tanh", "relu", "linear", "softmax", "elliot", "symmetric_elliot", "softplus", "softsign",
    }  # fmt: skip
    assert not set(activations.LATER) & shown


def test_units_die_if_the_rate_is_too_high():
    slow, fast = activations.dead(0.1, epochs=1), activations.dead(5.0, epochs=1)
    assert slow[0] < 0.05
    assert fast[0] > 0.4
    assert slow[1] > 0.7


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("leaky_relu (0.01)", lambda x: np.where(x < 0, 0.01 * x, x)),
        ("absolute value", np.abs),
        ("linear", lambda x: x / 2),
    ],
)
def test_activations_are_special_cases_of_maxout(name, function):
    x = np.linspace(-2, 2, 41)
    np.testing.assert_allclose(maxout.values(maxout.unit(maxout.CASES[name]), x), function(x), rtol=1e-6, atol=1e-7)


def test_more_pieces_are_closer_to_the_parabola():
    errors = [maxout.learn(pieces, steps=150)[1] for pieces in (2, 3, 6)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.1
    assert errors[0] > 1 / 8
    assert (maxout.parameters(2), maxout.parameters(3)) == (2 * 5050, 3 * 5050)


def test_the_loss_of_the_svm_is_as_its_formula():
    weights = landscape.weights(3)[0]
    scores, labels = landscape.DIGITS[:4] @ portanet.to_host(weights), landscape.LABELS[:4]
    expected = np.mean([
        sum(max(0, s[j] - s[y] + 1) for j in range(10) if j != y) for s, y in zip(scores, labels, strict=True)
    ])  # fmt: skip
    assert float(landscape.svm(4)(weights)) == pytest.approx(expected, rel=1e-5)


def test_it_is_convex_and_made_of_straight_pieces():
    assert 1 <= landscape.kinks(1) <= 9  # a term of each wrong class is cut off once
    assert landscape.kinks(1) < landscape.kinks(5)
    assert landscape.largest_excess(20) < 1e-6


def test_the_terms_in_one_dimension():
    w0 = np.asarray([0.0, 2.0])
    found = landscape.terms(w0)
    assert found.shape == (6, 2)
    weight, x = np.asarray([2.0, 0.5, -1.0]), -0.5  # the second point, of the second class
    assert found[2, 1] == max(0, weight[0] * x - weight[1] * x + 1)
    assert found[3, 1] == max(0, weight[2] * x - weight[1] * x + 1)


def test_optimizers_in_the_valley():
    found = trajectories.paths(trajectories.valley, (-4.0, 0.8), steps=40)
    x, y = -4 * (1 - 0.026) ** np.arange(41), 0.8 * (1 - 50 * 0.026) ** np.arange(41)
    np.testing.assert_allclose(found["SGD"], np.stack([x, y], axis=1), rtol=1e-3, atol=1e-6)
    assert trajectories.overshoot(found["SGD"]) == 0
    assert trajectories.overshoot(found["Momentum"]) > trajectories.overshoot(found["NAG"]) > 0
    assert list(found) == ["SGD", "Momentum", "NAG", "Adagrad", "Adadelta", "RMSprop", "Adam"]


def test_optimizers_at_the_saddle():
    found = trajectories.paths(trajectories.saddle, trajectories.START, steps=200)
    steps = {name: trajectories.escape(path) or 1000 for name, path in found.items()}
    np.testing.assert_allclose(found["SGD"][100, 1], 1e-5 * 1.052**100, rtol=1e-3)
    slow = [steps[name] for name in ("Momentum", "NAG")]
    assert steps["SGD"] > max(slow)
    assert min(slow) > max(steps[name] for name in ("Adagrad", "Adadelta", "RMSprop", "Adam"))


def test_adaptive_steps_do_not_depend_on_the_size_of_the_slope():
    start = trajectories.START
    first = portanet.to_host(optimizers.descend(trajectories.saddle, start, trajectories.seven()["Adam"], 1))
    np.testing.assert_allclose(np.abs(first[1] - first[0]), [0.1, 0.1], rtol=0.2)

"""`Network([784, 30, 10])`, against the update rule of the text written with NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def updated(weights: list[np.ndarray], x: np.ndarray, y: np.ndarray, eta: float) -> list[np.ndarray]:
    """Weights after one mini-batch of gradient descent on the quadratic cost, 1/(2n) sum |y - a|^2."""
    (w1, b1, w2, b2), n = weights, len(x)
    hidden = sigmoid(x @ w1 + b1)
    out = sigmoid(hidden @ w2 + b2)
    last = (out - y) * out * (1 - out)
    first = (last @ w2.T) * hidden * (1 - hidden)
    slopes = [x.T @ first, first.sum(axis=0), hidden.T @ last, last.sum(axis=0)]
    return [w - eta / n * slope for w, slope in zip(weights, slopes, strict=True)]


def test_a_step_is_that_of_the_text() -> None:
    page = load("classics/network_mnist")
    with portanet.use_backend("numpy", dtype="float64"):
        model = page.network([4, 3, 2], eta=3.0)
        generator = np.random.default_rng(0)
        x, y = generator.random((10, 4)), np.eye(2)[generator.integers(0, 2, 10)]
        expected = updated(model.get_weights(), x, y, 3.0)
        model.train_on_batch(x, y)
        for actual, wanted in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(actual, wanted, rtol=1e-12)


def test_first_weights_are_standard_normal() -> None:
    page = load("classics/network_mnist")
    with portanet.use_backend("numpy"):
        portanet.random.set_seed(0)
        kernel, bias, _, _ = page.network([784, 30, 10]).get_weights()
    assert abs(float(kernel.std()) - 1) < 0.02
    assert abs(float(kernel.mean())) < 0.02
    assert 0.6 < float(bias.std()) < 1.4


def test_lines_of_the_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    page = load("classics/network_mnist")
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 300)
    x, y = generator.random((300, 6)).astype("float32") + labels[:, None], np.eye(2, dtype="float32")[labels]

    def data(examples: int | None = None) -> Any:
        return (x[:200], y[:200]), (x[200:], y[200:])

    page.data = data
    with portanet.use_backend("numpy"):
        model, correct = page.train([6, 5, 2], epochs=3)
        right = np.sum(np.argmax(model.predict(x[200:], verbose=0), axis=1) == labels[200:])
    assert capsys.readouterr().out.splitlines() == [f"Epoch {j}: {a} / 100" for j, a in enumerate(correct)]
    assert correct[-1] == right > 80

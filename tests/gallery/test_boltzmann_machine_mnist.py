"""A restricted Boltzmann machine on images; scikit-learn's digits stand for MNIST."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.datasets import load_digits

import portanet
from tests.gallery.pages import load


def test_reconstructions_and_features_of_digits() -> None:
    page = load("classics/boltzmann_machine_mnist")
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    page.data = lambda: ((x[:1000], y[:1000]), (x[1000:], y[1000:]))
    with portanet.use_backend("numpy"):
        machine, errors = page.train(x[:1000], units=60, epochs=10, batch=10, rate=0.2)
        assert errors == sorted(errors, reverse=True)
        assert errors[-1] < 0.6 * float(np.mean((x - x.mean(axis=0)) ** 2))  # that of the mean image
        scores = page.few_labels(machine, 200)
        assert min(scores.values()) > 0.7

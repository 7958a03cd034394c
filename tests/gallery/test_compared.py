"""Remedies for overfitting: what each does to the loss and to the weights."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

import portanet
from tests.gallery.pages import load


def test_remedies_help_and_leave_their_traces_in_the_weights() -> None:
    page = load("regularization/compared")
    with portanet.use_backend("numpy"):
        runs = {
            name: page.train(name, epochs=60, examples=100) for name in ("none", "dropout .5", "L1 .0003", "L2 .002")
        }
        kernels = {name: np.abs(run["model"].get_weights()[0]) for name, run in runs.items()}
    learned, other = runs["none"]["curves"][-1]
    assert learned < other / 3
    assert runs["dropout .5"]["loss"] < runs["none"]["loss"]
    small = {name: float(np.mean(kernel < 0.01)) for name, kernel in kernels.items()}
    assert small["L1 .0003"] > small["L2 .002"] > small["none"]
    assert np.mean(kernels["L2 .002"] ** 2) < np.mean(kernels["none"] ** 2)


def test_penalties_leave_biases_out() -> None:
    page = load("regularization/compared")
    with portanet.use_backend("numpy"):
        model = page.network(l2=0.1, units=3)
        kernels = [w for w in model.get_weights() if w.ndim == 2]
        model.set_weights([w if w.ndim == 2 else w + 5 for w in model.get_weights()])
        assert float(sum(model.losses)) == pytest.approx(0.1 * sum(float(np.sum(k**2)) for k in kernels), rel=1e-5)

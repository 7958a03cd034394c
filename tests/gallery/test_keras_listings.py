"""Ketkar, listings 7-1 to 7-6, on fewer examples: everything runs, and losses stay finite."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from tests.gallery.pages import load

page = load("foundations/keras_listings")


@pytest.mark.parametrize(("number", "parameters"), {"7-1": 501, "7-2": 16065, "7-3": 16362, "7-4": 16065}.items())
def test_models(number: str, parameters: int) -> None:
    with portanet.use_backend("numpy"):
        portanet.random.set_seed(0)
        model, loss = page.LISTINGS[number]()
        assert model.count_params() == parameters
        before, after, losses = page.before_and_after(model, loss, examples=64, epochs=2)
    assert list(before) == list(after) == ["loss", "mean_squared_error" if number == "7-4" else "accuracy"]
    assert np.all(np.isfinite([*before.values(), *after.values(), *losses]))


@pytest.mark.parametrize("name", page.OPTIMIZERS)
def test_optimizers(backend: Backend, name: str) -> None:
    before, after, losses = page.by_optimizer(name, examples=64, epochs=3)
    assert np.all(np.isfinite([*before.values(), *after.values(), *losses]))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", page.ACTIVATIONS)
def test_activations(backend: Backend, name: str) -> None:
    before, after, losses = page.by_activation(name, examples=64, epochs=1)
    assert np.all(np.isfinite([*before.values(), *after.values(), *losses]))

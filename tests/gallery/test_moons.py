"""Ketkar, listings 8-1 to 8-4."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

page = load("optimization/moons")


@pytest.fixture(autouse=True)
def numpy_backend() -> Iterator[None]:
    with portanet.use_backend("numpy"):
        yield


def test_data_and_network_are_the_books() -> None:
    x, _, new_x, new_y = page.moons()
    assert (x.shape, new_x.shape) == ((4000, 2), (1000, 2))
    model = page.network()
    kernels = [model.get_weights()[i] for i in (0, 2)]
    assert [kernel.shape for kernel in kernels] == [(2, 1000), (1000, 2)]
    assert all(0.95 < kernel.std() < 1.05 for kernel in kernels)
    penalty = sum(float(np.sum(kernel**2)) for kernel in kernels)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["sparse_categorical_crossentropy"])
    loss, without = model.evaluate(new_x, new_y, verbose=0)
    assert loss - without == pytest.approx(0.005 * penalty, rel=1e-3)


def test_seven_optimizers_from_the_same_start() -> None:
    results = page.compare(page.moons(500, 100), steps=40, every=20, units=50)
    assert sorted(results) == ["adadelta", "adagrad", "adam", "nag", "rmsprop", "rprop", "sgd"]
    assert len({losses[0] for _, _, losses, _ in results.values()}) == 1
    assert len({losses[-1] for _, _, losses, _ in results.values()}) == 7
    assert all(np.all(np.isfinite(losses)) for _, _, losses, _ in results.values())


def test_sgd_learns_by_single_examples() -> None:
    _, training, losses, accuracies = page.sgd(page.moons(1000, 200), steps=500, every=250, units=100)
    assert accuracies[-1] > 0.85
    assert losses[-1] < losses[0]
    assert len(training) == 2

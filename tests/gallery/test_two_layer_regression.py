"""Ketkar 3-1."""

from __future__ import annotations

import pytest

from portanet.backends import Backend, use_backend
from tests.gallery.pages import load

page = load("foundations/two_layer_regression")


def test_training_by_single_examples() -> None:
    """10 epochs of single examples at 0.01: the mean square goes from 1.7-2.0 to 0.64-0.75."""
    with use_backend("numpy", dtype="float64"):
        losses = page.train()
    assert 1.6 < losses[0] < 2.1
    # A loop over the same examples in NumPy, with derivatives by hand, reaches 0.739.
    assert losses[-1] == pytest.approx(0.739, abs=6e-4)


def test_the_network_written_out_takes_the_step_of_the_model(backend: Backend) -> None:
    assert page.difference_of_one_step() < 1e-6

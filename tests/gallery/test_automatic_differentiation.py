"""Ketkar, chapter 9."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from portanet.backends import Backend, use_backend
from tests.gallery.pages import load

page = load("foundations/automatic_differentiation")


def test_all_methods_give_the_derivatives_of_listing_9_1(backend: Backend) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        for pair in page.derivatives().values():
            assert pair == pytest.approx((0.4472136, 0.8944272), rel=1e-7)
        page.checked()


@pytest.mark.parametrize("seed", range(3))
def test_logistic_regression_descends_as_in_numpy(seed: int) -> None:
    with use_backend("numpy", dtype="float64"):
        weights, losses, (x, labels) = page.descend(seed=seed)
        accuracy = page.accuracy(weights, x, labels)
    by_hand: Any = np.ones(2)
    for _ in range(100):  # the slope of log sigmoid(2 s) by s is 2 (1 - sigmoid(2 s))
        by_hand = by_hand + 0.001 * 2 * x.T @ (labels - 1 / (1 + np.exp(-2 * x @ by_hand)))
    np.testing.assert_allclose(weights, by_hand, rtol=1e-9)
    assert losses == sorted(losses, reverse=True)
    assert 0.8 < accuracy < 0.92


@pytest.mark.parametrize(("method", "order"), page.METHODS.items())
def test_the_error_falls_with_the_order_of_the_method(method: str, order: int) -> None:
    """Halving the step divides the error by 2, 2, 4 and 16."""
    errors = [page.error(method, step) for step in (0.02, 0.01, 0.005)]
    for wide, narrow in itertools.pairwise(errors):
        assert math.log2(wide / narrow) == pytest.approx(order, abs=0.1)

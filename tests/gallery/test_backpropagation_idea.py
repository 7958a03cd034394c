"""Gradients of functions of matrices: by hand, by `grad`, and by differences."""

from __future__ import annotations

import numpy as np
import pytest

from tests.gallery.pages import load

page = load("foundations/backpropagation_idea")


@pytest.mark.parametrize("seed", range(3))
def test_gradients_by_hand_are_those_of_grad(seed: int) -> None:
    for by_hand, ours in page.gradients(seed).values():
        np.testing.assert_allclose(ours, by_hand, rtol=1e-10, atol=1e-10)


def test_the_sum_of_both_uses_is_the_slope() -> None:
    d = page.data()
    direction = np.random.default_rng(9).standard_normal(d["W"].shape)
    up, down = (float(page.reconstruction(d["W"] + h * direction, d["x"])) for h in (1e-6, -1e-6))
    *_, (_, ours) = page.gradients().values()
    assert (up - down) / 2e-6 == pytest.approx(float(np.sum(ours * direction)), rel=1e-6)

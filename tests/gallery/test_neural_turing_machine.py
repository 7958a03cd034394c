"""A neural Turing machine: the example of the text, and the copy task of Graves et al. in small."""

from __future__ import annotations

import numpy as np

import portanet
from tests.gallery.pages import load


def test_addresses_of_the_text() -> None:
    page = load("classics/neural_turing_machine")
    with portanet.use_backend("numpy"):
        steps = page.addresses()
    np.testing.assert_allclose(steps["shift .1 .8 .1"][2:5], [0.1, 0.8, 0.1], atol=1e-3)
    powers = np.asarray([0.1, 0.8, 0.1]) ** 3
    np.testing.assert_allclose(steps["sharpened, gamma 3"][2:5], powers / powers.sum(), atol=1e-3)


def test_the_task_asks_for_what_came_in() -> None:
    page = load("classics/neural_turing_machine")
    x, bits = page.task(3, 5)
    np.testing.assert_array_equal(x[:, :5, :4], bits)
    assert not x[:, 5:, :4].any()
    np.testing.assert_array_equal(x[..., 4], [[0] * 5 + [1] * 5] * 3)


def test_the_machine_learns_to_copy_a_row() -> None:
    page = load("classics/neural_turing_machine")
    with portanet.use_backend("numpy"):
        model, losses = page.train(steps=60, longest=1)
        assert losses[0] > 0.6
        assert page.right(model, 1) > 0.95
        found = model.layers[0].run(portanet.asarray(page.task(2, 3)[0]))
        np.testing.assert_allclose(found["writing"].sum(axis=-1), 1, rtol=1e-5)

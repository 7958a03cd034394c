"""A conditional GAN: the costs of the text, and digits that are read as ordered."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

import portanet
from portanet import layers
from tests.gallery.pages import load


def test_the_cost_of_the_discriminator_is_that_of_the_text() -> None:
    page = load("classics/conditional_gan")
    with portanet.use_backend("numpy"):
        weights = np.random.default_rng(0).normal(size=(74, 1)).astype("float32")
        judge = portanet.Sequential([layers.Input((74,)), layers.Dense(1, use_bias=False)])
        judge.set_weights([weights])
        gan = page.ConditionalGAN(page.generator(8), judge)
        x, y = page.digits()
        x, y = x[:20], y[:20]
        p = 1 / (1 + np.exp(-np.concatenate([x, y], axis=1) @ weights))
        assert float(gan.cost(x, y, real=True)) == pytest.approx(-np.log(p).mean(), rel=1e-4)
        assert float(gan.cost(x, y, real=False)) == pytest.approx(-np.log(1 - p).mean(), rel=1e-4)


def test_some_epochs_already_obey_the_label() -> None:
    page = load("classics/conditional_gan")
    with portanet.use_backend("numpy"):
        gan, history = page.train(epochs=12)
        assert list(history.history) == ["discriminator", "generator"]
        assert page.agreement(gan, 10) > 0.3  # one in ten by chance

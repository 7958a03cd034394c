from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.layers.matrix import check_layer
from tests.support import asarray, to_numpy


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("make", [lambda: layers.GaussianNoise(0.5), lambda: layers.GaussianDropout(0.4)])
def test_layer(backend: Any, make: Any, training: bool) -> None:
    check_layer(make, (4, 6), (4, 6), {}, training=training)


def test_noise_only_in_training(backend: Any) -> None:
    x = asarray(np.ones((50, 80)))
    for layer in (layers.GaussianNoise(0.3, seed=1), layers.GaussianDropout(0.2, seed=1)):
        assert layer(x) is x
        first, second = to_numpy(layer(x, training=True)), to_numpy(layer(x, training=True))
        assert np.abs(first - second).max() > 0.1
        assert first.mean() == pytest.approx(1.0, abs=0.03)
    assert to_numpy(layers.GaussianNoise(0.3, seed=1)(x, training=True)).std() == pytest.approx(0.3, rel=0.05)
    assert to_numpy(layers.GaussianDropout(0.2, seed=1)(x, training=True)).std() == pytest.approx(0.5, rel=0.05)


def test_seed_and_path_choose_the_noise() -> None:
    x = np.ones((3, 4), dtype="float32")

    def noise(seed: int | None, name: str) -> Any:
        portanet.random.set_seed(5)
        return layers.GaussianNoise(1.0, seed=seed, name=name)(x, training=True)

    np.testing.assert_array_equal(noise(None, "a"), noise(None, "a"))
    assert (noise(None, "a") != noise(None, "b")).any()
    assert (noise(None, "a") != noise(1, "a")).any()


def test_bad_input() -> None:
    with pytest.raises(
        ValueError, match=r"`stddev` of layer 'gaussian_noise' must be a non-negative number. Received: s"
    ):
        layers.GaussianNoise(-0.1)
    with pytest.raises(
        ValueError, match=r"`rate` of layer 'gaussian_dropout' must be a number in \[0, 1\). Received: r"
    ):
        layers.GaussianDropout(1.0)
    with pytest.raises(ValueError, match=r"`seed` of layer 'gaussian_noise' must be .* Received: seed=-1"):
        layers.GaussianNoise(0.1, seed=-1)

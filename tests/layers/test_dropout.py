from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet import layers
from tests.layers.matrix import check_layer
from tests.support import asarray, to_numpy

LAYERS = [
    (lambda: layers.Dropout(0.4), (4, 6)),
    (lambda: layers.Dropout(0.4, noise_shape=(None, 1, 6)), (4, 3, 6)),
    (lambda: layers.AlphaDropout(0.4), (4, 6)),
    (lambda: layers.SpatialDropout1D(0.4), (3, 4, 5)),
    (lambda: layers.SpatialDropout2D(0.4, "channels_first"), (3, 4, 5, 2)),
    (lambda: layers.SpatialDropout3D(0.4), (3, 2, 2, 3, 4)),
]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_layer(backend: Any, make: Any, shape: tuple[int, ...], training: bool) -> None:
    check_layer(make, shape, shape, {}, training=training)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_and_scale(backend: Any, rate: float) -> None:
    y = to_numpy(layers.Dropout(rate, seed=1)(asarray(np.ones((200, 100))), training=True))
    assert (y == 0).mean() == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / y.size))
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


def test_dropout_rests_outside_training(backend: Any) -> None:
    x = asarray(np.ones((2, 3)))
    for make, _ in LAYERS[:3:2]:
        assert make()(x) is x


@pytest.mark.parametrize(
    ("layer", "shape", "space"),
    [
        (layers.SpatialDropout1D(0.5, seed=1), (20, 7, 30), (1,)),
        (layers.SpatialDropout2D(0.5, seed=1), (20, 3, 4, 30), (1, 2)),
        (layers.SpatialDropout2D(0.5, "channels_first", seed=1), (20, 30, 3, 4), (2, 3)),
        (layers.SpatialDropout3D(0.5, seed=1), (20, 2, 3, 2, 30), (1, 2, 3)),
    ],
)
def test_whole_maps_are_dropped(layer: Any, shape: tuple[int, ...], space: tuple[int, ...]) -> None:
    y = layer(np.ones(shape, dtype="float32"), training=True)
    assert (y.max(axis=space) == y.min(axis=space)).all()
    assert 0.4 < (y.max(axis=space) == 0).mean() < 0.6


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(0).standard_normal((500, 500)).astype("float32")
    y = layers.AlphaDropout(0.3, seed=1)(x, training=True)
    assert y.mean() == pytest.approx(0.0, abs=0.01)
    assert y.std() == pytest.approx(1.0, abs=0.01)
    # Klambauer et al. 2017: dropped elements get the value -scale * alpha, before the affine map.
    scale = (0.7 * (1 + 0.3 * 1.7580993408473766**2)) ** -0.5
    dropped = -1.7580993408473766 * scale + scale * 1.7580993408473766 * 0.3
    assert np.isclose(y, dropped, atol=1e-5).mean() == pytest.approx(0.3, abs=0.01)


def test_bad_input() -> None:
    for rate in (1.0, -0.1, "0.5", True, math.nan):
        with pytest.raises(
            ValueError, match=r"`rate` of layer 'dropout' must be a number in \[0, 1\). Received: rate="
        ):
            layers.Dropout(rate)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`noise_shape` of layer 'dropout' must be a tuple of sizes, .*at least 1.*"):
        layers.Dropout(0.5, noise_shape=(0, 1))
    with pytest.raises(ValueError, match=r"noise_shape=\(2,\).*Received: an input of shape \(2, 3\)"):
        layers.Dropout(0.5, noise_shape=(2,))(np.ones((2, 3)), training=True)
    with pytest.raises(ValueError, match=r"`data_format` .* Received: data_format='last'"):
        layers.SpatialDropout2D(0.5, data_format="last")
    with pytest.raises(ValueError, match=r"needs inputs with 4 axes.*Received: shape \(2, 3, 4\)"):
        layers.SpatialDropout2D(0.5)(np.ones((2, 3, 4)))

"""Layers around another, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Array, Backend
from portanet.saving import register_serializable
from tests.layers.matrix import check_layer
from tests.support import assert_close


@register_serializable(package="tests")
class Residual(layers.Wrapper):
    """Adds its input to the output of a layer."""

    def call(self, x: Array, training: bool = False) -> Array:
        return x + self.layer(x, training=training)


def test_matrix(backend: Backend) -> None:
    check_layer(lambda: Residual(layers.Dense(3)), (2, 3), (2, 3), {"dense/kernel": (3, 3), "dense/bias": (3,)})


def test_it_builds_the_layer_once(backend: Backend) -> None:
    inner = layers.Dense(3, kernel_initializer="identity")
    layer = Residual(inner)
    layer.build((None, 3))
    assert inner.built
    kernel = inner.kernel
    x = np.asarray([[1.0, 2.0, 3.0]])
    assert_close(Residual(inner)(portanet.asarray(x)), 2 * x)
    assert inner.kernel is kernel


def test_wrappers_of_the_library_are_ones() -> None:
    for wrapper in (layers.TimeDistributed, layers.SpectralNormalization, layers.WeightNormalization):
        assert isinstance(wrapper(layers.Dense(2)), layers.Wrapper)
    with pytest.raises(ValueError, match=r"`layer` of layer 'residual' must be a layer. Received: layer=3"):
        Residual(3)  # type: ignore[arg-type]

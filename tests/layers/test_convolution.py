"""Convolution layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, assert_equal


@pytest.mark.parametrize(
    ("make", "shape", "result", "weights"),
    [
        (lambda: layers.Conv1D(3, 2, padding="causal"), (2, 5, 2), (2, 5, 3), {"kernel": (2, 2, 3), "bias": (3,)}),
        (lambda: layers.Conv1D(3, 3, 2, ((1, 2),)), (2, 5, 2), (2, 3, 3), None),
        (
            lambda: layers.Conv2D(4, (2, 3), strides=(2, 1), padding="same", groups=2, activation="tanh"),
            (2, 5, 4, 2),
            (2, 3, 4, 4),
            {"kernel": (2, 3, 1, 4), "bias": (4,)},
        ),
        (
            lambda: layers.Conv2D(3, 2, padding="full", dilation_rate=2, data_format="channels_first", use_bias=False),
            (2, 2, 4, 3),
            (2, 3, 6, 5),
            {"kernel": (2, 2, 2, 3)},
        ),
        (
            lambda: layers.Conv3D(2, 2, strides=2),
            (1, 4, 3, 5, 2),
            (1, 2, 1, 2, 2),
            {"kernel": (2, 2, 2, 2, 2), "bias": (2,)},
        ),
    ],
)
def test_layers(backend: Backend, make: Any, shape: Any, result: Any, weights: Any) -> None:
    check_layer(make, shape, result, weights)


def test_channels_first_is_channels_last_with_the_axes_moved(backend: Backend) -> None:
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3))
    first = layers.Conv2D(4, 3, data_format="channels_first")
    result = first(asarray(np.moveaxis(x, -1, 1)))
    last = layers.Conv2D(4, 3)
    last.build(x.shape)
    last.set_weights(first.get_weights())
    assert_close(result, np.moveaxis(backend.to_host(last(asarray(x))), -1, 1), rtol=1e-5, atol=1e-6)


def test_integer_images_are_taken(backend: Backend) -> None:
    x = np.arange(32, dtype="int32").reshape(1, 4, 4, 2)
    layer = layers.Conv2D(2, 2)
    assert_close(layer(asarray(x)), backend.to_host(layer(asarray(x.astype("float32")))))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), r"Argument `filters` of layer 'conv2_?d' must be a positive integer.*filters=0"),
        (lambda: layers.Conv2D(4, 0), r"Argument `kernel_size` of layer .*Received: kernel_size=0"),
        (lambda: layers.Conv2D(4, 3, strides=(1, 2, 3)), r"Argument `strides` of layer .*Received: strides="),
        (lambda: layers.Conv2D(4, 3, padding="causal"), r"Argument `padding` of layer .*Received: padding='causal'"),
        (lambda: layers.Conv2D(4, 3, groups=3), r"must be a multiple of groups=3. Received: filters=4"),
        (lambda: layers.Conv2D(4, 3).build((2, 5, 5)), r"needs inputs of shape .*Received: shape \(2, 5, 5\)"),
        (lambda: layers.Conv2D(4, 3).build((2, 2, 5, 3)), r"does not fit into the input. Received: .*size \(2, 5\)"),
        (lambda: layers.Conv2D(4, 3, groups=2).build((2, 5, 5, 3)), r"into 2 groups of equal size. Received: an input"),
        (lambda: layers.Conv2D(4, 3).build((2, 5, 5, None)), r"known number of channels. Received"),
    ],
)
def test_wrong_arguments(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_another_number_of_channels_than_built_for() -> None:
    layer = layers.Conv2D(4, 3)
    layer.build((2, 5, 5, 3))
    with pytest.raises(ValueError, match="was built for inputs with 3 features on axis -1"):
        layer(np.ones((2, 5, 5, 2), dtype="float32"))


def test_a_call_leaves_nothing_behind(backend: Backend) -> None:
    layer = layers.Conv2D(4, 3, padding="same", activation="relu")
    first, other = (asarray(np.random.default_rng(i).standard_normal((2 + i, 5, 5, 2))) for i in range(2))
    expected = backend.to_host(layer(first, training=True))
    layer(other, training=True)
    assert_equal(layer(first), expected)
    assert set(vars(layer)) == set(vars(layers.Conv2D.from_config(layer.get_config()))) | {
        "channels", "kernel", "bias", "_variables",
    }  # fmt: skip

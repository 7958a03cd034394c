"""Depthwise, separable, transposed, locally connected and tiled convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close


@pytest.mark.parametrize(
    ("make", "shape", "result", "weights"),
    [
        (
            lambda: layers.DepthwiseConv1D(3, depth_multiplier=2),
            (2, 5, 2),
            (2, 3, 4),
            {"kernel": (3, 2, 2), "bias": (4,)},
        ),
        (
            lambda: layers.DepthwiseConv2D(2, 2, "same", data_format="channels_first"),
            (2, 3, 4, 5),
            (2, 3, 2, 3),
            {"kernel": (2, 2, 3, 1), "bias": (3,)},
        ),
        (
            lambda: layers.SeparableConv1D(3, 2),
            (2, 5, 2),
            (2, 4, 3),
            {"depthwise_kernel": (2, 2, 1), "pointwise_kernel": (1, 2, 3), "bias": (3,)},
        ),
        (
            lambda: layers.SeparableConv2D(3, 2, depth_multiplier=2, activation="tanh"),
            (2, 4, 4, 2),
            (2, 3, 3, 3),
            {"depthwise_kernel": (2, 2, 2, 2), "pointwise_kernel": (1, 1, 4, 3), "bias": (3,)},
        ),
        (
            lambda: layers.Conv1DTranspose(3, 2, 3),
            (2, 4, 2),
            (2, 12, 3),
            {"kernel": (2, 3, 2), "bias": (3,)},
        ),
        (
            lambda: layers.Conv2DTranspose(3, 3, 2, "same", data_format="channels_first"),
            (2, 2, 3, 2),
            (2, 3, 6, 4),
            {"kernel": (3, 3, 3, 2), "bias": (3,)},
        ),
        (lambda: layers.Conv3DTranspose(2, 2), (1, 2, 3, 2, 2), (1, 3, 4, 3, 2), None),
        (
            lambda: layers.LocallyConnected1D(3, 2, 2),
            (2, 6, 2),
            (2, 3, 3),
            {"kernel": (3, 4, 3), "bias": (3, 3)},
        ),
        (
            lambda: layers.LocallyConnected2D(2, 2, padding="same"),
            (2, 3, 4, 2),
            (2, 3, 4, 2),
            {"kernel": (12, 8, 2), "bias": (3, 4, 2)},
        ),
        (
            lambda: layers.TiledConv1D(3, 2, tiles=3),
            (2, 8, 2),
            (2, 7, 3),
            {"kernel": (3, 2, 2, 3), "bias": (3, 3)},
        ),
        (
            lambda: layers.TiledConv2D(2, 3, tiles=(2, 1), padding="same", strides=2),
            (2, 5, 6, 2),
            (2, 3, 3, 2),
            {"kernel": (2, 1, 3, 3, 2, 2), "bias": (2, 1, 2)},
        ),
    ],
)
def test_layers(backend: Backend, make: Any, shape: Any, result: Any, weights: Any) -> None:
    check_layer(make, shape, result, weights)


def random(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("float32")


def test_tiles_alternate_and_as_many_as_positions_are_locally_connected(backend: Backend) -> None:
    x = asarray(random(2, 7, 6, 2))
    tiled = layers.TiledConv2D(3, 2, tiles=(2, 3))
    y = backend.to_host(tiled(x))
    kernels, bias = tiled.get_weights()
    for i, j in np.ndindex(2, 3):
        plain = layers.Conv2D(3, 2)
        plain.build((2, 7, 6, 2))
        plain.set_weights([kernels[i, j], bias[i, j]])
        expected = backend.to_host(plain(x))[:, i::2, j::3]
        np.testing.assert_allclose(y[:, i::2, j::3], expected, rtol=1e-4, atol=1e-5)
    tiled, local = layers.TiledConv2D(3, 2, tiles=(6, 5)), layers.LocallyConnected2D(3, 2)
    y = backend.to_host(tiled(x))
    local.build((2, 7, 6, 2))
    kernels, bias = tiled.get_weights()
    local.set_weights([kernels.reshape(30, 8, 3), bias])
    assert_close(local(x), y, rtol=1e-4, atol=1e-5)


def test_one_tile_is_a_convolution(backend: Backend) -> None:
    x = asarray(random(2, 9, 2))
    tiled, plain = layers.TiledConv1D(3, 2, tiles=1, padding="causal"), layers.Conv1D(3, 2, padding="causal")
    y = backend.to_host(tiled(x))
    plain.build((2, 9, 2))
    plain.set_weights([w[0] for w in tiled.get_weights()])
    assert_close(plain(x), y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2DTranspose(3, 2, 2, output_padding=2), r"less than strides=2 .*output_padding=2"),
        (lambda: layers.Conv1DTranspose(3, 2, padding="causal"), "`padding` .* one of 'valid', 'same'. Received"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), r"`depth_multiplier` .*Received: depth_multiplier=0"),
        (lambda: layers.TiledConv1D(3, 2, tiles=0), r"Argument `tiles` .*Received: tiles=0"),
        (lambda: layers.LocallyConnected1D(3, 2).build((2, None, 2)), r"size must be known. Received"),
    ],
)
def test_wrong_arguments(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_locally_connected_input_of_another_size() -> None:
    layer = layers.LocallyConnected1D(3, 2)
    layer.build((2, 6, 2))
    with pytest.raises(ValueError, match=r"kernel has \(5,\) positions. Received: an input of shape \(2, 7, 2\)"):
        layer(np.ones((2, 7, 2), dtype="float32"))


# Where the output begins in that of padding="valid", by size of the kernel, for output_padding 0, 1 and 2: as Keras.
BEGINNINGS = {2: (1, 0, 0), 3: (1, 0, 0), 4: (2, 1, 1), 5: (2, 1, 1)}


@pytest.mark.parametrize("size", BEGINNINGS)
def test_output_padding_of_transposed_convolutions(backend: Backend, size: int) -> None:
    rng = np.random.default_rng(size)
    x, kernel = rng.normal(size=(2, 3, 4)), rng.normal(size=(size, 5, 4))
    for extra, start in enumerate(BEGINNINGS[size]):
        full = np.zeros((2, 3 * 6 + size, 5))
        for n, k in np.ndindex(3, size):
            full[:, 3 * n + k] += x[:, n] @ kernel[k].T
        for padding, begin, count in (("same", start, 6 + size % 2 + extra), ("valid", 0, 6 + size + extra)):
            layer = layers.Conv1DTranspose(5, size, 3, padding, output_padding=extra, dtype="float64")
            layer.build((2, 3, 4))
            layer.set_weights([kernel, np.zeros(5)])
            assert layer.compute_output_shape((None, 3, 4)) == (None, count, 5)
            assert_close(layer(asarray(x, "float64")), full[:, begin : begin + count], dtype="float64")

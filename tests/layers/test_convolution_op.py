"""Convolutions of users: an overridden `convolution_op`, and calls of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from tests.support import asarray, assert_close, to_numpy

RNG = np.random.default_rng(0)


def standardized(kernel: Any) -> Any:
    mean, variance = ops.moments(kernel, axes=[0, 1, 2], keepdims=True)
    return (kernel - mean) / ops.sqrt(variance + 1e-6)


class Overridden(layers.Conv2D):
    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        return super().convolution_op(inputs, standardized(kernel))


class Called(layers.Conv2D):
    def call(self, inputs: Any) -> Any:
        out = self.convolution_op(inputs, standardized(self.kernel))
        bias = ops.reshape(self.bias, (1, -1, 1, 1) if self.data_format == "channels_first" else (-1,))
        return self.activation(out + bias)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_convolution_of_a_users_own(data_format: str, backend: Any) -> None:
    x = RNG.normal(size=(2, 5, 6, 3) if data_format == "channels_last" else (2, 3, 5, 6)).astype("float32")
    options: Any = {"data_format": data_format, "activation": "tanh", "strides": (2, 1), "padding": "same"}
    plain, *own = (cls(4, (3, 2), **options) for cls in (layers.Conv2D, Overridden, Called))
    for layer in (plain, *own):
        layer.build(x.shape)
    kernel, bias = plain.kernel.numpy(), RNG.normal(size=4).astype("float32")
    for layer in own:
        layer.set_weights([kernel, bias])
    mean, variance = kernel.mean((0, 1, 2)), kernel.var((0, 1, 2))
    plain.set_weights([(kernel - mean) / np.sqrt(variance + 1e-6), bias])
    expected = to_numpy(plain(asarray(x)))
    for layer in own:
        assert_close(layer(asarray(x)), expected, rtol=1e-4, atol=1e-5)


def test_it_is_trained(backend: Any) -> None:
    model = portanet.Sequential([layers.Input((5, 6, 3)), Overridden(2, 3), layers.GlobalAveragePooling2D()])
    model.compile("sgd", "mse")
    x = RNG.normal(size=(8, 5, 6, 3))
    losses = model.fit(x, x.mean((1, 2))[:, :2] * 3, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]

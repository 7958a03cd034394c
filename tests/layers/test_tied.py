from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import grad
from portanet.backends import Backend
from portanet.layers import Dense, TiedDense
from portanet.variables import bind
from tests.layers.matrix import check_layer
from tests.support import assert_close


class Autoencoder(layers.Layer):
    """x @ w @ transpose(w), with biases and a tanh in between."""

    def __init__(self, use_bias: bool = True) -> None:
        super().__init__()
        self.encoder = Dense(2, "tanh", name="encoder")
        self.decoder = TiedDense(self.encoder, use_bias=use_bias, name="decoder")

    def build(self, input_shape: Any) -> None:
        self._place(self._path())
        self.encoder.build(input_shape)
        self.decoder.build(self.encoder.compute_output_shape(input_shape))

    def call(self, x: Any) -> Any:
        return self.decoder(self.encoder(x))


def test_matrix(backend: Backend) -> None:
    weights = {"encoder/kernel": (3, 2), "encoder/bias": (2,), "decoder/bias": (3,)}
    check_layer(Autoencoder, (4, 3), (4, 3), weights)
    check_layer(lambda: Autoencoder(False), (4, 5, 3), (4, 5, 3), {p: s for p, s in weights.items() if p[0] == "e"})


def test_gradients_of_the_two_uses_add_up(backend: Backend) -> None:
    generator = np.random.default_rng(0)
    x, w = (portanet.asarray(generator.standard_normal(shape)) for shape in ((4, 3), (3, 2)))
    encoder = Dense(2, use_bias=False)
    decoder = TiedDense(encoder, use_bias=False)
    encoder.build((None, 3))
    decoder.build((None, 2))

    def tied(w: Any) -> Any:
        with bind({encoder.kernel: w}):
            out = decoder(encoder(x))
        return out.__array_namespace__().sum(out**2)

    def untied(down: Any, up: Any) -> Any:
        xp = down.__array_namespace__()
        return xp.sum(xp.matmul(xp.matmul(x, down), xp.matrix_transpose(up)) ** 2)

    down, up = grad(untied, (0, 1))(w, w)
    assert_close(grad(tied)(w), down + up, rtol=1e-4, atol=1e-4)


def test_in_a_chain_the_kernel_counts_once(backend: Backend) -> None:
    encoder = Dense(3, name="encoder")
    model = portanet.Sequential([layers.Input((5,)), encoder, TiedDense(encoder, name="decoder")])
    assert list(model.named_variables()) == ["encoder/kernel", "encoder/bias", "decoder/bias"]
    x = np.random.default_rng(0).standard_normal((8, 5)).astype("float32")
    model.compile("adam", "mse")
    losses = model.fit(x, x, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_bad_input() -> None:
    with pytest.raises(TypeError, match=r"`layer` of layer 'tied_dense' must be a Dense layer. Received: 3"):
        TiedDense(3)
    with pytest.raises(ValueError, match=r"or build that first. Received: a layer without weights yet"):
        TiedDense(Dense(2))(np.ones((1, 2), dtype="float32"))

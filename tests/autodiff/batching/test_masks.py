"""Masks, states and indices per example of `vmap`, beside inputs that all examples share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, value_and_grad, vmap
from portanet.backends import Backend
from portanet.tree import tree_map
from portanet.variables import bind
from tests.support import asarray, to_numpy

RNG = np.random.default_rng(0)
COUNT = 3
X, MASK = RNG.normal(size=(2, 5, 4)), RNG.random((COUNT, 2, 5)) < 0.6
MASK[..., 0] = True
STATES = RNG.normal(size=(COUNT, 2, 3))
PLACES = np.stack([RNG.permutation(8)[:4] for _ in range(COUNT * 2)]).reshape(COUNT, 2, 4, 1)


class Block(layers.Layer):
    """A user's layer, which passes the mask on."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = layers.GRU(4, return_sequences=True)
        self.attention = layers.MultiHeadAttention(2, 2)
        self.pool = layers.GlobalAveragePooling1D()

    def call(self, x: Any, mask: Any = None) -> Any:
        y = self.inner(x, mask=mask)
        return self.pool(self.attention(y, y, attention_mask=mask[:, None, :]) + y, mask=mask)


def masked(x: Any, mask: Any) -> dict[str, Any]:
    return {"mask": mask}


def masked_twice(x: Any, mask: Any) -> dict[str, Any]:
    return {"mask": [mask, mask]}


CASES: dict[str, tuple[Callable[[], Any], Callable[[Any, Any], Any], np.ndarray]] = {
    "LSTM": (lambda: layers.LSTM(3, return_sequences=True), masked, MASK),
    "GRU": (lambda: layers.GRU(3, go_backwards=True), masked, MASK),
    "SimpleRNN": (lambda: layers.SimpleRNN(3), masked, MASK),
    "RNN": (lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), masked, MASK),
    "Bidirectional": (lambda: layers.Bidirectional(layers.GRU(3)), masked, MASK),
    "states": (lambda: layers.GRU(3), lambda x, state: {"initial_state": state}, STATES),
    "Attention": (layers.Attention, masked_twice, MASK),
    "AdditiveAttention": (layers.AdditiveAttention, masked_twice, MASK),
    "MultiHeadAttention": (
        lambda: layers.MultiHeadAttention(2, 3),
        lambda x, mask: {"query_mask": mask, "attention_mask": mask[:, None, :]},
        MASK,
    ),
    "GlobalAveragePooling1D": (layers.GlobalAveragePooling1D, masked, MASK),
    "BatchNormalization": (layers.BatchNormalization, lambda x, mask: {"mask": mask, "training": True}, MASK),
    "Softmax": (lambda: layers.Softmax(axis=1), lambda x, mask: {"mask": mask[:, :, None]}, MASK),
    "MaxUnpooling1D": (lambda: layers.MaxUnpooling1D(2), lambda x, places: {"indices": places}, PLACES),
    "Block": (Block, masked, MASK),
}


@pytest.mark.parametrize("name", CASES)
def test_an_argument_per_example(backend: Backend, name: str) -> None:
    if backend.name in ("jax", "dpnp"):
        pytest.skip("every operation of every layer would be compiled")
    make, options, batch = CASES[name]
    x = asarray(X[:, :4, :1] if name == "MaxUnpooling1D" else X)
    batch = portanet.asarray(batch) if batch.dtype.kind != "f" else asarray(batch)
    layer = make()
    several = name in ("Attention", "AdditiveAttention", "MultiHeadAttention")

    def call(x: Any, each: Any) -> Any:
        with bind({v: v.value for v in layer.variables}):  # whose new values may differ between the examples
            return layer(x, *([x * 0.5] if several else []), **options(x, each))

    call(x, batch[0, ...])

    def loss(x: Any, each: Any) -> Any:
        xp = array_namespace(x, each)
        y = call(x, each)
        return xp.sum(xp.where(y > -1e6, y, 0.0) ** 2)

    for f in (call, value_and_grad(loss)):
        rows = [f(x, batch[i, ...]) for i in range(COUNT)]
        tree_map(
            lambda actual, *expected: np.testing.assert_allclose(
                to_numpy(actual), np.stack([to_numpy(e) for e in expected]), rtol=1e-4, atol=1e-5
            ),
            vmap(f, (None, 0))(x, batch),
            *rows,
        )

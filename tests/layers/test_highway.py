"""Highway layers, y = H(x) T(x) + x (1 - T(x)), carry bias -1 (Srivastava, Greff and Schmidhuber 2015)."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from portanet.layers import Dense, Highway
from tests.layers.matrix import check_layer
from tests.support import assert_close

WEIGHTS = {"transform/kernel": (3, 3), "transform/bias": (3,), "gate/kernel": (3, 3), "gate/bias": (3,)}


def test_matrix(backend: Backend) -> None:
    check_layer(lambda: Highway("tanh"), (2, 3), (2, 3), WEIGHTS)
    check_layer(lambda: Highway(), (2, 4, 3), (2, 4, 3), WEIGHTS)


def test_the_formula(backend: Backend) -> None:
    layer = Highway("tanh")
    layer.build((None, 1))
    layer.set_weights([[[2.0]], [0.5], [[1.0]], [-1.0]])
    h, t = np.tanh(2.0 * 0.3 + 0.5), 1 / (1 + np.exp(-(0.3 - 1.0)))
    assert_close(layer(portanet.asarray([[0.3]])), [[h * t + 0.3 * (1 - t)]])


def test_the_gate_starts_at_the_carry_bias(backend: Backend) -> None:
    layer = Highway(carry_bias=-2.0)
    layer(portanet.asarray([[1.0, 2.0]]))
    named = {path: variable.numpy() for path, variable in layer.named_variables().items()}
    np.testing.assert_array_equal(named["gate/bias"], [-2.0, -2.0])
    np.testing.assert_array_equal(named["transform/bias"], [0.0, 0.0])


def test_parts_of_another_kind(backend: Backend) -> None:
    layer = Highway(transform=layers.Activation("relu"), gate=layers.Activation("sigmoid"))
    x = portanet.asarray([[-1.0, 2.0]])
    t = 1 / (1 + np.exp([[1.0, -2.0]]))
    assert_close(layer(x), np.maximum([[-1.0, 2.0]], 0) * t + np.asarray([[-1.0, 2.0]]) * (1 - t))


def test_thirty_layers_deep_it_trains_where_plain_layers_do_not() -> None:
    x = np.random.default_rng(0).standard_normal((64, 4)).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    left = {}
    for kind, make in (("highway", Highway), ("plain", lambda name: Dense(4, "relu", name=name))):
        portanet.random.set_seed(0)
        model = portanet.Sequential([*(make(name=f"layer_{i}") for i in range(30)), Dense(1)])
        model.compile(portanet.optimizers.Adam(0.03), portanet.losses.BinaryCrossentropy(from_logits=True))
        losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
        left[kind] = losses[-1] / losses[0]
    assert left["highway"] < 0.5
    assert left["plain"] > 0.9


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"of layer 'highway' must be a layer or None. Received: gate='sigmoid'"):
        Highway(gate="sigmoid")
    with pytest.raises(ValueError, match=r"the shape of its inputs, \(2, 3\). Received: .*shape \(2, 4\)"):
        Highway(transform=Dense(4))(np.ones((2, 3), dtype="float32"))

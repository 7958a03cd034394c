"""Cells that a user derives from the library's: each step of a sequence runs their `call`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import get_backend, to_host


class Scaled(layers.LSTMCell):
    """Its output is 3 times that of an `LSTMCell`."""

    def call(self, x: Any, states: Any, training: bool = False) -> Any:
        output, states = super().call(x, states, training=training)
        return output * 3, states


def test_a_call_of_its_own_is_run() -> None:
    backend = get_backend()
    x = portanet.asarray(np.random.default_rng(0).normal(size=(2, 4, 3)), "float32")
    mask = backend.from_host(np.asarray([[False, True, True, False], [True, False, True, True]]))
    plain, own = layers.RNN(layers.LSTMCell(2), True), layers.RNN(Scaled(2), True)
    for layer in (plain, own):
        layer.build((2, 4, 3))
    own.set_weights(plain.get_weights())
    expected = 3 * to_host(plain(x))
    np.testing.assert_allclose(to_host(own(x)), expected, rtol=1e-5)
    masked = to_host(own(x, mask=mask))
    np.testing.assert_array_equal(masked[:, 0] == 0, [[True, True], [False, False]])
    np.testing.assert_array_equal(masked[0, 3], masked[0, 2])


class Dropping(layers.GRUCell):
    """It notes what it drops."""

    def call(self, x: Any, states: Any, training: bool = False) -> Any:
        noted = self.get_dropout_mask(x), self.get_recurrent_dropout_mask(states[0])
        self.noted.append([to_host(mask) for mask in noted if mask is not None])
        return super().call(x, states, training=training)


def test_masks_are_those_of_a_sequence() -> None:
    cell = Dropping(50, dropout=0.5, recurrent_dropout=0.5)
    layer = layers.RNN(cell)
    x = portanet.asarray(np.ones((1, 3, 40)), "float32")
    sequences = []
    for _ in range(2):
        cell.noted = []
        layer(x, training=True)
        sequences.append(cell.noted)
    for steps in sequences:
        assert [mask.shape for mask in steps[0]] == [(1, 40), (1, 50)]
        for step in steps[1:]:
            for mask, first in zip(step, steps[0], strict=True):
                np.testing.assert_array_equal(mask, first)
    assert (sequences[0][0][0] != sequences[1][0][0]).any()
    assert set(np.unique(sequences[0][0][0])) == {0.0, 2.0}
    assert Dropping(2).get_dropout_mask(x) is None


def test_layers_that_cannot_be_compiled() -> None:
    class Reading(layers.Layer):
        supports_jit = False

        def call(self, x: Any) -> Any:
            return x * 2 if float(x[0, 0]) > 0 else x

    model = portanet.Sequential([layers.Input((2,)), Reading(), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert history.history["loss"][0] >= 0
    assert not model._can_compile()
    assert Reading().call_signature_parameters == ["x"]


@pytest.mark.parametrize("method", ["reset_dropout_mask", "reset_recurrent_dropout_mask"])
def test_outside_of_sequences_masks_are_not_kept(method: str) -> None:
    cell = layers.SimpleRNNCell(2, dropout=0.5)
    getattr(cell, method)()
    with cell.in_sequence():
        getattr(cell, method)()
        assert cell._masks == {}
    assert cell._masks is None

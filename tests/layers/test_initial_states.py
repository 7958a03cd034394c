"""The states with which recurrent layers begin: zeros, or what a cell of a user's own returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from tests.support import asarray, assert_close, to_numpy


class FromOne(layers.Layer):
    """A cell of a user's own that adds up its inputs, from a state of its own."""

    state_size = (3,)

    def call(self, x: Any, states: Any) -> Any:
        total = states[0] + x
        return total, [total]

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        return [asarray(np.full((batch_size, 3), 2.0))]


def test_states_that_a_cell_begins_with(backend: Any) -> None:
    x = asarray(np.ones((2, 4, 3), dtype="float32"))
    assert_close(layers.RNN(FromOne())(x), np.full((2, 3), 6.0))
    stacked = layers.RNN([layers.GRUCell(3, kernel_initializer="zeros"), FromOne()], return_sequences=True)
    assert_close(stacked(x), np.full((2, 4, 3), 2.0))
    assert [[tuple(s.shape) for s in states] for states in stacked.get_initial_state(5)] == [[(5, 3)], [(5, 3)]]
    assert_close(layers.RNN(FromOne()).get_initial_state(1)[0], np.full((1, 3), 2.0))
    lstm = layers.LSTM(3)
    states = lstm.get_initial_state(2)
    assert [tuple(state.shape) for state in states] == [(2, 3), (2, 3)]
    assert_close(lstm(x, initial_state=states), to_numpy(lstm(x)))
    conv = layers.ConvLSTM1D(2, 3, padding="same")
    conv.build((None, 4, 5, 1))
    assert [tuple(state.shape) for state in conv.get_initial_state(2)] == [(2, 5, 2), (2, 5, 2)]
    with pytest.raises(ValueError, match="batch_size"):
        lstm.get_initial_state(0)

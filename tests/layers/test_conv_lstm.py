"""ConvLSTM layers, on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close, to_numpy

KINDS: dict[str, Any] = {
    "1D": (layers.ConvLSTM1D, (2, 3, 5, 2), (2, 3, 3, 2)),
    "2D": (layers.ConvLSTM2D, (2, 2, 3, 4, 1), (2, 2, 2, 2)),
    "3D": (layers.ConvLSTM3D, (2, 2, 3, 2, 3, 1), (2, 2, 1, 2, 2)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_matrix(backend: Backend, kind: str) -> None:
    if backend.name == "jax" and kind != "2D":
        pytest.skip("slow to compile")
    make, shape, result = KINDS[kind]
    size = (2,) * make.rank if kind != "2D" else (2, 3)
    weights = {
        "conv_lstm_cell/kernel": (*size, shape[-1], 8),
        "conv_lstm_cell/recurrent_kernel": (*size, 2, 8),
        "conv_lstm_cell/bias": (8,),
    }
    sequences = kind == "1D"
    expected = (2, 3, 4, 2) if sequences else result
    check_layer(lambda: make(2, size, return_sequences=sequences), shape, expected, weights)


def test_dropout_in_the_matrix(backend: Backend) -> None:
    if backend.name == "jax":
        pytest.skip("slow to compile")
    make = lambda: layers.ConvLSTM1D(2, 2, dropout=0.2, recurrent_dropout=0.3, data_format="channels_first", seed=1)
    check_layer(make, (3, 2, 2, 4), (3, 2, 3), training=True)


def test_the_forget_gate_starts_open_and_masked_steps_have_no_influence(backend: Backend) -> None:
    layer = layers.ConvLSTM1D(2, 2)
    x = np.random.default_rng(0).normal(size=(1, 4, 3, 2))
    other = x.copy()
    other[:, 1] = np.nan
    mask = portanet.asarray(np.asarray([[True, False, True, True]]))
    out = layer(portanet.asarray(x), mask=mask)
    np.testing.assert_array_equal(layer.cell.bias.numpy(), [0, 0, 1, 1, 0, 0, 0, 0])
    assert_close(layer(portanet.asarray(other), mask=mask), to_numpy(out))
    assert_close(layer(portanet.asarray(np.delete(x, 1, axis=1))), to_numpy(out))


def test_unknown_sizes_and_other_ways_to_run(backend: Backend) -> None:
    model = portanet.Sequential([layers.Input((None, None, 4, 1)), layers.ConvLSTM2D(2, 2, truncate_gradient=2)])
    assert model.output_shape == (None, None, 3, 2)
    assert model.predict(np.ones((1, 3, 5, 4, 1)), verbose=0).shape == (1, 4, 3, 2)
    learned = layers.ConvLSTM1D(2, 2, learn_initial_state=True, return_state=True)
    assert [tuple(y.shape) for y in learned(portanet.asarray(np.ones((3, 2, 4, 1))))] == [(3, 3, 2)] * 3


def test_bad_arguments_and_inputs() -> None:
    with pytest.raises(ValueError, match=r"`strides` .*must be 1 where `dilation_rate` is greater than 1"):
        layers.ConvLSTM2D(2, 2, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match="`padding`"):
        layers.ConvLSTM2D(2, 2, padding="causal")
    with pytest.raises(ValueError, match=r"shape \(batch, height, width, channels\) in each time step"):
        layers.ConvLSTM2D(2, 2)(np.ones((1, 2, 3, 4), dtype="float32"))
    with pytest.raises(ValueError, match="does not fit into its inputs"):
        layers.ConvLSTM1D(2, 4)(np.ones((1, 2, 3, 4), dtype="float32"))
    with pytest.raises(ValueError, match=r"needs states of shapes \[\(1, 2, 2\), \(1, 2, 2\)\]"):
        layers.ConvLSTM1D(2, 2)([np.ones((1, 2, 3, 4), "float32"), *[np.ones((1, 2), "float32")] * 2])

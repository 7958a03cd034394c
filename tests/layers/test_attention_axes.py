"""Attention over other axes than time, with gates and windows, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close, to_numpy

RNG = np.random.default_rng(0)


def test_matrix(backend: Backend) -> None:
    make = lambda: layers.MultiHeadAttention(2, 2, output_shape=(3, 2), attention_axes=2, use_gate=True)
    check_layer(make, [(2, 2, 3, 2), (2, 2, 4, 2)], (2, 2, 3, 3, 2))


def test_one_axis_is_attention_row_by_row(backend: Backend) -> None:
    x = RNG.normal(size=(2, 3, 4, 5))
    layer = layers.MultiHeadAttention(2, 3, attention_axes=(2,), sliding_window=2)
    rows = layers.MultiHeadAttention(2, 3, sliding_window=2)
    out = layer(portanet.asarray(x), return_attention_scores=True, use_causal_mask=True)
    rows.build((2, 4, 5))
    rows.set_weights(layer.get_weights())
    for i in range(3):
        row, scores = rows(portanet.asarray(x[:, i]), return_attention_scores=True, use_causal_mask=True)
        assert_close(out[0][:, i, ...], to_numpy(row))
        assert_close(out[1][:, i, ...], to_numpy(scores))


def test_the_only_axis_may_be_named(backend: Backend) -> None:
    x = portanet.asarray(RNG.normal(size=(2, 3, 5)))
    layer, plain = layers.MultiHeadAttention(2, 3, attention_axes=1), layers.MultiHeadAttention(2, 3)
    plain.build((2, 3, 5))
    out = layer(x)
    plain.set_weights(layer.get_weights())
    assert_close(out, to_numpy(plain(x)))
    with pytest.raises(ValueError, match=r"needs inputs of shape \(batch, time, features\).*\(2, 3\)"):
        layers.MultiHeadAttention(2, 3, attention_axes=1)(portanet.asarray(np.ones((2, 3))))
    for axis in (0, 2, -1):
        with pytest.raises(ValueError, match=r"`attention_axes` .*axes between the first and the last of 3"):
            layers.MultiHeadAttention(2, 3, attention_axes=axis)(x)


def test_unknown_sizes_and_dropout(backend: Backend) -> None:
    image = layers.Input((None, None, 4))
    model = portanet.Model(image, layers.MultiHeadAttention(2, 3, attention_axes=1, dropout=0.5)(image))
    assert model.output_shape == (None, None, None, 4)
    assert model.predict(np.ones((2, 3, 5, 4)), verbose=0).shape == (2, 3, 5, 4)
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3, 5, 4)), np.ones((4, 3, 5, 4)), verbose=0)


def test_bad_arguments_and_inputs() -> None:
    x = np.ones((2, 3, 4, 5), dtype="float32")
    with pytest.raises(ValueError, match=r"`flash_attention` .*None or False with dropout"):
        layers.MultiHeadAttention(2, 3, dropout=0.1, flash_attention=True)
    with pytest.raises(ValueError, match=r"`return_attention_scores` .*False with flash_attention=True"):
        layers.MultiHeadAttention(2, 3, flash_attention=True)(x[:, 0], return_attention_scores=True)
    with pytest.raises(ValueError, match=r"`attention_axes` .*axes between the first and the last of 4"):
        layers.MultiHeadAttention(2, 3, attention_axes=3)(x)
    layer = layers.MultiHeadAttention(2, 3, attention_axes=2)
    with pytest.raises(ValueError, match=r"the same size on the axes \(1,\)"):
        layer(x, x[:, :2])
    with pytest.raises(ValueError, match="with the same number of axes"):
        layer(x, x[:, 0])
    with pytest.raises(ValueError, match=r"`attention_mask` .*must have shape \(2, 4, 4\)"):
        layer(x, attention_mask=np.ones((2, 3, 3), dtype=bool))
    with pytest.raises(ValueError, match="masks of time steps"):
        layer(x, mask=np.ones((2, 3), dtype=bool))

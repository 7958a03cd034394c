from __future__ import annotations

import numpy as np
import pytest

from portanet import layers
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, to_numpy


def normal(*shape):
    return np.random.default_rng(shape).normal(size=shape)


@pytest.mark.parametrize("first", [False, True])
def test_encoder(backend, first):
    make = lambda: layers.TransformerEncoder(8, 2, dropout=0.1, normalize_first=first, activation="gelu")
    unchanged = ["self_attention/key_bias"]
    check_layer(make, (2, 4, 6), (2, 4, 6), training=True, unchanged=unchanged)
    layer = make()
    layer.build((2, 4, 6))
    assert layer.count_params() == 4 * (6 * 6 + 6) + (6 * 8 + 8) + (8 * 6 + 6) + 2 * 2 * 6


def test_decoder(backend):
    unchanged = ["self_attention/key_bias", "cross_attention/key_bias"]
    make = lambda: layers.TransformerDecoder(8, 2)
    check_layer(make, [(2, 4, 6), (2, 5, 6)], (2, 4, 6), unchanged=unchanged)
    check_layer(make, (2, 4, 6), (2, 4, 6), unchanged=unchanged)


@pytest.mark.parametrize("first", [False, True])
def test_padding_has_no_influence(backend, first):
    layer = layers.TransformerEncoder(8, 2, normalize_first=first)
    x = normal(1, 4, 6)
    padded = np.concatenate([x, 9 * normal(1, 3, 6)], axis=1)
    out = layer(asarray(padded), mask=asarray(np.arange(7)[None] < 4))
    assert_close(out[:, :4, :], to_numpy(layer(asarray(x))), rtol=1e-4, atol=1e-5)


def test_decoder_sees_no_future_and_no_padding(backend):
    layer = layers.TransformerDecoder(8, 2)
    x, encoded = normal(1, 4, 6), normal(1, 5, 6)
    other = np.concatenate([x[:, :2], 3 * normal(1, 2, 6)], axis=1)
    first, second = (to_numpy(layer(asarray(each), asarray(encoded))) for each in (x, other))
    np.testing.assert_allclose(first[:, :2], second[:, :2], rtol=1e-4, atol=1e-5)
    assert not np.allclose(first[:, 2:], second[:, 2:])
    short = to_numpy(layer(asarray(x), asarray(encoded[:, :3])))
    masked = layer([asarray(x), asarray(encoded)], mask=[None, asarray(np.arange(5)[None] < 3)])
    assert_close(masked, short, rtol=1e-4, atol=1e-5)


def test_errors():
    with pytest.raises(ValueError, match=r"features that its 4 heads can share.*Received: shape \(2, 4, 6\)"):
        layers.TransformerEncoder(8, 4).build((2, 4, 6))
    layer = layers.TransformerDecoder(8, 2)
    layer.build((2, 4, 6))
    with pytest.raises(ValueError, match=r"built without an encoder's sequence.*Received: two inputs"):
        layer(np.ones((2, 4, 6)), np.ones((2, 4, 6)))

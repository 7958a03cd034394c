"""Calls by keyword, and objects described by dicts, as in Keras."""

import numpy as np
import pytest

import portanet
from portanet import initializers, layers, losses, metrics, optimizers, regularizers

X = np.ones((2, 3, 4), dtype="float32")


class Sum(layers.Layer):
    def call(self, left, right=None):
        return left + right


def test_inputs_may_be_passed_by_keyword(backend):
    x = portanet.asarray(X)
    dense = layers.Dense(2)
    expected = backend.to_host(dense(x))
    np.testing.assert_array_equal(backend.to_host(dense(inputs=x)), expected)
    np.testing.assert_array_equal(backend.to_host(dense(x=x)), expected)
    np.testing.assert_array_equal(backend.to_host(Sum()(left=x, right=2 * x)), 3 * X)
    attention = layers.MultiHeadAttention(2, 3)
    out = attention(query=x, value=2 * x, key=x)
    np.testing.assert_allclose(backend.to_host(out), backend.to_host(attention(x, 2 * x, x)), rtol=1e-6)
    model = portanet.Sequential([layers.Input((3, 4)), dense])
    np.testing.assert_array_equal(backend.to_host(model(inputs=x)), expected)


def test_symbolic_inputs_may_be_passed_by_keyword():
    x = layers.Input((3, 4))
    assert portanet.Model(inputs=x, outputs=layers.Dense(2)(inputs=x)).output_shape == (None, 3, 2)


def test_no_input_is_an_error():
    with pytest.raises(TypeError, match="computes with arrays"):
        layers.Dense(2)()


@pytest.mark.parametrize(
    ("get", "identifier", "name", "value"),
    [
        (initializers.get, {"class_name": "GlorotUniform", "config": {"seed": 3}}, "seed", 3),
        (losses.get, {"class_name": "Huber", "config": {"delta": 0.5}}, "delta", 0.5),
        (metrics.get, {"class_name": "BinaryAccuracy", "config": {"threshold": 0.2}}, "threshold", 0.2),
        (optimizers.get, {"class_name": "adam", "config": {"learning_rate": 0.2}}, "learning_rate", 0.2),
        (regularizers.get, {"class_name": "L2", "config": {"l2": 0.2}}, "l2", 0.2),
        (losses.get, {"class_name": "MeanSquaredError"}, "reduction", "sum_over_batch_size"),
    ],
)
def test_objects_described_by_dicts(get, identifier, name, value):
    assert getattr(get(identifier), name) == value


def test_a_dict_of_an_unknown_class_is_an_error():
    with pytest.raises(ValueError, match=r"Unknown loss\. Did you mean 'Huber'"):
        losses.get({"class_name": "Hubert", "config": {}})
    with pytest.raises(ValueError, match="a known loss"):
        losses.get({"config": {}})

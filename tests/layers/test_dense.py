import numpy as np
import pytest

from portanet import layers
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close


@pytest.mark.parametrize("shape", [(3, 5), (2, 4, 5), (1, 5), (2, 1, 3, 5)])
def test_dense(backend, shape):
    check_layer(lambda: layers.Dense(4, activation="tanh"), shape, (*shape[:-1], 4), {"kernel": (5, 4), "bias": (4,)})


def test_dense_without_bias(backend):
    check_layer(lambda: layers.Dense(4, use_bias=False), (3, 5), (3, 4), {"kernel": (5, 4)})


def test_flatten_and_activation(backend):
    check_layer(lambda: layers.Flatten(), (2, 3, 4), (2, 12), {})
    check_layer(lambda: layers.Activation("sigmoid"), (2, 3), (2, 3), {})


def test_integer_inputs_are_converted(backend):
    layer = layers.Dense(1, kernel_initializer="ones")
    assert_close(layer(asarray([[1, 2, 3]])), np.asarray([[6.0]]))


def test_another_number_of_features_is_refused(backend):
    layer = layers.Dense(4, name="head")
    layer.build((None, 5))
    with pytest.raises(ValueError, match=r"'head' was built for inputs with 5 features.*Received: .*\(2, 6\)"):
        layer(asarray(np.ones((2, 6))))


def test_an_input_without_features_is_refused(backend):
    with pytest.raises(ValueError, match=r"needs inputs of shape \(batch, ..., features\)"):
        layers.Dense(4)(asarray([1.0, 2.0]))


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None, True])
def test_units_must_be_a_positive_integer(units):
    with pytest.raises(ValueError, match="Argument `units` of layer 'dense' must be a positive integer"):
        layers.Dense(units)


def test_a_softmax_over_one_unit_is_warned_of():
    with pytest.warns(UserWarning, match="'dense' has a softmax over one unit, which is always 1: take the sigmoid"):
        layers.Dense(1, activation="softmax")

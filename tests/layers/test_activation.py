from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close


def away_from_zero(generator: np.random.Generator) -> np.ndarray[Any, Any]:
    x = generator.uniform(0.2, 0.8, (3, 4))
    return np.where(generator.random((3, 4)) < 0.5, x, -x)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Activation("gelu"),
        lambda: layers.ReLU(max_value=0.9, negative_slope=0.1),
        lambda: layers.LeakyReLU(),
        lambda: layers.ELU(0.5),
        lambda: layers.Elliot(2.0),
        lambda: layers.Elliot(2.0, symmetric=True),
        lambda: layers.Softmax(),
    ],
)
def test_layers_without_weights(backend: Backend, make: Any) -> None:
    check_layer(make, (3, 4), (3, 4), weights={}, inputs=away_from_zero)


def test_softmax_over_several_axes(backend: Backend) -> None:
    check_layer(lambda: layers.Softmax(axis=[1, 2]), (2, 3, 4), (2, 3, 4), weights={})


def test_prelu(backend: Backend) -> None:
    make = lambda: layers.PReLU(alpha_initializer="glorot_uniform")
    check_layer(make, (3, 4), (3, 4), weights={"alpha": (4,)}, inputs=away_from_zero)


def test_prelu_with_shared_axes(backend: Backend) -> None:
    make = lambda: layers.PReLU(alpha_initializer="ones", shared_axes=[1, 2])
    check_layer(make, (2, 3, 3, 2), (2, 3, 3, 2), weights={"alpha": (1, 1, 2)})


def test_maxout(backend: Backend) -> None:
    check_layer(lambda: layers.Maxout(4, pieces=3), (5, 3), (5, 4), weights={"kernel": (3, 12), "bias": (12,)})
    check_layer(lambda: layers.Maxout(2, use_bias=False), (2, 5, 3), (2, 5, 2), weights={"kernel": (3, 4)})


def test_maxout_is_the_largest_of_its_linear_functions(xp: Any) -> None:
    layer = layers.Maxout(2, pieces=2)
    layer.build((None, 1))
    layer.set_weights([np.asarray([[1.0, -1.0, 2.0, 0.0]]), np.asarray([0.0, 0.0, 0.0, 1.0])])
    assert_close(layer(asarray([[3.0], [-3.0]])), [[3.0, 6.0], [3.0, 1.0]])


def test_softmax_leaves_out_what_is_masked(xp: Any) -> None:
    mask = asarray([[True, True, False], [False, True, False]])
    x = asarray([[0.0, 0.0, 50.0], [1.0, 2.0, 3.0]])
    assert_close(layers.Softmax()(x, mask=mask), [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    assert_close(layers.Softmax()(x, mask=asarray([[False] * 3] * 2)), np.zeros((2, 3)))
    assert_close(layers.Softmax()(x, mask=mask[:1, ...]), [[0.5, 0.5, 0.0], [0.268941, 0.731059, 0.0]])
    assert_close(layers.Softmax()(x, mask=asarray([True, False, False])), [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    steps = asarray([[True, False, True, True]])
    assert_close(layers.Softmax()(asarray(np.zeros((1, 4, 2))), mask=steps), np.full((1, 4, 2), 0.5))
    with pytest.raises(ValueError, match=r"`mask` of layer 'softmax' must be an array that broadcasts to .*\(2, 2\)"):
        layers.Softmax()(x, mask=asarray([[True, True], [True, True]]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.ReLU(max_value=-1.0), r"`max_value` of layer 're_lu'.*Received: max_value=-1\.0"),
        (lambda: layers.ReLU(negative_slope="a"), r"`negative_slope` of layer 're_lu'.*Received: negative_slope='a'"),
        (lambda: layers.ReLU(threshold=-1), r"`threshold` of layer 're_lu'.*Received: threshold=-1"),
        (lambda: layers.LeakyReLU(None), r"`negative_slope` of layer 'leaky_re_lu'.*Received: negative_slope=None"),
        (lambda: layers.ELU(-1.0), r"`alpha` of layer 'elu'.*Received: alpha=-1\.0"),
        (lambda: layers.Elliot(0), r"`steepness` of layer 'elliot'.*Received: steepness=0"),
        (lambda: layers.PReLU(shared_axes=[0, 1]), r"counts from 1.*Received: shared_axes=\[0, 1\]"),
        (
            lambda: layers.PReLU(shared_axes=3).build((None, 4)),
            r"axes that the input lacks.*Received: shared_axes=\(3,",
        ),
        (lambda: layers.Softmax("last"), r"`axis` of layer 'softmax'.*Received: axis='last'"),
        (lambda: layers.Maxout(0), r"`units` of layer 'maxout' must be a positive integer. Received: units=0"),
        (
            lambda: layers.Maxout(2, pieces=1.5),
            r"`pieces` of layer 'maxout' must be a positive integer. Received: pieces=1.5",
        ),
        (lambda: layers.Maxout(2).build((3,)), r"needs inputs of shape \(batch, \.\.\., features\)\. Received: shape"),
        (lambda: layers.Activation("reul"), r"Did you mean 'relu'\?"),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_inputs_of_another_shape_are_refused(xp: Any) -> None:
    for layer in (layers.PReLU(), layers.Maxout(2)):
        layer.build((None, 3))
        with pytest.raises(ValueError, match=r"built for inputs with 3 features.*Received: an input of shape \(2, 4\)"):
            layer(asarray(np.zeros((2, 4))))

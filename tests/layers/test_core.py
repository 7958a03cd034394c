from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from portanet.autodiff import array_namespace
from portanet.backends import Backend
from portanet.layers.merging.masks import any_mask
from tests.layers.matrix import check_layer
from tests.support import assert_equal


def test_matrix(backend: Backend) -> None:
    check_layer(layers.Identity, (2, 3), (2, 3), {})
    check_layer(lambda: layers.Masking(0.5), (2, 3, 4), (2, 3, 4), {})
    check_layer(lambda: layers.Lambda(lambda x, power: x**power, arguments={"power": 2.0}), (2, 3), (2, 3), {})
    check_layer(lambda: layers.Lambda(lambda x: array_namespace(x).sum(x, axis=-1)), (2, 3, 4), (2, 3), {})
    check_layer(lambda: layers.Lambda(lambda x: x[0] * x[1]), [(2, 3), (2, 3)], (2, 3), {})


def test_masking_leaves_out_steps_of_the_value_alone(backend: Backend) -> None:
    x = portanet.asarray([[[7.0, 7.0], [7.0, 1.0], [0.0, 0.0]]])
    layer = layers.Masking(7.0)
    assert_equal(layer.compute_mask(x), np.asarray([[False, True, True]]))
    assert_equal(layer(x), [[[0.0, 0.0], [7.0, 1.0], [0.0, 0.0]]])


def test_masks_reach_the_layers_that_use_them(backend: Backend) -> None:
    class CountSteps(layers.Layer):
        def call(self, x, mask=None):
            xp = array_namespace(x)
            return xp.sum(xp.astype(mask, x.dtype), axis=1)

        def compute_output_shape(self, input_shape):
            return (input_shape[0],)

    model = portanet.Sequential([layers.Masking(), layers.Dense(2), CountSteps()])
    assert_equal(model(portanet.asarray([[[1.0], [0.0], [2.0]], [[0.0], [0.0], [1.0]]])), [2.0, 1.0])


def test_lambda_finds_its_shape_or_is_told() -> None:
    double = layers.Lambda(lambda x: array_namespace(x).concat([x, x], axis=-1))
    assert double.compute_output_shape((None, 3)) == (None, 6)
    assert double.compute_output_shape((None, None, 3)) == (None, None, 6)
    assert layers.Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((None, 3)) == (None, 7)
    assert layers.Lambda(lambda x: x, output_shape=lambda s: (s[0], 9)).compute_output_shape((None, 3)) == (None, 9)


def test_lambda_masks() -> None:
    mask = np.asarray([[True]])
    assert layers.Lambda(lambda x: x).compute_mask(np.ones((1, 1)), mask) is None
    assert layers.Lambda(lambda x: x, mask=lambda x, m: m).compute_mask(np.ones((1, 1)), mask) is mask
    assert layers.Lambda(lambda x: x, mask=lambda x, m: None).compute_mask(np.ones((1, 1)), mask) is None


def test_any_mask() -> None:
    any_of = any_mask([np.asarray([False, True, False]), np.asarray([True, True, False])])
    assert any_of.tolist() == [True, True, False]
    assert any_mask([np.asarray([True]), None]) is None


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`function` of layer 'lambda' must be a function. Received: function=3"):
        layers.Lambda(3)
    with pytest.raises(ValueError, match=r"`mask_value` of layer 'masking' must be a number .*='zero'"):
        layers.Masking("zero")


def test_zeros_on_which_a_layer_is_tried_are_not_warned_of(backend: Backend) -> None:
    class Shares(layers.Layer):
        def call(self, x: Any) -> Any:
            return x / ops.sum(x)

    assert portanet.Sequential([layers.Input((3,)), Shares()]).output_shape == (None, 3)  # a warning is an error

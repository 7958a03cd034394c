"""The perceptron, against M. Nielsen, Neural Networks and Deep Learning, chapter 1, and against truth tables."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.layers import Perceptron
from tests.layers.matrix import check_layer
from tests.support import assert_equal, to_numpy

BITS = np.asarray([[0, 0], [0, 1], [1, 0], [1, 1]])


def test_matrix(backend: Backend) -> None:
    check_layer(
        lambda: Perceptron(4, kernel_initializer="glorot_uniform"),
        (2, 3),
        (2, 4),
        {"kernel": (3, 4), "bias": (4,)},
        gradient=False,
    )


def nand() -> Perceptron:
    layer = Perceptron(1)
    layer.build((None, 2))
    layer.set_weights([[[-2.0], [-2.0]], [3.0]])
    return layer


def test_nand(backend: Backend) -> None:
    assert_equal(nand()(portanet.asarray(BITS)), [[1.0], [1.0], [1.0], [0.0]])


def test_a_sum_of_zero_is_off(backend: Backend) -> None:
    layer = Perceptron(1)
    layer.build((None, 1))
    assert_equal(layer(portanet.asarray([[0.0], [5.0]])), [[0.0], [0.0]])


def test_the_rule_learns_what_a_plane_separates(backend: Backend) -> None:
    layer = Perceptron(2)
    targets = np.stack([BITS.min(axis=1), BITS.max(axis=1)], axis=1)  # and, or
    x, y = portanet.asarray(BITS), portanet.asarray(targets)
    mistakes = layer.learn(x, y, epochs=50)
    assert mistakes[-1] == 0
    assert len(mistakes) < 50
    np.testing.assert_array_equal(to_numpy(layer(x)), targets)
    xor = Perceptron(1)
    assert min(xor.learn(x, portanet.asarray(BITS.sum(axis=1, keepdims=True) % 2), epochs=20)) > 0


def test_one_step_of_the_rule(backend: Backend) -> None:
    layer = Perceptron(1)
    layer.learn(portanet.asarray([[2.0, -3.0]]), portanet.asarray([[1.0]]), learning_rate=0.5)
    assert_equal(layer.kernel.value, [[1.0], [-1.5]])
    assert_equal(layer.bias.value, [0.5])


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`units` of layer 'perceptron' must be a positive integer. Received: units="):
        Perceptron(0)
    with pytest.raises(ValueError, match=r"each of 1 units and each example. Received: y of shape \(4,\)"):
        Perceptron(1).learn(BITS.astype("float32"), np.ones(4))
    with pytest.raises(ValueError, match=r"2 features"):
        nand()(np.ones((1, 3), dtype="float32"))

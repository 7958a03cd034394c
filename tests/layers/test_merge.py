from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close, assert_equal

PAIR = [(2, 3, 4), (2, 3, 4)]


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (layers.Add, [*PAIR, (2, 3, 4)], (2, 3, 4)),
        (layers.Add, [(2, 1, 4), (2, 3, 4)], (2, 3, 4)),
        (layers.Subtract, PAIR, (2, 3, 4)),
        (layers.Multiply, [*PAIR, (2, 3, 1)], (2, 3, 4)),
        (layers.Average, PAIR, (2, 3, 4)),
        (layers.Maximum, PAIR, (2, 3, 4)),
        (layers.Minimum, PAIR, (2, 3, 4)),
        (layers.Concatenate, [(2, 3), (2, 4), (2, 1)], (2, 8)),
        (lambda: layers.Concatenate(axis=1), [(2, 3, 4), (2, 1, 4)], (2, 4, 4)),
        (lambda: layers.Dot(axes=1), [(2, 3), (2, 3)], (2, 1)),
        (lambda: layers.Dot(axes=(2, 1)), [(2, 3, 4), (2, 4, 5)], (2, 3, 5)),
        (lambda: layers.Dot(axes=(1, 2), normalize=True), [(2, 3, 4), (2, 5, 3)], (2, 4, 5)),
        (lambda: layers.Dot(axes=-1), [(2, 3, 4), (2, 4)], (2, 3)),
    ],
)
def test_matrix(backend: Backend, make, given, expected) -> None:
    check_layer(make, given, expected, {})


def test_values(backend: Backend) -> None:
    x = [portanet.asarray([[1.0, 5.0]]), portanet.asarray([[3.0, 2.0]])]
    assert_equal(layers.Add()(x), [[4.0, 7.0]])
    assert_equal(layers.Subtract()(x), [[-2.0, 3.0]])
    assert_equal(layers.Multiply()(x), [[3.0, 10.0]])
    assert_equal(layers.Average()(x), [[2.0, 3.5]])
    assert_equal(layers.Maximum()(x), [[3.0, 5.0]])
    assert_equal(layers.Minimum()(x), [[1.0, 2.0]])
    assert_equal(layers.Dot(axes=1)(x), [[13.0]])
    assert_close(layers.Dot(axes=1, normalize=True)(x), [[13 / (26**0.5 * 13**0.5)]])


def test_masks(backend: Backend) -> None:
    x = [portanet.asarray(np.ones((1, 2, 3))), portanet.asarray(np.ones((1, 2, 3)))]
    mask = portanet.asarray(np.asarray([[True, False]]))
    other = portanet.asarray(np.asarray([[False, False]]))
    assert_equal(layers.Add().compute_mask(x, [mask, other]), np.asarray([[True, False]]))
    assert layers.Add().compute_mask(x, [mask, None]) is None
    assert layers.Add().compute_mask(x, [None, None]) is None
    assert_equal(layers.Concatenate().compute_mask(x, [mask, other]), np.asarray([[True, False]]))
    assert_equal(layers.Concatenate().compute_mask(x, [mask, None]), np.asarray([[True, True]]))
    along_steps = layers.Concatenate(axis=1).compute_mask(x, [mask, None])
    assert_equal(along_steps, np.asarray([[True, False, True, True]]))
    assert layers.Concatenate(axis=1).compute_mask(x, [None, None]) is None
    assert layers.Dot(axes=1).compute_mask(x, [mask, None]) is None


def test_sizes_that_are_not_known() -> None:
    assert layers.Add().compute_output_shape([(None, 3), (None, 3)]) == (None, 3)
    assert layers.Concatenate(axis=1).compute_output_shape([(None, None, 3), (None, 2, 3)]) == (None, None, 3)
    assert layers.Dot(axes=(2, 1)).compute_output_shape([(None, 3, None), (None, 4, 5)]) == (None, 3, 5)


ONE, OTHER = np.ones((2, 3)), np.ones((2, 4))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: layers.Add()(ONE), "'add' takes a list of arrays. Received: one array"),
        (lambda: layers.Add()([ONE, OTHER]), r"same sizes.*Received: shapes \(2, 3\), \(2, 4\)"),
        (lambda: layers.Add()([ONE, np.ones((2, 3, 1))]), "same number of axes"),
        (lambda: layers.Subtract()([ONE, ONE, ONE]), "a list of arrays: first, second. Received: 3 arrays"),
        (lambda: layers.Concatenate(axis=0), "axis other than the batch axis. Received: axis=0"),
        (lambda: layers.Concatenate(axis=1)([ONE, np.ones((2, 3, 4))]), "differ along axis 1 only"),
        (lambda: layers.Concatenate(axis=2)([ONE, ONE]), r"along axis 2. Received: an input of shape \(2, 3\)"),
        (lambda: layers.Dot(axes=0), "not the batch axis. Received: axes=0"),
        (lambda: layers.Dot(axes="1"), "Received: axes='1'"),
        (lambda: layers.Dot(axes=1)([ONE, OTHER]), r"of the same size. Received: shapes \(2, 3\) and \(2, 4\)"),
        (lambda: layers.Dot(axes=2)([ONE, ONE]), "sums over axis 2"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()


def test_functions_are_the_layers(backend: Backend) -> None:
    a, b = portanet.asarray([[1.0, 2.0]]), portanet.asarray([[3.0, 1.0]])
    results = {
        "add": [[4.0, 3.0]],
        "subtract": [[-2.0, 1.0]],
        "multiply": [[3.0, 2.0]],
        "average": [[2.0, 1.5]],
        "maximum": [[3.0, 2.0]],
        "minimum": [[1.0, 1.0]],
        "concatenate": [[1.0, 2.0, 3.0, 1.0]],
        "dot": [[5.0]],
    }
    assert {name: portanet.to_host(getattr(layers, name)([a, b])).tolist() for name in results} == results
    assert layers.add([layers.Input((2,)), layers.Input((2,))], name="sum").name == "sum"


@pytest.mark.parametrize("cls", [layers.Add, layers.Concatenate])
def test_wrong_masks(cls: Any) -> None:
    layer, x, mask = cls(), np.ones((2, 3, 4)), np.ones((2, 3), dtype=bool)
    assert layer.compute_mask([x, x], None) is None
    assert layer.compute_mask([x, x], [mask, mask]).all()
    with pytest.raises(ValueError, match="`mask` should be a list of one per array"):
        layer.compute_mask([x, x], mask)
    with pytest.raises(ValueError, match="`inputs` should be a list of one per array"):
        layer.compute_mask(x, [mask, mask])
    with pytest.raises(ValueError, match=r"should have the same length\. Received: 2 arrays, 1 masks"):
        layer.compute_mask([x, x], [mask])

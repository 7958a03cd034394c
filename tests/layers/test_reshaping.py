from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_equal


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (layers.Flatten, (2, 3, 4), (2, 12)),
        (layers.Flatten, (2, 3), (2, 3)),
        (lambda: layers.Flatten("channels_first"), (2,), (2, 1)),
        (lambda: layers.Flatten("channels_first"), (2, 3), (2, 3)),
        (lambda: layers.Reshape((4, 3)), (2, 12), (2, 4, 3)),
        (lambda: layers.Reshape((-1, 2)), (2, 3, 4), (2, 6, 2)),
        (lambda: layers.Permute((2, 3, 1)), (2, 3, 4, 5), (2, 4, 5, 3)),
        (lambda: layers.RepeatVector(3), (2, 4), (2, 3, 4)),
    ],
)
def test_matrix(backend: Backend, make, given, expected) -> None:
    check_layer(make, given, expected, {})


def test_values(backend: Backend) -> None:
    x = portanet.asarray(np.arange(12).reshape(1, 3, 4))
    assert_equal(layers.Permute((2, 1))(x), np.arange(12).reshape(1, 3, 4).transpose(0, 2, 1))
    assert_equal(layers.Reshape((2, -1))(x), np.arange(12).reshape(1, 2, 6))
    assert_equal(layers.RepeatVector(2)(portanet.asarray([[1, 2]])), np.asarray([[[1, 2], [1, 2]]]))


def test_shapes_that_are_not_known() -> None:
    assert layers.Reshape((-1, 2)).compute_output_shape((None, None, 4)) == (None, None, 2)
    assert layers.Reshape((-1, 2)).compute_output_shape((None, 3, 4)) == (None, 6, 2)
    assert layers.Flatten().compute_output_shape((None, None, 4)) == (None, None)


def test_masks_end_where_axes_change_their_meaning() -> None:
    mask = np.asarray([[True, False]])
    assert layers.Flatten().compute_mask(np.ones((1, 2, 3)), mask) is None
    assert layers.Permute((2, 1)).compute_mask(np.ones((1, 2, 3)), mask) is None


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: layers.Reshape((-1, -1)), ValueError, r"`target_shape`.*Received: target_shape=\(-1, -1\)"),
        (lambda: layers.Reshape((2.5,)), ValueError, "`target_shape`"),
        (lambda: layers.Reshape((5,))(np.ones((2, 4))), ValueError, r"4 elements the shape \(5,\).*Received.*\(2, 4\)"),
        (lambda: layers.Reshape((-1, 3))(np.ones((2, 4))), ValueError, "4 elements"),
        (lambda: layers.Permute((0, 1)), ValueError, r"Received: dims=\(0, 1\)"),
        (lambda: layers.Permute((2, 1))(np.ones((2, 4))), ValueError, r"2 axes.*Received.*\(2, 4\)"),
        (lambda: layers.RepeatVector(0), ValueError, "`n`.*Received: n=0"),
        (lambda: layers.RepeatVector("3"), ValueError, "`n`.*Received: n='3'"),
        (lambda: layers.RepeatVector(2)(np.ones((2, 3, 4))), ValueError, r"\(batch, features\).*\(2, 3, 4\)"),
        (lambda: layers.Flatten()([[1.0]]), TypeError, r"portanet.asarray"),
    ],
)
def test_bad_input(use, error, message) -> None:
    with pytest.raises(error, match=message):
        use()

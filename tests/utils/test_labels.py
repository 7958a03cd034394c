from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.utils import to_categorical, unhot
from tests.support import assert_equal


def test_class_2_is_in_column_2(backend: Backend) -> None:
    x = portanet.asarray(np.asarray([0, 2]))
    assert_equal(to_categorical(x, 3), np.asarray([[1, 0, 0], [0, 0, 1]], dtype="float32"))
    assert_equal(to_categorical(x), np.asarray([[1, 0, 0], [0, 0, 1]], dtype="float32"))
    np.testing.assert_array_equal(portanet.to_host(unhot(to_categorical(x, 5))), [0, 2])


def test_shapes(backend: Backend) -> None:
    x = portanet.asarray(np.asarray([[0], [1]], dtype="int32"))
    assert tuple(to_categorical(x, 4).shape) == (2, 4)
    assert tuple(to_categorical(portanet.asarray(np.zeros((2, 3), dtype="int32")), 4).shape) == (2, 3, 4)
    assert to_categorical(np.zeros((0,), dtype="int32"), 4).shape == (0, 4)
    np.testing.assert_array_equal(to_categorical([True, False]), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(to_categorical([1.0, 0.0]), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: to_categorical([0, 3], 3), r"in \[0, 2\]. Received: indices from 0 to 3"),
        (lambda: to_categorical([-1, 1]), "Received: indices from -1 to 1"),
        (lambda: to_categorical([0.5]), "must hold integers"),
        (lambda: to_categorical(np.zeros(0, dtype="int32")), "`num_classes` is required"),
        (lambda: unhot(1.0), "axis of classes"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1,), (1, 4)), ((1, 1), (1, 4)), ((1, 3), (1, 3, 4)), ((3, 1), (3, 4)), ((2, 1, 1), (2, 1, 4)),
        ((1, 2, 1), (1, 2, 4)), ((), (4,)), ((0,), (0, 4)), ((2, 0), (2, 0, 4)), ((0, 1), (0, 4)),
    ],
)  # fmt: skip
def test_a_last_axis_of_one_is_that_of_classes(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """But it is the examples' if there is no other."""
    labels = np.full(shape, 2, "int32")
    encoded = to_categorical(labels, 4)
    assert encoded.shape == expected
    if 0 not in shape:
        np.testing.assert_array_equal(unhot(encoded), np.full(expected[:-1], 2))

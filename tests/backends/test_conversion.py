"""Data of any origin to the backend in use, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from tests.support import asarray, assert_equal


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        (3, "int64"),
        (True, "bool"),
        ([1.0, 2.0], "float32"),
        ([[1, 2], [3, 4]], "int64"),
        ([True, False], "bool"),
        ((1, 2.5), "float32"),
        ([], "float32"),
        (np.arange(6, dtype="int8").reshape(2, 3), "int8"),
        (np.float64(2.5), "float32"),
        (np.zeros((2, 0)), "float32"),
        (range(3), "int64"),
    ],
)
def test_floats_take_the_default_dtype_and_others_keep_theirs(backend: Backend, data: Any, dtype: str) -> None:
    x = portanet.asarray(data)
    assert backend.dtype_name(x.dtype) == dtype
    assert_equal(x, np.asarray(data), dtype=dtype)


def test_support_helpers(xp: Any, backend: Backend) -> None:
    x = asarray([1.0, 2.0])
    assert_equal(x + x, [2.0, 4.0])
    assert_equal(asarray([1.0], "float64"), [1.0], dtype="float64")
    for wrong in ([2.0, 2.0], [[1.0, 2.0]]):
        with pytest.raises(AssertionError):
            assert_equal(x, wrong)
    with pytest.raises(AssertionError, match="dtype"):
        assert_equal(x, [1.0, 2.0], dtype="float64")

"""Functions of NumPy's namespace that leave out what NumPy's own do for what is no array: the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.backends.numpy import namespace


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "complex64", "bool"])
@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": (0, -1), "keepdims": True}, {"axis": ()}])
def test_mean(dtype: str, options: dict[str, Any]) -> None:
    x = np.random.default_rng(0).normal(size=(3, 40, 5)).astype(dtype)
    for each in (x, x[:, ::2].transpose(2, 0, 1), x[0, 0, 0]) if not options else (x, x[:, ::2].transpose(2, 0, 1)):
        result, expected = namespace.mean(each, **options), np.mean(each, **options)
        assert type(result) is type(expected)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)


def test_the_mean_of_nothing_is_not_a_number() -> None:
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning):
        assert np.isnan(namespace.mean(np.zeros((0, 3), dtype="float32"), axis=0)).all()


@pytest.mark.parametrize("dtype", [None, np.float64, np.int32, np.bool_])
def test_arrays_like_others(dtype: Any) -> None:
    x = np.ones((4, 3), dtype="float32")
    for like in (x, x.T, x[::2], np.float32(2.0), np.zeros((0, 2), dtype="int8")):
        pairs = [
            (namespace.full_like(like, 7, dtype=dtype), np.full_like(like, 7, dtype=dtype)),
            (namespace.ones_like(like, dtype=dtype, device="cpu"), np.ones_like(like, dtype=dtype)),
            (namespace.zeros_like(like, dtype=dtype), np.zeros_like(like, dtype=dtype)),
        ]
        for result, expected in pairs:
            assert (type(result), result.dtype, result.strides) == (type(expected), expected.dtype, expected.strides)
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("function", [namespace.ones_like, namespace.zeros_like])
def test_a_device_that_is_not_there_is_refused(function: Any) -> None:
    with pytest.raises(ValueError, match="device"):
        function(np.ones(2), device="gpu")


def test_the_transpose_of_a_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="2"):
        namespace.matrix_transpose(np.ones(3))
    assert namespace.matrix_transpose(np.ones((5, 2, 3))).shape == (5, 3, 2)

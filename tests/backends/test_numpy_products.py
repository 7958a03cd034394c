"""Products of matrices in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import threadpoolctl

import portanet
from portanet import layers
from portanet.backends import raw_namespace
from portanet.backends.numpy import products as numpy_products
from portanet.backends.numpy import threads
from portanet.backends.numpy.backend import NumpyBackend
from portanet.backends.numpy.products import matmul
from portanet.backends.numpy.threads import single_threaded_blas

SHAPES = [
    ((300, 70), (70, 90)),  # rows in pieces
    ((90, 70), (70, 300)),  # columns in pieces
    ((9, 3, 20, 30), (9, 3, 30, 10)),  # matrices in pieces
    ((9, 3, 20, 30), (3, 30, 10)),
    ((300, 70), (9, 70, 10)),
    ((70,), (70, 300)),
    ((0, 70), (70, 300)),
]


@pytest.fixture
def held() -> Iterator[None]:
    """As in a step that works in pieces."""
    with single_threaded_blas():
        yield


def draw(shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return np.random.default_rng(len(shape)).integers(-9, 9, shape).astype(dtype)  # products are exact


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(("first", "second"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
def test_against_numpy(monkeypatch: Any, first: Any, second: Any, dtype: str) -> None:
    monkeypatch.setattr(numpy_products, "SMALL", 1)
    a, b = draw(first, dtype), draw(second, dtype)
    expected = np.matmul(a, b)
    found = matmul(a, b)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    if a.ndim == b.ndim > 1:  # rows that are not contiguous
        turned = [np.swapaxes(np.swapaxes(x, -1, -2).copy(), -1, -2) for x in (a, b)]
        np.testing.assert_array_equal(matmul(*turned), expected)


@pytest.mark.usefixtures("held")
def test_mixed_dtypes_and_shapes_that_do_not_fit(monkeypatch: Any) -> None:
    monkeypatch.setattr(numpy_products, "SMALL", 1)
    mixed = matmul(draw((300, 70)), draw((70, 90), "float64"))
    assert mixed.dtype == np.float64
    for first, second in [((300, 70), (60, 90)), ((9, 20, 30), (9, 20, 10))]:
        with pytest.raises(ValueError, match="matmul"):
            matmul(draw(first), draw(second))


def test_the_result_does_not_depend_on_the_number_of_threads() -> None:
    a, b = (np.random.default_rng(0).standard_normal(s).astype("float32") for s in ((2000, 300), (300, 200)))
    with threadpoolctl.threadpool_limits(1), single_threaded_blas():
        alone = matmul(a, b)
    with threadpoolctl.threadpool_limits(4), single_threaded_blas():
        np.testing.assert_array_equal(matmul(a, b), alone)


def test_arrays_of_numpy_get_the_namespace_with_these_products() -> None:
    assert raw_namespace(np.ones(3)).matmul is matmul
    assert raw_namespace(np.float32(3)) is raw_namespace(np.ones(3))


def test_only_steps_that_work_in_pieces_have_the_cores() -> None:
    backend = NumpyBackend()
    assert not backend.compile(threads.has_cores)()
    assert backend.compile(threads.has_cores, pieces=True)()
    assert not threads.has_cores()


def test_which_models_work_in_pieces() -> None:
    asked: list[bool] = []

    class Backend(NumpyBackend):
        def compile(self, step: Any, pieces: bool = False, given: tuple[int, ...] = ()) -> Any:
            asked.append(pieces)
            return step

    for inner in (layers.Conv1D(2, 2), layers.LSTM(2), layers.Dense(2)):
        with portanet.use_backend(Backend()):
            portanet.Sequential([layers.Input((3, 2)), inner]).predict(np.ones((1, 3, 2)))
    assert asked == [True, True, False]

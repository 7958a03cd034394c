"""Products of matrices in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import threadpoolctl

from portanet.backends import elementwise, map_each, raw_namespace
from portanet.backends.numpy import elements, namespace, threads
from portanet.backends.numpy.backend import NumpyBackend
from portanet.backends.numpy.namespace import matmul
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
    monkeypatch.setattr(namespace, "SMALL", 1)
    a, b = draw(first, dtype), draw(second, dtype)
    expected = np.matmul(a, b)
    result = matmul(a, b)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)
    if a.ndim == b.ndim > 1:  # rows that are not contiguous
        turned = [np.swapaxes(np.swapaxes(x, -1, -2).copy(), -1, -2) for x in (a, b)]
        np.testing.assert_array_equal(matmul(*turned), expected)


@pytest.mark.parametrize(
    ("first", "second"),
    [((12, 3, 1), (12, 1, 5)), ((2, 6, 3, 1), (2, 6, 1, 5)), ((1, 3, 1), (12, 1, 5)), ((0, 3, 1), (0, 1, 5))],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
def test_outer_products(monkeypatch: Any, first: Any, second: Any, dtype: str) -> None:
    a, b = draw(first, dtype), draw(second, dtype)
    for least in (2**19, 8):  # at once, and in pieces
        monkeypatch.setattr(namespace, "OUTER", least)
        result = matmul(a, b)
        assert result.dtype == a.dtype
        np.testing.assert_array_equal(result, np.matmul(a, b))


def test_axes_of_size_one() -> None:
    x = draw((3, 4)).T
    for axis in (0, 1, 2, -1, -3, (0, 3), np.int64(1)):
        result = namespace.expand_dims(x, axis=axis)
        assert result.base is x.base, "a view"
        np.testing.assert_array_equal(result, np.expand_dims(x, axis))
    with pytest.raises(IndexError):
        namespace.expand_dims(x, axis=3)


@pytest.mark.usefixtures("held")
def test_mixed_dtypes_and_shapes_that_do_not_fit(monkeypatch: Any) -> None:
    monkeypatch.setattr(namespace, "SMALL", 1)
    mixed = matmul(draw((300, 70)), draw((70, 90), "float64"))
    assert mixed.dtype == np.float64
    for first, second in [((300, 70), (60, 90)), ((9, 20, 30), (9, 20, 10)), ((9, 20, 30), (9, 1, 10))]:
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


def test_a_step_that_has_worked_in_pieces_has_the_cores_from_its_start() -> None:
    def work(x: Any) -> list[bool]:
        """Whether BLAS is held to one thread: at first, in a piece, and after."""
        start, during = threads.has_cores(), []
        if x is not None:
            threads.map_rows(lambda x: (during.append(threads.has_cores() or threads.in_a_piece()), x)[1], [x], 2**20)
        return [start, any(during), threads.has_cores()]

    step = NumpyBackend().compile(work)
    assert step(None) == [False, False, False]
    assert step(np.ones((4, 2))) == [False, True, True]
    assert step(None) == [True, False, True]
    assert not threads.has_cores()
    assert NumpyBackend().compile(work)(None) == [False, False, False], "each step has a plan of its own"


def test_elementwise_work_leaves_the_cores_to_products_of_a_step() -> None:
    @elementwise
    def double(x: Any) -> Any:
        assert not threads.in_a_piece()
        return x * 2

    x = np.ones(2**20, dtype="float32")
    step = NumpyBackend().compile(lambda: (double(x), threads.has_cores()))
    for _ in range(2):
        doubled, held = step()
        assert not held
        np.testing.assert_array_equal(doubled, x * 2)


@pytest.mark.parametrize("divided", [False, True])
def test_a_long_update_at_the_end_of_a_step_works_on_all_cores_and_holds_nothing(
    monkeypatch: pytest.MonkeyPatch, divided: bool
) -> None:
    seen = []

    def double(x: Any) -> Any:
        seen.append(x.size > 0 and threads.in_a_piece())  # no program knows sizes
        return x * 2

    x = np.ones(2**20, dtype="float32")
    step = NumpyBackend().compile(lambda: (threads.has_cores(), map_each(double, [(x,)]), threads.has_cores()))
    monkeypatch.setattr(elements, "LONG", x.size if divided else x.size + 1)
    for _ in range(2):
        before, (doubled,), after = step()
        assert {*seen} == {divided}
        assert (before, after) == (False, False)
        np.testing.assert_array_equal(doubled, x * 2)


def test_an_error_in_a_step_gives_the_threads_back() -> None:
    step = NumpyBackend().compile(lambda x: threads.map_rows(lambda x: 1 // 0, [x], 2**20))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            step(np.ones((4, 2)))
        assert not threads.has_cores()

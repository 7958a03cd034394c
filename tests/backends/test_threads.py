"""Parts of a batch on all available cores."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import threadpoolctl

import portanet
from portanet import backends
from portanet.backends import Backend
from portanet.backends.numpy import threads
from tests.support import PATIENCE, assert_equal

X = np.random.default_rng(0).standard_normal((23, 4)).astype("float32")


def map_rows(function: Any, arrays: list[Any], rows: int, total: bool = False) -> Any:
    """In pieces of at most `rows` rows."""
    return threads.map_rows(function, arrays, -(-threads.ROWS // (rows * arrays[0].itemsize)), total)


def test_every_backend_gives_the_whole(backend: Backend) -> None:
    x = portanet.asarray(X)
    assert_equal(backends.map_rows(lambda x: x * 2, x, size=2**18), X * 2)
    summed = backends.map_rows(lambda x: backend.xp.sum(x, axis=0), x, size=2**18, total=True)
    np.testing.assert_allclose(backend.to_host(summed), X.sum(axis=0), rtol=1e-5)


def test_pieces_have_the_size_asked_for_and_several_results_are_joined() -> None:
    seen: list[int] = []
    first, second = map_rows(lambda x, y: (seen.append(len(x)), (x + y, x[:, 0]))[1], [X, X], 5)
    assert sorted(seen) == [3, 5, 5, 5, 5]
    np.testing.assert_array_equal(first, X + X)
    np.testing.assert_array_equal(second, X[:, 0])


@pytest.mark.parametrize("total", [False, True])
def test_the_result_does_not_depend_on_the_number_of_threads(total: bool) -> None:
    weights = np.random.default_rng(1).standard_normal((300, 300)).astype("float32")
    x = np.random.default_rng(2).standard_normal((64, 300)).astype("float32")

    def run() -> Any:
        return map_rows(lambda x: x.T @ x if total else x @ weights, [x], 7, total=total)

    with threadpoolctl.threadpool_limits(1):
        alone = run()
    with threadpoolctl.threadpool_limits(4):
        np.testing.assert_array_equal(run(), alone)
    np.testing.assert_array_equal(run(), alone)


def blas_threads() -> list[int]:
    """Of the libraries loaded when the first piece was computed; other tests may have loaded more since."""
    return [library.num_threads for library in threads._blas()]


def test_blas_gets_its_threads_back() -> None:
    with threadpoolctl.threadpool_limits(2):
        before, during = blas_threads(), []
        map_rows(lambda x: (during.append(blas_threads()), x)[1], [X], 5)
        assert all(counts == [1] * len(before) for counts in during)
        assert blas_threads() == before
        with pytest.raises(ZeroDivisionError):
            map_rows(lambda x: 1 // 0, [X], 5)
        assert blas_threads() == before


def test_the_last_of_several_callers_gives_the_threads_back() -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with threads.single_threaded_blas():
            entered.set()
            leave.wait(PATIENCE)

    with threadpoolctl.threadpool_limits(2):
        before = blas_threads()
        helper = threading.Thread(target=other, daemon=True)
        helper.start()
        assert entered.wait(PATIENCE)
        with threads.single_threaded_blas():
            pass
        during = blas_threads()
        leave.set()
        helper.join(PATIENCE)
        assert during == [1] * len(before)
        with threads.single_threaded_blas():  # OpenBLAS may have ignored the other thread
            pass
        assert blas_threads() == before


def test_pieces_may_be_made_of_pieces() -> None:
    result = map_rows(lambda x: map_rows(lambda y: y + 1, [x], 2), [X], 6)
    np.testing.assert_array_equal(result, X + 1)


def test_an_error_in_a_piece_reaches_the_caller_from_whichever_thread() -> None:
    def fail_late(x: Any) -> Any:
        if x[0, 0] == X[20, 0]:
            raise RuntimeError("piece 4")
        return x

    for _ in range(20):
        with pytest.raises(RuntimeError, match="piece 4"):
            map_rows(fail_late, [X], 5)


def test_threads_follow_the_callers_context() -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        map_rows(lambda x: x / (x * 0), [np.abs(X) + 1], 5)


@pytest.mark.parametrize("count", [1, 5])
def test_numpy_has_short_buffers_in_pieces_and_the_callers_after(count: int) -> None:
    with np.errstate():
        np.setbufsize(4096)
        assert threads.map_pieces(lambda _: np.getbufsize(), range(count)) == [threads.BUFFER] * count
        assert np.getbufsize() == 4096


def test_an_empty_batch_is_one_piece() -> None:
    assert map_rows(lambda x: x + 1, [X[:0]], 5).shape == (0, 4)

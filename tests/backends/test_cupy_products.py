"""Products of matrices on CuPy by cuBLAS itself: over shapes and layouts, on a GPU and with stand-ins for both."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.backends.cupy_standin import in_place_of_cupy


@pytest.fixture
def cupy() -> Iterator[Any]:
    with in_place_of_cupy() as stand_in:
        yield stand_in


@pytest.fixture
def calls(cupy: Any) -> Any:
    """While a graph is recorded: the kinds of computation that cuBLAS was called for."""
    cupy.cuda.get_current_stream().capturing = True
    from nvmath.bindings import cublas

    return cublas.calls


def laid(cupy: Any, host: np.ndarray, layout: str) -> Any:
    """An array on the device whose matrices are contiguous, transposed, parts of larger ones, or with gaps."""
    if layout == "transposed":
        return cupy.asarray(np.ascontiguousarray(np.swapaxes(host, -1, -2))).swapaxes(-1, -2)
    if layout == "part":
        larger = np.zeros((*host.shape[:-2], host.shape[-2] + 2, host.shape[-1] + 3), dtype=host.dtype)
        larger[..., 1:-1, 2:-1] = host
        return cupy.asarray(larger)[..., 1:-1, 2:-1]
    if layout == "gaps":
        return cupy.asarray(np.repeat(host, 2, axis=-1))[..., ::2]
    return cupy.asarray(host)


SHAPES = [
    ((5, 3), (3, 4)), ((2, 5, 3), (2, 3, 4)), ((2, 7, 5, 3), (3, 4)), ((5, 3), (2, 3, 4)), ((2, 1, 5, 3), (3, 3, 4)),
    ((1, 5, 3), (2, 3, 4)), ((1, 3), (3, 1)), ((5, 1), (1, 4)), ((2, 2, 1, 3), (2, 2, 3, 1)), ((2, 3, 1, 1), (3, 1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), SHAPES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
def test_matrices_of_every_layout(cupy: Any, calls: Any, first: Any, second: Any, dtype: str) -> None:
    from portanet.backends.cupy.products import matmul

    generator = np.random.default_rng(1)
    a, b = (generator.integers(-4, 5, shape).astype(dtype) for shape in (first, second))
    for left, right in itertools.product(("contiguous", "transposed", "part", "gaps"), repeat=2):
        result = matmul(laid(cupy, a, left), laid(cupy, b, right))
        assert result.dtype == dtype
        np.testing.assert_array_equal(result.get(), np.matmul(a, b), err_msg=f"{left}, {right}")
    assert calls == [70 if dtype == "float64" else 68] * 16


def test_vectors(cupy: Any, calls: Any) -> None:
    from portanet.backends.cupy.products import matmul

    x, y, stack = np.asarray([1.0, 2.0, 3.0]), np.asarray([4.0, 5.0, 6.0]), np.arange(24.0).reshape(2, 3, 4)
    for a, b in ((x, y), (x, stack), (stack.swapaxes(1, 2), y)):
        np.testing.assert_array_equal(np.asarray(matmul(cupy.asarray(a), cupy.asarray(b)).get()), a @ b)
    assert len(calls) == 3


def test_a_batch_of_rows_is_one_product(cupy: Any, calls: Any, monkeypatch: Any) -> None:
    from nvmath.bindings import cublas

    from portanet.backends.cupy.products import matmul

    monkeypatch.setattr(cublas, "gemm_strided_batched_ex", lambda *args: calls.append(args[-3]))
    matmul(cupy.ones((4, 5, 3)), cupy.ones((3, 2)))
    assert calls == [1]


def test_outside_of_a_graph_products_are_those_of_cupy(cupy: Any, calls: Any) -> None:
    from portanet.backends.cupy import products

    cupy.cuda.get_current_stream().capturing = False
    single, half = cupy.ones((2, 3, 3), dtype="float32"), cupy.ones((2, 3, 3), dtype="float16")
    assert products.matmul(single, single)[0, 0, 0] == 3
    assert calls == []
    assert products.matmul(half, half)[0, 0, 0] == 3
    assert calls == [68], "CuPy multiplies stacks of float16 in float32"
    products.set_precision("high")
    products.matmul(single, single)
    products.matmul(half, half)
    products.matmul(cupy.ones((3, 3)), cupy.ones((3, 3)))
    assert calls == [68, 77, 68]


def test_what_cublas_does_not_take_is_left_to_cupy(cupy: Any, calls: Any) -> None:
    from portanet.backends.cupy.products import matmul

    for a, b in (
        (cupy.ones((2, 3), dtype="int32"), cupy.ones((3, 2), dtype="int32")),
        (cupy.ones((2, 3), dtype="float32"), cupy.ones((3, 2))),
        (cupy.ones((2, 0)), cupy.ones((0, 3))),
        (cupy.ones((0, 2, 3)), cupy.ones((3, 2))),
    ):
        np.testing.assert_array_equal(matmul(a, b).get(), np.matmul(a.get(), b.get()))
    assert calls == []
    with pytest.raises(ValueError, match=r"Received: shapes \(2, 3\) and \(2, 3\)"):
        matmul(cupy.ones((2, 3)), cupy.ones((2, 3)))


def test_without_the_bindings(cupy: Any, calls: Any, monkeypatch: Any) -> None:
    from portanet.backends.cupy import products

    monkeypatch.setattr(products, "has_bindings", lambda: False)
    assert products.matmul(cupy.ones((2, 3)), cupy.ones((3, 2)))[0, 0] == 3
    with pytest.raises(ImportError, match=r"nvmath-python.*portanet\[cupy13\]"):
        products.set_precision("high")


def test_the_workspace_follows_the_stream(cupy: Any, calls: Any) -> None:
    from nvmath.bindings import cublas

    from portanet.backends.cupy.products import matmul

    for stream in (7, 9, 7):
        cupy.cuda.get_current_stream().ptr = stream
        matmul(cupy.ones((2, 2)), cupy.ones((2, 2)))
        assert cublas.stream == stream

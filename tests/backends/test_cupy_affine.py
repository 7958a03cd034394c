"""Bias, activation and the sum of cotangents in cuBLASLt's products on CuPy, with stand-ins for both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.autodiff import vjp
from portanet.backends import use_backend
from portanet.backends.overrides import OVERRIDABLE
from portanet.fused.products import dense
from tests.backends.cupy_standin import in_place_of_cupy, needs_compiler
from tests.backends.test_cupy_overrides import compare
from tests.backends.test_cupy_products import laid

BIAS, BGRADA = 4, 256
SINGLE, TENSOR_FLOAT = 68, 77


@pytest.fixture
def cupy() -> Iterator[Any]:
    with in_place_of_cupy() as stand_in:
        yield stand_in


@pytest.fixture
def lt(cupy: Any) -> Any:
    from nvmath.bindings import cublasLt

    return cublasLt


def integers(*shapes: tuple[int, ...], dtype: str = "float32") -> list[np.ndarray]:
    return [np.random.default_rng(i).integers(-4, 5, shape).astype(dtype) for i, shape in enumerate(shapes)]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "part"])
def test_values(cupy: Any, lt: Any, dtype: str, layout: str) -> None:
    """Which are integers, so that they are exact; parts of arrays begin at addresses that vectors do not."""
    x, kernel, bias = integers((8, 8), (8, 16), (16,), dtype=dtype)
    expected = x @ kernel
    given = [laid(cupy, x, layout), laid(cupy, kernel, layout)]
    for b, activation in ((bias, None), (bias, "relu"), (None, "relu"), (None, None)):
        result = OVERRIDABLE["affine"](*given, None if b is None else cupy.asarray(b), activation=activation)
        wanted = expected if b is None else expected + b
        assert result.dtype == dtype
        np.testing.assert_array_equal(result.get(), np.maximum(wanted, 0) if activation else wanted)
    total = OVERRIDABLE["dense_weights"](given[0], laid(cupy, expected, layout), biased=True)
    np.testing.assert_array_equal(total[0].get(), x.T @ expected)
    np.testing.assert_array_equal(total[1].get(), expected.sum(axis=0))
    assert lt.calls == [(each, SINGLE) for each in (BIAS, BGRADA) if layout != "part"]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ["affine", "dense_weights"])
def test_override_is_the_definition(cupy: Any, lt: Any, name: str, dtype: str) -> None:
    compare(cupy, name, dtype)
    assert lt.calls


def test_a_layer_and_its_derivatives(cupy: Any, lt: Any) -> None:
    hosts = integers((2, 4, 8), (8, 16), (16,))

    def results(*arrays: Any) -> list[Any]:
        out, pullback = vjp(lambda *a: dense(*a, activation="relu"), *arrays)
        return [out, *pullback(out)]

    for a, b in zip(results(*map(cupy.asarray, hosts)), results(*hosts), strict=True):
        np.testing.assert_array_equal(a.get(), b)
    assert lt.calls == [(BGRADA, SINGLE)]


@needs_compiler
def test_launches_of_a_dense_layer(cupy: Any, lt: Any) -> None:
    """Beside products: forward the bias with the activation, backward the slope of the activation."""
    with use_backend("cupy"):
        layer = layers.Dense(16, "relu")
        layer.build((4, 8))
        x = cupy.asarray(integers((4, 8))[0])
        cupy.ElementwiseKernel.launches = 0
        out, pullback = vjp(lambda x: layer(x), x)
        assert cupy.ElementwiseKernel.launches == 1
        pullback(out)
        assert cupy.ElementwiseKernel.launches == 2


def test_a_bias_alone_is_summed_without_the_product_of_a_frozen_kernel(cupy: Any, lt: Any) -> None:
    x, kernel, bias = map(cupy.asarray, integers((4, 8), (8, 16), (16,)))
    out, pullback = vjp(lambda bias: dense(x, kernel, bias), bias)
    np.testing.assert_array_equal(pullback(out)[0].get(), out.get().sum(axis=0))
    assert [epilogue for epilogue, _ in lt.calls] == [BIAS]


def test_float32_is_rounded_where_it_may_be_and_other_dtypes_are_left_to_the_definition(cupy: Any, lt: Any) -> None:
    from portanet.backends.cupy import products

    products.set_precision("high")
    for dtype in ("float32", "float16", "float64", "int32"):
        x, kernel, bias = (cupy.asarray(each) for each in integers((4, 8), (8, 4), (4,), dtype=dtype))
        result = OVERRIDABLE["affine"](x, kernel, bias)
        np.testing.assert_array_equal(result.get(), x.get() @ kernel.get() + bias.get())
    assert lt.calls == [(BIAS, TENSOR_FLOAT), (BIAS, SINGLE)]


def test_where_there_is_no_algorithm_the_definition_computes(cupy: Any, lt: Any) -> None:
    lt.refused = {BIAS, BGRADA}
    x, kernel, bias = map(cupy.asarray, integers((4, 8), (8, 4), (4,)))
    for _ in range(2):
        result = OVERRIDABLE["affine"](x, kernel, bias)
        np.testing.assert_array_equal(result.get(), x.get() @ kernel.get() + bias.get())
        of_kernel, total = OVERRIDABLE["dense_weights"](x, result, biased=True)
        np.testing.assert_array_equal(of_kernel.get(), x.get().T @ result.get())
        np.testing.assert_array_equal(total.get(), result.get().sum(axis=0))
    assert lt.calls == []
    assert lt.searches == 2, "it is asked once"


def test_plans_are_chosen_once_and_the_oldest_are_dropped(cupy: Any, lt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.backends.cupy import affine

    monkeypatch.setattr(affine, "MOST", 3)
    kernel, bias = map(cupy.asarray, integers((8, 4), (4,)))
    for rows in (1, 2, 3, 1, 4, 1):
        affine.affine(cupy.ones((rows, 8), dtype="float32"), kernel, bias)
    assert lt.searches == 4
    kept = len(lt.made)
    for rows in range(5, 12):
        affine.affine(cupy.ones((rows, 8), dtype="float32"), kernel, bias)
    assert len(lt.made) == kept, "descriptors of plans that are dropped are destroyed"
    assert len(affine._own.plans) == 3


def test_products_are_the_same_while_a_graph_is_recorded(cupy: Any, lt: Any) -> None:
    x, kernel, bias = map(cupy.asarray, integers((4, 8), (8, 4), (4,)))
    for capturing in (False, True):
        cupy.cuda.get_current_stream().capturing = capturing
        OVERRIDABLE["affine"](x, kernel, bias)
    assert lt.calls == [(BIAS, SINGLE)] * 2
    assert lt.searches == 1


def test_without_the_bindings(cupy: Any, lt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.backends.cupy import affine, products

    monkeypatch.setattr(products, "has_bindings", lambda: False)
    x, kernel, bias = map(cupy.asarray, integers((4, 8), (8, 4), (4,)))
    assert affine.affine(x, kernel, bias) is NotImplemented
    with pytest.raises(ValueError, match="mismatch"):
        OVERRIDABLE["affine"](x[:, :3], kernel, bias)

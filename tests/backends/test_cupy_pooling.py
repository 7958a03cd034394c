"""Pooling on CuPy is a kernel each way, which gives what NumPy gives, with a stand-in for CuPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.autodiff import vjp
from portanet.backends import use_backend
from portanet.backends.overrides import OVERRIDABLE
from portanet.fused.windows import window
from tests.backends.cupy_standin import in_place_of_cupy, needs_compiler

pytestmark = needs_compiler


@pytest.fixture
def cupy() -> Iterator[Any]:
    with in_place_of_cupy() as stand_in:
        yield stand_in


POOLS: list[tuple[Any, tuple[int, ...], tuple[int, int]]] = [
    (lambda: layers.MaxPooling2D(3, 2, padding="same"), (2, 7, 6, 3), (1, 1)),
    (lambda: layers.MaxPooling2D(3, 2, padding=1, ceil_mode=True), (2, 8, 7, 3), (1, 1)),
    (lambda: layers.MaxPooling1D(2, data_format="channels_first"), (2, 3, 7), (1, 1)),
    (lambda: layers.MaxPooling3D((2, 1, 3), 2), (1, 4, 3, 5, 2), (1, 1)),
    (lambda: layers.AveragePooling2D(3, 2, padding="same"), (2, 7, 6, 3), (1, 1)),
    (lambda: layers.AveragePooling2D(3, 2, padding=1, count_include_pad=True), (2, 7, 6, 3), (1, 1)),
    (lambda: layers.AveragePooling2D(2, 2, padding=1, ceil_mode=True, count_include_pad=True), (2, 6, 5, 3), (1, 1)),
    (lambda: layers.AveragePooling1D(3, 1, padding="same"), (2, 7, 3), (1, 1)),
    (lambda: layers.AveragePooling3D(2, padding="same"), (1, 3, 4, 5, 2), (1, 1)),
    (lambda: layers.GlobalMaxPooling2D(), (2, 4, 5, 3), (2, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "shape", "launches"), POOLS)
def test_layers_and_their_derivatives(cupy: Any, make: Any, shape: tuple[int, ...], launches: tuple[int, int]) -> None:
    """The kernels that are launched, beside what CuPy computes elementwise: one each way, and for each axis of all."""
    host = np.random.default_rng(0).integers(-3, 4, shape).astype("float32")  # with ties

    def results(x: Any) -> Any:
        layer = make()
        cupy.ElementwiseKernel.launches = 0
        y, pullback = vjp(layer, x)
        forward = cupy.ElementwiseKernel.launches
        (dx,) = pullback(y * 0.5 + 1.0)
        return y, dx, (forward, cupy.ElementwiseKernel.launches - forward)

    with use_backend("cupy"):
        *ours, counted = results(cupy.asarray(host))
    *theirs, _ = results(host)
    assert counted == launches
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.get(), b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["max_pool", "to_maxima", "window_sum", "window_spread"])
def test_arrays_of_more_elements_than_32_bits_count(cupy: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.backends.cupy import pooling

    monkeypatch.setattr(pooling, "LARGE", 1)
    slid, x = window((5,), (2,), 1, "same"), np.asarray([[[1.0], [3.0], [3.0], [2.0], [0.0]]], dtype="float32")
    options = {"space": (5,)} if name == "window_spread" else {}
    given = [x, x, np.roll(x, -1)] if name == "to_maxima" else [x]
    result = OVERRIDABLE[name](*map(cupy.asarray, given), window=slid, **options)
    np.testing.assert_array_equal(result.get(), OVERRIDABLE[name].definition(*given, window=slid, **options))


def test_what_the_kernels_do_not_take_is_left_to_the_definition(cupy: Any) -> None:
    x = cupy.asarray(np.arange(2**5).reshape(1, 2, 2, 2, 2, 2))
    slid = window((2,) * 4, (2,) * 4)
    cupy.ElementwiseKernel.launches = 0
    assert OVERRIDABLE["max_pool"](x.astype("float32"), window=slid).get().ravel().tolist() == [30.0, 31.0]
    assert OVERRIDABLE["window_sum"](x[0], window=window((2,) * 3, (2,) * 3)).get().shape == (2, 1, 1, 1, 2)
    assert cupy.ElementwiseKernel.launches == 0

"""Functions of elements on CuPy: one kernel each, which gives what the function gives on NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import activations, layers, optimizers
from portanet.autodiff import array_namespace, vjp
from portanet.backends import elementwise, use_backend
from portanet.fused import recurrent_gru
from portanet.fused.epilogues import where_positive
from portanet.fused.normalization import _affine
from portanet.fused.recurrent_lstm import _cell, _gates
from portanet.layers.regularization.dropout import kept
from tests.backends.cupy_standin import in_place_of_cupy, needs_compiler

pytestmark = needs_compiler
RTOL = {"float16": 4e-3, "float32": 1e-5, "float64": 1e-12}


@pytest.fixture
def cupy() -> Iterator[Any]:
    with in_place_of_cupy() as stand_in:
        stand_in.ElementwiseKernel.launches = 0
        yield stand_in


def numbers(dtype: str, *shape: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * 3).astype(dtype)


def compare(cupy: Any, function: Callable[..., Any], *hosts: Any, launches: int = 1, rtol: float | None = None) -> None:
    """The results of a function and what it does to its arguments, on both."""
    expected_args = [host.copy() if isinstance(host, np.ndarray) else host for host in hosts]
    args = [cupy.asarray(host) if isinstance(host, np.ndarray) else host for host in hosts]
    expected, before = function(*expected_args), cupy.ElementwiseKernel.launches
    result = function(*args)
    assert cupy.ElementwiseKernel.launches - before == launches
    results = result if isinstance(result, tuple) else (result,)
    wanted = expected if isinstance(expected, tuple) else (expected,)
    for ours, theirs in zip((*results, *args), (*wanted, *expected_args), strict=True):
        if isinstance(theirs, np.ndarray):
            assert type(ours) is cupy.ndarray
            assert ours.dtype == theirs.dtype
            tolerance = RTOL.get(theirs.dtype.name, 0.0) if rtol is None else rtol
            np.testing.assert_allclose(ours.get(), theirs, rtol=tolerance, atol=tolerance)
    for i, theirs in enumerate(expected_args):  # what is an argument is that array
        for ours, want in zip(results, wanted, strict=True):
            assert (ours is args[i]) == (want is theirs)


@pytest.mark.parametrize("name", ["gelu", "mish", "selu", "sigmoid"])
def test_activations_and_their_slopes(cupy: Any, name: str) -> None:
    function = getattr(activations, name)
    for dtype in ("float32", "float16") if name == "gelu" else ("float32",):
        x = numbers(dtype, 3, 5)
        compare(cupy, function, x)
        compare(cupy, lambda x: (vjp(function, x)[1](x)[0],), x)


def test_gates(cupy: Any) -> None:
    x = [numbers("float32", 4, 3, seed=i) for i in range(5)]
    compare(cupy, _cell, *x)
    compare(cupy, _gates, x[0].copy(), x[1], None, *x[2:4])
    compare(cupy, _gates, x[0].copy(), x[1], x[2][0], x[3][0], x[4][0])
    compare(cupy, recurrent_gru._gates, *x[:2])
    compare(cupy, recurrent_gru._output, *x)
    compare(cupy, recurrent_gru._output, *x[:2], None, *x[2:4])
    compare(cupy, where_positive, *x[:2])
    compare(cupy, kept, x[0], x[1] > 0, 2.0)
    compare(cupy, _affine, x[0], x[1][:1], x[2][:, :1])
    compare(cupy, _affine, x[0], None, None, launches=0)


@pytest.mark.parametrize("name", [
    "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "Rprop", "SGD",
    "ScheduleFreeAdamW",
])  # fmt: skip
def test_an_optimizer_is_one_kernel(cupy: Any, name: str) -> None:
    options = {"SGD": {"momentum": 0.9, "nesterov": True}, "RMSprop": {"centered": True, "momentum": 0.5}}
    optimizer = getattr(optimizers, name)(0.1, **options.get(name, {}))
    hosts = {"w": numbers("float32", 3, 4), "b": numbers("float32", 4, seed=1)}
    ours, theirs = {p: cupy.asarray(x) for p, x in hosts.items()}, {p: x.copy() for p, x in hosts.items()}
    state, other = optimizer.init(ours), optimizer.init(theirs)
    for step in range(3):
        grads = {p: numbers("float32", *x.shape, seed=step + 2) for p, x in hosts.items()}
        before = cupy.ElementwiseKernel.launches
        ours, state = optimizer.update(ours, {p: cupy.asarray(g) for p, g in grads.items()}, state)
        assert cupy.ElementwiseKernel.launches - before == (2 if name in ("Adam", "AdamW") else 1), "a scalar first"
        theirs, other = optimizer.update(theirs, grads, other)
    for path in hosts:
        np.testing.assert_allclose(ours[path].get(), theirs[path], rtol=1e-5, atol=1e-6)
        for slot in optimizer.slots:
            np.testing.assert_allclose(state[slot][path].get(), other[slot][path], rtol=1e-5, atol=1e-6)


@elementwise
def everything(x: Any, y: Any, n: Any, b: Any) -> tuple[Any, ...]:
    xp = array_namespace(x)
    floats = x + y, x - y, x * y, x / (y * y + 1), -x, abs(x), xp.reciprocal(x), xp.square(x), xp.sign(x), x**2, y**3.0
    rounded = xp.floor(x), xp.ceil(x), xp.trunc(x), xp.round(x)
    functions = (
        *(xp.sin(x), xp.cos(x), xp.tan(x), xp.asin(x / 99), xp.acos(x / 99), xp.atan(x), xp.sinh(x), xp.cosh(x)),
        *(xp.tanh(x), xp.asinh(x), xp.exp(x), xp.expm1(x), xp.log1p(abs(x)), xp.log2(abs(x)), xp.log10(abs(x))),
        *(xp.sqrt(abs(x)), xp.atan2(x, y), xp.hypot(x, y), xp.copysign(x, y), (abs(x) + 1) ** y, abs(x) ** 0.5),
    )
    order = xp.maximum(x, y), xp.minimum(x, 0.5), xp.clip(x, -1.0, 1.0), xp.where(b, x, y), xp.where(x > y, 1.0, x)
    truth = x < y, x <= y, x > 0.25, x <= 2.0, x == y, x != y, b & (x > 0), b | (x > 0), b ^ (x > 0), ~b, xp.isfinite(x)
    more = xp.isnan(x), xp.isinf(x), xp.logical_and(b, b), xp.logical_not(b), xp.logical_xor(b, x > 0)
    integers = n + 1, n * n, -n, abs(n), xp.astype(x, xp.int32), xp.astype(n, xp.float64), xp.sign(n), n > 2
    like = xp.zeros_like(x), xp.ones_like(n), xp.full_like(x, 2.5), xp.astype(b, x.dtype), xp.astype(x, x.dtype)
    return (*floats, *rounded, *functions, *order, *truth, *more, *integers, *like)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_function_of_elements(cupy: Any, dtype: str) -> None:
    x, y = numbers(dtype, 6), numbers(dtype, 6, seed=1)
    compare(cupy, everything, x, y, np.asarray([-3, 2, 0, 7, -1, 5], dtype="int32"), y > 0)


def test_values_that_are_no_numbers(cupy: Any) -> None:
    @elementwise
    def order(x: Any, y: Any) -> tuple[Any, ...]:
        xp = array_namespace(x)
        return xp.maximum(x, y), xp.minimum(x, y), xp.sign(x), xp.isnan(x), xp.isinf(x), xp.isfinite(x), x != y

    rows = np.meshgrid(*[np.asarray([np.nan, np.inf, -np.inf, 1.0, 0.0], dtype="float32")] * 2)
    compare(cupy, order, *rows)


def test_arguments_are_changed_in_place(cupy: Any) -> None:
    @elementwise
    def decay(p: Any, slot: Any, g: Any, rate: Any) -> tuple[Any, ...]:
        slot *= 0.5
        slot += g
        p -= slot * rate
        return p, slot, g, p * 1.0

    x = [numbers("float32", 3, 4, seed=i) for i in range(3)]
    compare(cupy, decay, *x, np.asarray(0.25, dtype="float32"))
    compare(cupy, decay, *x, 0.25)
    a, rate = cupy.asarray(x[0]), cupy.asarray(np.float32(0.5))
    expected = x[0] * 0.5 + x[0]
    p, *_ = decay(a, a, cupy.asarray(x[0]), rate)  # the same array twice
    np.testing.assert_allclose(p.get(), expected - expected * 0.5, rtol=1e-6)
    assert p is a


def test_what_elements_do_not_tell_is_computed_as_it_is(cupy: Any) -> None:
    @elementwise
    def looks(x: Any) -> Any:
        return x * 2 if bool(array_namespace(x).any(x > 0)) else x

    @elementwise
    def writes(x: Any, row: Any) -> Any:
        row += 1.0
        return x + row

    x = numbers("float32", 3, 4)
    compare(cupy, looks, x, launches=0)
    compare(cupy, writes, x, x[:1].copy(), launches=0)
    compare(cupy, lambda x: elementwise(lambda x: x + 1j)(x), x.astype("complex64"), launches=0)
    compare(cupy, lambda x: elementwise(lambda x: x + np.float32(1.0))(x), x, launches=0)
    with pytest.raises(TypeError, match="itself"):
        compare(cupy, elementwise(raises), x)


def raises(x: Any) -> Any:
    raise TypeError("it says what is wrong itself")


@elementwise
def scaled(x: Any, factor: float) -> Any:
    return x * factor


def test_numbers_are_parameters_and_programs_are_stored(cupy: Any, monkeypatch: Any) -> None:
    from portanet.backends.cupy import fusion

    x = numbers("float32", 3)
    monkeypatch.setattr(fusion, "MOST", 2)
    for factor in (0.0, -0.0, 2.0, 2, True, 2.0):
        compare(cupy, scaled, x, factor)
    assert fusion._compiled.cache_info().misses == 1
    assert len(fusion._programs) == 2
    monkeypatch.setattr(fusion, "Program", None)
    np.testing.assert_array_equal(scaled(cupy.asarray(x), 2.0).get(), x * 2)


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
def test_a_step_of_time_is_a_product_and_a_kernel(cupy: Any, layer: str) -> None:
    counts = []
    for time in (3, 5):
        portanet.random.set_seed(1)
        x = numbers("float32", 2, time, 3)
        with use_backend("cupy"):
            made = getattr(layers, layer)(4)
            made.build(x.shape)
            cupy.ElementwiseKernel.launches = 0
            result = made(cupy.asarray(x))
            counts.append(cupy.ElementwiseKernel.launches)
            weights = made.get_weights()
        other = getattr(layers, layer)(4)
        other.build(x.shape)
        other.set_weights(weights)
        np.testing.assert_allclose(result.get(), other(x), rtol=1e-5, atol=1e-6)
    assert counts[1] - counts[0] == 2


def test_a_model_learns_as_on_numpy(cupy: Any) -> None:
    def losses() -> list[float]:
        portanet.random.set_seed(1)
        model = portanet.Sequential(
            [layers.Input((4, 6)), layers.LSTM(3), layers.Dense(4, "gelu"), layers.Dense(3, "softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
        x, y = numbers("float32", 16, 4, 6), np.arange(16) % 3
        return model.fit(x, y, epochs=2, batch_size=8, verbose=0).history["loss"]

    with use_backend("cupy"):
        result = losses()
    np.testing.assert_allclose(result, losses(), rtol=1e-5)


def test_half_precision_is_multiplied_by_cublas_in_half_precision(cupy: Any) -> None:
    from nvmath.bindings import cublas, cublasLt

    def losses() -> list[float]:
        portanet.random.set_seed(1)
        dense = [
            layers.Dense(8, "gelu", dtype="mixed_float16"),
            layers.Flatten(),
            layers.Dense(3, dtype="mixed_float16"),
        ]
        model = portanet.Sequential([layers.Input((4, 6)), *dense])
        model.compile("adam", "mse", jit_compile=False)
        x, y = numbers("float32", 8, 4, 6) / 10, numbers("float32", 8, 3) / 10
        return model.fit(x, y, epochs=2, batch_size=8, verbose=0).history["loss"]

    with use_backend("cupy"):
        result = losses()
    assert cublas.kinds == cublasLt.kinds == {"float16"}
    np.testing.assert_allclose(result, losses(), rtol=2e-2)

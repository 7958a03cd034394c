"""What CuPy or array-api-compat cannot do while a CUDA graph is recorded, with what we have in its place.

With a stand-in for CuPy, in which reading values, arrays from the host and shapes that depend on values raise an error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, metrics, schedules
from portanet.activations import gelu
from portanet.autodiff import array_namespace, grad
from portanet.backends import constant, recording, use_backend
from portanet.optimizers.base import cond
from portanet.variables import bind
from tests.backends.cupy_standin import in_place_of_cupy, ndarray, needs_compiler, on_device

pytestmark = needs_compiler


class CaptureError(Exception):
    pass


def refuse(*args: Any, **options: Any) -> Any:
    raise CaptureError


@contextlib.contextmanager
def capturing(cupy: Any) -> Iterator[None]:
    def require_no_mask(key: Any) -> None:
        keys = key if isinstance(key, tuple) else (key,)
        if any(k.dtype.kind == "b" for k in keys if isinstance(k, ndarray)):
            refuse()

    def get(x: Any, key: Any) -> Any:
        require_no_mask(key)
        return on_device(np.ndarray.__getitem__(x, key))

    def put(x: Any, key: Any, value: Any) -> None:
        require_no_mask(key)
        np.ndarray.__setitem__(x, key, value)

    def made(function: Callable[..., Any]) -> Callable[..., Any]:
        def make(x: Any, *args: Any, **options: Any) -> Any:
            return function(x, *args, **options) if isinstance(x, ndarray) else refuse()

        return make

    with pytest.MonkeyPatch.context() as patch:
        for name in ("__bool__", "__int__", "__float__", "__index__", "item", "tolist", "get"):
            patch.setattr(ndarray, name, refuse, raising=False)
        patch.setattr(ndarray, "__getitem__", get, raising=False)
        patch.setattr(ndarray, "__setitem__", put, raising=False)
        for name in ("array", "asarray"):
            patch.setattr(cupy, name, made(getattr(cupy, name)), raising=False)
        for name in ("concatenate", "stack", "nonzero", "unique"):
            patch.setattr(cupy, name, refuse, raising=False)
        patch.setattr(cupy.cuda.get_current_stream(), "capturing", True, raising=False)
        patch.setattr(recording.state, "recording", True, raising=False)
        patch.setattr(recording.state, "kept", [], raising=False)
        yield


@pytest.fixture
def cupy() -> Iterator[Any]:
    with in_place_of_cupy() as stand_in, use_backend("cupy"):
        yield stand_in


def absolute_error(x: Any) -> Any:
    return losses.MeanAbsoluteError()(x * 0.0, x)


def slope(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return grad(lambda x: array_namespace(x).sum(function(x)))


FLOATS = np.random.default_rng(1).standard_normal((3, 4)).astype("float32")
INTEGERS = np.arange(12, dtype="int32").reshape(3, 4) - 5
LABELS, SCORES = np.asarray([0, 2, 1]), np.asarray([0.1, 0.4, 0.8], dtype="float32")
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "concat": (lambda x, y: array_namespace(x).concat([x, y], axis=1), (FLOATS, FLOATS)),
    "concat of many": (lambda x: array_namespace(x).concat([x] * 9), (FLOATS,)),
    "stack": (lambda x, y: array_namespace(x).stack([x, y], axis=1), (FLOATS, FLOATS)),
    "cumulative_sum": (lambda x: array_namespace(x).cumulative_sum(x, axis=0, include_initial=True), (FLOATS,)),
    "cumulative_prod": (lambda x: array_namespace(x).cumulative_prod(x, axis=0, include_initial=True), (FLOATS,)),
    "clip": (lambda x: array_namespace(x).clip(x, -0.5, 0.5), (FLOATS,)),
    "clip of integers": (lambda x: array_namespace(x).clip(x, 0, 3), (INTEGERS,)),
    "sign": (lambda x: array_namespace(x).sign(x), (FLOATS,)),
    "sign of integers": (lambda x: array_namespace(x).sign(x), (INTEGERS,)),
    "sign of complex numbers": (lambda x: array_namespace(x).sign(x), (FLOATS * (1 + 2j),)),
    "a constant from the host": (lambda x: x * constant(x, [1.0, 2.0, 3.0, 4.0], x.dtype), (FLOATS,)),
    "a number": (lambda x: x + array_namespace(x).asarray(2.5, dtype=x.dtype), (FLOATS,)),
    "thresholds": (lambda y, p: metrics.AUC(num_thresholds=5).statistics(y, p, None)[0], (LABELS > 0, SCORES)),
    "few thresholds": (lambda y, p: metrics.Precision([0.2, 0.5]).statistics(y, p, None)[0], (LABELS > 0, SCORES)),
    "a range of labels": (lambda y, p: losses.SparseCategoricalCrossentropy(True)(y, p), (LABELS, FLOATS)),
    "cond": (lambda c, x: cond(c, lambda x: x * 2.0, lambda x: x - 1.0, x), (np.asarray(True), FLOATS)),
    "the slope of GELU": (slope(gelu), (FLOATS,)),
    "the slope of the absolute error": (slope(absolute_error), (FLOATS,)),
    "a schedule": (schedules.PiecewiseConstantDecay([2, 5], [1.0, 0.5, 0.1]), (np.asarray(3),)),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_captured_and_gives_what_it_gives_on_numpy(cupy: Any, name: str) -> None:
    function, hosts = CASES[name]
    arrays = list(map(cupy.array, hosts))
    with bind({}):  # as in a step, whose labels are checked before
        function(*arrays)  # a step runs once before it is recorded: constants are sent then
        with capturing(cupy):
            result = function(*arrays)
        with use_backend("numpy"):
            expected = function(*hosts)
    np.testing.assert_allclose(portanet.to_host(result), portanet.to_host(expected), rtol=1e-5, atol=1e-6)


def test_indices_are_checked_without_reading_them(cupy: Any) -> None:
    layer = layers.Embedding(4, 3)
    layer.build((None,))
    index = cupy.asarray(LABELS)
    expected = layer(index).get()
    with bind({}), capturing(cupy):
        result = layer(index)
    np.testing.assert_array_equal(result.get(), expected)


def test_what_a_capture_refuses(cupy: Any) -> None:
    x = cupy.asarray(FLOATS)
    refused: list[Callable[[], Any]] = [
        lambda: bool(x[0, 0] > 0),
        lambda: float(x[0, 0]),
        lambda: x.get(),
        lambda: x[x > 0],
        lambda: cupy.asarray(FLOATS),
        lambda: cupy.concatenate([x, x]),
    ]
    with capturing(cupy):
        for each in refused:
            with pytest.raises(CaptureError):
                each()

"""Test utilities: arrays on the current backend's device, and comparisons of more than values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet.backends import Array, asarray, device_of, get_backend, raw_namespace

__all__ = ["PATIENCE", "asarray", "assert_close", "assert_equal", "no_float64", "to_numpy"]

PATIENCE = 600
"""Seconds after which what a test waits for will not come, on the busiest machine."""


TOLERANCE = {"float16": 1e-3, "bfloat16": 1e-2, "float32": 1e-5, "float64": 1e-10, "complex64": 1e-5}


def to_numpy(x: Array) -> np.ndarray[Any, Any]:
    """The values of an array of the current backend, as a NumPy array."""
    return get_backend().to_host(x)


def assert_close(
    actual: Array, expected: Any, *, rtol: float | None = None, atol: float | None = None, dtype: str | None = None
) -> None:
    """Assert that `actual` is an array of the current backend: its namespace, device, dtype and shape; then its values.

    Args:
        actual: The array to check.
        expected: Its values: a list, a number, a NumPy array or an array of the backend.
        rtol: Relative tolerance; None for the dtype's default (1e-5 for float32, 1e-10 for float64).
        atol: Absolute tolerance; None for a tenth of the relative one.
        dtype: Name of the expected dtype. None for that of `asarray(expected)`: the backend's default dtype for
            floating-point values, the dtype of `expected` otherwise.
    """
    backend = get_backend()
    reference = asarray(expected, dtype)
    assert backend.owns(actual), f"expected an array of {backend.name}, got {type(actual)}"
    assert raw_namespace(actual) is raw_namespace(reference)
    assert device_of(actual) == backend.device, f"expected device {backend.device}, got {device_of(actual)}"
    assert actual.dtype == reference.dtype, f"expected dtype {reference.dtype}, got {actual.dtype}"
    assert tuple(actual.shape) == tuple(reference.shape), f"expected shape {reference.shape}, got {actual.shape}"
    tolerance = TOLERANCE.get(str(actual.dtype).rpartition(".")[2], 0.0) if rtol is None else rtol
    np.testing.assert_allclose(
        to_numpy(actual), to_numpy(reference), rtol=tolerance, atol=tolerance / 10 if atol is None else atol
    )


def assert_equal(actual: Array, expected: Any, *, dtype: str | None = None) -> None:
    """`assert_close` without tolerance."""
    assert_close(actual, expected, rtol=0, atol=0, dtype=dtype)


@contextlib.contextmanager
def no_float64() -> Iterator[None]:
    """Fail if an array-api-strict array of float64 or complex128 is created inside a `with` block; other libraries
    are not checked.
    """
    backend = get_backend()
    if backend.name != "strict":
        yield
        return
    cls = type(backend.xp.zeros(()))
    make = cls._new.__func__

    def watched(kind: Any, x: Any, /, *args: Any, **kwargs: Any) -> Any:
        # Scalars are allowed: our own `owns` creates one to determine the class.
        assert x.ndim == 0 or x.dtype not in (np.float64, np.complex128), (
            f"an array of {x.dtype} and shape {x.shape} was made"
        )
        return make(kind, x, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, "_new", classmethod(watched))
        yield

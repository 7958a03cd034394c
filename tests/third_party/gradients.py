"""A check for third-party code: its gradient against finite differences of its plain values."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, numeric_grad

LIBRARIES = ("numpy", "torch")


def positive(shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    return np.abs(np.random.default_rng(seed).normal(size=shape)) + 0.5


def made_by(library: str, x: np.ndarray[Any, Any]) -> Any:
    return x.copy() if library == "numpy" else pytest.importorskip(library).asarray(x.copy())


def like(x: Any, values: Any) -> Any:
    return array_namespace(x).asarray(values, dtype=x.dtype)


def size(y: Any) -> Any:
    """One number that depends on every element."""
    if isinstance(y, (tuple, list)):
        return sum(size(part) for part in y)
    xp = array_namespace(y)
    magnitude = xp.abs(y) if xp.isdtype(y.dtype, "complex floating") else y
    return xp.sum(magnitude**2 * (1 + like(magnitude, np.arange(np.prod(y.shape)).reshape(y.shape)) / 10))


def assert_gradient(f: Callable[[Any], Any], x: Any) -> None:
    scalar = lambda x: size(f(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' own, about precision and small samples
        got, want = np.asarray(grad(scalar)(x)), np.asarray(numeric_grad(scalar)(x))
    assert np.max(np.abs(want)) > 1e-3, "the function does not depend on its argument"
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6 * np.max(np.abs(want)))

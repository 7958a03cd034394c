"""What the cases of third-party code share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from portanet.autodiff import array_namespace
from portanet.backends import device_of

Function: TypeAlias = Callable[[Any], Any]
Cases: TypeAlias = dict[str, Function]


def positive(shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    return np.abs(np.random.default_rng(seed).normal(size=shape)) + 0.5


namespace = array_namespace


def each(module: Any, call: Callable[[Any, Any], Any], names: tuple[str, ...]) -> Cases:
    """Cases for several functions of a module: `call(function, x)`."""
    return {name: functools.partial(call, getattr(module, name)) for name in names}


def like(x: Any, values: Any) -> Any:
    return array_namespace(x).asarray(values, dtype=x.dtype, device=device_of(x))


def integers(x: Any, values: Any) -> Any:
    xp = array_namespace(x)
    return xp.asarray(values, dtype=xp.int64, device=device_of(x))


def size(y: Any) -> Any:
    """One number that depends on every element."""
    if isinstance(y, (tuple, list)):
        return sum(size(part) for part in y)
    xp = array_namespace(y)
    if xp.isdtype(y.dtype, "complex floating"):
        return size(xp.real(y)) + size(xp.imag(y) + 1)
    weights = 1.5 + np.sin(np.arange(np.prod(y.shape)).reshape(y.shape))
    return xp.sum(y**2 * like(y, weights))

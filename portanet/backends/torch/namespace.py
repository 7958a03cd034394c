"""PyTorch's array API namespace, with functions of our own where array-api-compat's deviate from the standard."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from array_api_compat import torch as _compat
from array_api_compat.torch import *  # noqa: F403
from array_api_compat.torch import __array_api_version__ as __array_api_version__
from array_api_compat.torch import __array_namespace_info__ as __array_namespace_info__
from array_api_compat.torch import linalg as linalg

from portanet.backends.base import Array
from portanet.backends.empty_transforms import with_empty_arrays

fft = with_empty_arrays(_compat)


def _filled(x: Any, other: Any, dtype: Any = None) -> Any:
    """A number beside an array as an array that the device fills; array-api-compat would send it from the host, which
    waits, and which no CUDA graph can record.
    """
    if isinstance(x, torch.Tensor) or not isinstance(other, torch.Tensor) or x is None:
        return x
    return torch.full((), x, dtype=_compat.result_type(x, other) if dtype is None else dtype, device=other.device)


def _of_two(function: Callable[..., Array], second: bool) -> Callable[..., Array]:
    @functools.wraps(function)
    def call(x1: Any, x2: Any, /) -> Array:
        return function(_filled(x1, x2), _filled(x2, x1) if second else x2)

    return call


_FIRST = ("copysign", "equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
"""Functions of PyTorch that take no number as their first argument; the others take none at all."""
_NONE = ("atan2", "hypot", "logaddexp", "logical_and", "logical_or", "logical_xor", "maximum", "minimum", "nextafter")

for _name in (*_FIRST, *_NONE):
    globals()[_name] = _of_two(getattr(_compat, _name), _name in _NONE)


def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:  # noqa: A002 -- the standard's names
    """As in the standard."""
    if isinstance(min, torch.Tensor) or isinstance(max, torch.Tensor):
        min, max = _filled(min, x, x.dtype), _filled(max, x, x.dtype)  # noqa: A001
    return _compat.clip(x, min, max)


def sign(x: Array, /) -> Array:
    """As in the standard; array-api-compat looks for the places of NaN and 0, which waits for the device."""
    if x.dtype.is_complex:
        return torch.where(x == 0, torch.zeros_like(x), x / torch.abs(x))
    return torch.where(torch.isnan(x), x, torch.sign(x)) if x.dtype.is_floating_point else torch.sign(x)


class UniqueAll(NamedTuple):
    """The result of `unique_all`."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


def unique_all(x: Array, /) -> UniqueAll:
    """As in the standard; PyTorch does not return the first index of each value."""
    flat = x.reshape(-1)
    values, inverse, counts = torch.unique(flat, return_inverse=True, return_counts=True)
    places = torch.arange(flat.numel(), device=x.device)
    indices = torch.full(values.shape, flat.numel(), device=x.device).scatter_reduce(0, inverse, places, "amin")
    return UniqueAll(values, indices, inverse.reshape(x.shape), counts)

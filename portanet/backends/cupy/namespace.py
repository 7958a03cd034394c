"""CuPy's array API namespace, with functions of our own where CuPy's wait for the device or copy from the host.

Steps are recorded as CUDA graphs, in which neither is possible.
"""

from __future__ import annotations

import builtins  # whose names some functions of the standard have
import math
from collections.abc import Sequence
from typing import Any

import cupy
from array_api_compat import cupy as _compat
from array_api_compat.cupy import *  # noqa: F403
from array_api_compat.cupy import __array_api_version__ as __array_api_version__
from array_api_compat.cupy import __array_namespace_info__ as __array_namespace_info__

from portanet.backends.base import Array
from portanet.backends.cupy import joining, linalg, sums
from portanet.backends.cupy.products import matmul as matmul
from portanet.backends.cupy.products import tensordot as tensordot
from portanet.backends.cupy.products import vecdot as vecdot
from portanet.backends.cupy.transfers import arrived
from portanet.backends.empty_transforms import with_empty_arrays

__all__ = ["linalg"]

fft = with_empty_arrays(_compat)

_SIGN = cupy.ElementwiseKernel(
    "T x", "T y", "y = x > T(0) ? T(1) : x < T(0) ? T(-1) : x == T(0) ? T(0) : x;", "portanet_sign"
)


def asarray(
    obj: Any, /, *, dtype: Any = None, device: Any = None, copy: builtins.bool | None = None, **options: Any
) -> Array:
    """As in the standard; numbers are written by the device, rather than sent to it."""
    if type(obj) in (builtins.bool, int, float, complex) and copy is not False:
        with cupy.cuda.Device(device):
            return cupy.full((), obj, dtype=dtype)
    array = _compat.asarray(obj, dtype=dtype, device=device, copy=copy, **options)
    with array.device:
        arrived(obj)
    return array


def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:  # noqa: A002
    """As in the standard; for real arrays without reading a mask's count from the device."""
    number = {"f": (int, float), "i": (int,), "u": (int,)}.get(x.dtype.kind, ())
    if builtins.any(
        bound is not None and type(bound) not in number and getattr(bound, "dtype", None) != x.dtype
        for bound in (min, max)
    ):
        return _compat.clip(x, min, max)
    if x.dtype.kind != "f":  # bounds may be beyond what the dtype holds
        limits = cupy.iinfo(x.dtype)
        min = None if type(min) is int and min <= limits.min else min  # noqa: A001
        max = None if type(max) is int and max >= limits.max else max  # noqa: A001
    if min is None and max is None:
        return x.copy()
    x = x if min is None else cupy.maximum(x, min)
    return x if max is None else cupy.minimum(x, max)


def sign(x: Array, /) -> Array:
    """As in the standard, NaN for NaN; without reading a mask's count from the device."""
    if x.dtype.kind == "c":
        return cupy.where(x == 0, x, x / cupy.abs(x))
    return _SIGN(x) if x.dtype.kind == "f" else _compat.sign(x)


def concat(arrays: Sequence[Array], /, *, axis: int | None = 0) -> Array:
    """As in the standard; without a table of pointers sent from the host."""
    return joining.concat(arrays, axis)


def stack(arrays: Sequence[Array], /, *, axis: int = 0) -> Array:
    """As in the standard; without a table of pointers sent from the host."""
    return joining.concat([cupy.expand_dims(x, axis) for x in arrays], axis)


def cumulative_sum(
    x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: builtins.bool = False
) -> Array:
    """As in the standard; without a table of pointers sent from the host."""
    return _after(0, _compat.cumulative_sum(x, axis=axis, dtype=dtype), axis, include_initial)


def cumulative_prod(
    x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: builtins.bool = False
) -> Array:
    """As in the standard; without a table of pointers sent from the host."""
    return _after(1, _compat.cumulative_prod(x, axis=axis, dtype=dtype), axis, include_initial)


def _after(initial: int, x: Array, axis: int | None, include_initial: builtins.bool) -> Array:
    """With a first element along the axis, if that is asked for."""
    if not include_initial:
        return x
    axis = 0 if axis is None else axis % x.ndim
    first = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    with x.device:
        return joining.concat([cupy.full(first, initial, dtype=x.dtype), x], axis)


def sum(  # noqa: A001
    x: Array,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    dtype: Any = None,
    keepdims: builtins.bool = False,
) -> Array:
    """As in the standard; faster over leading axes."""
    count = sums.leading_axes(x, axis) if dtype is None else 0
    if count:
        return sums.sum_leading(x, count, keepdims)
    return cupy.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)


def mean(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: builtins.bool = False) -> Array:
    """As in the standard; faster over leading axes."""
    count = sums.leading_axes(x, axis)
    if count:
        return sums.sum_leading(x, count, keepdims) / math.prod(x.shape[:count])
    return cupy.mean(x, axis=axis, keepdims=keepdims)

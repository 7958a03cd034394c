"""Functions of the standard that create arrays, and those for dtypes; MLX's take no `device`, but a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import numpy as np

from portanet.backends.base import Array


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Array:
    """As in the standard. MLX's has no `device`, and makes float32 of NumPy's float64."""
    if isinstance(obj, mx.array):
        if dtype is None or dtype == obj.dtype:
            return mx.array(obj) if copy else obj
        if copy is False:
            raise ValueError("asarray with copy=False cannot change the dtype")
        return obj.astype(dtype)
    if hasattr(obj, "__dlpack__") and not isinstance(obj, np.ndarray):
        out = from_dlpack(obj, copy=copy)
        return out if dtype is None else asarray(out, dtype=dtype, copy=copy)
    if copy is False:
        raise ValueError("asarray with copy=False takes arrays. Received: " + type(obj).__name__)
    if isinstance(obj, (np.ndarray, np.generic)):
        host = np.array(obj, order="C")
        return mx.array(host, dtype=mx.float64 if dtype is None and host.dtype == np.float64 else dtype)
    try:
        return mx.array(obj, dtype=dtype)
    except (ValueError, RuntimeError):  # MLX takes no NumPy numbers in lists, no ranges, and no integers from 2**63 on
        return asarray(np.asarray(obj), dtype=dtype)


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: Any = None
) -> Array:
    """As in the standard."""
    start, stop = (0, start) if stop is None else (start, stop)
    if dtype is None and any(isinstance(x, float) for x in (start, stop, step)):
        dtype = mx.float32
    count = max(0, -int(-(stop - start) // step))
    if count == 0:
        return mx.zeros((0,), mx.int32 if dtype is None else dtype, stream=device)
    return mx.arange(start, stop, step, dtype, stream=device)


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Array:
    """As in the standard."""
    return mx.linspace(start, stop, num, endpoint, mx.float32 if dtype is None else dtype, stream=device)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard; MLX fails for matrices without elements and diagonals outside."""
    columns = n_rows if n_cols is None else n_cols
    dtype = mx.float32 if dtype is None else dtype
    if not -n_rows < k < columns:
        return mx.zeros((n_rows, columns), dtype, stream=device)
    return mx.eye(n_rows, columns, k, dtype, stream=device)


def _shaped(create: Callable[..., Array]) -> Callable[..., Array]:
    def function(shape: int | tuple[int, ...], *, dtype: Any = None, device: Any = None) -> Array:
        return create(shape, mx.float32 if dtype is None else dtype, stream=device)

    function.__name__ = create.__name__
    return function


def _alike(create: Callable[..., Array]) -> Callable[..., Array]:
    def function(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
        return create(x.shape, x.dtype if dtype is None else dtype, stream=device)

    function.__name__ = f"{create.__name__}_like"
    return function


empty, ones, zeros = _shaped(mx.zeros), _shaped(mx.ones), _shaped(mx.zeros)
empty_like, ones_like, zeros_like = _alike(mx.zeros), _alike(mx.ones), _alike(mx.zeros)


def full(shape: int | tuple[int, ...], fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard."""
    return mx.full(shape, _filling(fill_value, dtype), dtype, stream=device)


def full_like(x: Array, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard."""
    dtype = x.dtype if dtype is None else dtype
    return mx.full(x.shape, _filling(fill_value, dtype), dtype, stream=device)


def _filling(value: Any, dtype: Any) -> Any:
    """A number as an array of the dtype: MLX's `full` takes it through int32 or float32 otherwise."""
    return value if dtype is None or isinstance(value, mx.array) else asarray(value, dtype=dtype)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """As in the standard; MLX's makes float32 of float64."""
    if isinstance(x, mx.array):
        return mx.array(x) if copy else x
    return asarray(np.from_dlpack(x)) if _is_double(x) and copy is not False else mx.from_dlpack(x, copy=copy)


def _is_double(x: Any) -> bool:
    return str(getattr(x, "dtype", "")).endswith("float64")


def meshgrid(*arrays: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """As in the standard; MLX swaps no axes of fewer than two arrays either."""
    return tuple(mx.meshgrid(*arrays, indexing=indexing)) if arrays else ()


# Dtypes


def astype(x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    """As in the standard; MLX's drops imaginary parts."""
    if x.dtype == mx.complex64 and dtype != mx.complex64:
        raise TypeError("The standard has no cast from complex to real dtypes: use real(x)")
    return x if not copy and x.dtype == dtype else x.astype(dtype)


def finfo(type: Any, /) -> SimpleNamespace:  # noqa: A002 -- the standard's name
    """As in the standard; MLX's takes no arrays and no complex dtypes."""
    dtype = getattr(type, "dtype", type)
    info = mx.finfo(mx.float32 if dtype == mx.complex64 else dtype)
    names = ("eps", "max", "min", "smallest_normal")
    return SimpleNamespace(bits=8 * info.dtype.size, dtype=info.dtype, **{n: float(getattr(info, n)) for n in names})


def iinfo(type: Any, /) -> SimpleNamespace:  # noqa: A002 -- the standard's name
    """As in the standard; MLX's has no `bits`."""
    dtype = getattr(type, "dtype", type)
    info = mx.iinfo(dtype)
    return SimpleNamespace(bits=8 * dtype.size, dtype=dtype, max=int(info.max), min=int(info.min))


def result_type(*arrays_and_dtypes: Any) -> Any:
    """As in the standard; MLX's takes no Python scalars."""
    typed = [x for x in arrays_and_dtypes if isinstance(x, (mx.array, mx.Dtype))]
    out = mx.result_type(*typed)
    for x in arrays_and_dtypes:
        if isinstance(x, complex):
            out = mx.result_type(out, mx.complex64)
        elif isinstance(x, float) and not mx.issubdtype(out, mx.inexact):
            out = mx.float32
        elif isinstance(x, int) and not isinstance(x, bool) and out == mx.bool_:
            out = mx.int32
    return out


def can_cast(from_: Any, to: Any, /) -> bool:
    """As in the standard."""
    return bool(mx.result_type(from_, to) == to)


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """As in the standard; MLX's wants at least one."""
    return tuple(mx.broadcast_shapes(*shapes)) if shapes else ()

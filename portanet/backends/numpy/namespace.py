"""NumPy's array API namespace, with faster versions of some functions: what is slow in NumPy, written in NumPy."""

from __future__ import annotations

import builtins  # whose names some functions of the standard have
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import numpy as _compat
from array_api_compat.numpy import *  # noqa: F403
from array_api_compat.numpy import __array_api_version__ as __array_api_version__
from array_api_compat.numpy import __array_namespace_info__ as __array_namespace_info__
from array_api_compat.numpy import linalg as linalg

from portanet.backends.base import Array
from portanet.backends.empty_transforms import with_empty_arrays
from portanet.backends.numpy.threads import has_cores, in_a_piece, in_a_step_of_products, run_pieces, thread_count

FEW = 2**12
"""Elements of arrays for which NumPy's own functions are as fast."""
CHOSEN = 2**10
"""Elements from which on choosing by bits pays."""
SHORT = 2**12
"""Rows with more numbers are added as fast, and more exactly, without BLAS."""
SMALL = 8_000_000
"""Products with fewer multiplications and additions are not worth a second thread."""
COPIED = 2**14
"""Products of batches of second factors with no more numbers take half as long if transposed ones are copied first."""
LARGE = 32 * SMALL
"""Nor are these within a piece: the others have most of the threads, and each call takes the interpreter."""
OUTER = 2**22
"""Bytes of outer products from which on a second thread pays."""
fft = with_empty_arrays(_compat)
sign = np.sign
_ADD: Callable[..., Array] = np.add.reduce
_MAXIMUM: Callable[..., Array] = np.maximum.reduce
INTEGERS = {2: np.int16, 4: np.int32, 8: np.int64}
"""Integers of as many bytes as numbers have: of bits, 0 times anything is 0, and 1 times it is the same."""


def where(condition: Array, x1: Any, x2: Any, /) -> Array:
    """As in the standard; `x1` or 0 is chosen by a product of bits, many times as fast."""
    if type(x2) is float and x2 == 0.0 and isinstance(x1, np.ndarray) and x1.size > CHOSEN:
        integer = INTEGERS.get(x1.dtype.itemsize)
        if integer and x1.dtype.kind == "f" and condition.dtype == np.bool_ and math.copysign(1.0, x2) > 0:
            return np.multiply(condition, x1.view(integer)).view(x1.dtype)
    return np.where(condition, x1, x2)


def sum(  # noqa: A001
    x: Array,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    dtype: Any = None,
    keepdims: bool = False,
) -> Array:
    """As in the standard; short rows are added as products, since BLAS is two to five times as fast, all else
    without the calls that NumPy makes for what is no array.
    """
    if axis == -1 and dtype is None and x.size > FEW and x.shape[-1] <= SHORT and x.dtype.char in "fd":
        total = np.vecdot(x, np.ones(x.shape[-1], dtype=x.dtype))
        return total[..., None] if keepdims else total
    return _ADD(x, axis=axis, dtype=dtype, keepdims=keepdims)


def max(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:  # noqa: A001
    """As in the standard; as `sum`, without the calls that NumPy makes for what is no array."""
    return _MAXIMUM(x, axis=axis, keepdims=keepdims)


def mean(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """As in the standard; of single and double precision without the calls that NumPy makes for others."""
    if x.dtype.char not in "fd" or not x.size:
        return np.mean(x, axis=axis, keepdims=keepdims)
    total = _ADD(x, axis=axis, keepdims=keepdims)
    return total / (x.size // total.size)


def full_like(x: Array, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard; without the calls that NumPy makes for what is no array."""
    if device is not None and device != "cpu":
        return _compat.full_like(x, fill_value, dtype=dtype, device=device)
    out = np.empty_like(x, dtype=dtype)
    np.copyto(out, fill_value, casting="unsafe")
    return out


def ones_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard; as `full_like`."""
    return full_like(x, 1, dtype=dtype, device=device)


def zeros_like(x: Array, /, *, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard; as `full_like`."""
    return full_like(x, 0, dtype=dtype, device=device)


def matrix_transpose(x: Array, /) -> Array:
    """As in the standard; without the calls that NumPy makes for what is no array."""
    return x.mT


def reshape(x: Array, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Array:
    """As in the standard; without the calls that NumPy makes for what is no array."""
    return x.reshape(shape) if copy is None else np.reshape(x, shape, copy=copy)


def permute_dims(x: Array, /, axes: tuple[int, ...]) -> Array:
    """As in the standard; without the calls that NumPy makes for what is no array."""
    return x.transpose(axes)


def expand_dims(x: Array, /, axis: int | tuple[int, ...]) -> Array:
    """As in the standard; without the calls that NumPy makes for what is no array, or several axes."""
    if type(axis) is not int or not -x.ndim - 1 <= axis <= x.ndim:
        return np.expand_dims(x, axis)
    axis %= x.ndim + 1
    return x.reshape((*x.shape[:axis], 1, *x.shape[axis:]))


def matmul(x1: Array, x2: Array, /) -> Array:
    """As in the standard; where this library's threads have the cores, large products are divided among them.

    Pieces of rows, columns or matrices have sizes that follow from the shapes.
    """
    if x2.ndim > 2:
        if x2.shape[-2] == 1 and x1.ndim == x2.ndim and x1.shape[-1] == 1 and x1.dtype == x2.dtype:
            return _outer(x1[..., 0], x2[..., 0, :])
        if x2.strides[-1] != x2.itemsize and x2.shape[-1] * x2.shape[-2] <= COPIED:
            x2 = np.ascontiguousarray(x2)
    if x1.ndim < 2 or x2.ndim < 2 or x1.dtype != x2.dtype or not _divides(2 * x1.size * x2.shape[-1]):
        return np.matmul(x1, x2)
    if x1.ndim > 2 or x2.ndim > 2:
        if x1.shape[:-2] != x2.shape[:-2]:
            return np.matmul(x1, x2)
        out = np.empty((*x1.shape[:-1], x2.shape[-1]), dtype=x1.dtype)
        _in_pieces(x1.shape[0], builtins.max(1, -(-x1.shape[0] // 8)), lambda p: np.matmul(x1[p], x2[p], out=out[p]))
        return out
    rows, columns = x1.shape[0], x2.shape[1]
    out = np.empty((rows, columns), dtype=x1.dtype)
    if rows >= columns:
        size = _even(rows, 2 if in_a_piece() else builtins.min(8, rows // 256))
        _in_pieces(rows, size, lambda p: np.matmul(x1[p], x2, out=out[p]))
    else:
        size = _even(columns, 2 if in_a_piece() else builtins.min(4, columns // 128))
        _in_pieces(columns, size, lambda p: np.matmul(x1, x2[:, p], out=out[:, p]))
    return out


def _outer(x1: Array, x2: Array) -> Array:
    """The products of all elements of two vectors, for stacks of them; `einsum` takes two thirds of the time."""
    if x1.nbytes * x2.shape[-1] < OUTER or x1.shape[:-1] != x2.shape[:-1] or not _divides_alone():
        return np.einsum("...i,...j->...ij", x1, x2)
    out = np.empty((*x1.shape, x2.shape[-1]), dtype=x1.dtype)
    size = builtins.max(1, x1.shape[0] * OUTER // 2 // out.nbytes)
    _in_pieces(x1.shape[0], size, lambda p: np.einsum("...i,...j->...ij", x1[p], x2[p], out=out[p]))
    return out


def _divides_alone() -> bool:
    """Whether threads of pieces have nothing else to do."""
    return not in_a_piece() and not in_a_step_of_products() and thread_count() > 1


def _divides(operations: int) -> bool:
    return operations >= LARGE if in_a_piece() else operations >= SMALL and has_cores()


def _even(count: int, pieces: int) -> int:
    """The size of pieces, two at least: a multiple of 16. Small products, as of what is left, take twice the time."""
    return -(-count // (16 * builtins.max(2, pieces))) * 16


def _in_pieces(count: int, size: int, product: Callable[[slice], Array]) -> None:
    run_pieces(lambda i: product(slice(i * size, (i + 1) * size)), -(-count // size))

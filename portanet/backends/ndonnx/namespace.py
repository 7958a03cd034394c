"""ndonnx's array API namespace, with a few functions of our own.

ndonnx wraps products and extremes in a branch for arrays without elements, in which onnxruntime fails, and in which it
fails for `any` of booleans in any case. No axis of what is exported is empty, and without the branches a graph has half
the nodes and is traced in a fifth of the time. Indices of any integer dtype are in the standard; ndonnx wants int64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ndonnx
import spox.opset.ai.onnx.v21 as operators
from ndonnx import *  # noqa: F403

from portanet.backends.base import Array


def matmul(x1: Array, x2: Array, /) -> Array:
    """The product of matrices."""
    dtype = ndonnx.result_type(x1, x2)
    x1, x2 = (ndonnx.astype(x, dtype).unwrap_spox() for x in (x1, x2))
    return ndonnx.asarray(operators.matmul(x1, x2))


def max(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The largest elements."""
    return _reduced(operators.reduce_max, x, axis, keepdims)


def min(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:  # noqa: A001
    """The smallest elements."""
    return _reduced(operators.reduce_min, x, axis, keepdims)


def any(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Whether some element is true."""
    return max(_as_integers(x), axis=axis, keepdims=keepdims) > 0


def all(x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:  # noqa: A001
    """Whether every element is true."""
    return min(_as_integers(x), axis=axis, keepdims=keepdims) > 0


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    """The elements at indices along an axis."""
    return ndonnx.take(x, ndonnx.astype(indices, ndonnx.int64), axis=axis)


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """The elements at indices of their own for every place."""
    return ndonnx.take_along_axis(x, ndonnx.astype(indices, ndonnx.int64), axis=axis)


def _as_integers(x: Array) -> Array:
    return ndonnx.astype(ndonnx.astype(x, ndonnx.bool), ndonnx.int32)


def _reduced(operator: Callable[..., Any], x: Array, axis: int | tuple[int, ...] | None, keepdims: bool) -> Array:
    if axis == ():  # which to operators are all axes
        return x
    axes = None if axis is None else operators.const(list(axis if isinstance(axis, tuple) else (axis,)), dtype="int64")
    return ndonnx.asarray(operator(x.unwrap_spox(), axes, keepdims=keepdims))

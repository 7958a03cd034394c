"""NumPy's array API namespace, with faster versions of some functions: what is slow in NumPy, written in NumPy."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat.numpy as compat
import numpy as np
from array_api_compat.numpy import *  # noqa: F403
from array_api_compat.numpy import __array_api_version__ as __array_api_version__
from array_api_compat.numpy import __array_namespace_info__ as __array_namespace_info__
from array_api_compat.numpy import fft as fft
from array_api_compat.numpy import linalg as linalg

from portanet.backends.base import Array
from portanet.backends.numpy.products import matmul as matmul

FEW = 2**12
"""Elements of arrays for which NumPy's own functions are as fast."""
SHORT = 2**12
"""Rows with more numbers are added as fast, and more exactly, without BLAS."""
_INTEGERS = {2: np.int16, 4: np.int32, 8: np.int64}


def where(condition: Array, x1: Any, x2: Any, /) -> Array:
    """As in the standard; `x1` or 0 is chosen by operations on bits, 13 times as fast."""
    if type(x2) is float and x2 == 0.0 and isinstance(x1, np.ndarray) and x1.size > FEW:
        integer = _INTEGERS.get(x1.dtype.itemsize)
        if integer and x1.dtype.kind == "f" and condition.dtype == np.bool_ and math.copysign(1.0, x2) > 0:
            ones = -condition.view(np.int8).astype(integer)  # every bit of an element is that of the condition
            return (x1.view(integer) & ones).view(x1.dtype)
    return np.where(condition, x1, x2)


def sum(  # noqa: A001
    x: Array,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    dtype: Any = None,
    keepdims: bool = False,
) -> Array:
    """As in the standard; short rows are added as products, since BLAS is two to five times as fast."""
    if axis == -1 and dtype is None and x.size > FEW and x.shape[-1] <= SHORT and x.dtype.char in "fd":
        total = np.vecdot(x, np.ones(x.shape[-1], dtype=x.dtype))
        return total[..., None] if keepdims else total
    return compat.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)

"""Products of dpnp 0.20, which are wrong, or errors, for some operands.

For views that broadcasting made (with strides of 0) `matmul` and `tensordot` return wrong values or raise
"not c-contiguous nor f-contiguous"; for half precision, oneMKL has no product with a vector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dpnp

from portanet.backends.base import Array


def matmul(x1: Array, x2: Array, /) -> Array:
    """As in the standard."""
    x1, x2 = _written_out(x1), _written_out(x2)
    vector = x1.ndim < 2 or x2.ndim < 2 or x1.shape[-2] == 1 or x2.shape[-1] == 1
    return _in_single(dpnp.matmul, x1, x2) if vector else dpnp.matmul(x1, x2)


def tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    """As in the standard."""
    return _in_single(dpnp.tensordot, _written_out(x1), _written_out(x2), axes=axes)


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """As in the standard."""
    return _in_single(dpnp.vecdot, x1, x2, axis=axis)


def _in_single(product: Callable[..., Array], x1: Array, x2: Array, **options: Any) -> Array:
    """A product, of half precision computed in single."""
    if x1.dtype == x2.dtype == dpnp.float16:
        return product(x1.astype(dpnp.float32), x2.astype(dpnp.float32), **options).astype(dpnp.float16)
    return product(x1, x2, **options)


def _written_out(x: Array) -> Array:
    return dpnp.copy(x) if 0 in x.strides else x

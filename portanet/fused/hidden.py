"""Sources of attention that are hidden from some queries and not from others: what is hidden has no influence, not even
as 0 times NaN.
"""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, lift, storage, unwrap
from portanet.backends import Array, backend_class_of, raw_namespace, readable


def hides_from_some(mask: Array | None) -> bool:
    """Whether a mask may differ between queries, shape (..., target length, source length)."""
    return mask is not None and mask.ndim > 1 and mask.shape[-2] > 1


def known_finite(*arrays: Any) -> bool:
    """Whether all values are known to be finite."""
    for x in map(storage, arrays):
        if not readable(x, wait=False):
            return False
        xp = array_namespace(x)
        if backend_class_of(x) is not None and not bool(xp.all(xp.isfinite(x))):
            return False
    return True


def only_finite(x: Array) -> Array:
    """The array with 0 in place of NaN and infinities."""
    xp = array_namespace(x)
    return xp.where(xp.isfinite(x), x, 0.0)


def weighted_sum(weights: Array, value: Array, mask: Array) -> Array:
    """`weights @ value` for weights that are 0 where the mask is False, and values that need not be finite.

    A query that sees a source with NaN or an infinity gets NaN; one from which the source is hidden does not.

    Example:
        >>> import numpy as np
        >>> visible = np.asarray([[True, False], [True, True]])
        >>> weighted_sum(np.asarray([[1.0, 0.0], [0.5, 0.5]]), np.asarray([[2.0], [np.nan]]), visible)
        array([[ 2.],
               [nan]])
    """
    xp = array_namespace(weights, value)
    plain = unwrap(value)
    plain = lift(plain) if hasattr(raw_namespace(plain), "wrapped_library") else plain
    raw = array_namespace(plain, mask)  # either, or both, may have an axis of examples
    unusable = raw.expand_dims(raw.logical_not(raw.all(raw.isfinite(plain), axis=-1)), axis=-2)
    sees = raw.any(raw.logical_and(mask, unusable), axis=-1, keepdims=True)
    return xp.where(sees, xp.nan, xp.matmul(weights, only_finite(value)))

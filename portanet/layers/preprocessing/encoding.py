"""How layers return categories: as integers, or as vectors over all categories."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused import one_hot

MODES = ("int", "one_hot", "multi_hot", "count")


def encode(x: Array, depth: int, mode: str, dtype: Any, weights: Array | None = None) -> Array:
    """Integers as vectors of `depth` elements; an integer out of range counts for none.

    Args:
        x: Integers, shape (...) or (..., samples) for `"multi_hot"` and `"count"`, which join the last axis.
        depth: Number of categories.
        mode: `"one_hot"`, a vector per integer; `"multi_hot"`, 1 for each category in a row; `"count"`, how often.
        dtype: Dtype of the result.
        weights: For `"count"`: the weight of each integer, in the shape of `x`.

    Example:
        >>> import numpy as np
        >>> encode(np.asarray([[0, 2, 2]]), 3, "count", np.float32).tolist()
        [[1.0, 0.0, 2.0]]
    """
    xp = array_namespace(x)
    if mode == "one_hot" and x.ndim > 1 and x.shape[-1] == 1:
        x = xp.reshape(x, x.shape[:-1])
    vectors = one_hot(x, depth, dtype)
    if mode == "one_hot":
        return vectors
    if mode == "multi_hot":
        return xp.astype(xp.any(vectors != 0, axis=-2), dtype)
    return xp.sum(vectors if weights is None else vectors * xp.expand_dims(weights, axis=-1), axis=-2, dtype=dtype)


def encoded_shape(shape: Any, depth: int, mode: str) -> Any:
    """The shape of the result of `encode`."""
    if mode == "int":
        return shape
    if mode == "one_hot" and (len(shape) < 2 or shape[-1] != 1):
        return (*shape, depth)
    return (*shape[:-1], depth)

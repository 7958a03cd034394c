"""Indices in arrays: MLX reads and writes what lies in memory where they are out of range.

Whether they are is a question of values, which are not computed yet. So a read is that of the nearest element, as in
JAX; sums by index leave the rows out, as their definition does.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from portanet.backends.base import Array


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    """As in the standard; see above for indices out of range."""
    if axis is None and x.ndim != 1:
        raise ValueError(f"Argument `axis` of take must be given for arrays of {x.ndim} axes. Received: axis=None")
    return mx.take(x, within(indices, x.shape[axis or 0]), axis or 0)


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """As in the standard; see above for indices out of range."""
    return mx.take_along_axis(x, within(indices, x.shape[axis]), axis)


def add_rows(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`; one more row takes those of no index."""
    unsigned = index.astype(mx.uint64 if index.dtype.size == 8 else mx.uint32)  # negative ones are large then
    out = mx.zeros((size + 1, *rows.shape[1:]), rows.dtype).at[mx.minimum(unsigned, size)].add(rows)
    return out[:size]


def within(indices: Array, size: int) -> Array:
    """The indices, those out of range replaced by the nearest of an axis of this size."""
    if indices.size == 0 or not mx.issubdtype(indices.dtype, mx.integer):  # which MLX takes, or refuses
        return indices
    if size == 0:
        raise IndexError(f"An axis without elements has no indices. Received: {indices.size} indices")
    if indices.dtype.size < 4:  # limits may be out of the range of the dtype
        indices = indices.astype(mx.int32)
    if mx.issubdtype(indices.dtype, mx.signedinteger):
        indices = mx.maximum(indices, -size)
    return mx.minimum(indices, size - 1)


def key_within(key: Any, shape: tuple[int, ...]) -> Any:
    """A key of `x[key]` with the arrays in it `within` their axes; Python integers out of range are an IndexError."""
    if type(key) is not tuple:
        return _part_within(key, shape[0]) if shape and type(key) in (int, mx.array) else key
    if not any(type(part) in (int, mx.array) for part in key):
        return key
    axis, parts = 0, []
    rest = len(shape) - sum(part is not None and part is not Ellipsis for part in key)
    for part in key:
        parts.append(_part_within(part, shape[axis]) if type(part) in (int, mx.array) and axis < len(shape) else part)
        axis += rest if part is Ellipsis else part is not None
    return tuple(parts)


def _part_within(part: Any, size: int) -> Any:
    if type(part) is int:
        if not -size <= part < size:  # MLX reads what is there, or names another cause
            raise IndexError(f"The index must be within the {size} elements of the axis. Received: {part}")
        return part
    return within(part, size)

"""Functions of the standard that arrange elements, which MLX has with other arguments; and those that read values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np

from portanet.backends.base import Array


def concat(arrays: Sequence[Array], /, *, axis: int | None = 0) -> Array:
    """As in the standard; MLX's takes no tuples in some releases, and no single numbers."""
    return mx.concatenate(list(arrays) if axis is not None else [mx.reshape(x, (-1,)) for x in arrays], axis or 0)


def reshape(x: Array, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Array:
    """As in the standard; MLX's has no `copy`, and arrays that share memory are never written to."""
    if copy is False:
        raise ValueError("reshape with copy=False: arrays of MLX never share what is written")
    return mx.reshape(x, shape)


def permute_dims(x: Array, /, axes: tuple[int, ...]) -> Array:
    """As in the standard; MLX's has another name for the argument in some releases."""
    return mx.transpose(x, axes)


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """As in the standard; MLX's returns a list."""
    return tuple(mx.broadcast_arrays(*arrays))


def roll(x: Array, /, shift: int | tuple[int, ...], *, axis: int | tuple[int, ...] | None = None) -> Array:
    """As in the standard; MLX's has no names for its arguments."""
    return mx.roll(x, shift, axis)


def moveaxis(x: Array, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Array:
    """As in the standard; MLX's moves one axis."""
    if isinstance(source, int) and isinstance(destination, int):
        return mx.moveaxis(x, source, destination)
    sources = [source] if isinstance(source, int) else source
    destinations = [destination] if isinstance(destination, int) else destination
    moved = {d % x.ndim: s % x.ndim for s, d in zip(sources, destinations, strict=True)}
    others = iter(i for i in range(x.ndim) if i not in moved.values())
    return mx.transpose(x, [moved[i] if i in moved else next(others) for i in range(x.ndim)])


def repeat(x: Array, repeats: int | Array, /, *, axis: int | None = None) -> Array:
    """As in the standard; MLX's repeats all elements as often. Counts in an array are read: shapes depend on them."""
    if isinstance(repeats, int):
        return mx.repeat(x, repeats, axis)
    x, axis = (mx.reshape(x, (-1,)), 0) if axis is None else (x, axis)
    counts = np.broadcast_to(_readable(repeats), (x.shape[axis],))
    return mx.take(x, mx.array(np.repeat(np.arange(x.shape[axis], dtype="int32"), counts)), axis)


def diff(
    x: Array, /, *, axis: int = -1, n: int = 1, prepend: Array | None = None, append: Array | None = None
) -> Array:
    """As in the standard; MLX's adds no elements."""
    parts = [part for part in (prepend, x, append) if part is not None]
    return mx.diff(mx.concatenate(parts, axis) if len(parts) > 1 else x, n, axis)


def tril(x: Array, /, *, k: int = 0) -> Array:
    """As in the standard."""
    return mx.tril(x, k)


def triu(x: Array, /, *, k: int = 0) -> Array:
    """As in the standard."""
    return mx.triu(x, k)


# Shapes that depend on values: MLX has none of these, since its arrays are not computed yet. They are read here.


def nonzero(x: Array, /) -> tuple[Array, ...]:
    """As in the standard."""
    return tuple(mx.array(index.astype("int32")) for index in np.nonzero(_readable(x)))


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Array
    inverse_indices: Array


def unique_all(x: Array, /) -> UniqueAll:
    """As in the standard."""
    values, *indices = np.unique(_readable(x), True, True, True, equal_nan=False)
    first, inverse, counts = (mx.array(index.astype("int32")) for index in indices)
    return UniqueAll(mx.array(values, dtype=x.dtype), first, mx.reshape(inverse, x.shape), counts)


def unique_counts(x: Array, /) -> UniqueCounts:
    """As in the standard."""
    out = unique_all(x)
    return UniqueCounts(out.values, out.counts)


def unique_inverse(x: Array, /) -> UniqueInverse:
    """As in the standard."""
    out = unique_all(x)
    return UniqueInverse(out.values, out.inverse_indices)


def unique_values(x: Array, /) -> Array:
    """As in the standard."""
    return unique_all(x).values


def _readable(x: Array) -> Any:
    """The values as NumPy has them, which lacks bfloat16, and loses MLX's errors."""
    x = x.astype(mx.float32) if x.dtype == mx.bfloat16 else x
    mx.eval(x)
    return np.asarray(x)

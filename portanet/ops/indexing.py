"""Indexing, slices, scattering and segments."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, is_traced, lift, stop_gradient, storage, unwrap
from portanet.backends import Array, array_like, device_of
from portanet.ops.conversion import as_array
from portanet.ops.creation import sizes
from portanet.ops.operation import Operand, operation
from portanet.ops.searching import where


def _positions(indices: Array, size: int) -> Array:
    """Indices, counted from the start, as int64: all libraries take these."""
    indices = stop_gradient(indices)
    xp = array_namespace(indices)
    indices = xp.astype(indices, xp.int64)
    return xp.where(indices < 0, indices + size, indices)


@operation
def take(x: Array, indices: Array, axis: int | None = None) -> Array:
    """Elements by their indices along an axis; among all elements for None.

    Args:
        x: Array.
        indices: Integers of any shape; negative ones count from the end.
        axis: The axis, in whose place the result has those of `indices`.

    Example:
        >>> take([1.0, 2.0, 3.0], [[0, -1]])
        array([[1., 3.]], dtype=float32)
    """
    xp = array_namespace(x)
    if axis is None:
        x, axis = xp.reshape(x, (-1,)), 0
    axis = checks.axis("axis", axis, len(x.shape), "take") % len(x.shape)
    shape = tuple(indices.shape)
    places = _positions(indices, x.shape[axis])
    flat = array_namespace(places).reshape(places, (-1,))
    xp = array_namespace(x, flat)
    return xp.reshape(xp.take(x, flat, axis=axis), (*x.shape[:axis], *shape, *x.shape[axis + 1 :]))


@operation
def take_along_axis(x: Array, indices: Array, axis: int | None = None) -> Array:
    """Elements by indices that differ from row to row.

    Args:
        x: Array.
        indices: Integers, as many axes as `x`; negative ones count from the end.
        axis: The axis; None for all elements in one row.

    Example:
        >>> take_along_axis([[1.0, 2.0], [3.0, 4.0]], [[0], [1]], axis=1)
        array([[1.],
               [4.]], dtype=float32)
    """
    xp = array_namespace(x)
    if axis is None:
        x, indices, axis = xp.reshape(x, (-1,)), array_namespace(indices).reshape(indices, (-1,)), 0
    axis = checks.axis("axis", axis, len(x.shape), "take_along_axis") % len(x.shape)
    places = _positions(indices, x.shape[axis])
    rest = zip(x.shape, places.shape, strict=True)
    shape = tuple(max(n, m) if i != axis else None for i, (n, m) in enumerate(rest))
    own = array_namespace(places)
    places = own.broadcast_to(places, tuple(m if n is None else n for n, m in zip(shape, places.shape, strict=True)))
    x = xp.broadcast_to(x, tuple(m if n is None else n for n, m in zip(shape, x.shape, strict=True)))
    return array_namespace(x, places).take_along_axis(x, places, axis=axis)


@operation
def get_item(x: Array, key: Any) -> Array:
    """`x[key]`, where the key may also hold lists of positions, and slices with negative steps, in all libraries.

    Args:
        x: An array.
        key: What stands in brackets: numbers, slices, arrays.

    Example:
        >>> get_item([1.0, 2.0], -1)
        array(2., dtype=float32)
        >>> get_item([[1.0, 2.0], [3.0, 4.0]], (..., [1, 0]))
        array([[2., 1.],
               [4., 3.]], dtype=float32)
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    keys = [
        as_array(k, x, "Argument `key` of ops.get_item") if isinstance(k, list) or _is_array(k) else k for k in keys
    ]
    arrays = [i for i, k in enumerate(keys) if _is_array(k)]
    if not arrays and not any(k is ... for k in keys):
        keys.append(...)  # which array-api-strict needs
    if len(arrays) != 1 or len(keys) == 1 or keys[arrays[0]].ndim != 1 or _is_mask(keys[arrays[0]]):
        part = lift(x)[tuple(keys) if len(keys) > 1 else keys[0]]  # where steps may be negative
        return part if is_traced(x) else unwrap(part)
    place = arrays[0]  # among slices, for which the standard has only `take`
    indices, keys[place] = keys[place], builtins.slice(None)
    kept = [isinstance(k, builtins.slice) or k is None for k in keys]
    from_the_end = any(k is ... for k in keys[:place])
    axis = -sum(kept[place:]) if from_the_end else sum(kept[:place])
    return take(get_item(x, tuple(keys)), indices, axis)


def _is_array(k: Any) -> bool:
    return hasattr(k, "shape") and k.shape != ()


def _is_mask(k: Array) -> bool:
    return bool(array_namespace(k).isdtype(k.dtype, "bool"))


@operation
def slice(inputs: Array, start_indices: Any, shape: Any) -> Array:
    """A block of an array.

    Args:
        inputs: Array.
        start_indices: The first index on each axis: integers, or an array of them.
        shape: The size of the block on each axis; -1 for all that follows its start, which is then read.

    Example:
        >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, -1))
        array([[2, 3],
               [5, 6]], dtype=int32)
    """
    starts, lengths = _starts(start_indices), sizes(shape, "slice", least=-1)
    if -1 in lengths:
        checks.integers("shape", lengths, len(inputs.shape), "slice", least=-1)
        first = [int(unwrap(starts[axis])) for axis in range(len(lengths))]
        lengths = tuple(
            size - start if n < 0 else n for n, size, start in zip(lengths, inputs.shape, first, strict=True)
        )
    if isinstance(starts, tuple):
        checks.integers("start_indices", starts, len(lengths), "slice")
        return inputs[(*(builtins.slice(i, i + n) for i, n in zip(starts, lengths, strict=True)), ...)]
    xp = array_namespace(inputs, starts)
    for axis, n in enumerate(lengths):
        own = array_namespace(starts)
        steps = own.arange(n, dtype=starts.dtype, device=device_of(storage(starts)))
        inputs = xp.take(inputs, starts[axis] + steps, axis=axis)
    return inputs


def _starts(indices: Any) -> Any:
    if isinstance(indices, (list, tuple)):
        return tuple(i if isinstance(i, int) else int(unwrap(i)) for i in indices)
    return stop_gradient(indices)


@operation
def slice_update(inputs: Array, start_indices: Any, updates: Array) -> Array:
    """A copy of an array with a block replaced.

    Args:
        inputs: Array.
        start_indices: The first index of the block on each axis: integers, or an array of them, which are read. A
            traced array is not: what would be beyond the end is left out.
        updates: The block.

    Example:
        >>> slice_update([1, 2, 3], (1,), [7])
        array([1, 7, 3], dtype=int32)
    """
    starts = _starts(start_indices)
    if is_traced(starts):
        return _placed(inputs, starts, updates)
    if not isinstance(starts, tuple):
        starts = tuple(int(starts[i]) for i in range(starts.shape[0]))
    key = tuple(builtins.slice(i, i + n) for i, n in zip(starts, updates.shape, strict=True))
    updates = array_namespace(updates).astype(updates, inputs.dtype)
    return _in_differentiable(inputs, updates, lambda xp, x, y: xp.assign(x, y, key))


def _placed(inputs: Array, starts: Array, block: Array) -> Array:
    """A copy of an array with a block, of as many axes, at indices whose values are unknown."""
    own, xp = array_namespace(starts), array_namespace(block, starts)
    if not math.prod(block.shape):
        return inputs
    block = xp.astype(block, inputs.dtype)
    inside = own.asarray(True, device=device_of(storage(starts)))
    for axis, (size, n) in enumerate(zip(inputs.shape, block.shape, strict=True)):
        place = own.arange(size, dtype=starts.dtype, device=device_of(storage(starts))) - starts[axis]
        block = xp.take(block, own.clip(place, 0, n - 1), axis=axis)
        within = own.reshape((place >= 0) & (place < n), (size, *(1,) * (len(inputs.shape) - axis - 1)))
        inside = own.logical_and(inside, within)
    return xp.where(inside, block, inputs)


def _in_differentiable(x: Array, y: Array, function: Any) -> Array:
    """`function(xp, x, y)` with the functions of the differentiable namespace that the standard does not have."""
    first, second = lift(x), lift(y)
    result = function(array_namespace(first, second), first, second)
    return unwrap(result) if first is not x and second is not y else result


def summed(rows: Array, index: Any, count: int) -> Array:
    """The sums of the rows that share an index, shape (count, columns)."""
    if isinstance(index, list):
        index = array_like(storage(rows), index)
    return _in_differentiable(rows, index, lambda xp, rows, index: xp.index_add(rows, index, count))


def _flat(indices: Array, shape: tuple[int, ...]) -> Array:
    """Positions in row-major order of indices in rows, shape (n, axes)."""
    indices = stop_gradient(indices)
    xp = array_namespace(indices)
    total = xp.zeros(indices.shape[:-1], dtype=xp.int64, device=device_of(storage(indices)))
    for i, n in enumerate(shape):
        total = total * n + _positions(indices[..., i], n)
    return xp.reshape(total, (-1,))


@operation
def scatter(indices: Array, values: Array, shape: Any) -> Array:
    """Zeros with values added at indices.

    Args:
        indices: Integers, shape (..., axes): indices on the first axes of the result.
        values: Shape (..., *rest).
        shape: Shape of the result.

    Example:
        >>> scatter([[1], [3], [1]], [1.0, 2.0, 5.0], (4,))
        array([0., 6., 0., 2.], dtype=float32)
    """
    shape = sizes(shape, "scatter")
    lead, rest = shape[: indices.shape[-1]], shape[indices.shape[-1] :]
    rows = array_namespace(values).reshape(values, (-1, math.prod(rest)))
    result = summed(rows, _flat(indices, lead), math.prod(lead))
    return array_namespace(result).reshape(result, shape)


@operation
def scatter_update(inputs: Array, indices: Array, updates: Array, reduction: str | None = None) -> Array:
    """A copy of an array with elements replaced.

    Args:
        inputs: Array.
        indices: Integers, shape (n, axes): indices on the first axes.
        updates: Shape (n, *rest).
        reduction: None: the updates replace elements, the last one where several have the same index; `"add"`,
            `"max"`, `"min"` or `"mul"`: they are combined with the elements.

    Example:
        >>> scatter_update([1.0, 2.0, 3.0], [[0], [2]], [9.0, 8.0])
        array([9., 2., 8.], dtype=float32)
    """
    checks.choice("reduction", reduction, (None, "add", "max", "min", "mul"), "scatter_update")
    xp = array_namespace(inputs, updates, indices)
    updates = xp.astype(updates, inputs.dtype)
    axes = indices.shape[-1]
    lead, rest = tuple(inputs.shape[:axes]), tuple(inputs.shape[axes:])
    count = math.prod(lead)
    index = _flat(indices, lead)
    rows = xp.reshape(xp.broadcast_to(updates, (index.shape[0], *rest)), (-1, math.prod(rest)))
    base = xp.reshape(inputs, (count, math.prod(rest)))
    if reduction == "add":
        result = xp.add(base, summed(rows, index, count))
    else:
        new, hit = _segments(rows, index, count, reduction)
        new = new if reduction is None else getattr(xp, COMBINATIONS[reduction])(base, new)
        result = xp.where(hit, new, base)
    return xp.reshape(result, inputs.shape)


COMBINATIONS = {"max": "maximum", "min": "minimum", "mul": "multiply"}


def _segments(rows: Array, index: Array, count: int, reduction: str | None) -> tuple[Array, Array]:
    """The rows that share an index, combined, shape (count, columns); and whether there are any, (count, 1).

    Without a reduction, the last row of each index.

    The rows are sorted by index, and combined with those 1, 2, 4, ... before them as long as these have the same index:
    the last of each group is then the result.
    """
    own, xp = array_namespace(index), array_namespace(rows, index)
    order = own.argsort(index, stable=True)
    index = own.take(index, order, axis=0)
    values = xp.take(rows, order, axis=0)
    distance = 1
    while distance < index.shape[0] and reduction is not None:
        same = index[distance:] == index[:-distance]
        joined = getattr(xp, COMBINATIONS[reduction])(values[distance:, :], values[:-distance, :])
        joined = xp.where(same[:, None], joined, values[distance:, :])
        values = xp.concat([values[:distance, :], joined], axis=0)
        distance *= 2
    groups = own.arange(count, dtype=index.dtype, device=device_of(storage(index)))
    ends = own.sum(own.astype(index[None, :] <= groups[:, None], own.int64), axis=1) - 1
    last = own.where(ends < 0, 0, ends)
    hit = (ends >= 0) & (own.take(index, last, axis=0) == groups)
    return xp.take(values, last, axis=0), hit[:, None]


@operation
def segment_sum(data: Array, segment_ids: Array, num_segments: int | None = None, sorted: bool = False) -> Array:
    """Sums of the rows of each segment.

    Args:
        data: Shape (n, ...).
        segment_ids: The segment of each row, shape (n,); rows with other numbers are left out.
        num_segments: Number of segments; None for the largest number plus one, which is read: that of all examples
            inside `vmap`.
        sorted: Whether the numbers are in order; it changes nothing here.

    Returns:
        Shape (num_segments, ...).

    Example:
        >>> segment_sum([1.0, 2.0, 3.0], [0, 2, 0])
        array([4., 0., 2.], dtype=float32)
    """
    return _segment(data, segment_ids, num_segments, "sum", 0)


@operation
def segment_prod(data: Array, segment_ids: Array, num_segments: int | None = None, sorted: bool = False) -> Array:
    """Products of the rows of each segment, 1 where there is none; see `segment_sum`.

    Example:
        >>> segment_prod([1.0, 2.0, 3.0], [0, 0, 1])
        array([2., 3.], dtype=float32)
    """
    return _segment(data, segment_ids, num_segments, "mul", 1)


@operation
def segment_max(data: Array, segment_ids: Array, num_segments: int | None = None, sorted: bool = False) -> Array:
    """Maxima of the rows of each segment, the least number where there is none; see `segment_sum`.

    Example:
        >>> segment_max([1.0, 2.0, 3.0], [0, 0, 1])
        array([2., 3.], dtype=float32)
    """
    return _segment(data, segment_ids, num_segments, "max", -math.inf)


@operation
def segment_min(data: Array, segment_ids: Array, num_segments: int | None = None, sorted: bool = False) -> Array:
    """Minima of the rows of each segment, the largest number where there is none; see `segment_sum`.

    Example:
        >>> segment_min([1.0, 2.0, 3.0], [0, 0, 1])
        array([1., 3.], dtype=float32)
    """
    return _segment(data, segment_ids, num_segments, "min", math.inf)


def _segment(data: Array, segment_ids: Array, num_segments: int | None, reduction: str, empty: float) -> Array:
    ids = stop_gradient(segment_ids)
    own, xp = array_namespace(ids), array_namespace(data, ids)
    if num_segments is None:
        every = storage(ids)
        num_segments = int(array_namespace(every).max(every)) + 1
    count = checks.integer("num_segments", num_segments, "segment_" + reduction, least=0)
    rest = tuple(data.shape[1:])
    rows = xp.reshape(data, (data.shape[0], math.prod(rest)))
    index = own.astype(own.where((ids < 0) | (ids >= count), count, ids), own.int64)
    if reduction == "sum":
        result = summed(rows, index, count + 1)[:count, :]
    else:
        values, hit = _segments(rows, index, count, reduction)
        if not xp.isdtype(data.dtype, "real floating") and abs(empty) != 1:
            empty = xp.iinfo(data.dtype).min if empty < 0 else xp.iinfo(data.dtype).max
        result = xp.where(hit, values, empty)
    return xp.reshape(result, (count, *rest))


@operation
def select(condlist: Sequence[Array], choicelist: Sequence[Operand], default: Operand = 0) -> Array:
    """Elements of the first choice whose condition is true, else the default.

    Args:
        condlist: Arrays of booleans.
        choicelist: As many arrays.
        default: Where no condition is true.

    Example:
        >>> select([[True, False, False], [True, True, False]], [[1, 2, 3], [4, 5, 6]], 0)
        array([1, 5, 0], dtype=int32)
    """
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(condition, choice, result)
    return result

"""Indexing, and writes at an index."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.batching.declare import Call, find, moved, one_of, rule
from portanet.autodiff.batching.keys import has_arrays, index_arrays, is_mask, plain_keys, positions
from portanet.autodiff.boundary import plain
from portanet.autodiff.rules.indexing import single_mask
from portanet.autodiff.tracing import is_array


@rule("getitem")
def _getitem(c: Call, x: Any, key: Any) -> Any:
    keys = plain_keys(key)
    if not has_arrays(keys):
        return c(x.value, (slice(None), *keys))
    if not any(c.batched(k) for k in keys):
        return _take_positions(c, x.value, positions(c.xp, x.shape, keys))
    return c(x.value if c.batched(x) else x, _native(c, x, keys))


def _native(c: Call, x: Any, keys: tuple[Any, ...], batched: bool | None = None) -> tuple[Any, ...]:
    """One integer array for each axis of the value of `x`."""
    if any(c.batched(k) and is_mask(k) for k in keys):
        c.refuse(
            "a mask that differs between examples selects different numbers of elements. Use xp.where(mask, x, y), or "
            "write one value, x[mask] = value"
        )
    arrays = [plain(k.value if c.batched(k) else k) for k in index_arrays(c, x, keys)]  # JAX indexes with its own alone
    if not (c.batched(x) if batched is None else batched):
        return tuple(arrays)
    shape = (c.level.size, *(1,) * max(a.ndim - 1 for a in arrays))
    first = c.xp.reshape(c.xp.arange(c.level.size, device=arrays[0].device), shape)
    return (plain(first), *arrays)


def _take_positions(c: Call, x: Any, where: Any) -> Any:
    """The elements of each example at positions in the flattened example."""
    xp = c.xp
    flat = xp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
    out = xp.take(flat, xp.reshape(where, (math.prod(where.shape),)), axis=1)
    return xp.reshape(out, (x.shape[0], *where.shape))


@rule("assign")
def _assign(c: Call, x: Any, value: Any, key: Any) -> Any:
    keys = plain_keys(key)
    if not has_arrays(keys):
        selected = positions(c.xp, x.shape, keys).shape
        return c(c.each(x), _fitting(c, value, selected), (slice(None), *keys))
    mask = single_mask(keys)
    if mask is not None and not getattr(value, "shape", ()):
        return _where(c, x, value, mask)
    if not any(c.batched(k) for k in keys):
        where = positions(c.xp, x.shape, keys)
        value = _fitting(c, value, where.shape)
        if mask is not None:
            return _where(c, x, x.namespace.array(_scattered(c, value, where, x.shape), c.level), mask)
        flat = c.xp.reshape(c.each(x), (c.level.size, math.prod(x.shape)))
        if hasattr(value, "shape"):
            spread = c.xp.broadcast_to(value, (c.level.size, *where.shape))
            value = c.xp.reshape(spread, (c.level.size, math.prod(where.shape)))
        written = c(flat, value, (slice(None), c.xp.reshape(where, (math.prod(where.shape),))))
        return c.xp.reshape(written, (c.level.size, *x.shape))
    native = _native(c, x, keys, batched=True)
    rank = max(a.ndim for a in native)
    if c.batched(value) and len(value.shape) < rank - 1:
        value = c.xp.reshape(value.value, (c.level.size, *(1,) * (rank - 1 - len(value.shape)), *value.shape))
    elif c.batched(value):
        value = value.value
    return _put(c, c.each(x), value, native, keys)


def _put(c: Call, x: Any, value: Any, native: tuple[Any, ...], keys: tuple[Any, ...]) -> Any:
    """`x` with a value at one array of integers per axis; by a mask where the library does not write at arrays.

    A mask does not know which of several values for one element is the last, so the index must be an integer in every
    example.
    """
    xp = c.xp
    try:
        return find(xp, "assign")(x, value, native)
    except IndexError as error:
        if "not supported" not in str(error) or any(getattr(k, "shape", ()) for k in keys):
            raise
    where: Any = 0
    size = math.prod(x.shape)
    for index, length in zip(native, x.shape, strict=True):
        where = where * length + xp.where(index < 0, index + length, index)
    value = value if is_array(value) else xp.asarray(value, dtype=x.dtype, device=x.device)
    rows = xp.reshape(xp.astype(xp.broadcast_to(value, where.shape), x.dtype), (math.prod(where.shape), 1))
    place = xp.reshape(where, (rows.shape[0],))
    new, hits = (find(xp, "index_add")(part, place, size) for part in (rows, xp.ones_like(rows)))
    return xp.reshape(xp.where(hits > 0, new, xp.reshape(x, (size, 1))), x.shape)


def _where(c: Call, x: Any, value: Any, mask: Any) -> Any:
    """`value` where the mask of the first axes is true."""
    xp = c.xp
    condition = c.value(mask)
    condition = xp.reshape(condition, (*condition.shape, *(1,) * (len(x.shape) - condition.ndim + 1)))
    old = c.each(x)
    if not is_array(value):
        return xp.where(condition, value, old)
    new = c.value(value)
    if new.ndim == 1:
        new = xp.reshape(new, (new.shape[0], *(1,) * len(x.shape)))
    return xp.where(condition, xp.astype(new, old.dtype, copy=False), old)


def _fitting(c: Call, value: Any, shape: tuple[int, ...]) -> Any:
    """The value to write, with axes that broadcast to the selected part of each example."""
    if not c.batched(value):
        return value
    own = value.shape
    while len(own) > len(shape) and own[0] == 1:
        own = own[1:]
    return c.xp.reshape(value.value, (c.level.size, *(1,) * (len(shape) - len(own)), *own))


def _scattered(c: Call, g: Any, where: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with `g` at positions in each flattened example."""
    xp, count, size = c.xp, math.prod(where.shape), math.prod(shape)
    if not is_array(g):
        g = xp.asarray(g)
    rows = xp.matrix_transpose(xp.reshape(xp.broadcast_to(g, (c.level.size, *where.shape)), (c.level.size, count)))
    out = find(xp, "index_add")(rows, xp.reshape(where, (count,)), size)
    return xp.reshape(xp.matrix_transpose(out), (c.level.size, *shape))


@rule("scatter")
def _scatter(c: Call, g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    keys, xp = plain_keys(key), c.xp
    if any(c.batched(k) for k in keys):
        zeros = xp.zeros((c.level.size, *shape), dtype=g.dtype, device=g.device)
        native = _native(c, zeros[0, ...] if shape else zeros[0], keys, batched=True)
        value = g.value if c.batched(g) else g
        return _put(c, zeros, value, native, keys)
    if has_arrays(keys):
        return _scattered(c, g.value, positions(xp, shape, keys), shape)
    return c(g.value, (slice(None), *keys), (c.level.size, *shape))


@rule("index_add")
def _index_add(c: Call, rows: Any, index: Any, size: int) -> Any:
    xp, count = c.xp, c.level.size
    if not c.batched(index):  # the columns of all examples beside each other
        length, columns = rows.shape
        beside = xp.reshape(xp.moveaxis(rows.value, 0, 1), (length, count * columns))
        return xp.moveaxis(xp.reshape(c(beside, index, size), (size, count, columns)), 1, 0)
    value = c.each(rows)
    length, columns = value.shape[1:]
    starts = xp.arange(count, dtype=index.dtype, device=index.device) * size
    where = xp.reshape(index.value + xp.expand_dims(starts, axis=1), (count * length,))
    return xp.reshape(c(xp.reshape(value, (count * length, columns)), where, count * size), (count, size, columns))


@rule("take")
def _take(c: Call, x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    xp = c.xp
    if not c.batched(indices):
        value, along = one_of(xp, x.value, axis)
        return c(value, indices, axis=along)
    rank = len(x.shape)
    along = moved(0 if axis is None else axis, rank)
    before, after = x.shape[: along - 1], x.shape[along:]
    count = math.prod(indices.shape)
    if not c.batched(x):
        out = c(x, xp.reshape(indices.value, (c.level.size * count,)), axis=along - 1)
        return xp.moveaxis(xp.reshape(out, (*before, c.level.size, *indices.shape, *after)), along - 1, 0)
    dtype = xp.arange(0, device=indices.device).dtype  # PyTorch has take_along_axis for int64 alone
    index = xp.astype(indices.value, dtype, copy=False)
    index = xp.reshape(index, (c.level.size, *(1,) * len(before), count, *(1,) * len(after)))
    index = xp.broadcast_to(index, (c.level.size, *before, count, *after))
    out = xp.take_along_axis(x.value, index, axis=along)
    return xp.reshape(out, (c.level.size, *before, *indices.shape, *after))


@rule("take_along_axis")
def _take_along_axis(c: Call, x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    return c(c.value(x), c.value(indices), axis=moved(axis, len(x.shape)))

"""Indexing, and its transpose: scattering, which sums values at the same position."""

from __future__ import annotations

import functools
import math
from types import MethodType
from typing import Any

from portanet.autodiff.dispatch import LinearMap, fit
from portanet.autodiff.rules.declare import linear, primitive, rule
from portanet.autodiff.traced import unwrap
from portanet.backends import device_of, overridable, raw_namespace


@primitive("getitem")
def _getitem(raw: Any, x: Any, key: Any) -> Any:
    try:
        return x[key]
    except ValueError:  # PyTorch has no negative steps
        key, axes = ascending(key, x.shape)
        if not axes:
            raise
        return raw.flip(x[key], axis=axes)


@primitive("scatter")
def _scatter(raw: Any, g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with `g` written at a key that selects no element twice."""
    return _written(raw, raw.zeros(shape, dtype=g.dtype, device=device_of(g)), g, key, None)


@primitive("assign")
def _assign(raw: Any, x: Any, value: Any, key: Any) -> Any:
    """A copy of `x` with `value` written at `key`."""
    return _written(raw, x, value, key, True)


@functools.cache
def _at() -> Any:
    """`array_api_extra.at`, imported on the first write."""
    from array_api_extra import at

    return at


def _written(raw: Any, x: Any, value: Any, key: Any, copy: bool | None) -> Any:
    try:
        return _at()(x, key).set(value, copy=copy)
    except IndexError:  # array-api-strict reads the element at an array of no dimension, but does not write to it
        if (plain := plain_integers(key)) is key:
            raise
        return _at()(x, plain).set(value, copy=copy)
    except ValueError:  # as above
        key, axes = ascending(key, x.shape)
        if not axes:
            raise
        if hasattr(value, "shape"):
            value = raw.flip(raw.broadcast_to(value, x[key].shape), axis=axes)
        return _at()(x, key).set(value, copy=copy)


def plain_integers(key: Any) -> Any:
    """An index with integers in place of arrays of no dimension; the same object if it has none."""
    keys = key if type(key) is tuple else (key,)
    if not any(hasattr(k, "dtype") and k.ndim == 0 for k in keys):
        return key
    return tuple(int(k) if hasattr(k, "dtype") and k.ndim == 0 else k for k in keys)


def ascending(key: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """An index with positive steps, and the axes along which its result is to be flipped to be that of `key`.

    Args:
        key: An index without arrays.
        shape: The shape of the array.
    """
    keys = list(key) if type(key) is tuple else [key]
    if any(hasattr(k, "dtype") for k in keys):
        return key, ()
    skipped = len(shape) - sum(k is not None and k is not Ellipsis for k in keys)
    axis = out = 0
    flipped = []
    for i, k in enumerate(keys):
        if type(k) is slice and k.step is not None and k.step < 0:
            span = range(*k.indices(shape[axis]))
            keys[i] = slice(span[-1], span[0] + 1, -k.step) if span else slice(0)
            flipped.append(out)
        axis += skipped if k is Ellipsis else k is not None
        out += skipped if k is Ellipsis else k is None or type(k) is slice
    return tuple(keys), tuple(flipped)


@primitive("index_add")
def _index_add(raw: Any, rows: Any, index: Any, size: int) -> Any:
    return index_add(rows, index, size)


@overridable
def index_add(rows: Any, index: Any, size: int) -> Any:
    """Sum the rows that share an index: `out[index[k], :] += rows[k, :]`; products with the one-hot matrix, in chunks.

    Args:
        rows: Shape (n, columns).
        index: Integers in [0, size), shape (n,).
        size: Number of rows of the result.
    """
    raw = raw_namespace(rows)
    places = raw.expand_dims(raw.arange(size, dtype=index.dtype, device=device_of(rows)), axis=1)
    out = raw.zeros((size, rows.shape[1]), dtype=rows.dtype, device=device_of(rows))
    step = max(1, 4_000_000 // max(size, 1))
    for start in range(0, rows.shape[0], step):
        piece = slice(start, min(start + step, rows.shape[0]))
        out = out + raw.matmul(raw.astype(places == raw.expand_dims(index[piece], axis=0), rows.dtype), rows[piece, :])
    return out


def names_elements_twice(key: Any) -> bool:
    """Whether an index contains integer arrays, which may select an element more than once."""
    keys = key if isinstance(key, tuple) else (key,)
    return any(hasattr(k, "dtype") and k.ndim > 0 and "bool" not in str(k.dtype) for k in keys)


def single_mask(key: Any) -> Any:
    """The boolean array that is the whole index, else None."""
    if type(key) is tuple and len(key) == 1:
        key = key[0]
    return key if "bool" in str(getattr(key, "dtype", "")) else None


def _getitem_back(xp: Any, ans: Any, x: Any, key: Any) -> LinearMap:
    shape = x.shape
    if type(key) is int or type(key) is slice:
        return MethodType(_scattered, (xp, key, shape))
    if names_elements_twice(key):
        every = xp.raw.reshape(xp.raw.arange(math.prod(shape), device=xp.device_of(x)), shape)
        where = unwrap(xp.getitem(every, key))
        return lambda g: xp.reshape(_add_at(xp, xp.reshape(g, (-1, 1)), where, math.prod(shape)), shape)
    if isinstance(key, tuple) and not any(hasattr(k, "dtype") for k in key) and None in key:
        # Not every library can write to x[None]: new axes are removed first.
        key = (*(k for k in key if k is not None), *(() if Ellipsis in key else (...,)))
        within = _getitem(xp.raw, unwrap(x), key).shape
        return lambda g: xp.scatter(xp.reshape(g, within), key, shape)
    return MethodType(_scattered, (xp, key, shape))


def _scattered(place: tuple[Any, Any, tuple[int, ...]], g: Any) -> Any:
    xp, key, shape = place
    return xp.scatter(g, key, shape)


def _add_at(xp: Any, rows: Any, index: Any, size: int) -> Any:
    return xp.index_add(rows, xp.raw.reshape(index, (-1,)), size)


linear("getitem", _getitem_back)
linear("scatter", lambda xp, ans, g, key, shape: lambda h: xp.getitem(h, key))
linear("index_add", lambda xp, ans, rows, index, size: lambda g: xp.take(g, index, axis=0))


def _assign_x_back(xp: Any, ans: Any, x: Any, value: Any, key: Any) -> LinearMap:
    if selects_all(xp, x, key):
        # Nothing of x is left. A cotangent of zeros would be NaN behind values that are not finite: 0 * inf.
        return lambda g: None
    return lambda g: xp.assign(g, 0.0, key)


def selects_all(xp: Any, x: Any, key: Any) -> bool:
    """Whether a key selects every element of `x`: `...`, slices without ends, or a boolean array of True alone."""
    key = unwrap(key)
    if not hasattr(key, "dtype"):
        keys = key if type(key) is tuple else (key,)
        return all(k is Ellipsis or (type(k) is slice and k == slice(None)) for k in keys)
    if not xp.raw.isdtype(key.dtype, "bool") or tuple(key.shape) != tuple(x.shape[: key.ndim]):
        return False
    try:
        return bool(xp.raw.all(key))
    except TypeError:  # inside a function that JAX compiles, values are unknown
        return False


def _assign_x_forward(xp: Any, ans: Any, x: Any, value: Any, key: Any) -> LinearMap:
    return lambda t: xp.assign(t, 0.0, key)


def _assign_value_back(xp: Any, ans: Any, x: Any, value: Any, key: Any) -> LinearMap:
    shape, dtype = value.shape, value.dtype
    mask = single_mask(key)
    if mask is not None and not shape:
        # Not g[mask]: in `vmap` and `jax.jit`, its size would be unknown
        mask = xp.raw.reshape(mask, (*mask.shape, *(1,) * (ans.ndim - mask.ndim)))
        return lambda g: fit(xp, xp.sum(xp.where(mask, g, 0.0)), shape, dtype)
    return lambda g: fit(xp, xp.getitem(g, key), shape, dtype)


def _assign_value_forward(xp: Any, ans: Any, x: Any, value: Any, key: Any) -> LinearMap:
    return lambda t: xp.assign(xp.zeros_like(ans), t, key)


rule("assign", (_assign_x_back, _assign_value_back), (_assign_x_forward, _assign_value_forward))


def _take_back(xp: Any, ans: Any, x: Any, indices: Any, /, *, axis: int | None = None) -> LinearMap:
    shape = x.shape
    axis = 0 if axis is None else axis % len(shape)
    size = shape[axis]
    raw = xp.raw
    index = raw.reshape(raw.where(indices < 0, indices + size, indices), (-1,))
    rest = shape[:axis] + shape[axis + 1 :]

    def pull(g: Any) -> Any:
        if indices.ndim != 1:
            g = xp.reshape(g, (*shape[:axis], index.shape[0], *shape[axis + 1 :]))
        rows = xp.reshape(xp.moveaxis(g, axis, 0), (index.shape[0], math.prod(rest)))
        return xp.moveaxis(xp.reshape(xp.index_add(rows, index, size), (size, *rest)), 0, axis)

    return pull


linear("take", _take_back)


def _take_along_axis_back(xp: Any, ans: Any, x: Any, indices: Any, /, *, axis: int = -1) -> LinearMap:
    shape = x.shape
    axis %= len(shape)
    size = math.prod(shape)
    stride = math.prod(shape[axis + 1 :])
    raw = xp.raw
    where = raw.where(indices < 0, indices + shape[axis], indices) * stride
    for other in range(len(shape)):
        if other != axis:
            place = [1] * len(shape)
            place[other] = shape[other]
            steps = raw.arange(shape[other], dtype=indices.dtype, device=xp.device_of(indices))
            where = where + raw.reshape(steps * math.prod(shape[other + 1 :]), tuple(place))

    def pull(g: Any) -> Any:
        at = raw.broadcast_to(where, g.shape)
        return xp.reshape(_add_at(xp, xp.reshape(g, (-1, 1)), at, size), shape)

    return pull


linear("take_along_axis", _take_along_axis_back)

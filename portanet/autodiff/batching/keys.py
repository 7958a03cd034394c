"""Indices: which elements they select, as positions in the flattened array or as one integer array per axis."""

from __future__ import annotations

import math
import operator
from typing import Any

from portanet.autodiff.batching.array import BatchedArray
from portanet.autodiff.batching.declare import Call, find
from portanet.autodiff.traced import unwrap


def as_tuple(key: Any) -> tuple[Any, ...]:
    """An index as a tuple."""
    return key if type(key) is tuple else (key,)


def plain_keys(key: Any) -> tuple[Any, ...]:
    """An index as a tuple, without wrappers; integers of the library that have no axes become Python's."""
    keys = (unwrap(k) for k in as_tuple(key))
    return tuple(
        operator.index(k)
        if hasattr(k, "dtype") and not isinstance(k, BatchedArray) and len(k.shape) == 0 and not is_mask(k)
        else k
        for k in keys
    )


def has_arrays(keys: tuple[Any, ...]) -> bool:
    """Whether an index contains arrays."""
    return any(hasattr(k, "dtype") for k in keys)


def is_mask(key: Any) -> bool:
    """Whether a part of an index is a boolean array."""
    return hasattr(key, "dtype") and "bool" in str(key.dtype)


def positions(xp: Any, shape: tuple[int, ...], keys: tuple[Any, ...]) -> Any:
    """The positions in a flattened array of this shape that an index selects."""
    device = next((k.device for k in keys if hasattr(k, "dtype")), None)
    return find(xp, "getitem")(xp.reshape(xp.arange(math.prod(shape), device=device), shape), keys)


def index_arrays(c: Call, x: Any, keys: tuple[Any, ...]) -> list[Any]:
    """One integer array for each axis of one example, which broadcast to the shape of the result.

    Arrays come first in the result if something stands between them in the index, else in their place, as in NumPy.
    """
    space = next(k for k in keys if c.batched(k)).namespace
    parts = _parts(c, x, keys)
    arrays = [i for i, k in enumerate(parts) if not (k is None or isinstance(k, slice))]
    placed = [i for i, k in enumerate(keys) if not (k is None or k is Ellipsis or isinstance(k, slice))]
    together = placed == list(range(placed[0], placed[-1] + 1))  # an ellipsis stands between them, even for no axes
    rank = max(len(getattr(parts[i], "shape", ())) for i in arrays)
    before = sum(not isinstance(k, int) for k in parts[: arrays[0]]) if together else 0
    rest = len(parts) - len(arrays)
    device = next(k.device for k in parts if hasattr(k, "dtype"))
    out: list[Any] = []
    passed = 0
    for i, k in enumerate(parts):
        size = x.shape[len(out)] if k is not None else 1
        if i in arrays:
            index = k if hasattr(k, "dtype") else c.xp.asarray(k, device=device)
            out.append(_shaped(c, space, index, (*index.shape, *(1,) * (rest - before))))
            continue
        place = passed if passed < before else rank + passed
        passed += 1
        if k is not None:
            steps = c.xp.arange(*k.indices(size), device=device)
            out.append(c.xp.reshape(steps, (*steps.shape, *(1,) * (rank + rest - 1 - place))))
    whole = (1,) * (rank + rest)
    return [_shaped(c, space, a, (*whole[len(a.shape) :], *a.shape)) for a in out]


def _shaped(c: Call, space: Any, x: Any, shape: tuple[int, ...]) -> Any:
    return space.reshape(x, shape) if c.batched(x) else c.xp.reshape(x, shape)


def _parts(c: Call, x: Any, keys: tuple[Any, ...]) -> list[Any]:
    """The parts of an index: integers, integer arrays, slices and None, for all axes."""
    parts: list[Any] = []
    used = sum(len(k.shape) if is_mask(k) else 1 for k in keys if k is not None and k is not Ellipsis)
    if not any(k is Ellipsis for k in keys):
        keys = (*keys, Ellipsis)
    for k in keys:
        if k is Ellipsis:
            parts += [slice(None)] * (len(x.shape) - used)
        elif is_mask(k):
            parts += list(c.xp.nonzero(k))
        else:
            parts.append(k)
    return parts

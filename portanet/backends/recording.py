"""What code that computes in a step has to know of recordings: see `portanet.backends.graphs`."""

from __future__ import annotations

import functools
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.overrides import map_each
from portanet.backends.registry import device_of, raw_namespace
from portanet.tree import tree_leaves, tree_map

MOST_CONSTANTS = 512
"""Arrays of numbers known on the host that are kept for all steps; of more, the least recently used is dropped."""

state = threading.local()
_constants: OrderedDict[Hashable, Array] = OrderedDict()


def recording() -> bool:
    """Whether this thread is recording a step: nothing is computed, and no value can be read."""
    return getattr(state, "recording", False)


def keep(x: Any) -> None:
    """Keep an object with the recording that this thread makes, if it does: its memory is used by replays."""
    if recording():
        state.kept.append(x)


def kept_constant(like: Array, values: Any, dtype: Any) -> Array:
    """See `portanet.backends.constant`."""
    host, device = np.asarray(values), device_of(like)
    key = type(like), str(device), str(dtype), host.dtype.str, host.shape, host.tobytes()
    array = _constants.get(key)
    if array is None:
        array = _constants[key] = raw_namespace(like).asarray(values, dtype=dtype, device=device)
    _constants.move_to_end(key)
    while len(_constants) > MOST_CONSTANTS:
        _constants.popitem(last=False)
    keep(array)
    return array


def cond(condition: Array, yes: Callable[..., Any], no: Callable[..., Any], *operands: Any) -> Any:
    """`yes(*operands)` or `no(*operands)`: in a recording, which cannot read the condition, chosen from both.

    What `no` returns as it got it is overwritten with the choice, so that it need not be copied there afterwards.
    """
    if not recording():
        return NotImplemented
    given = [leaf for leaf in tree_leaves(operands) if hasattr(leaf, "shape")]
    copies = iter(_mapped(_copied, [(leaf,) for leaf in given]))
    copied = tree_map(lambda leaf: next(copies) if hasattr(leaf, "shape") else leaf, operands)
    chosen, other = yes(*copied), no(*operands)
    count = Counter(map(id, given))
    pairs = [
        (a, b)
        for a, b in zip(tree_leaves(chosen), tree_leaves(other), strict=True)
        if a is not b and hasattr(a, "shape")
    ]
    alike = [a.shape == b.shape and a.dtype == b.dtype for a, b in pairs]
    own = [fits and count[id(b)] == 1 for (_, b), fits in zip(pairs, alike, strict=True)]
    overwrite = functools.partial(_overwritten, condition=condition)
    choose = functools.partial(_chosen, condition=condition)
    in_place = iter(_mapped(overwrite, [(b, a) for (a, b), each in zip(pairs, own, strict=True) if each]))
    made = iter(_mapped(choose, [(b, a) for (a, b), each in zip(pairs, own, strict=True) if not each]))
    results = iter([next(in_place if each else made) for each in own])
    return tree_map(lambda a, b: next(results) if a is not b and hasattr(a, "shape") else a, chosen, other)


def _mapped(function: Callable[..., Any], calls: list[tuple[Array, ...]]) -> list[Array]:
    """`map_each`, for the calls of each dtype."""
    results: dict[int, Array] = {}
    for dtypes in dict.fromkeys(tuple(x.dtype for x in call) for call in calls):
        numbers = [i for i, call in enumerate(calls) if tuple(x.dtype for x in call) == dtypes]
        results |= zip(numbers, map_each(function, [calls[i] for i in numbers]), strict=True)
    return [results[i] for i in range(len(calls))]


def _copied(x: Array) -> Array:
    return raw_namespace(x).astype(x, x.dtype, copy=True)


def _chosen(x: Array, y: Array, *, condition: Array) -> Array:
    return raw_namespace(x).where(condition, y, x)


def _overwritten(x: Array, y: Array, *, condition: Array) -> Array:
    x[...] = raw_namespace(x).where(condition, y, x)
    return x

"""What code that computes in a step has to know of recordings: see `portanet.backends.graphs`."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.registry import device_of, raw_namespace
from portanet.tree import tree_map

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
    """`yes(*operands)` or `no(*operands)`: in a recording, which cannot read the condition, chosen from both."""
    if not recording():
        return NotImplemented
    xp = raw_namespace(condition)
    copies = tree_map(lambda leaf: xp.asarray(leaf, copy=True) if hasattr(leaf, "shape") else leaf, operands)
    chosen, other = yes(*copies), no(*operands)
    return tree_map(lambda a, b: xp.where(condition, a, b) if a is not b and hasattr(a, "shape") else a, chosen, other)

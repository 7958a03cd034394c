"""A step of all parameters at once, as suits the backend."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from portanet.backends import Array, map_each

if TYPE_CHECKING:
    from portanet.optimizers.base import Optimizer, State, Tree


def advance(
    optimizer: Optimizer, params: Tree, grads: Tree, state: State, by_dtype: dict[Any, SimpleNamespace]
) -> None:
    """Replace parameters and slots by those after a step of the optimizer's elementwise rule.

    Args:
        optimizer: The optimizer.
        params: Parameters by path.
        grads: Their gradients.
        state: The optimizer's state.
        by_dtype: The scalars of the step in each dtype of the parameters.
    """
    groups: dict[Any, list[str]] = {}
    for path, p in params.items():
        names = tuple(slot for slot in optimizer.slots if path in state[slot])
        decays = optimizer.weight_decay is not None and optimizer._decays(path)
        groups.setdefault((p.dtype, names, decays), []).append(path)
    for (dtype, names, decays), paths in groups.items():
        update = functools.partial(_update, optimizer=optimizer, names=names, now=by_dtype[dtype], decays=decays)
        calls = [(params[path], grads[path], *(state[slot][path] for slot in names)) for path in paths]
        for path, (p, *values) in zip(paths, map_each(update, calls), strict=True):
            params[path] = p
            for slot, value in zip(names, values, strict=True):
                state[slot][path] = value


def _update(
    p: Array,
    g: Array,
    *values: Array,
    optimizer: Optimizer,
    names: tuple[str, ...],
    now: SimpleNamespace,
    decays: bool,
) -> tuple[Array, ...]:
    """The parameter and its slots after a step."""
    slots = dict(zip(names, values, strict=True))
    keep = optimizer.decay(slots, now) if decays else None
    if keep is not None:
        p *= keep
    p = optimizer.step(p, g, slots, now)
    return (p, *slots.values())

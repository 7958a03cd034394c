"""Solvers for batches of right-hand sides, such as all directions of `jacobian`: one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.autodiff.batching.array import Level, innermost_level
from portanet.autodiff.batching.transform import batch, unbatch, whole
from portanet.autodiff.boundary import plain
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.traced import TraceError
from portanet.autodiff.tracing import innermost, melted
from portanet.tree import tree_leaves, tree_map


def level_of(tree: Any) -> Level | None:
    """The level of batched leaves, if it is inside all traces of the leaves."""
    leaves = [melted(x) for x in tree_leaves(tree)]
    level, trace = innermost_level(leaves), innermost(leaves)[0]
    return level if level is not None and (trace is None or level.serial > trace.serial) else None


def by_rows(function: Callable[[Any], Any], tree: Any, level: Level) -> Any:
    """The results of `function` for every example of a batched tree, as batched arrays."""
    if level.size == 0:
        return tree_map(lambda x: batch(whole(melted(x), level), level), tree)
    rows = [function(tree_map(lambda x, i=i: _row(melted(x), level, i), tree)) for i in range(level.size)]
    return tree_map(lambda *xs: batch(plain(array_namespace(*xs).stack(list(xs))), level), rows[0], *rows[1:])


def _row(x: Any, level: Level, i: int) -> Any:
    value = unbatch(x, level)
    return x if value is None else value[(i, ...)]


def require_one_problem(value: Any, of: str) -> None:
    """Raise if an equation itself differs between examples."""
    if level_of(value) is not None:
        raise TraceError(
            f"The equation of {of} differs between the examples of vmap, and each would need another number of steps. "
            "Solve one equation for the whole batch outside vmap, or loop over the examples. "
            "Received: a function whose result is batched"
        )

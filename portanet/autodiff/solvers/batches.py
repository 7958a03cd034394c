"""Solvers under `vmap`: example by example, each with the arrays of its own that its function closes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.autodiff import boundary
from portanet.autodiff.batching.array import BatchedArray, Level, innermost_level, storage, wrappers
from portanet.autodiff.batching.transform import batch
from portanet.autodiff.boundary import plain
from portanet.autodiff.closures import Example, at_level, frozen
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.vectors import number
from portanet.autodiff.tracing import SCALARS, innermost, is_array, melted
from portanet.backends import device_of, raw_namespace
from portanet.tree import tree_leaves, tree_map


def is_batched(x: Any) -> bool:
    """Whether an array has one value per example of some level, inside the derivatives of any trace."""
    return any(isinstance(w, BatchedArray) for w in wrappers(melted(x)))


def level_of(tree: Any) -> Level | None:
    """The level of batched leaves, if it is inside all traces of the leaves."""
    leaves = [melted(x) for x in tree_leaves(tree)]
    level, trace = innermost_level(leaves), innermost(leaves)[0]
    return level if level is not None and (trace is None or level.serial > trace.serial) else None


def by_examples(function: Callable[[Any], Any], tree: Any, level: Level, like: Any) -> Any:
    """The results of `function` for every example of a batched tree, as batched arrays.

    Args:
        function: Called with the tree of each example; batched arrays that it closes over are those of the example.
        tree: Its argument.
        level: The batch.
        like: A tree of the form of one result, for a batch of no examples.
    """
    if level.size == 0:
        return tree_map(lambda x: batch(boundary.zeros(storage(x), (0, *x.shape)), level), like)
    results = []
    for i in range(level.size):
        with frozen(Example(level, i)):
            results.append(function(tree_map(at_level, tree)))
    first = storage(next(filter(is_array, tree_leaves(like))))
    return tree_map(lambda *xs: _joined(xs, level, first), results[0], *results[1:])


def _joined(xs: Any, level: Level, like: Any) -> Any:
    """A leaf of the results of all examples; what is neither an array nor a number is one for all, or a list."""
    if is_array(xs[0]):
        return batch(plain(array_namespace(*xs).stack(list(xs))), level)
    if type(xs[0]) in SCALARS:
        xp = raw_namespace(like)
        dtype = like.dtype if type(xs[0]) is float and xp.isdtype(like.dtype, "real floating") else None
        return batch(xp.asarray(list(xs), dtype=dtype, device=device_of(like)), level)
    return xs[0] if all(x is xs[0] or (type(x) is type(xs[0]) and x == xs[0]) for x in xs) else list(xs)


def largest_of_examples(x: Any) -> float:
    """The largest of the values that an array of no dimension has in all examples; NaN if there is one."""
    value = storage(x)
    if 0 in value.shape:
        return 0.0
    return number(raw_namespace(value).max(value) if value.shape else value)

"""The inputs and outputs of graphs: their order and names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet.layers.symbolic import SymbolicArray
from portanet.tree import tree_items

if TYPE_CHECKING:
    from portanet.models.model import Model


def in_order(model: Model, names: list[str], x: Any) -> list[Any]:
    """The arrays of data of any accepted form, in the order of the inputs of a graph, which have these names."""
    if isinstance(x, Mapping) and x.keys() >= set(names):  # a table may have more columns than inputs
        return [x[name] for name in names]
    leaves = flat(x)
    if isinstance(x, Mapping):
        by_path, paths = dict(tree_items(x)), [path for path, _ in tree_items(model._start)]
        if by_path.keys() >= set(paths):
            return [by_path[path] for path in paths]
    elif len(leaves) == len(names):
        return leaves
    received = f"the keys {', '.join(map(repr, x))}" if isinstance(x, Mapping) else f"{len(leaves)} arrays"
    expected = ", ".join(f"'{name}' {array.shape}" for name, array in zip(names, model.inputs, strict=True))
    if len(names) == 1:
        inputs, advice = "one input", "pass the array itself (np.stack makes one of examples in a list)"
    else:
        inputs, advice = f"{len(names)} inputs", "pass them in this order, or by name in a dict"
    raise ValueError(
        f"Model '{model.name}' takes {inputs}: {expected}; {advice}. "
        f"Received: {received if len(leaves) != 1 or isinstance(x, Mapping) else 'one array'}"
    )


def flat(tree: Any) -> list[Any]:
    """The leaves of a tree in order, including None."""
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in flat(branch)]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in flat(branch)]
    return [tree]


def with_sorted_keys(tree: Any) -> Any:
    """The tree with the entries of dicts in the order of their keys, as in Keras; ordered dicts are in theirs."""
    if isinstance(tree, dict):
        ordered = isinstance(tree, OrderedDict) or not all(isinstance(key, str) for key in tree)
        return {key: with_sorted_keys(tree[key]) for key in (tree if ordered else sorted(tree))}
    if type(tree) in (list, tuple):
        return type(tree)(map(with_sorted_keys, tree))
    return tree


def names_of(tree: Any) -> list[str]:
    """Unique names for the symbolic arrays of a tree."""
    if isinstance(tree, dict) and all(isinstance(leaf, SymbolicArray) for leaf in tree.values()):
        return list(tree)
    names: dict[str, int] = {}  # with the next number to try
    for leaf in flat(tree):
        name = leaf.name
        while name in names:
            names[leaf.name] += 1
            name = f"{leaf.name}_{names[leaf.name]}"
        names[name] = 0
    return list(names)

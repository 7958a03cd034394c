"""Trees of arrays: dicts, lists, tuples, named tuples and dataclasses, nested at will; everything else is a leaf."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def tree_items(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree with their paths, such as `['w'][0]`; None is an empty tree.

    Example:
        >>> dict(tree_items({"w": [1.0, 2.0], "b": None}))
        {"['w'][0]": 1.0, "['w'][1]": 2.0}
    """
    if isinstance(tree, Mapping):
        for key, branch in tree.items():
            yield from tree_items(branch, f"{path}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for i, branch in enumerate(tree):
            yield from tree_items(branch, f"{path}[{i}]")
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for field in dataclasses.fields(tree):
            yield from tree_items(getattr(tree, field.name), f"{path}.{field.name}")
    elif tree is not None:
        yield path, tree


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, in order."""
    return [leaf for _, leaf in tree_items(tree)]


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A tree of the same structure, each leaf replaced by `function(leaf, *leaves_of_the_others)`.

    Raises:
        ValueError: The trees differ in structure.

    Example:
        >>> tree_map(lambda a, b: a + b, {"w": (1, 2)}, {"w": (10, 20)})
        {'w': (11, 22)}
    """
    rest = [iter(tree_leaves(other)) for other in others]
    count = len(tree_leaves(tree))
    for other in others:
        if len(tree_leaves(other)) != count:
            raise ValueError(
                f"Trees of different structure: one has {count} leaves, another {len(tree_leaves(other))}. "
                f"Received: {tree!r} and {other!r}"
            )
    return _map(tree, lambda leaf: function(leaf, *(next(leaves) for leaves in rest)))


def _map(tree: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(tree, Mapping):
        return type(tree)((key, _map(branch, function)) for key, branch in tree.items())  # type: ignore[call-arg]
    if isinstance(tree, (list, tuple)):
        branches = [_map(branch, function) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        new = {f.name: _map(getattr(tree, f.name), function) for f in dataclasses.fields(tree)}
        return dataclasses.replace(tree, **new)
    return None if tree is None else function(tree)

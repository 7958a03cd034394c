"""Trees of arrays: dicts, lists, tuples, named tuples and dataclasses, nested at will; everything else is a leaf."""

from __future__ import annotations

import copy
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

    Leaves are matched by path, so the keys of dicts may come in any order. Dataclasses are copied without calling
    `__init__`.

    Raises:
        ValueError: The trees differ in structure.

    Example:
        >>> tree_map(lambda a, b: a + b, {"w": (1, 2)}, {"w": (10, 20)})
        {'w': (11, 22)}
    """
    if not others:
        return _map(tree, function)
    paths = [path for path, _ in tree_items(tree)]
    found = [dict(tree_items(other)) for other in others]
    for leaves in found:
        if leaves.keys() != set(paths):
            missing = [p or "the tree itself" for p in paths if p not in leaves]
            surplus = [p or "the tree itself" for p in leaves if p not in set(paths)]
            raise ValueError(
                "Trees of different structure; expected leaves at the same paths. "
                f"Received: a second tree without {missing} and with {surplus} besides"
            )
    place = iter(paths)

    def one(leaf: Any) -> Any:
        path = next(place)
        return function(leaf, *(leaves[path] for leaves in found))

    return _map(tree, one)


def _map(tree: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(tree, Mapping):
        branches = {key: _map(branch, function) for key, branch in tree.items()}
        if type(tree) is dict:
            return branches
        if hasattr(tree, "update"):  # defaultdict and the like keep what else they hold
            same = copy.copy(tree)
            same.update(branches)
            return same
        return type(tree)(branches)  # type: ignore[call-arg]
    if isinstance(tree, (list, tuple)):
        items = [_map(branch, function) for branch in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        made = copy.copy(tree)
        for field in dataclasses.fields(tree):
            object.__setattr__(made, field.name, _map(getattr(tree, field.name), function))
        return made
    return None if tree is None else function(tree)

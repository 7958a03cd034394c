"""Trees of arrays: nested dicts, lists, tuples, named tuples, deques and dataclasses; everything else is a leaf."""

from __future__ import annotations

import collections
import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LEAF, MAPPING, SEQUENCE, DATACLASS, NOTHING = range(5)


class _Kinds(dict[type, int]):
    """Kind of node by type, determined once per type."""

    def __missing__(self, cls: type) -> int:
        if issubclass(cls, Mapping):
            kind = MAPPING
        elif issubclass(cls, (list, tuple, collections.deque)):
            kind = SEQUENCE
        else:
            kind = DATACLASS if dataclasses.is_dataclass(cls) else LEAF
        self[cls] = kind
        return kind


KINDS = _Kinds({type(None): NOTHING})
"""`LEAF`, `MAPPING`, `SEQUENCE`, `DATACLASS` or `NOTHING` by type."""


def tree_items(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree with their paths, such as `['w'][0]`; None is an empty tree.

    Args:
        tree: A nested list, tuple or dict.
        path: What paths begin with.

    Example:
        >>> dict(tree_items({"w": [1.0, 2.0], "b": None}))
        {"['w'][0]": 1.0, "['w'][1]": 2.0}
    """
    kind = KINDS[type(tree)]
    if kind == LEAF:
        yield path, tree
    elif kind == MAPPING:
        for key, branch in tree.items():
            yield from tree_items(branch, f"{path}[{key!r}]")
    elif kind == SEQUENCE:
        for i, branch in enumerate(tree):
            yield from tree_items(branch, f"{path}[{i}]")
    elif kind == DATACLASS:
        for field in dataclasses.fields(tree):
            yield from tree_items(getattr(tree, field.name), f"{path}.{field.name}")


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, in order.

    Args:
        tree: A nested list, tuple or dict.

    Example:
        >>> tree_leaves({"a": 1, "b": [2, 3]})
        [1, 2, 3]
    """
    out: list[Any] = []
    _collect(tree, out)
    return out


def _collect(tree: Any, out: list[Any]) -> None:
    kind = KINDS[type(tree)]
    if kind == LEAF:
        out.append(tree)
    elif kind == MAPPING:
        for branch in tree.values():
            _collect(branch, out)
    elif kind == SEQUENCE:
        for branch in tree:
            _collect(branch, out)
    elif kind == DATACLASS:
        for field in dataclasses.fields(tree):
            _collect(getattr(tree, field.name), out)


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A tree of the same structure with `function(leaf, *leaves_of_the_others)` in place of each leaf.

    Leaves are matched by path, so the keys of dicts may come in any order. Dataclasses are copied without calling
    `__init__`.

    Args:
        function: A function of one leaf of each tree.
        tree: A nested list, tuple or dict.
        *others: Trees of the same structure.

    Raises:
        ValueError: The trees differ in structure.

    Example:
        >>> tree_map(lambda a, b: a + b, {"w": (1, 2)}, {"w": (10, 20)})
        {'w': (11, 22)}
    """
    if not others:
        return _map(tree, function)
    if KINDS[type(tree)] == LEAF and all(KINDS[type(other)] == LEAF for other in others):
        return function(tree, *others)
    paths = [path for path, _ in tree_items(tree)]
    others_leaves = [dict(tree_items(other)) for other in others]
    for leaves in others_leaves:
        if leaves.keys() != set(paths):
            missing = [p or "the tree itself" for p in paths if p not in leaves]
            surplus = [p or "the tree itself" for p in leaves if p not in set(paths)]
            raise ValueError(
                "Trees of different structure; expected leaves at the same paths. "
                f"Received: another tree without {missing} and with additional {surplus}"
            )
    remaining_paths = iter(paths)

    def apply(leaf: Any) -> Any:
        path = next(remaining_paths)
        return function(leaf, *(leaves[path] for leaves in others_leaves))

    return _map(tree, apply)


def _map(tree: Any, function: Callable[[Any], Any]) -> Any:
    kind = KINDS[type(tree)]
    if kind == LEAF:
        return function(tree)
    if kind == SEQUENCE:
        items = [_map(branch, function) for branch in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if kind == MAPPING:
        branches = {key: _map(branch, function) for key, branch in tree.items()}
        if type(tree) is dict:
            return branches
        if hasattr(tree, "update"):  # keep other attributes, such as those of defaultdict
            result = copy.copy(tree)
            result.update(branches)
            return result
        return type(tree)(branches)
    if kind == DATACLASS:
        result = copy.copy(tree)
        for field in dataclasses.fields(tree):
            object.__setattr__(result, field.name, _map(getattr(tree, field.name), function))
        return result
    return None

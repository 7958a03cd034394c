"""What the outputs of a model are called, and what belongs to each of them in lists and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def named_shapes(shapes: Any, names: Sequence[str] | None = None) -> list[tuple[str, tuple[int | None, ...]]]:
    """Name and shape of each output, from a tree of shapes.

    Args:
        shapes: A shape, or a list or dict of shapes.
        names: The names of the outputs that are in lists, and of others; by default `output_0` and so on.

    Example:
        >>> named_shapes({"kind": (None, 3), "size": (None, 1)})
        [('kind', (None, 3)), ('size', (None, 1))]
    """
    named = list(walk(shapes, _is_shape))
    if names is not None and len(names) == len(named):
        keys = isinstance(shapes, Mapping)
        named = [(_renamed(path, name, keys), shape) for name, (path, shape) in zip(names, named, strict=True)]
    return [(path or "output", shape) for path, shape in named]


def _renamed(path: str, name: str, keys: bool) -> str:
    """The path of an output, of which a number in a list becomes its name; `keys` says that all outputs are a dict."""
    within, slash, last = path.rpartition("/")
    is_key = not last.isdigit() if slash else keys
    path = path if is_key else f"{within}{slash}{name}"
    return path if keys or not slash else path.removeprefix("output_")


def placed(given: Any, names: Sequence[str], single: bool) -> list[Any] | None:
    """The entries of an argument that is nested as the outputs of these names are; None if it is not.

    Args:
        given: The argument, or a part of it.
        names: Names of the outputs in that part, relative to it; `""` for one output alone.
        single: Whether an output has one entry, rather than a list of them.
    """
    if given is None:
        return [None] * len(names)
    if list(names) == [""]:
        return None if single and isinstance(given, (list, tuple)) and len(given) != 1 else [given]
    inside: dict[str, list[str]] = {}
    for name in names:
        first, _, rest = name.partition("/")
        inside.setdefault(first, []).append(rest)
    if isinstance(given, Mapping) and {str(key) for key in given} <= set(inside):
        entries = {str(key): part for key, part in given.items()}
        parts = [entries.get(key) for key in inside]
    elif isinstance(given, (list, tuple)) and len(given) == len(inside):
        parts = list(given)
    else:
        return None
    inner = [placed(part, rest, single) for part, rest in zip(parts, inside.values(), strict=True)]
    return None if None in inner else [entry for entries in inner for entry in entries or ()]


def _is_shape(tree: Any) -> bool:
    return not isinstance(tree, Mapping) and all(size is None or isinstance(size, int) for size in tree)


def is_mapping(tree: Any) -> bool:
    """Whether names belong to the entries."""
    return isinstance(tree, Mapping)


def walk(tree: Any, is_leaf: Callable[[Any], bool], path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of dicts and lists, with the names of the outputs that they belong to."""
    if isinstance(tree, Mapping) and not is_leaf(tree):
        for key, branch in tree.items():
            yield from walk(branch, is_leaf, f"{path}/{key}" if path else str(key))
    elif isinstance(tree, (list, tuple)) and not is_leaf(tree):
        for i, branch in enumerate(tree):
            yield from walk(branch, is_leaf, f"{path}/{i}" if path else f"output_{i}")
    else:
        yield path, tree

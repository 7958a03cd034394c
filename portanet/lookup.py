"""From what a user writes (`"relu"`, a class, an object, a function) to the object that is meant."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any


def snake_case(name: str) -> str:
    """The name in snake case, as Keras does it.

    Example:
        >>> snake_case("CategoricalCrossentropy"), snake_case("MaxPooling2D")
        ('categorical_crossentropy', 'max_pooling2d')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def lookup(kind: str, identifier: Any, known: Mapping[str, Any]) -> Any:
    """Find an object by name, or pass one through.

    Args:
        kind: What is looked for, for the error message: "activation", "loss", ...
        identifier: A key of `known` (classes are instantiated with their defaults), a class, or a callable object.
        known: Names and what they stand for.

    Raises:
        ValueError: The name is not known; the message lists the known ones and the nearest.
    """
    if isinstance(identifier, str):
        found = known.get(identifier)
        if found is None:
            near = difflib.get_close_matches(identifier, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"Unknown {kind}.{hint} Known: {', '.join(sorted(known))}; or pass an object. Received: {identifier!r}"
            )
        return found() if inspect.isclass(found) else found
    if inspect.isclass(identifier):
        return identifier()
    if isinstance(identifier, Callable):  # type: ignore[arg-type]
        return identifier
    raise ValueError(f"Expected the name of a known {kind}, a class or a callable object. Received: {identifier!r}")


def names(*objects: Any) -> dict[str, Any]:
    """A table for `lookup`: each class or function under its own name, in snake case and in lower case."""
    table = {}
    for each in objects:
        table[each.__name__] = each
        table[snake_case(each.__name__)] = each
        table[each.__name__.lower()] = each
    return table

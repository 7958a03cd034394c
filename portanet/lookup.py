"""Lookup of objects by what a user passes: a name such as `"relu"`, a class, an object or a function."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any


def snake_case(name: str) -> str:
    """Convert a name to snake case, as Keras does.

    Example:
        >>> snake_case("CategoricalCrossentropy"), snake_case("MaxPooling2D")
        ('categorical_crossentropy', 'max_pooling2d')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def lookup(kind: str, identifier: Any, known: Mapping[str, Any]) -> Any:
    """Find an object by name, or return the one passed.

    Args:
        kind: Kind of object, for the error message: "activation", "loss", ...
        identifier: A key of `known` (classes are instantiated with their defaults), a class, or a callable object.
        known: Objects by name.

    Raises:
        ValueError: The name is unknown; the message lists the known ones and the closest.
    """
    if isinstance(identifier, str):
        match = known.get(identifier)
        if match is None:
            near = difflib.get_close_matches(identifier, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"Unknown {kind}.{hint} Known: {', '.join(sorted(known))}; or pass an object. Received: {identifier!r}"
            )
        return match() if inspect.isclass(match) else match
    if inspect.isclass(identifier):
        return identifier()
    if isinstance(identifier, Callable):  # type: ignore[arg-type]
        return identifier
    raise ValueError(f"Expected the name of a known {kind}, a class or a callable object. Received: {identifier!r}")


def names(*objects: Any) -> dict[str, Any]:
    """A table for `lookup`: each class or function under its own name, in snake case and in lower case."""
    table = {}
    for obj in objects:
        table[obj.__name__] = obj
        table[snake_case(obj.__name__)] = obj
        table[obj.__name__.lower()] = obj
    return table

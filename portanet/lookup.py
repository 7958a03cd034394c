"""Lookup of objects by what a user passes: a name such as `"relu"`, a class, an object or a function."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from portanet import checks


def snake_case(name: str) -> str:
    """Convert a name to snake case, as Keras does.

    Example:
        >>> snake_case("CategoricalCrossentropy"), snake_case("MaxPooling2D")
        ('categorical_crossentropy', 'max_pooling2d')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def lookup(
    kind: str,
    identifier: Any,
    known: Mapping[str, Any],
    name: str = "identifier",
    of: str | type | checks.Named = "",
    base: type | None = None,
) -> Any:
    """Find an object by name, or return the one passed.

    Args:
        kind: Kind of object, for the error message: "activation", "loss", ...
        identifier: A key of `known` (classes are instantiated with their defaults), a class, or a callable object; or
            a dict with a `class_name` and a `config`, as in Keras.
        known: Objects by name.
        name: Name of the argument that holds the identifier.
        of: The layer, class, or name of the function that takes it.
        base: The class of objects; by default, any that can be called.

    Raises:
        ValueError: The name is unknown (the message lists the known ones and the closest), or the identifier is no
            object of the kind, nor a class that creates one without arguments.
    """
    config: Any = None
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        identifier, config = identifier["class_name"], identifier.get("config", {})
    if isinstance(identifier, str):
        match = known.get(identifier)
        if match is None:
            near = difflib.get_close_matches(identifier, known)
            near.sort(key=lambda match: sorted(match) != sorted(identifier))  # letters that changed places
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"Unknown {kind}.{hint} {checks.argument(name, of)} must be one of {', '.join(sorted(known))}; or an "
                f"object. Received: {name}={identifier!r}"
            )
        if inspect.isclass(match):
            cls: Any = match
            return cls() if config is None else cls.from_config(config)
        return match
    made = identifier() if inspect.isclass(identifier) and _needs_nothing(identifier) else identifier
    if not inspect.isclass(made) and (callable(made) if base is None else isinstance(made, base)):
        return made
    what = "a callable object" if base is None else f"a portanet {kind}"
    expected = f"the name of a known {kind}, {what}, or a class that creates one without arguments"
    raise checks.invalid(name, identifier, expected, of)


def _needs_nothing(cls: type) -> bool:
    try:
        inspect.signature(cls).bind()
    except (TypeError, ValueError):  # arguments, or no signature
        return False
    return True


def names(*objects: Any) -> dict[str, Any]:
    """A table for `lookup`: each class or function under its own name, in snake case and in lower case."""
    table = {}
    for obj in objects:
        table[obj.__name__] = obj
        table[snake_case(obj.__name__)] = obj
        table[obj.__name__.lower()] = obj
    return table

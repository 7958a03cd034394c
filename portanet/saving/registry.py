"""The classes and functions that files may name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from portanet.configurable import Configurable

ROOMS = (
    "activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics", "models", "optimizers",
    "regularizers", "schedules",
)  # fmt: skip
"""Rooms of the library whose public classes may stand in files, by names such as `layers.Dense`. They are imported when
a name is looked up: what a model is made of lies above this room as well as below."""
FUNCTION_ROOMS = ("activations", "losses")
"""Those of them whose public functions may."""

_registered: dict[str, Any] = {}


def register_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Let a class or function of your own stand in saved files; as `keras.saving.register_keras_serializable`.

    A class needs `get_config()` and `from_config(config)`: layers, losses, metrics, optimizers and all other classes
    derived from portanet's have them.

    Args:
        package: What comes before the name in files: `package>name`.
        name: The name; by default that of the class or function.

    Returns:
        A decorator that registers and returns what it is given.

    Raises:
        ValueError: Something else is registered under that name, or a class has no get_config.

    Example:
        >>> import portanet
        >>> @portanet.saving.register_serializable(package="docs")
        ... def triple(x):
        ...     return 3 * x
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Lambda(triple)])
    """

    def register(thing: Any) -> Any:
        if not callable(thing) or not hasattr(thing, "__name__"):
            raise TypeError(f"register_serializable is for classes and functions. Received: {thing!r}")
        if inspect.isclass(thing) and not (hasattr(thing, "get_config") and hasattr(thing, "from_config")):
            raise ValueError(
                f"Class {thing.__name__} needs get_config() and from_config(config) to be saved; derive it from "
                f"portanet.configurable.Configurable, which has them. Received: {thing!r}"
            )
        full = f"{package}>{name or thing.__name__}"
        known = _registered.get(full)
        # The same definition may be run again, as in a notebook.
        if known is not None and (known.__module__, known.__qualname__) != (thing.__module__, thing.__qualname__):
            raise ValueError(
                f"Something else is registered as {full!r}; choose another `package` or `name`. "
                f"Received: {thing!r}, where {known!r} is registered"
            )
        _registered[full] = thing
        return thing

    return register


def name_of(thing: Any) -> str | None:
    """The name of a class or function in files; None for one that is neither registered nor of the library."""
    registered = next((name for name, known in _registered.items() if known is thing), None)
    if registered is not None:
        return registered
    rooms = (room for room in ROOMS if str(thing.__module__).startswith(f"portanet.{room}"))
    name = next((f"{room}.{thing.__name__}" for room in rooms), None)
    return name if name is not None and _in_library(name) is thing else None


def find(name: str, custom_objects: Mapping[str, Any]) -> Any:
    """The class or function of a name; None if there is none.

    Args:
        name: As `name_of` gave it, or the plain name of a class that is not registered.
        custom_objects: Classes and functions by their names, in full or without the package; these come first.
    """
    plain = name.rpartition(">")[2]
    for found in (custom_objects.get(name), custom_objects.get(plain), _registered.get(name)):
        if found is not None:
            return found
    return _in_library(name)


def _in_library(name: str) -> Any:
    """A public class of the library that can be configured, or a public function of those rooms; else None."""
    room, _, attribute = name.partition(".")
    if room not in ROOMS:
        return None
    module = importlib.import_module(f"portanet.{room}")
    if attribute not in getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]):
        return None
    found = getattr(module, attribute)
    if inspect.isclass(found):
        return found if issubclass(found, Configurable) else None
    return found if room in FUNCTION_ROOMS and inspect.isfunction(found) else None

"""Classes and functions that files may name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from portanet import checks
from portanet.configurable import Configurable
from portanet.lookup import custom_object, get_custom_objects

PACKAGES = (
    "activations", "callbacks", "constraints", "distillation", "initializers", "layers", "losses", "metrics", "models",
    "optimizers", "regularizers", "schedules",
)  # fmt: skip
"""Packages whose public classes may be named in files, such as `layers.Dense`. They are imported when a name is looked
up, since some of them import this package."""
FUNCTION_PACKAGES = ("activations", "losses")
"""Packages whose public functions may be named in files."""

_registered = get_custom_objects()


def register_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Register a custom class or function for saved files; as `keras.saving.register_keras_serializable`.

    A class needs `get_config()`, and to be loaded `from_config(config)`; subclasses of portanet's classes have them.

    Args:
        package: Prefix of the name in files: `package>name`.
        name: The name; by default that of the class or function.

    Returns:
        A decorator that registers and returns its argument.

    Raises:
        ValueError: The name is registered for something else, or a class has no get_config.

    Example:
        >>> import portanet
        >>> @portanet.saving.register_serializable(package="docs")
        ... def triple(x):
        ...     return 3 * x
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Lambda(triple)])
    """
    checks.text("package", package, "register_serializable")
    if name is not None:
        checks.text("name", name, "register_serializable")

    def register(thing: Any) -> Any:
        if not callable(thing) or not hasattr(thing, "__name__"):
            raise TypeError(f"register_serializable takes classes and functions. Received: {thing!r}")
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"Class {thing.__name__} needs get_config() and from_config(config) to be saved; derive it from "
                f"portanet.configurable.Configurable, which has them. Received: {thing!r}"
            )
        full = f"{package}>{name or thing.__name__}"
        known = _registered.get(full)
        # A definition may be run again, as in a notebook.
        if known is not None and (known.__module__, known.__qualname__) != (thing.__module__, thing.__qualname__):
            raise ValueError(
                f"Something else is registered as {full!r}; choose another `package` or `name`. "
                f"Received: {thing!r}, where {known!r} is registered"
            )
        _registered[full] = thing
        return thing

    return register


register_keras_serializable = register_serializable


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function is registered, else its own name.

    Args:
        obj: A class or function.

    Example:
        >>> get_registered_name(dict)
        'dict'
    """
    name = _registered_name(obj)
    return getattr(obj, "__name__", str(obj)) if name is None else name


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The class or function of a name: of a scope, of the arguments, or registered; None if there is none.

    Args:
        name: The registered name.
        custom_objects: Further objects by name.
        module_objects: Likewise, searched last.

    Example:
        >>> get_registered_object("triple", custom_objects={"triple": len})
        <built-in function len>
    """
    thing = custom_object(name)
    if thing is None:
        thing = next((known[name] for known in (custom_objects, module_objects) if known and name in known), None)
    return thing


def name_of(thing: Any) -> str | None:
    """The name of a class or function in files; None unless it is registered or part of the library."""
    registered = _registered_name(thing)
    if registered is not None:
        return registered
    packages = (package for package in PACKAGES if str(thing.__module__).startswith(f"portanet.{package}"))
    name = next((f"{package}.{thing.__name__}" for package in packages), None)
    return name if name is not None and _in_library(name) is thing else None


def _registered_name(thing: Any) -> str | None:
    return next((name for name, known in _registered.items() if known is thing), None)


def find(name: str, custom_objects: Mapping[str, Any]) -> Any:
    """The class or function of a name; None if it is unknown.

    Args:
        name: A result of `name_of`, or the plain name of a class that is not registered.
        custom_objects: Classes and functions by name, with or without the package; they take precedence.
    """
    plain = name.rpartition(">")[2]
    for thing in (custom_objects.get(name), custom_objects.get(plain), custom_object(name), custom_object(plain)):
        if thing is not None:
            return thing
    return _in_library(name)


def _in_library(name: str) -> Any:
    """A public configurable class or a public function of the library; else None."""
    package, _, attribute = name.partition(".")
    if package not in PACKAGES:
        return None
    module = importlib.import_module(f"portanet.{package}")
    if attribute not in getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]):
        return None
    thing = getattr(module, attribute)
    if inspect.isclass(thing):
        return thing if issubclass(thing, Configurable) else None
    return thing if package in FUNCTION_PACKAGES and inspect.isfunction(thing) else None

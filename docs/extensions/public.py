"""The public objects of the library, by the paths under which users import them."""

from __future__ import annotations

import functools
import importlib
import inspect
import types
from typing import Any

ROOT = "portanet"
FURTHER = (
    "applications.imagenet_utils",
    "autodiff.linalg",
    "autodiff.special",
    "backends",
    "compat.numpydl",
    "random.streams",
)
"""Public modules that no package names in `__all__`."""


def public_names(module: types.ModuleType) -> list[str]:
    """`__all__`, or the names that a module without it defines."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    )


def public_modules() -> dict[str, types.ModuleType]:
    """The modules that users import, by path: those that packages name in `__all__`, and below them."""
    found: dict[str, types.ModuleType] = {}
    waiting = [ROOT, *(f"{ROOT}.{name}" for name in FURTHER)]
    while waiting:
        path = waiting.pop(0)
        module = importlib.import_module(path)
        found[path] = module
        below = (f"{path}.{name}" for name in public_names(module) if is_module(getattr(module, name)))
        waiting += [name for name in below if name not in found]
    return found


def is_module(value: Any) -> bool:
    """Whether a public name is a module of the library."""
    return inspect.ismodule(value) and value.__name__.startswith(f"{ROOT}.")


def is_value(value: Any) -> bool:
    """Whether a public object is neither class nor function."""
    return not (inspect.isclass(value) or inspect.isroutine(value))


@functools.cache
def public_objects() -> dict[str, list[str]]:
    """The path of each public object's page, with all paths of the object."""
    paths: dict[Any, list[str]] = {}
    values: dict[Any, Any] = {}
    for place, module in public_modules().items():
        for name in public_names(module):
            value = getattr(module, name)
            if not inspect.ismodule(value):
                path = f"{place}.{name}"
                key = (name, repr(value)) if is_value(value) else id(value)
                paths.setdefault(key, []).append(path)
                values[key] = value
    return {min(found, key=lambda path: rank(path, values[key])): sorted(found) for key, found in paths.items()}


def rank(path: str, value: Any) -> tuple[bool, bool, int, bool, str]:
    """The least is the path of the page: functions of the root are there, other things in the package of their kind."""
    place, _, name = path.rpartition(".")
    defined, own_name = getattr(value, "__module__", None) or "", getattr(value, "__name__", name)
    at_root = place == ROOT and inspect.isroutine(value)
    here = place != ROOT and defined.startswith(place)
    return (not at_root, not here, path.count("."), name != own_name, path)


def resolve(path: str) -> Any:
    """The object of a path."""
    place, _, name = path.rpartition(".")
    return getattr(importlib.import_module(place), name)


def members(value: type, public: set[type]) -> list[str]:
    """Documented methods and properties that a class has and its public bases have not."""
    found: list[str] = []
    for base in value.__mro__:
        if base is not value and (base in public or not base.__module__.startswith(f"{ROOT}.")):
            continue
        found += [name for name, member in vars(base).items() if shown(name, member) and name not in found]
    inherited = {name for base in value.__mro__[1:] if base in public for name in members(base, public)}
    own = vars(value)
    return sorted(name for name in found if name not in inherited or name in own)


def shown(name: str, member: Any) -> bool:
    """Whether an attribute of a class is on its page."""
    function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    function = function.fget if isinstance(function, property) else function
    ours = getattr(function, "__module__", "").startswith(f"{ROOT}.")
    return ours and not name.startswith("_") and inspect.isroutine(function) and bool(function.__doc__)

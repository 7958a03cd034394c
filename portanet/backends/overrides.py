"""Faster versions of functions that are defined in the standard: the one way to plug them in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from portanet.backends.base import Backend
from portanet.backends.registry import backend_class_of

F = TypeVar("F", bound=Callable[..., Any])

OVERRIDABLE: dict[str, Callable[..., Any]] = {}
"""Every function that backends may override, by name."""

_CONTAINERS = frozenset((list, tuple, dict))
_TRACED, _UNKNOWN = object(), object()
_LIBRARIES: dict[type, Any] = {}
"""For each type the backend class of its arrays, None for what is no array, `_TRACED` for arrays of no backend."""


def overridable(definition: F) -> F:
    """Let backends have versions of their own of a function, which is the definition and serves all others.

    A backend names its version in `Backend.overrides`, under the name of the function. The version gets the arguments
    of the call, and returns NotImplemented for those that are better left to the definition. It is never given traced
    arrays: what is differentiated is the definition, unless the function brings its own derivative (`custom_vjp`,
    `primitive`). One test compares every override with its definition, which stays callable as `function.definition`.

    Example:
        >>> import numpy as np
        >>> from portanet.backends.overrides import overridable
        >>> @overridable
        ... def double(x):
        ...     return x + x
        >>> double(np.asarray([1.0])), double.definition(np.asarray([1.0]))
        (array([2.]), array([2.]))
    """
    name = definition.__name__

    @functools.wraps(definition)
    def function(*args: Any, **kwargs: Any) -> Any:
        library = library_of((*args, *kwargs.values()) if kwargs else args)
        override = None if library is None else library.overrides.get(name)
        if override is not None:
            result = override(*args, **kwargs)
            if result is not NotImplemented:
                return result
        return definition(*args, **kwargs)

    function.definition = definition  # type: ignore[attr-defined]
    OVERRIDABLE[name] = function
    return cast(F, function)


def library_of(arguments: Sequence[Any]) -> type[Backend] | None:
    """The backend class of the first array among the arguments; None if there is none, or any array is traced.

    Arrays in lists, tuples and dicts count as well.
    """
    library = _first_library(arguments)
    return None if library is _TRACED else library


def _first_library(arguments: Iterable[Any]) -> Any:
    library = None
    for x in arguments:
        kind = type(x)
        known = _LIBRARIES.get(kind, _UNKNOWN)
        if known is _UNKNOWN:
            if kind in _CONTAINERS:
                known = _first_library(x.values() if kind is dict else x)
            else:
                owner = backend_class_of(x)
                known = _TRACED if owner is None and hasattr(x, "__array_namespace__") else owner
                _LIBRARIES[kind] = known
        if known is _TRACED:
            return known
        library = library or known
    return library

"""Faster versions of functions that are defined in the standard: the one way to plug them in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from portanet.backends.base import Backend
from portanet.backends.registry import backend_class_of
from portanet.tree import tree_leaves

F = TypeVar("F", bound=Callable[..., Any])

OVERRIDABLE: dict[str, Callable[..., Any]] = {}
"""Every function that backends may override, by name."""

_CONTAINERS = frozenset((list, tuple, dict))
_TRACED = object()
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


def elementwise(function: F) -> F:
    """Declare that each element of a function's results depends on the elements at its place in the arguments alone.

    A backend may then compute it as it likes: in blocks of the arrays, on threads, as one generated kernel. The
    function gives an array, or a tuple of arrays, of the shape to which its arguments broadcast; arguments that are not
    arrays, and all by name, are the same for every element. It may change its arguments in place, and return them.

    Example:
        >>> import numpy as np
        >>> from portanet.backends.overrides import elementwise
        >>> @elementwise
        ... def square_and_slope(x):
        ...     return x * x, 2 * x
        >>> square_and_slope(np.asarray([1.0, 2.0]))
        (array([1., 4.]), array([2., 4.]))
    """

    @functools.wraps(function)
    def apply(*args: Any, **options: Any) -> Any:
        library = library_of(args)
        if library is None:
            return function(*args, **options)
        return library.map_elements(functools.partial(function, **options) if options else function, args)

    return cast(F, apply)


def library_of(arguments: Sequence[Any]) -> type[Backend] | None:
    """The backend class of the first array among the arguments; None if there is none, or any array is traced.

    Arrays in lists, tuples and dicts count as well.
    """
    library: type[Backend] | None = None
    leaves = tree_leaves(arguments) if any(type(x) in _CONTAINERS for x in arguments) else arguments
    for x in leaves:
        kind = type(x)
        if kind not in _LIBRARIES:
            owner = backend_class_of(x)
            _LIBRARIES[kind] = _TRACED if owner is None and hasattr(x, "__array_namespace__") else owner
        if _LIBRARIES[kind] is _TRACED:
            return None
        library = library or _LIBRARIES[kind]
    return library

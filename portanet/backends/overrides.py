"""What a backend may compute in its own way: functions that it overrides by name, and work declared as independent."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from portanet.backends.base import Array, Backend
from portanet.backends.registry import backend_class_of

F = TypeVar("F", bound=Callable[..., Any])

OVERRIDABLE: dict[str, Callable[..., Any]] = {}
"""Every function that backends may override, by name."""

_CONTAINERS = frozenset((list, tuple, dict))
_TRACED, _UNKNOWN = object(), object()
_LIBRARIES: dict[type, Any] = {}
"""By type: the backend class; None if it is not an array type; `_TRACED` for array types of no backend."""
_LEAST_ELEMENTS: dict[type, float] = {}
"""By type: `Backend.least_elements`; infinity for traced arrays."""


def overridable(definition: F) -> F:
    """Let backends override a function; the function itself is the definition, for all other backends.

    A backend names its version in `Backend.overrides`, under the name of the function. The version gets the arguments
    of the call, and returns NotImplemented to leave them to the definition. It never gets traced arrays: the definition
    is differentiated, unless the function has its own derivative (`custom_vjp`, `primitive`). One test compares every
    override with its definition, which stays callable as `function.definition`.

    Example:
        >>> import numpy as np
        >>> from portanet.backends import overridable
        >>> @overridable
        ... def double(x):
        ...     return x + x
        >>> double(np.asarray([1.0])), double.definition(np.asarray([1.0]))
        (array([2.]), array([2.]))
    """
    name = definition.__name__

    @functools.wraps(definition)
    def function(*args: Any, **kwargs: Any) -> Any:
        owner = _LIBRARIES.get(type(args[0])) if args else None
        if owner is not None and (owner is _TRACED or name not in owner.overrides):  # mostly
            return definition(*args, **kwargs)
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


def library_functions(
    names: str, find: Callable[[str], Callable[..., Any] | None], half: Iterable[str] = ()
) -> dict[str, Callable[..., Any]]:
    """Overrides by functions of one or several arrays that a library has under the same names.

    Args:
        names: The names, separated by spaces.
        find: Returns the library's function of a name, None if there is none; called when the function is needed.
        half: Names of those that take half precision; the others leave it to the definition.
    """

    def override(name: str) -> Callable[..., Any]:
        def function(*arrays: Array) -> Any:
            own = find(name) if arrays[0].dtype.itemsize >= 4 or name in half else None
            return NotImplemented if own is None else own(*arrays)

        return function

    return {name: override(name) for name in names.split()}


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


def elementwise(function: F) -> F:
    """Declare that each element of a function's results depends on the elements at its place in the arguments alone.

    A backend may then compute it in blocks of the arrays, on threads, or as one generated program. The function gives
    an array, or a tuple of arrays, in the shape of its first argument, to which the other arrays broadcast; arguments
    that are not arrays, and all by name, are the same for every element. It may change its arguments in place, and
    return them.

    Example:
        >>> import numpy as np
        >>> from portanet.backends import elementwise
        >>> @elementwise
        ... def square_and_slope(x):
        ...     return x * x, 2 * x
        >>> square_and_slope(np.asarray([1.0, 2.0]))
        (array([1., 4.]), array([2., 4.]))
    """

    @functools.wraps(function)
    def apply(*args: Any, **options: Any) -> Any:
        library = library_of(args) if args and is_large(args[0]) else None  # one of the others may be traced
        if library is None:
            return function(*args, **options)
        return library.map_elements(functools.partial(function, **options) if options else function, args)

    return cast(F, apply)


def is_large(x: Array) -> bool:
    """Whether the backend divides or fuses elementwise work on arrays of this size.

    Example:
        >>> import numpy as np
        >>> is_large(np.ones(2))
        False
    """
    least = _LEAST_ELEMENTS.get(type(x))
    if least is None:
        library = library_of((x,))
        least = _LEAST_ELEMENTS[type(x)] = math.inf if library is None else library.least_elements
    return least < math.inf and math.prod(x.shape) >= least


def map_each(function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> list[Any]:
    """`function(*args)` for each of several calls of a function as `elementwise` declares; at once where a backend can.

    Example:
        >>> import numpy as np
        >>> from portanet.backends import map_each
        >>> map_each(lambda x, y: x + y, [(np.ones(2), np.ones(2)), (np.zeros(1), np.ones(1))])
        [array([2., 2.]), array([1.])]
    """
    library = library_of(calls)
    return [function(*args) for args in calls] if library is None else library.map_each(function, calls)


def map_rows(function: Callable[..., Any], *arrays: Array | None, size: int, total: bool = False) -> Any:
    """`function(*arrays)`, each row of whose results depends on that row of the arrays alone; along the first axis.

    Args:
        function: Gives an array, or a tuple of arrays, with the same first axis as its arguments; with `total`, sums
            over the rows. It must not change its arguments.
        arrays: Arrays with the same first axis; None is passed on.
        size: Approximate number of elements per row, including temporary arrays, so that a part fits in a
            processor's cache.
        total: Whether the results of parts are summed rather than concatenated.

    Example:
        >>> import numpy as np
        >>> from portanet.backends import map_rows
        >>> map_rows(lambda x, y: np.sum(x * y, axis=1), np.ones((2, 3)), np.ones((2, 3)), size=9)
        array([3., 3.])
    """
    library = library_of(arrays)
    return function(*arrays) if library is None else library.map_rows(function, arrays, size, total)

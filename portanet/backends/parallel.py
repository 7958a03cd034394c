"""Work whose parts do not depend on each other, declared as such: backends compute it as suits them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

from portanet.backends.base import Array
from portanet.backends.overrides import library_of

F = TypeVar("F", bound=Callable[..., Any])


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
        library = library_of(args) if is_large(args[0]) else None
        if library is None:
            return function(*args, **options)
        return library.map_elements(functools.partial(function, **options) if options else function, args)

    return cast(F, apply)


def is_large(x: Array) -> bool:
    """Whether the backend takes elementwise work on an array of this size in hand."""
    library = library_of((x,))
    return library is not None and math.prod(x.shape) >= library.least_elements


def map_rows(function: Callable[..., Any], *arrays: Array | None, size: int, total: bool = False) -> Any:
    """`function(*arrays)`, each row of whose results depends on that row of the arrays alone; along the first axis.

    Args:
        function: Gives an array, or a tuple of arrays, with the same first axis as its arguments; with `total`, sums
            over the rows. It must not change its arguments.
        arrays: Arrays with the same first axis; None is handed on.
        size: About how many numbers there are for a row at once, those of the function's own included: what it works
            on should stay in a processor's cache.
        total: Whether the results of parts are to be added up rather than joined.

    Example:
        >>> import numpy as np
        >>> from portanet.backends import map_rows
        >>> map_rows(lambda x, y: np.sum(x * y, axis=1), np.ones((2, 3)), np.ones((2, 3)), size=9)
        array([3., 3.])
    """
    library = library_of(arrays)
    return function(*arrays) if library is None else library.map_rows(function, arrays, size, total)

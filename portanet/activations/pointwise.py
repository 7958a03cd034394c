"""Declares elementwise activations by their value and slope."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, elementwise, overridable


def pointwise(
    f: Callable[..., tuple[Array, Callable[[Any], Array]]], *, may_override: bool = False
) -> Callable[..., Any]:
    """Declare an elementwise function of one array by its value and its slope.

    `f(x, **parameters)` returns `(y, slope)`; `slope(xp)` returns dy/dx and is called only when a derivative is
    needed. Both are written in the standard and have the shape of `x`; backends may compute them in blocks, and with
    `may_override` in their own way, as `f_value` (y) and `f_and_slope` (y, dy/dx).

    Example:
        >>> import numpy as np
        >>> from portanet.activations.pointwise import pointwise
        >>> from portanet.autodiff import grad
        >>> @pointwise
        ... def square(x):
        ...     return x * x, lambda xp: 2 * x
        >>> float(grad(square)(np.asarray(3.0)))
        6.0
    """

    @elementwise
    def value(x: Array, *parameters: Any, **named: Any) -> Array:
        return f(x, *parameters, **named)[0]

    @elementwise
    def value_and_slope(x: Array, *parameters: Any, **named: Any) -> tuple[Array, Array]:
        y, slope = f(x, *parameters, **named)
        return y, slope(array_namespace(x))

    if may_override:
        value.__name__, value_and_slope.__name__ = f"{f.__name__}_value", f"{f.__name__}_and_slope"
        value, value_and_slope = overridable(value), overridable(value_and_slope)

    @functools.wraps(f)
    def declared(x: Array, *parameters: Any, **named: Any) -> Any:
        y, slope = value_and_slope(x, *parameters, **named)
        return y, lambda g: (g * slope, *(None for _ in parameters))

    return custom_vjp(declared, value)

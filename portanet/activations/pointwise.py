"""How an elementwise activation is declared: its value and its slope, side by side."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array


def pointwise(f: Callable[..., tuple[Array, Callable[[Any], Array]]]) -> Callable[..., Any]:
    """Declare an elementwise function of one array by its value and its slope.

    `f(x, **parameters)` returns `(y, slope)`; `slope(xp)` gives dy/dx, and is asked for only when a derivative is
    wanted. Both are written in the standard.

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

    @functools.wraps(f)
    def declared(x: Array, *parameters: Any, **named: Any) -> Any:
        y, slope = f(x, *parameters, **named)

        def pullback(g: Array) -> tuple[Array | None, ...]:
            return (g * slope(array_namespace(g, x)), *(None for _ in parameters))

        return y, pullback

    return custom_vjp(declared)


def require_positive(function: str, name: str, value: Any, zero: bool = False) -> None:
    """Refuse a parameter that is not a positive number (or zero, if that is allowed)."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < 0 or (value == 0 and not zero):
        raise ValueError(
            f"Argument `{name}` of {function} must be a {'non-negative' if zero else 'positive'} number. "
            f"Received: {name}={value!r}"
        )

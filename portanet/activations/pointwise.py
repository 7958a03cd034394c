"""How an elementwise activation is declared: its value and its slope, side by side."""

from __future__ import annotations

import functools
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

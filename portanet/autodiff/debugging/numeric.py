"""Numerical differentiation, for checks: slow and inexact, but it needs only the function's values."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from portanet import checks
from portanet.autodiff.boundary import floating_arguments, unit
from portanet.backends import raw_namespace
from portanet.tree import tree_leaves, tree_map

Method: TypeAlias = Literal["forward", "backward", "central", "richardson"]

# Weights of f(x + k h) / h by k, and the order of the error in h.
STENCILS: dict[str, dict[int, float]] = {
    "forward": {1: 1.0, 0: -1.0},
    "backward": {0: 1.0, -1: -1.0},
    "central": {1: 0.5, -1: -0.5},
    "richardson": {1: 2 / 3, -1: -2 / 3, 2: -1 / 12, -2: 1 / 12},
}
ERROR_ORDERS = {"forward": 1, "backward": 1, "central": 2, "richardson": 4}


def numeric_jvp(
    f: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    method: Method = "central",
    step: float | None = None,
) -> Any:
    """The derivative of `f` at `primals` along `tangents`, by finite differences.

    Forward differences D+(h) = (f(x + h) - f(x)) / h and backward ones D-(h) = (f(x) - f(x - h)) / h have an error of
    order h; central ones D0(h) = (f(x + h) - f(x - h)) / 2h of order h^2; Richardson's extrapolation
    (4 D0(h) - D0(2h)) / 3 of order h^4.

    Source: N. Ketkar, Deep Learning with Python (2017), chapter 9.

    Args:
        f: A function of plain arrays (or trees of them) that returns an array or a tree of arrays.
        primals: Its arguments, floating-point.
        tangents: One per primal, with the same structure and shapes.
        method: `"forward"`, `"backward"`, `"central"` or `"richardson"`.
        step: The h above; None for eps^(1 / (order + 1)), which balances truncation and rounding errors.

    Returns:
        An array or a tree like the result of `f`.

    Raises:
        ValueError: The method is unknown.
        TypeError: A primal is not floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import numeric_jvp
        >>> f = lambda x: 2 * x**3 + x**2
        >>> round(float(numeric_jvp(f, (np.asarray(1.0),), (np.asarray(1.0),), "richardson")), 6)
        8.0
    """
    checks.choice("method", method, STENCILS, "numeric_jvp")
    primals = floating_arguments(dict(enumerate(primals)), ())
    first = tree_leaves(primals)[0]
    h = float(raw_namespace(first).finfo(first.dtype).eps) ** (1 / (ERROR_ORDERS[method] + 1)) if step is None else step
    total = None
    for k, weight in STENCILS[method].items():
        shifted = tree_map(lambda x, t, k=k: x + (k * h) * t, primals, list(tangents))
        part = tree_map(lambda y, weight=weight: y * weight, f(*shifted))
        total = part if total is None else tree_map(lambda a, b: a + b, total, part)
    return tree_map(lambda y: y / h, total)


def numeric_grad(
    f: Callable[..., Any], argnum: int = 0, method: Method = "central", step: float | None = None
) -> Callable[..., Any]:
    """The gradient of a scalar function, by finite differences, one element at a time.

    Args:
        f: A function of plain arrays that returns a scalar.
        argnum: Which positional argument to differentiate with respect to: a floating-point array or a tree of them.
        method: As in `numeric_jvp`.
        step: As in `numeric_jvp`.

    Returns:
        A function of the same arguments that returns the gradient, with the structure and shapes of the argument.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import numeric_grad
        >>> f = lambda x: (x[0] ** 2 + x[1] ** 2) ** 0.5
        >>> [round(float(d), 6) for d in numeric_grad(f)(np.asarray([1.0, 2.0]))]
        [0.447214, 0.894427]
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        def of_argument(x: Any) -> Any:
            return f(*(x if i == argnum % len(args) else a for i, a in enumerate(args)), **kwargs)

        (x,) = floating_arguments({argnum: args[argnum]}, args)
        leaves = tree_leaves(x)
        gradients = []
        for number, leaf in enumerate(leaves):
            partials = []
            for position in range(math.prod(leaf.shape)):
                units = iter([unit(y, position if i == number else None) for i, y in enumerate(leaves)])
                direction = tree_map(lambda _, units=units: next(units), x)
                partials.append(numeric_jvp(of_argument, (x,), (direction,), method, step))
            raw = raw_namespace(leaf)
            stacked = raw.stack(partials) if partials else raw.zeros_like(leaf)
            gradients.append(raw.reshape(stacked, tuple(leaf.shape)))
        joined = iter(gradients)
        return tree_map(lambda _: next(joined), x)

    return gradient

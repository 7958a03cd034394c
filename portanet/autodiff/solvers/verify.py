"""Checks of what solvers return, and of the operators that they get: wrong answers must not pass in silence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.autodiff.batching.array import storage
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.krylov import Product, dot, norm
from portanet.autodiff.solvers.vectors import ConvergenceError, Vector
from portanet.backends import Array, device_of, readable

Map = Callable[[Any], Any]


def direction(like: Array) -> Array:
    """A fixed vector without a pattern, with elements between -1 and 1."""
    xp = array_namespace(like)
    values = [math.sin(1.0 + 12.9898 * i * i + 78.233 * i) for i in range(like.shape[0])]
    return xp.asarray(values, dtype=like.dtype, device=device_of(like))


def _precision(x: Array) -> float:
    return float(array_namespace(x).finfo(x.dtype).eps)


def require_linear(product: Product, b: Array, image: Array, name: str, of: str) -> None:
    """Raise unless `product(2 b) = 2 product(b)`, which rounding leaves exact; `image` is `product(b)`."""
    twice = product(b * 2.0)
    if norm(twice - image * 2.0) > math.sqrt(_precision(b)) * (norm(twice) + 2 * norm(image)):
        raise ValueError(
            f"{checks.argument(name, of)} must be linear: {name}(2 x) = 2 {name}(x). Move a constant part to the "
            "right-hand side, or use custom_root for other equations. "
            f"Received: {name}(2 x) of norm {norm(twice):.6g}, and 2 {name}(x) of norm {2 * norm(image):.6g}"
        )


def require_symmetric(product: Product, b: Array, image: Array) -> None:
    """Raise unless the operator of cg is its own transpose: `image` is `product(b)`."""
    v = direction(b)
    other = product(v)
    here, there = dot(v, image), dot(other, b)
    if abs(here - there) > math.sqrt(_precision(b)) * (norm(v) * norm(image) + norm(other) * norm(b)):
        raise ValueError(
            f"{checks.argument('A', 'cg')} must be symmetric: the inner products of v and A(b), and of A(v) and b, "
            f"must agree. Use gmres for other operators. Received: {here:.6g} and {there:.6g}"
        )


def check_linear(product: Map, b: Any, x: Any, tolerance: float | None, name: str, of: str) -> None:
    """Raise unless `x` solves a linear system to a tolerance; `name` is the argument that computed it."""
    vector = Vector(b)
    y = vector.flat(b)
    tolerance = _precision(y) ** 0.25 if tolerance is None else tolerance
    if not y.shape[0] or tolerance >= 1.0:
        return
    image = vector.flat(product(x))
    if not readable(storage(image), wait=True):  # while a function is compiled
        return
    size, error = norm(y) + norm(image), norm(y - image)
    if not error <= tolerance * size:
        raise ConvergenceError(
            f"{checks.argument(name, of)} must solve the system, whose residual b - A x is too large. Solve it more "
            "accurately, or raise `tolerance` (1 for no check). "
            f"Received: a residual of norm {error:.3g} for b of norm {norm(y):.3g}, tolerance={tolerance:.3g}"
        )
    require_linear(vector.map(product), y, vector.flat(product(b)), "matvec", of)


def check_root(f: Map, x: Any, tolerance: float | None, of: str) -> None:
    """Raise unless `x` is a root to a tolerance, relative to `1 + max(abs(x))`.

    The distance to the root is estimated from the residual and the change of the residual in one direction.
    """
    vector = Vector(x)
    point = vector.flat(x)
    fraction = _precision(point) ** 0.25
    tolerance = fraction if tolerance is None else tolerance
    if not point.shape[0] or tolerance >= 1.0:
        return
    residual = vector.flat(f(x))
    if not readable(storage(residual), wait=True):  # while a function is compiled
        return
    size = norm(residual)
    scale = 1.0 + norm(point) / math.sqrt(point.shape[0])
    shift = fraction * scale
    change = norm(vector.flat(f(vector.tree(point + direction(point) * shift))) - residual) if size > 0.0 else math.inf
    if math.isfinite(size) and not math.isfinite(change) and size > 0.0:
        return  # the step left the domain of the function
    distance = size / change * fraction if change else math.inf
    if not distance <= tolerance:
        raise ConvergenceError(
            f"{checks.argument('solve', of)} must return a solution, and its result is none. Solve the equation more "
            "accurately, start elsewhere, or raise `tolerance` (1 for no check). Received: a residual of norm "
            f"{size:.3g}, which is an error of about {distance:.3g} relative to x, for tolerance={tolerance:.3g}"
        )

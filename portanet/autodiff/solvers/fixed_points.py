"""Fixed points, by Anderson's acceleration."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.implicit import Map, Solve, solution
from portanet.autodiff.solvers.vectors import ConvergenceError, Vector, floating, largest, same_form
from portanet.backends import Array, device_of
from portanet.tree import tree_map


def fixed_point(
    f: Map,
    x0: Any,
    tolerance: float | None = None,
    max_iterations: int = 500,
    memory: int = 5,
    tangent_solve: Solve | None = None,
) -> Any:
    """A tree of arrays x with `f(x) = x`, with derivatives by all arrays that `f` closes over.

    Iterated with Anderson's acceleration; the derivative is implicit (`custom_root`), so nothing of the iteration is
    stored. Of any order, forward and reverse. A layer whose output is such a fixed point is a deep equilibrium model.

    Source: D. Anderson (1965); H. Walker and P. Ni, Anderson acceleration for fixed-point iterations (2011).

    Args:
        f: Function of an array or a tree of arrays that returns a tree of the same structure, shapes and dtypes.
        x0: Where to start: floating-point arrays. It has no influence on derivatives.
        tolerance: Converged if no element of `f(x) - x` is larger than this, relative to the largest element of x or
            to 1. None is 1.6e-10 in float64, 4.7e-5 in float32.
        max_iterations: Maximum number of evaluations.
        memory: How many previous steps the acceleration uses; 0 for plain iteration.
        tangent_solve: See `custom_root`.

    Returns:
        The fixed point, a tree like `x0`.

    Raises:
        ConvergenceError: The tolerance was not reached; with the residual.
        TypeError: `x0` is not floating-point.
        ValueError: The result of `f` differs from `x0` in structure, shape or dtype.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace, fixed_point, grad
        >>> def point(a):
        ...     return fixed_point(lambda x: array_namespace(x).cos(a * x), np.asarray(1.0))
        >>> a = np.asarray(1.0)
        >>> round(float(point(a)), 6), round(float(grad(point)(a)), 6)
        (0.739085, -0.297474)
    """
    checks.function("f", f, "fixed_point")
    floating("x0", x0, "fixed_point")
    tolerance = None if tolerance is None else checks.non_negative("tolerance", tolerance, "fixed_point")
    max_iterations = checks.integer("max_iterations", max_iterations, "fixed_point", least=1)
    memory = checks.integer("memory", memory, "fixed_point", least=0)
    if tangent_solve is not None:
        checks.function("tangent_solve", tangent_solve, "fixed_point")

    def change(x: Any) -> Any:
        result = f(x)
        same_form("The result of argument `f`", result, x, "fixed_point")
        return tree_map(lambda new, old: new - old, result, x)

    def solve(change: Map, start: Any) -> Any:
        return _iterate(change, start, tolerance, max_iterations, memory)

    return solution(change, x0, solve, tangent_solve, False, False, "fixed_point")[0]


def _iterate(change: Map, start: Any, tolerance: float | None, max_iterations: int, memory: int) -> Any:
    vector = Vector(start)
    x = vector.flat(start)
    xp = array_namespace(x)
    if x.shape[0] == 0:
        return start
    if tolerance is None:
        tolerance = float(xp.finfo(x.dtype).eps) ** 0.625
    steps: list[Array] = []  # differences of x
    changes: list[Array] = []  # differences of the residual
    before: tuple[Array, Array] | None = None
    size, least = math.inf, math.inf
    for _ in range(max_iterations):
        residual = vector.flat(change(vector.tree(x)))
        size = largest(residual)
        if size <= tolerance * max(1.0, largest(x)):
            return vector.tree(x)
        if not math.isfinite(size):
            break
        if before is not None and memory:
            steps.append(x - before[0])
            changes.append(residual - before[1])
            if size > 10 * least:  # the acceleration misleads
                steps, changes = [], []
            del steps[:-memory], changes[:-memory]
        least, before = min(least, size), (x, residual)
        x = x + residual
        if steps:
            x = x - _correction(steps, changes, residual)
    raise ConvergenceError(
        "fixed_point did not converge. Start nearer to the fixed point, raise `max_iterations` or `tolerance`, or make "
        "`f` a contraction, for example by x + step * (f(x) - x). "
        f"Received: after {max_iterations} iterations a residual of {size:.3g}"
    )


def _correction(steps: list[Array], changes: list[Array], residual: Array) -> Array:
    """What to subtract from the plain step so that the residual, linear in the last steps, becomes smallest."""
    xp = array_namespace(residual)
    matrix = xp.stack(changes, axis=0)
    scale = xp.linalg.vector_norm(matrix, axis=1)
    scale = xp.where(scale > 0, scale, 1.0)
    matrix = matrix / xp.expand_dims(scale, axis=1)
    products = xp.matmul(matrix, xp.matrix_transpose(matrix))
    eye = xp.eye(len(steps), dtype=residual.dtype, device=device_of(residual))
    ridge = 10 * float(xp.finfo(residual.dtype).eps) * len(steps)
    factors = xp.linalg.solve(products + ridge * eye, xp.matmul(matrix, residual)) / scale
    return xp.matmul(factors, xp.stack(steps, axis=0) + xp.stack(changes, axis=0))

"""Conjugate gradients and GMRES for plain real vectors, in the standard; progress is read on the host."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.vectors import ConvergenceError, largest, number
from portanet.backends import Array

Product: TypeAlias = Callable[[Array], Array]


def norm(x: Array) -> float:
    """The Euclidean norm of a vector; squares of its elements may underflow or overflow."""
    if not x.shape[0]:
        return 0.0
    size = number(array_namespace(x).linalg.vector_norm(x))
    if 1e-15 < size < 1e15:
        return size
    scale = largest(x)
    return scale * float(array_namespace(x).linalg.vector_norm(x / scale)) if 0.0 < scale < math.inf else scale


def dot(x: Array, y: Array) -> float:
    """The inner product of two vectors."""
    return number(array_namespace(x).vecdot(x, y))


def not_converged(method: str, steps: int, residual: float, goal: float, reason: str = "") -> ConvergenceError:
    """The error of an iteration that ended too early."""
    return ConvergenceError(
        f"{method} did not converge{reason}. Raise `maxiter` or `rtol`, or give a preconditioner `M`. "
        f"Received: after {steps} products a residual of {residual:.3g}, for a tolerance of {goal:.3g}"
    )


def conjugate_gradients(
    product: Product, b: Array, x0: Array | None, goal: float, maxiter: int, precondition: Product | None
) -> Array:
    """A vector x with `norm(b - product(x)) <= goal`, for a symmetric positive definite operator.

    The residual of the iteration is updated. At its end, the true one is computed, and the iteration starts again from
    there if it is larger, by rounding or because the operator is not what it must be.

    Source: Y. Saad, Iterative methods for sparse linear systems (2003), algorithm 9.1.
    """
    x = b * 0.0 if x0 is None else x0
    residual = b if x0 is None else b - product(x)
    rounding = 100 * float(array_namespace(b).finfo(b.dtype).eps)
    steps, before, limit = 0, math.inf, goal
    while True:
        size = norm(residual)
        if size <= limit or size <= rounding * (norm(b) + norm(b - residual)):
            return x
        if steps >= maxiter or not math.isfinite(size):
            raise not_converged("cg", steps, size, goal)
        if not size < before / 2:
            raise not_converged("cg", steps, size, goal, ": check that `A` is linear and symmetric")
        x, taken = _descended(product, x, residual, goal, maxiter - steps, precondition)
        steps, before, limit = steps + taken, size, 2 * goal
        residual = b - product(x)


def _descended(
    product: Product, x: Array, residual: Array, goal: float, most: int, precondition: Product | None
) -> tuple[Array, int]:
    """The solution after steps of conjugate gradients, and their number."""
    direction, square, size = None, 0.0, norm(residual)
    for step in range(most):
        if size <= goal or not math.isfinite(size):
            return x, step
        z = residual if precondition is None else precondition(residual)
        before, square = square, dot(residual, z)
        direction = z if direction is None else z + (square / before) * direction
        image = product(direction)
        curvature = dot(direction, image)
        if not curvature > 0:
            raise not_converged("cg", step, size, goal, ": the operator is not positive definite")
        x = x + (square / curvature) * direction
        residual = residual - (square / curvature) * image
        size = norm(residual)
    return x, most


def restarted_gmres(
    product: Product, b: Array, x0: Array | None, goal: float, restart: int, maxiter: int, precondition: Product | None
) -> Array:
    """A vector x with `norm(b - product(x)) <= goal`, for any operator; preconditioned from the right.

    Source: Y. Saad, Iterative methods for sparse linear systems (2003), algorithm 9.5.
    """
    x = b * 0.0 if x0 is None else x0
    residual = b if x0 is None else b - product(x)
    size, steps = norm(residual), 0
    while size > goal and steps < maxiter:
        change, taken = _cycle(product, residual, size, goal, min(restart, maxiter - steps), precondition)
        x, steps = x + change, steps + taken
        residual = b - product(x)
        before, size = size, norm(residual)
        if not size < 0.999999 * before:
            raise not_converged("gmres", steps, size, goal, ": it stagnates, and the operator may be singular")
    if not size <= goal:
        raise not_converged("gmres", steps, size, goal)
    return x


def _cycle(
    product: Product, residual: Array, size: float, goal: float, restart: int, precondition: Product | None
) -> tuple[Array, int]:
    """One cycle of Arnoldi's process with Givens rotations: the change of the solution, and the number of products."""
    basis = [residual / size]
    columns: list[list[float]] = []  # of the triangular factor
    rotations: list[tuple[float, float]] = []
    right = [size]
    for _ in range(restart):
        w = product(basis[-1] if precondition is None else precondition(basis[-1]))
        before, column = norm(w), [0.0] * len(basis)
        for _ in range(2):  # the second pass keeps the basis orthogonal in spite of rounding
            for i, v in enumerate(basis):
                factor = dot(v, w)
                w = w - factor * v
                column[i] += factor
        length = norm(w)
        column.append(length)
        for i, (c, s) in enumerate(rotations):
            column[i], column[i + 1] = c * column[i] + s * column[i + 1], c * column[i + 1] - s * column[i]
        radius = math.hypot(column[-2], length)
        if not radius > 0.0:
            break
        c, s = column[-2] / radius, length / radius
        rotations.append((c, s))
        columns.append([*column[:-2], radius])
        right[-1:] = [c * right[-1], -s * right[-1]]
        if abs(right[-1]) <= goal / 2 or not length > 1e-14 * before:
            break
        basis.append(w / length)
    factors = [0.0] * len(columns)
    change = residual * 0.0
    for i in range(len(columns) - 1, -1, -1):
        known = sum(columns[j][i] * factors[j] for j in range(i + 1, len(columns)))
        factors[i] = (right[i] - known) / columns[i][i]
        change = change + factors[i] * basis[i]
    return (change if precondition is None else precondition(change)), max(len(columns), 1)

"""The default for linear systems of derivatives: a matrix for small ones, else GMRES."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.krylov import Product, norm, restarted_gmres
from portanet.autodiff.solvers.vectors import ConvergenceError, Vector
from portanet.backends import Array, device_of, readable

SMALL = 64
"""Up to how many unknowns the matrix is computed."""


def solve_square(matvec: Callable[[Any], Any], b: Any) -> Any:
    """The solution of a square system of plain arrays, which need only be linear over the real numbers."""
    vector = Vector(b)
    y = vector.flat(b)
    if y.shape[0] == 0:
        return b
    product = vector.map(matvec)
    if y.shape[0] <= SMALL:
        return vector.tree(by_matrix(product, y))
    goal = norm(y) * float(array_namespace(y).finfo(y.dtype).eps) ** 0.75
    return vector.tree(restarted_gmres(product, y, None, goal, 50, 10 * y.shape[0], None))


def by_matrix(product: Product, b: Array) -> Array:
    """The solution of a system by its matrix, column by column."""
    xp = array_namespace(b)
    size = b.shape[0]
    units = xp.eye(size, dtype=b.dtype, device=device_of(b))
    matrix = xp.stack([product(units[i, :]) for i in range(size)], axis=1)
    try:
        x = xp.linalg.solve(matrix, b)
    except Exception as reason:  # each library has an error of its own for a singular matrix
        raise ConvergenceError(_singular("a matrix without inverse")) from reason
    if not readable(x, wait=True):  # while a function is compiled
        return x
    error, scale = norm(b - xp.matmul(matrix, x)), norm(xp.matmul(xp.abs(matrix), xp.abs(x))) + norm(b)
    if not error <= math.sqrt(float(xp.finfo(b.dtype).eps)) * scale:
        raise ConvergenceError(_singular(f"a residual of {error:.3g} for a right-hand side of norm {norm(b):.3g}"))
    return x


def _singular(received: str) -> str:
    return (
        "The linear system of a derivative is singular: the equation does not determine its solution there. Check that "
        "the solution is isolated, or give `tangent_solve`, such as a least-squares solution. "
        f"Received: {received}"
    )

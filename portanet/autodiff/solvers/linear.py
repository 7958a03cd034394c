"""Linear systems with an operator given as a function: `cg`, `gmres`, and a matrix for small ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.autodiff.batching.array import BatchedArray
from portanet.autodiff.closures import plain_function, probed, value_of
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.implicit import Map, linear_solution, transposed
from portanet.autodiff.solvers.krylov import conjugate_gradients, norm, restarted_gmres
from portanet.autodiff.solvers.vectors import Vector, floating, same_form
from portanet.autodiff.solvers.verify import require_linear, require_symmetric
from portanet.autodiff.tracing import is_array
from portanet.autodiff.transforms import vjp
from portanet.backends import Array
from portanet.tree import tree_leaves, tree_map


def cg(
    A: Map | Array,
    b: Any,
    x0: Any = None,
    *,
    rtol: float | None = None,
    atol: float = 0.0,
    maxiter: int | None = None,
    M: Map | Array | None = None,
) -> Any:
    """The solution of `A x = b` by conjugate gradients, for a symmetric (Hermitian) positive definite operator.

    Differentiable by `b` and by all arrays that `A` closes over, to any order: each derivative is such a solution.

    Source: M. Hestenes and E. Stiefel (1952); the signature is SciPy's, without `callback`.

    Args:
        A: A linear function of a tree like `b` that returns such a tree, or a matrix of shape (n, n) for `b` of
            shape (n,).
        b: The right-hand side: a floating-point array or a tree of them.
        x0: Where to start, a tree like `b`; None for zeros. It has no influence on derivatives.
        rtol: Converged if `norm(b - A x) <= max(rtol * norm(b), atol)`. None is 1.6e-10 in float64, 4.7e-5 in float32.
        atol: See `rtol`.
        maxiter: Largest number of products with `A`; None for 10 times the number of unknowns.
        M: A preconditioner, an approximation of the inverse of `A`, like `A`.

    Returns:
        The solution, a tree like `b`.

    Raises:
        ConvergenceError: The tolerance was not reached, or `A` is not positive definite; with the residual.
        TypeError: `b` is not floating-point.
        ValueError: `A` returns another structure, shape or dtype than `b`, or is not linear and symmetric; or `b` is
            not finite.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import cg, grad
        >>> d = np.asarray([1.0, 2.0, 4.0])
        >>> cg(lambda x: d * x, np.ones(3))
        array([1.  , 0.5 , 0.25])
        >>> grad(lambda d: cg(lambda x: d * x, np.ones(3))[2])(d).round(6) + 0.0
        array([ 0.    ,  0.    , -0.0625])
    """
    solve = _Solver("cg", A, b, x0, rtol, atol, maxiter, M)
    return solve(conjugate_gradients)


def gmres(
    A: Map | Array,
    b: Any,
    x0: Any = None,
    *,
    rtol: float | None = None,
    atol: float = 0.0,
    restart: int = 20,
    maxiter: int | None = None,
    M: Map | Array | None = None,
) -> Any:
    """The solution of `A x = b` by GMRES with restarts, for any regular operator.

    Differentiable by `b` and by all arrays that `A` closes over, to any order: each derivative is such a solution.
    Complex arrays are solved as their real and imaginary parts, so `A` need only be linear over the real numbers.

    Source: Y. Saad and M. Schultz, GMRES (1986); the signature is SciPy's, without `callback`.

    Args:
        A: A linear function of a tree like `b` that returns such a tree, or a matrix of shape (n, n) for `b` of
            shape (n,).
        b: The right-hand side: a floating-point array or a tree of them.
        x0: Where to start, a tree like `b`; None for zeros. It has no influence on derivatives.
        rtol: Converged if `norm(b - A x) <= max(rtol * norm(b), atol)`. None is 1.6e-10 in float64, 4.7e-5 in float32.
        atol: See `rtol`.
        restart: Number of products between restarts: so many vectors are stored.
        maxiter: Largest number of products with `A`; None for 10 times the number of unknowns.
        M: A preconditioner, an approximation of the inverse of `A`, like `A`.

    Returns:
        The solution, a tree like `b`.

    Raises:
        ConvergenceError: The tolerance was not reached, or the iteration stagnates; with the residual.
        TypeError: `b` is not floating-point.
        ValueError: `A` returns another structure, shape or dtype than `b`, or is not linear; or `b` is not finite.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import gmres
        >>> gmres(np.asarray([[1.0, 2.0], [0.0, 4.0]]), np.asarray([3.0, 4.0])).round(6)
        array([1., 1.])
    """
    restart = checks.integer("restart", restart, "gmres", least=1)
    solve = _Solver("gmres", A, b, x0, rtol, atol, maxiter, M)
    return solve(lambda product, y, start, goal, steps, m: restarted_gmres(product, y, start, goal, restart, steps, m))


class _Solver:
    """What `cg` and `gmres` share: arguments, vectors and derivatives."""

    def __init__(self, of: str, A: Any, b: Any, x0: Any, rtol: Any, atol: Any, maxiter: Any, M: Any) -> None:
        floating("b", b, of)
        self.of, self.symmetric = of, of == "cg"
        self.b = b
        self.matvec = _operator("A", A, b, of)
        self.inverse = None if M is None else _operator("M", M, b, of)
        self.x0 = x0
        if x0 is not None:
            floating("x0", x0, of)
            same_form("Argument `x0`", x0, b, of)
        self.rtol = None if rtol is None else checks.non_negative("rtol", rtol, of)
        self.atol = checks.non_negative("atol", atol, of)
        self.maxiter = None if maxiter is None else checks.integer("maxiter", maxiter, of, least=1)

    def __call__(self, iterate: Callable[..., Array]) -> Any:
        real = all(array_namespace(x).isdtype(x.dtype, "real floating") for x in tree_leaves(self.b))
        symmetric = self.symmetric and real

        def solve(matvec: Map, b: Any, start: Any = None, transpose: bool = False, given: bool = False) -> Any:
            vector = Vector(b)
            y = vector.flat(b)
            xp = array_namespace(y)
            start = tree_map(value_of, start)
            if any(isinstance(x, BatchedArray) for x in tree_leaves(start)):
                start = None  # one system has one solution, wherever the examples of vmap start
            x0 = None if start is None else vector.flat(start)
            precondition = None
            if self.inverse is not None:
                inverse = plain_function(self.inverse, probed(self.inverse, b)[1])
                precondition = vector.map(transposed(vjp(inverse, b)[1]) if transpose else inverse)
            rtol = float(xp.finfo(y.dtype).eps) ** 0.625 if self.rtol is None else self.rtol
            size = norm(y)
            if not math.isfinite(size):
                raise ValueError(f"{checks.argument('b', self.of)} must be finite. Received: b of norm {size}")
            unit = 1.0 if 1e-10 < size < 1e10 or not size else math.ldexp(1.0, math.frexp(size)[1])
            y, goal = y / unit, max(rtol * size, self.atol) / unit  # squares must neither underflow nor overflow
            x0 = None if x0 is None else x0 / unit
            steps = self.maxiter or 10 * y.shape[0]
            product = vector.map(matvec)
            if given and size > 0.0:
                image = product(y)
                require_linear(product, y, image, "A", self.of)
                if self.symmetric:
                    require_symmetric(product, y, image)
            return vector.tree(iterate(product, y, x0, goal, steps, precondition) * unit)

        first = lambda f, y: solve(f, y, self.x0, given=True)  # noqa: E731
        back = lambda f, y: solve(f, y, transpose=True)  # noqa: E731
        return linear_solution(self.matvec, self.b, first, back, symmetric, False, solve)[0]


def _operator(name: str, A: Any, b: Any, of: str) -> Map:
    """An operator as a function."""
    if not is_array(A):
        return checks.function(name, A, of)
    shape = tuple(getattr(b, "shape", ()))
    if len(shape) != 1 or tuple(A.shape) != (*shape, *shape) or A.dtype != b.dtype:
        expected = "a linear function, or a matrix of shape (n, n) and the dtype of `b`, of shape (n,)"
        received = f"shape {tuple(A.shape)} and dtype {A.dtype}, with b of shape {shape} and dtype {b.dtype}"
        raise ValueError(f"{checks.argument(name, of)} must be {expected}. Received: {name} of {received}")
    return lambda x: array_namespace(A, x).matmul(A, x)

"""Linear systems with triangular matrices, and factors for solving several systems."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.linalg.declare import (
    call,
    eye,
    flag,
    inexact,
    matrix_primitive,
    require_square,
    right_side,
    square,
)
from portanet.autodiff.rules.linalg import adjoint
from portanet.autodiff.special.declare import in_single
from portanet.backends import Array, overridable, raw_namespace


@overridable
@in_single
def triangular_solution(a: Array, b: Array, *, lower: bool, unit_diagonal: bool) -> Any:
    """`solve_triangular` of plain arrays: elimination, which does not exchange rows of an upper triangular matrix."""
    xp = raw_namespace(a)
    if lower:
        a, b = xp.flip(a, axis=(-2, -1)), xp.flip(b, axis=-2)
    a = xp.triu(a, k=1) + eye(xp, a) if unit_diagonal else xp.triu(a)
    out = xp.linalg.solve(a, b)
    return xp.flip(out, axis=-2) if lower else out


def _triangle(xp: Any, x: Any, lower: bool, unit_diagonal: bool) -> Any:
    """The part of a matrix that counts."""
    return xp.tril(x, k=-int(unit_diagonal)) if lower else xp.triu(x, k=int(unit_diagonal))


def _pull_matrix(xp: Any, ans: Any, a: Any, b: Any, *, lower: bool, unit_diagonal: bool) -> Any:
    back = _pull_right(xp, ans, a, b, lower=lower, unit_diagonal=unit_diagonal)
    return lambda g: _triangle(xp, -xp.matmul(back(g), xp.matrix_transpose(ans)), lower, unit_diagonal)


def _pull_right(xp: Any, ans: Any, a: Any, b: Any, *, lower: bool, unit_diagonal: bool) -> Any:
    solve = xp.find("solve_triangular")
    return lambda g: solve(xp.matrix_transpose(a), g, lower=not lower, unit_diagonal=unit_diagonal)


def _push_matrix(xp: Any, ans: Any, a: Any, b: Any, *, lower: bool, unit_diagonal: bool) -> Any:
    solve = xp.find("solve_triangular")

    def push(t: Any) -> Any:
        moved = xp.matmul(_triangle(xp, t, lower, unit_diagonal), ans)
        return -solve(a, moved, lower=lower, unit_diagonal=unit_diagonal)

    return push


def _push_right(xp: Any, ans: Any, a: Any, b: Any, *, lower: bool, unit_diagonal: bool) -> Any:
    solve = xp.find("solve_triangular")
    return lambda t: solve(a, t, lower=lower, unit_diagonal=unit_diagonal)


matrix_primitive("solve_triangular", triangular_solution, (_pull_matrix, _pull_right), (_push_matrix, _push_right))
TRANSPOSED = {0: 0, "N": 0, 1: 1, "T": 1, 2: 2, "C": 2}


def transposition(function: str, trans: Any) -> int:
    """The argument `trans` of a solver as 0, 1 or 2: as it is, transposed, conjugate transposed."""
    if not isinstance(trans, (int, str)) or trans not in TRANSPOSED:
        raise ValueError(f"Argument `trans` of linalg.{function} must be 0, 1, 2, 'N', 'T' or 'C'. Received: {trans!r}")
    return TRANSPOSED[trans]


def solve_triangular(a: Array, b: Array, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The solution x of `a x = b` with triangular matrices.

    Args:
        a: Matrices, shape (..., n, n), of which one triangle counts.
        b: Right sides: a vector (n,), or matrices (..., n, k). Leading axes broadcast.
        trans: 0 or "N" for `a x = b`, 1 or "T" for the transpose of `a`, 2 or "C" for its conjugate transpose.
        lower: Whether the lower triangle of `a` counts.
        unit_diagonal: Whether the diagonal of `a` is taken as 1.

    Returns:
        The solutions, in the shape of `b` (with the leading axes of `a`).

    Raises:
        ValueError: Shapes do not fit, or `trans` is something else.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import solve_triangular
        >>> solve_triangular(np.asarray([[2.0, 0.0], [1.0, 4.0]]), np.asarray([2.0, 9.0]), lower=True)
        array([1., 2.])
    """
    xp, a, b = inexact("solve_triangular", a=a, b=b)
    require_square("solve_triangular", a=a)
    b, vector = right_side("solve_triangular", a.shape[-1], b)
    lower = flag("solve_triangular", "lower", lower)
    way = transposition("solve_triangular", trans)
    if way:
        a, lower = xp.matrix_transpose(a) if way == 1 else adjoint(xp, a), not lower
    unit_diagonal = flag("solve_triangular", "unit_diagonal", unit_diagonal)
    out = call("solve_triangular", a, b, lower=lower, unit_diagonal=unit_diagonal)
    return out[..., 0] if vector else out


def cho_factor(a: Array, lower: bool = False) -> tuple[Any, bool]:
    """The Cholesky factor of Hermitian positive definite matrices, for `cho_solve`.

    Args:
        a: Matrices, shape (..., n, n).
        lower: Whether the factor is lower triangular.

    Returns:
        `(c, lower)`, where the other triangle of `c` is 0.

    Raises:
        ValueError: `a` is not square. The library's error if `a` is not positive definite.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import cho_factor, cho_solve
        >>> cho_solve(cho_factor(np.asarray([[4.0, 2.0], [2.0, 5.0]])), np.asarray([8.0, 8.0]))
        array([1.5, 1. ])
    """
    xp, a = square("cho_factor", a=a)
    lower = flag("cho_factor", "lower", lower)
    return xp.linalg.cholesky(a, upper=not lower), lower


def cho_solve(c_and_lower: tuple[Array, bool], b: Array) -> Any:
    """The solution x of `a x = b` from the Cholesky factor of `a`.

    Args:
        c_and_lower: The result of `cho_factor`.
        b: Right sides: a vector (n,), or matrices (..., n, k).

    Returns:
        The solutions, in the shape of `b` (with the leading axes of the factor).

    Raises:
        ValueError: Shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import cho_solve
        >>> cho_solve((np.asarray([[2.0, 0.0], [1.0, 1.0]]), True), np.asarray([2.0, 2.0]))
        array([0., 1.])
    """
    if not isinstance(c_and_lower, tuple) or len(c_and_lower) != 2:
        raise TypeError(
            "Argument `c_and_lower` of linalg.cho_solve must be the tuple (c, lower) that cho_factor returns. "
            f"Received: {c_and_lower!r}"
        )
    c, lower = c_and_lower
    lower = flag("cho_solve", "c_and_lower[1]", lower)
    half = solve_triangular(c, b, trans="N" if lower else "C", lower=lower)
    return solve_triangular(c, half, trans="C" if lower else "N", lower=lower)

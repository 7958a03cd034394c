"""Decompositions that the standard lacks."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.linalg.declare import call, declare_pushed, matrices, matrix_primitive
from portanet.autodiff.rules.linalg import adjoint, hermitian_part
from portanet.backends import Array, raw_namespace


def _lyapunov_values(p: Array, s: Array) -> Any:
    """The solution x of `x p + p x = s` for a positive definite p."""
    xp = raw_namespace(p)
    values, vectors = xp.linalg.eigh(hermitian_part(xp, p))
    sums = values[..., :, None] + values[..., None, :]
    star = adjoint(xp, vectors)
    return vectors @ ((star @ s @ vectors) / xp.astype(sums, s.dtype)) @ star


def _lyapunov_pull(xp: Any, ans: Any, p: Any, s: Any) -> Any:
    back = _lyapunov_pull_right(xp, ans, p, s)

    def pull(g: Any) -> Any:
        w, x = back(g), xp.matrix_transpose(ans)
        return -(x @ w + w @ x)

    return pull


def _lyapunov_pull_right(xp: Any, ans: Any, p: Any, s: Any) -> Any:
    return lambda g: xp.find("solve_lyapunov")(xp.matrix_transpose(p), g)


def _lyapunov_push(xp: Any, ans: Any, p: Any, s: Any) -> Any:
    return lambda t: -xp.find("solve_lyapunov")(p, ans @ t + t @ ans)


def _lyapunov_push_right(xp: Any, ans: Any, p: Any, s: Any) -> Any:
    return lambda t: xp.find("solve_lyapunov")(p, t)


matrix_primitive(
    "solve_lyapunov",
    _lyapunov_values,
    (_lyapunov_pull, _lyapunov_pull_right),
    (_lyapunov_push, _lyapunov_push_right),
)


def _unitary_values(x: Array) -> Any:
    """The nearest matrix with orthonormal columns to one with at least as many rows."""
    xp = raw_namespace(x)
    left, _, right_star = xp.linalg.svd(x, full_matrices=False)
    return left @ right_star


def _unitary_push(xp: Any, u: Any, x: Any) -> Any:
    """Of x = u p: u turns by T with T p + p T = u^H dx - (u^H dx)^H, and moves out of the space that it spans."""
    star = adjoint(xp, u)
    p = star @ x

    def push(t: Any) -> Any:
        inside = star @ t
        out = u @ xp.find("solve_lyapunov")(p, inside - adjoint(xp, inside))
        if x.shape[-1] == x.shape[-2]:
            return out
        rest = xp.matrix_transpose(t - u @ inside)
        return out + xp.matrix_transpose(xp.linalg.solve(xp.matrix_transpose(p), rest))

    return push


declare_pushed("unitary_factor", _unitary_values, _unitary_push)


def polar(a: Array, side: str = "right") -> tuple[Any, Any]:
    """The polar decomposition: the nearest matrix with orthonormal columns or rows, times a positive semidefinite one.

    Derivatives of every order are right also where singular values coincide. They need a matrix of full rank.

    Args:
        a: Matrices, shape (..., m, n).
        side: "right" for `a = u @ p`, "left" for `a = p @ u`.

    Returns:
        `(u, p)`: u of shape (..., m, n), and p of shape (..., n, n) for the right side, (..., m, m) for the left one.

    Raises:
        ValueError: `a` is no matrix, or `side` something else.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import polar
        >>> u, p = polar(np.asarray([[0.0, -2.0], [1.0, 0.0]]))
        >>> u.round(12) + 0.0, p.round(12) + 0.0
        (array([[ 0., -1.],
               [ 1.,  0.]]), array([[1., 0.],
               [0., 2.]]))
    """
    xp, a = matrices("polar", a=a)
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` of linalg.polar must be 'right' or 'left'. Received: {side!r}")
    wide = a.shape[-2] < a.shape[-1]
    u = call("unitary_factor", adjoint(xp, a) if wide else a)
    u = adjoint(xp, u) if wide else u
    p = adjoint(xp, u) @ a if side == "right" else a @ adjoint(xp, u)
    return u, hermitian_part(xp, p)

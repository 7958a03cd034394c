"""Derivatives of functions of matrices that are given by a scalar function, such as `expm`, `logm` and `sqrtm`.

For such f, f([[A, E], [0, A]]) = [[f(A), L], [0, f(A)]] with the derivative L of f at A in direction E, so that values
alone give derivatives of every order, also for matrices without a basis of eigenvectors.

Source: N. Higham, Functions of Matrices (SIAM, 2008), section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.autodiff.linalg.declare import matrix_primitive, one_norm


def derivative(xp: Any, name: str, a: Any, e: Any, **options: Any) -> Any:
    """The derivative of the primitive `name` at `a` in direction `e`."""
    n = a.shape[-1]
    if 0 in e.shape:
        return e
    # The derivative is linear in the direction: as large as the matrix, it leaves the choice of algorithms to this.
    sizes, lengths = one_norm(xp, xp.stop_gradient(a)), one_norm(xp, xp.stop_gradient(e))
    usual = (sizes > 0) & xp.isfinite(sizes) & (lengths > 0) & xp.isfinite(lengths)
    scale = xp.where(usual, xp.where(usual, sizes, 1.0) / xp.where(usual, lengths, 1.0), 1.0)
    scale = xp.astype(scale, e.dtype)
    upper = xp.concat([a, e * scale], axis=-1)
    lower = xp.concat([xp.zeros_like(a), a], axis=-1)
    block = xp.find(name)(xp.concat([upper, lower], axis=-2), **options)
    return block[..., :n, n:] / scale


def primary(name: str, function: Callable[..., Any]) -> None:
    """Declare the primitive `name`, whose values on plain arrays `function` computes."""

    def pull(xp: Any, ans: Any, x: Any, **options: Any) -> Any:
        return lambda g: derivative(xp, name, xp.matrix_transpose(x), g, **options)

    def push(xp: Any, ans: Any, x: Any, **options: Any) -> Any:
        return lambda t: derivative(xp, name, x, t, **options)

    matrix_primitive(name, function, (pull,), (push,))

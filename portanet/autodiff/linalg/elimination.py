"""Gaussian elimination with exchange of rows: LU factors, and linear systems with them."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.linalg.declare import (
    call,
    declare_pushed,
    eye,
    flag,
    inexact,
    matrices,
    matrix_primitive,
    require_square,
    right_side,
)
from portanet.autodiff.linalg.triangular import solve_triangular, transposition
from portanet.autodiff.special.declare import device_of, in_single
from portanet.autodiff.tracing import is_array
from portanet.backends import Array, overridable, raw_namespace


@overridable
@in_single
def packed_factors(a: Array) -> tuple[Any, Any]:
    """`lu_factor` of plain arrays, one column after the other."""
    xp = raw_namespace(a)
    device = device_of(a)
    rows, columns = (xp.arange(n, device=device) for n in a.shape[-2:])
    pivots = [xp.zeros((*a.shape[:-2], 0), dtype=rows.dtype, device=device)]
    for k in range(min(a.shape[-2:])):
        size = xp.abs(a[..., k])
        size = xp.where(rows >= k, size, -xp.ones_like(size))
        pivot = xp.astype(xp.argmax(size, axis=-1, keepdims=True), rows.dtype)
        a = _in_order(xp, a, xp.where(rows == k, pivot, xp.where(rows == pivot, k, rows)))
        below, column, row = (rows > k)[:, None], a[..., :, k : k + 1], a[..., k : k + 1, :]
        top = row[..., k : k + 1]  # the largest: if it is 0, all are, and the factors
        factors = xp.where(below, column / xp.where(top == 0, xp.ones_like(top), top), xp.zeros_like(column))
        a = xp.where(below & (columns == k), factors, xp.where(columns > k, a - factors * row, a))
        pivots.append(pivot)
    return a, xp.astype(xp.concat(pivots, axis=-1), xp.int32)


@overridable
def row_order(piv: Array, *, rows: int) -> Any:
    """The order of the rows after row k has been exchanged with row `piv[k]`, for every k."""
    xp = raw_namespace(piv)
    positions = xp.arange(rows, device=device_of(piv))
    piv = xp.astype(piv, positions.dtype, copy=False)
    order = xp.broadcast_to(positions, (*piv.shape[:-1], rows))
    for k in range(piv.shape[-1]):
        other = piv[..., k : k + 1]
        this, that = order[..., k : k + 1], xp.take_along_axis(order, other, axis=-1)
        order = xp.where(positions == k, that, xp.where(positions == other, this, order))
    return order


matrix_primitive("row_order", row_order, (), ())


def _in_order(xp: Any, x: Any, order: Any) -> Any:
    """Matrices with their rows in another order; leading axes broadcast."""
    rank = max(len(x.shape), len(order.shape) + 1)
    x = xp.reshape(x, (*(1,) * (rank - len(x.shape)), *x.shape))
    order = xp.reshape(order, (*(1,) * (rank - 1 - len(order.shape)), *order.shape, 1))
    return xp.take_along_axis(x, order, axis=-2)


def _square(xp: Any, x: Any, diagonal: float) -> Any:
    """A matrix with rows or columns added, which have `diagonal` on the diagonal.

    If they are those of the identity, they are in the factors, too.
    """
    rows, columns = x.shape[-2:]
    if rows == columns:
        return x
    added = diagonal * xp.eye(max(rows, columns), dtype=x.dtype, device=device_of(x))
    added = added[:, columns:] if columns < rows else added[rows:, :]
    added = xp.broadcast_to(added, (*x.shape[:-2], *added.shape))
    return xp.concat([x, added], axis=-1 if columns < rows else -2)


def _push(xp: Any, ans: Any, a: Any) -> Any:
    """Of `p a = l u`: with m = inv(l) p da inv(u), dl is l times what is below the diagonal, du the rest times u."""
    packed, piv = ans
    rows, columns = a.shape[-2:]
    order = xp.find("row_order")(piv, rows=rows)
    both, solve = _square(xp, packed, 1.0), xp.find("solve_triangular")
    lower, upper = xp.tril(both, k=-1) + eye(xp, both), xp.triu(both)
    transposed = xp.matrix_transpose(upper)

    def push(t: Any) -> Any:
        left = solve(lower, _square(xp, _in_order(xp, t, order), 0.0), lower=True, unit_diagonal=True)
        inside = xp.matrix_transpose(solve(transposed, xp.matrix_transpose(left), lower=True, unit_diagonal=False))
        out = xp.tril(lower @ xp.tril(inside, k=-1), k=-1) + xp.triu(inside) @ upper
        return out[..., :rows, :columns], None

    return push


declare_pushed("lu_factor", packed_factors, _push)


def lu_factor(a: Array) -> tuple[Any, Any]:
    """Triangular factors of matrices whose rows are exchanged, for `lu_solve`.

    Args:
        a: Matrices, shape (..., m, n).

    Returns:
        `(lu, piv)`: the upper factor, and below the diagonal the lower one, whose diagonal of ones is not stored,
        shape (..., m, n); and for every k the row that row k was exchanged with, shape (..., min(m, n)), int32.
        Derivatives hold while the order of the rows stays, and need a matrix of full rank.

    Raises:
        ValueError: `a` is no matrix.

    Source:
        Golub, Van Loan: Matrix Computations (2013), 3.4.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import lu_factor
        >>> lu_factor(np.asarray([[1.0, 2.0], [4.0, 4.0]]))
        (array([[4.  , 4.  ],
               [0.25, 1.  ]]), array([1, 1], dtype=int32))
    """
    _, a = matrices("lu_factor", a=a)
    factors, piv = call("lu_factor", a)
    return factors, piv


def lu_solve(lu_and_piv: tuple[Array, Array], b: Array, trans: Any = 0) -> Any:
    """The solution x of `a x = b` from the factors of `a`.

    Args:
        lu_and_piv: The result of `lu_factor`, of shapes (..., n, n) and (..., n).
        b: Right sides: a vector (n,), or matrices (..., n, k). Leading axes broadcast.
        trans: 0 or "N" for `a x = b`, 1 or "T" for the transpose of `a`, 2 or "C" for its conjugate transpose.

    Returns:
        The solutions, in the shape of `b` (with the leading axes of the factors).

    Raises:
        TypeError: `lu_and_piv` is not what `lu_factor` returns.
        ValueError: Shapes do not fit, or `trans` is something else.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import lu_factor, lu_solve
        >>> lu_solve(lu_factor(np.asarray([[1.0, 2.0], [4.0, 4.0]])), np.asarray([3.0, 8.0]))
        array([1., 1.])
    """
    if not isinstance(lu_and_piv, tuple) or len(lu_and_piv) != 2 or not all(map(is_array, lu_and_piv)):
        raise TypeError(
            "Argument `lu_and_piv` of linalg.lu_solve must be the tuple (lu, piv) that lu_factor returns. "
            f"Received: {lu_and_piv!r}"
        )
    factors, piv = lu_and_piv
    xp, factors, b = inexact("lu_solve", lu_and_piv=factors, b=b)
    require_square("lu_solve", lu_and_piv=factors)
    if not xp.isdtype(piv.dtype, "integral") or piv.shape != factors.shape[:-1]:
        raise ValueError(
            "Argument `lu_and_piv[1]` of linalg.lu_solve must be the integers that lu_factor returns, of shape "
            f"{tuple(factors.shape[:-1])}. Received: shape {tuple(piv.shape)} and dtype {piv.dtype}"
        )
    b, vector = right_side("lu_solve", factors.shape[-1], b)
    way = transposition("lu_solve", trans)
    order = call("row_order", piv, rows=factors.shape[-1])
    if way:
        back = solve_triangular(factors, b, trans=way)
        back = solve_triangular(factors, back, trans=way, lower=True, unit_diagonal=True)
        out = _in_order(xp, back, xp.argsort(order, axis=-1))
    else:
        half = solve_triangular(factors, _in_order(xp, b, order), lower=True, unit_diagonal=True)
        out = solve_triangular(factors, half)
    return out[..., 0] if vector else out


def lu(a: Array, permute_l: bool = False, p_indices: bool = False) -> tuple[Any, ...]:
    """Triangular factors `a = p @ l @ u` of matrices, with a permutation p.

    Args:
        a: Matrices, shape (..., m, n).
        permute_l: Whether to return `p @ l` in place of p and l.
        p_indices: Whether to return the permutation as indices, with `a = l[p, :] @ u`, unless `permute_l`.

    Returns:
        `(p, l, u)` of shapes (..., m, m), real, (..., m, k) and (..., k, n) with k = min(m, n); with `p_indices`, p has
        shape (..., m). With `permute_l`, `(p @ l, u)`.

    Raises:
        ValueError: `a` is no matrix.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import lu
        >>> lu(np.asarray([[1.0, 2.0], [4.0, 4.0]]), permute_l=True)
        (array([[0.25, 1.  ],
               [1.  , 0.  ]]), array([[4., 4.],
               [0., 1.]]))
    """
    xp, a = matrices("lu", a=a)
    permute_l, p_indices = flag("lu", "permute_l", permute_l), flag("lu", "p_indices", p_indices)
    rows = a.shape[-2]
    size = min(a.shape[-2:])
    both, piv = lu_factor(a)
    identity = xp.eye(rows, dtype=a.dtype, device=device_of(a))
    real = xp.real(identity) if xp.isdtype(a.dtype, "complex floating") else identity
    lower, upper = xp.tril(both, k=-1)[..., :size] + identity[:, :size], xp.triu(both)[..., :size, :]
    back = xp.argsort(call("row_order", piv, rows=rows), axis=-1)
    if permute_l:
        return _in_order(xp, lower, back), upper
    return back if p_indices else _in_order(xp, real, back), lower, upper

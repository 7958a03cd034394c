"""Linear algebra: the functions of `keras.ops.linalg`, on matrices along the last two axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, linalg
from portanet.backends import Array
from portanet.ops.control import jvp
from portanet.ops.dtypes import floating
from portanet.ops.operation import Axes, operation


def _linalg(x: Array) -> tuple[Any, Array]:
    x = floating(x)
    return array_namespace(x), x


@operation
def cholesky(x: Array, upper: bool = False) -> Array:
    """The triangular factor of a positive definite matrix: `x = L @ L.T`, or `U.T @ U` if `upper`.

    Args:
        x: Positive definite matrices, shape (..., n, n).
        upper: Whether the factor is an upper triangle.

    Example:
        >>> cholesky([[4.0, 2.0], [2.0, 2.0]])
        array([[2., 0.],
               [1., 1.]], dtype=float32)
    """
    xp, x = _linalg(x)
    return xp.linalg.cholesky(x, upper=upper)


@operation
def cholesky_inverse(x: Array, upper: bool = False) -> Array:
    """The inverse of a matrix from its Cholesky factor.

    Args:
        x: Factors, shape (..., n, n), as `cholesky` returns them.
        upper: Whether they are upper triangles.

    Example:
        >>> cholesky_inverse([[2.0, 0.0], [1.0, 1.0]])
        array([[ 0.5, -0.5],
               [-0.5,  1. ]], dtype=float32)
    """
    xp, x = _linalg(x)
    factor = xp.triu(x) if upper else xp.matrix_transpose(xp.tril(x))
    return xp.linalg.inv(xp.matmul(xp.matrix_transpose(factor), factor))


@operation
def det(x: Array) -> Array:
    """Determinant.

    Example:
        >>> float(det([[1.0, 2.0], [3.0, 4.0]]).round(4))
        -2.0
    """
    xp, x = _linalg(x)
    return xp.linalg.det(x)


@operation
def slogdet(x: Array) -> tuple[Array, Array]:
    """Sign of the determinant, and the logarithm of its absolute value.

    Example:
        >>> sign, logarithm = slogdet([[1.0, 0.0], [0.0, -1.0]])
        >>> float(sign), float(logarithm)
        (-1.0, 0.0)
    """
    xp, x = _linalg(x)
    return tuple(xp.linalg.slogdet(x))


@operation
def logdet(x: Array) -> Array:
    """Logarithm of the determinant of a positive definite matrix.

    Example:
        >>> float(logdet([[1.0, 0.0], [0.0, 1.0]]))
        0.0
    """
    xp, x = _linalg(x)
    return xp.linalg.slogdet(x)[1]


@operation
def eig(x: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors (the columns) of square matrices, complex.

    Example:
        >>> values, vectors = eig([[2.0, 0.0], [0.0, 3.0]])
        >>> values.real
        array([2., 3.], dtype=float32)
    """
    xp, x = _linalg(x)
    return tuple(xp.linalg.eig(x))


@operation
def eigh(x: Array) -> tuple[Array, Array]:
    """Eigenvalues, in ascending order, and eigenvectors (the columns) of symmetric matrices.

    Example:
        >>> eigh([[2.0, 0.0], [0.0, 1.0]])[0]
        array([1., 2.], dtype=float32)
    """
    xp, x = _linalg(x)
    return tuple(xp.linalg.eigh(x))


@operation
def inv(x: Array) -> Array:
    """The inverse.

    Example:
        >>> inv([[2.0, 0.0], [0.0, 4.0]])
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    xp, x = _linalg(x)
    return xp.linalg.inv(x)


@operation
def pinv(x: Array, rcond: float | None = None) -> Array:
    """The pseudo-inverse; singular values below `rcond` times the largest count as 0.

    Args:
        x: Matrices, shape (..., m, n).
        rcond: Singular values up to this fraction of the largest count as 0.

    Example:
        >>> pinv([[2.0, 0.0], [0.0, 4.0]]).round(4)
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    xp, x = _linalg(x)
    return xp.linalg.pinv(x, rtol=rcond)


@operation
def matrix_rank(x: Array, tol: float | None = None) -> Array:
    """The rank, as int32: the number of singular values greater than `tol`.

    Args:
        x: Matrices, shape (..., m, n).
        tol: Singular values up to it count as 0; by default one for the dtype.

    Example:
        >>> int(matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    xp, x = _linalg(x)
    if tol is None:
        return xp.astype(xp.linalg.matrix_rank(x), xp.int32)
    return xp.sum(xp.astype(xp.linalg.svdvals(x) > tol, xp.int32), axis=-1, dtype=xp.int32)


@operation
def qr(x: Array, mode: str = "reduced") -> tuple[Array, Array]:
    """Orthogonal and upper triangular factor; `mode` is `"reduced"` or `"complete"`.

    Args:
        x: Matrices, shape (..., m, n).
        mode: `"reduced"` or `"complete"`.

    Example:
        >>> q, r = qr([[3.0, 0.0], [4.0, 5.0]])
        >>> q.shape, r.shape
        ((2, 2), (2, 2))
    """
    checks.choice("mode", mode, ("reduced", "complete"), "qr")
    xp, x = _linalg(x)
    return tuple(xp.linalg.qr(x, mode=mode))


@operation
def svd(x: Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition `x = u @ diag(s) @ v`.

    Args:
        x: Shape (..., m, n).
        full_matrices: Whether u and v are square.
        compute_uv: Whether to return u and v.

    Returns:
        u, the singular values s in descending order, and v; or s alone.

    Example:
        >>> svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False)
        array([4., 3.], dtype=float32)
    """
    xp, x = _linalg(x)
    return tuple(xp.linalg.svd(x, full_matrices=full_matrices)) if compute_uv else xp.linalg.svdvals(x)


@operation
def solve(a: Array, b: Array) -> Array:
    """The x of `a @ x = b`; `b` of one axis less than `a` holds vectors.

    Args:
        a: Matrices, shape (..., n, n).
        b: Right-hand sides, shape (n,) or (..., n, k).

    Example:
        >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 4.0])
        array([1., 1.], dtype=float32)
    """
    a, b = floating(a), floating(b)
    xp = array_namespace(a, b)
    if len(b.shape) == len(a.shape) - 1:
        return xp.linalg.solve(a, b[..., None])[..., 0]
    return xp.linalg.solve(a, b)


@operation
def solve_triangular(a: Array, b: Array, lower: bool = False) -> Array:
    """As `solve`, for the upper or lower triangle of `a`.

    Args:
        a: Triangular matrices, shape (..., n, n).
        b: Right-hand sides, shape (n,) or (..., n, k).
        lower: Whether they are lower triangles.

    Example:
        >>> solve_triangular([[2.0, 1.0], [0.0, 4.0]], [4.0, 8.0])
        array([1., 2.], dtype=float32)
    """
    a, b = floating(a), floating(b)
    if len(b.shape) == len(a.shape) - 1:
        return linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return linalg.solve_triangular(a, b, lower=lower)


@operation
def lstsq(a: Array, b: Array, rcond: float | None = None) -> Array:
    """The x with the least `norm(a @ x - b)`, by the pseudo-inverse.

    Args:
        a: Shape (m, n).
        b: Shape (m,) or (m, k).
        rcond: Singular values below `rcond` times the largest count as 0.

    Example:
        >>> lstsq([[1.0], [1.0]], [1.0, 3.0]).round(4)
        array([2.], dtype=float32)
    """
    b = floating(b)
    inverse = pinv(a, rcond)
    return array_namespace(inverse, b).matmul(inverse, b)


@operation
def lu_factor(x: Array) -> tuple[Array, Array]:
    """Triangular factors of a square matrix with rows exchanged.

    Args:
        x: Shape (..., n, n).

    Returns:
        The lower factor (without its diagonal of ones) and the upper one in one matrix; and the row that each row was
        exchanged with, in order, int32.

    Example:
        >>> lu_factor([[1.0, 2.0], [4.0, 4.0]])
        (array([[4.  , 4.  ],
               [0.25, 1.  ]], dtype=float32), array([1, 1], dtype=int32))
    """
    return linalg.lu_factor(floating(x))


@operation
def norm(x: Array, ord: int | float | str | None = None, axis: Axes = None, keepdims: bool = False) -> Array:
    """Norm of vectors or matrices.

    Args:
        x: Array.
        ord: The order; None for the 2-norm of vectors, and of all elements of matrices.
        axis: One axis for vectors, two for matrices; None for all elements, or all axes if there is an order.
        keepdims: Whether the axes stay, with size 1.

    Example:
        >>> norm([3.0, 4.0])
        np.float32(5.0)
    """
    xp, x = _linalg(x)
    if axis is None and (ord is None or len(x.shape) == 1):
        return xp.linalg.vector_norm(x, ord=2 if ord is None else ord, keepdims=keepdims)
    places: Sequence[int] = tuple(range(len(x.shape))) if axis is None else (axis,) if isinstance(axis, int) else axis
    if len(places) == 1:
        return xp.linalg.vector_norm(x, axis=places[0], ord=2 if ord is None else ord, keepdims=keepdims)
    if len(places) != 2:
        raise checks.invalid("axis", axis, "one axis or two", "norm")
    moved = xp.moveaxis(x, tuple(places), (-2, -1))
    result = xp.linalg.matrix_norm(moved, ord="fro" if ord is None else ord, keepdims=keepdims)
    return xp.moveaxis(result, (-2, -1), tuple(places)) if keepdims else result


__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]

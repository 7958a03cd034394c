"""Roots, logarithms and powers of matrices, by iterations that need no Schur form, which the standard lacks."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.linalg.declare import call, eye, one_norm, square
from portanet.autodiff.linalg.exponential import expm
from portanet.autodiff.linalg.primary import primary
from portanet.autodiff.solvers.quadrature import gauss_legendre
from portanet.autodiff.special.declare import in_single
from portanet.autodiff.tracing import is_array
from portanet.backends import Array, overridable, raw_namespace

ITERATIONS = 60


@overridable
@in_single
def matrix_square_root(x: Array) -> Any:
    """`sqrtm` of plain arrays: the scaled product form of the iteration of Denman and Beavers.

    NaN for real matrices whose root is complex, and where there is none.

    Source: N. Higham, Functions of Matrices (SIAM, 2008), (6.29).
    """
    xp = raw_namespace(x)
    if 0 in x.shape:
        return x
    n, one = x.shape[-1], eye(xp, x)
    eps = float(xp.finfo(x.dtype).eps)
    finite = xp.isfinite(one_norm(xp, x))
    x = xp.where(finite, x, one)
    sizes = xp.linalg.svdvals(x)[..., None]
    singular = sizes[..., -1:, :] <= sizes[..., :1, :] * (n * eps)
    product = xp.where(singular, one, x)
    out, best = product, xp.full_like(sizes[..., :1, :], xp.inf)
    going = xp.isfinite(best) | True
    # The determinant of a small matrix may overflow inside `slogdet`; later products are scaled.
    logarithm = xp.sum(xp.log(xp.where(singular, 1.0, sizes)), axis=-2, keepdims=True)
    for _ in range(ITERATIONS):
        distance = one_norm(xp, product - one)
        # Near the limit, distances halve at least until rounding stops them.
        going = going & ((distance > 1e-2) | (distance < best / 2))
        going = going & xp.isfinite(distance) & (distance > 0) & xp.isfinite(logarithm)
        logarithm = xp.where(going, logarithm, 0.0)
        if not bool(xp.any(going)):
            break
        best = xp.where(going, distance, best)
        inverse = xp.linalg.inv(xp.where(going, product, one))
        scale = xp.where(distance > 1e-2, xp.exp(logarithm * (-0.5 / n)), 1.0)
        square, scale = xp.astype(scale * scale, x.dtype), xp.astype(scale, x.dtype)
        out = xp.where(going, 0.5 * scale * (out @ (one + inverse / square)), out)
        product = xp.where(going, 0.5 * (one + 0.5 * (square * product + inverse / square)), product)
        logarithm = xp.linalg.slogdet(product)[1][..., None, None]
    failed = singular | ~(distance < 1e-2) | going
    if bool(xp.any(failed)):
        out = xp.where(failed, _root_by_eigenvectors(xp, xp.where(failed, x, one)), out)
    return xp.where(finite, out, xp.full_like(out, xp.nan))


def _root_by_eigenvectors(xp: Any, x: Array) -> Any:
    """If they are independent: singular matrices have no inverse, and no iteration leaves the negative real axis."""
    n, eps = x.shape[-1], float(xp.finfo(x.dtype).eps)
    values, vectors = xp.linalg.eig(x)
    sizes = xp.abs(values)
    values = xp.where(sizes <= xp.max(sizes, axis=-1, keepdims=True) * (n * eps), xp.zeros_like(values), values)
    lengths = xp.linalg.svdvals(vectors)[..., None]
    independent = lengths[..., -1:, :] > lengths[..., :1, :] * (n * eps) ** 0.5
    vectors = xp.where(independent, vectors, eye(xp, vectors))
    roots = xp.sqrt(values)[..., None, :]
    out = xp.matrix_transpose(xp.linalg.solve(xp.matrix_transpose(vectors), xp.matrix_transpose(vectors * roots)))
    if not xp.isdtype(x.dtype, "complex floating"):
        imaginary = one_norm(xp, xp.imag(out)) > one_norm(xp, out) * (n * eps) ** 0.5
        out, independent = xp.real(out), independent & ~imaginary
    return xp.where(independent, xp.astype(out, x.dtype), xp.full_like(x, xp.nan))


NEAR_ONE = 0.25
NODES = 8
"""The rational approximant of this order is exact to rounding for matrices that are nearer than `NEAR_ONE` to 1."""


@overridable
@in_single
def matrix_logarithm(x: Array) -> Any:
    """`logm` of plain arrays: inverse scaling and squaring, and an approximant as the sum of its partial fractions.

    NaN for real matrices whose logarithm is complex, and for singular ones.

    Source: N. Higham, Functions of Matrices (SIAM, 2008), sections 11.4 and 11.5.
    """
    xp = raw_namespace(x)
    if 0 in x.shape:
        return x
    one = eye(xp, x)
    factor = xp.ones_like(one_norm(xp, x))
    for _ in range(ITERATIONS):
        far = one_norm(xp, x - one) > NEAR_ONE
        if not bool(xp.any(far)):
            break
        x = xp.where(far, matrix_square_root(xp.where(far, x, one)), x)
        factor = xp.where(far, 2 * factor, factor)
    x = xp.where(xp.isfinite(one_norm(xp, x)) & ~far, x - one, xp.full_like(x, xp.nan))
    defined = xp.isfinite(one_norm(xp, x))
    x = xp.where(defined, x, xp.zeros_like(x))
    out = xp.zeros_like(x)
    for u, weight in zip(*gauss_legendre(NODES), strict=True):
        out = out + xp.linalg.solve(one + (1 + u) / 2 * x, weight / 2 * x)
    return xp.where(defined, out * xp.astype(factor, x.dtype), xp.full_like(out, xp.nan))


primary("sqrtm", matrix_square_root)
primary("logm", matrix_logarithm)


def sqrtm(A: Array) -> Any:
    """The principal square root of matrices: its eigenvalues have positive real parts, or are 0.

    A real matrix has a real root here: where the principal root is complex, it is NaN. Cast the matrix to a complex
    dtype for that.

    Args:
        A: Square matrices, shape (..., n, n).

    Returns:
        Matrices of the shape and dtype of `A`; NaN where there is no root.

    Raises:
        ValueError: `A` is not square.

    Source: N. Higham, Functions of Matrices (SIAM, 2008), chapter 6, where the library has no root itself.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import sqrtm
        >>> sqrtm(np.asarray([[4.0, 0.0], [0.0, 9.0]]))
        array([[2., 0.],
               [0., 3.]])
    """
    _, A = square("sqrtm", A=A)
    return call("sqrtm", A)


def logm(A: Array) -> Any:
    """The principal logarithm of matrices: its eigenvalues have imaginary parts between -pi and pi.

    A real matrix has a real logarithm here: where the principal one is complex, it is NaN. Cast the matrix to a complex
    dtype for that.

    Args:
        A: Square matrices, shape (..., n, n).

    Returns:
        Matrices of the shape and dtype of `A`; NaN where there is no logarithm.

    Raises:
        ValueError: `A` is not square.

    Source: N. Higham, Functions of Matrices (SIAM, 2008), chapter 11, where the library has no logarithm itself.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import logm
        >>> logm(np.asarray([[1.0, 1.0], [0.0, 1.0]]))
        array([[0., 1.],
               [0., 0.]])
    """
    _, A = square("logm", A=A)
    return call("logm", A)


def fractional_matrix_power(A: Array, t: Any) -> Any:
    """The principal power of matrices, `expm(t logm(A))`; by products for a whole number.

    Args:
        A: Square matrices, shape (..., n, n).
        t: The exponent, a number or an array with one, by which there is a derivative too.

    Returns:
        Matrices of the shape and dtype of `A`; NaN where there is no real power of a real matrix (see `logm`).

    Raises:
        ValueError: `A` is not square, or `t` is not one number.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import fractional_matrix_power
        >>> fractional_matrix_power(np.asarray([[4.0, 0.0], [0.0, 9.0]]), 1.5)
        array([[ 8.,  0.],
               [ 0., 27.]])
    """
    xp, A = square("fractional_matrix_power", A=A)
    if is_array(t):
        if math.prod(t.shape) != 1:
            raise ValueError(
                "Argument `t` of linalg.fractional_matrix_power must be one number, the same for all matrices. "
                f"Received: an array of shape {tuple(t.shape)}"
            )
    elif isinstance(t, bool) or not isinstance(t, (int, float)):
        raise TypeError(f"Argument `t` of linalg.fractional_matrix_power must be a real number. Received: {t!r}")
    elif t == int(t):
        return xp.linalg.matrix_power(A, int(t))
    return expm(logm(A) * t)

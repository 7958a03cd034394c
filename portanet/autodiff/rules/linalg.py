"""Inverses, determinants and factorisations.

Functions of symmetric (Hermitian) matrices, `cholesky`, `eigh` and `eigvalsh`, are treated as functions of the
symmetric part: their derivative is symmetric, whichever triangle the library reads. Eigenvectors and singular vectors
are defined up to a sign (a phase): only functions independent of it have a derivative. Where eigenvalues or singular
values coincide, vectors of one eigenspace are assumed not to rotate into each other. Then, the values would become a
matrix that is not diagonal along most paths: functions of the eigenspaces (U V^H, projectors) have the right second
derivatives, and those of the values are NaN.

Source: M. Giles, An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation (Oxford, 2008); for QR, S. Walter and L. Lehmann, Algorithmic differentiation of linear algebra
functions (2010).
"""

from __future__ import annotations

import functools
import math
from typing import Any

from portanet.autodiff.batching.array import BatchedArray, storage
from portanet.autodiff.dispatch import LinearMap, fit
from portanet.autodiff.rules.declare import composite, elementwise, no_derivative, primitive, pushed, rule
from portanet.autodiff.special.declare import in_single
from portanet.backends import overridable, raw_namespace


def adjoint(xp: Any, x: Any) -> Any:
    """The conjugate transpose."""
    return xp.matrix_transpose(conj(xp, x))


def conj(xp: Any, x: Any) -> Any:
    """The conjugate; a real array itself."""
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x


def hermitian_part(xp: Any, x: Any) -> Any:
    """The Hermitian matrix that is nearest."""
    return (x + adjoint(xp, x)) / 2


def _column(xp: Any, x: Any) -> Any:
    return xp.expand_dims(x, axis=-1)


def _row(xp: Any, x: Any) -> Any:
    return xp.expand_dims(x, axis=-2)


def _times(xp: Any, *factors: Any) -> Any:
    return functools.reduce(xp.matmul, factors)


def _safe_reciprocal(xp: Any, x: Any) -> Any:
    """1/x, and 0 where x is 0."""
    zero = x == 0
    return xp.where(zero, 0.0, 1 / xp.where(zero, 1.0, x))


def _eye_like(xp: Any, x: Any) -> Any:
    return xp.eye(x.shape[-1], dtype=x.dtype, device=xp.device_of(x))


# Inverses and linear systems


def _inv_push(xp: Any, ans: Any, x: Any) -> LinearMap:
    return lambda t: -_times(xp, ans, t, ans)


def _inv_pull(xp: Any, ans: Any, x: Any) -> LinearMap:
    back = xp.matrix_transpose(ans)
    return lambda g: -_times(xp, back, g, back)


rule("linalg.inv", (_inv_pull,), (_inv_push,))


def _solve_matrix_push(xp: Any, ans: Any, a: Any, b: Any) -> LinearMap:
    if b.ndim == 1:
        return lambda t: -xp.linalg.solve(a, xp.matmul(t, _column(xp, ans)))[..., 0]
    return lambda t: -xp.linalg.solve(a, xp.matmul(t, ans))


def _solve_matrix_pull(xp: Any, ans: Any, a: Any, b: Any) -> LinearMap:
    vector = b.ndim == 1

    def pull(g: Any) -> Any:
        back = xp.linalg.solve(xp.matrix_transpose(a), _column(xp, g) if vector else g)
        x = _row(xp, ans) if vector else xp.matrix_transpose(ans)
        return fit(xp, -xp.matmul(back, x), a.shape, a.dtype)

    return pull


def _solve_right_push(xp: Any, ans: Any, a: Any, b: Any) -> LinearMap:
    return lambda t: xp.linalg.solve(a, t)


def _solve_right_pull(xp: Any, ans: Any, a: Any, b: Any) -> LinearMap:
    shape, dtype = b.shape, b.dtype

    def pull(g: Any) -> Any:
        if len(shape) == 1:  # g may have batches, which solve would take for a matrix
            return fit(xp, xp.linalg.solve(xp.matrix_transpose(a), _column(xp, g))[..., 0], shape, dtype)
        return fit(xp, xp.linalg.solve(xp.matrix_transpose(a), g), shape, dtype)

    return pull


rule("linalg.solve", (_solve_matrix_pull, _solve_right_pull), (_solve_matrix_push, _solve_right_push))


@pushed("linalg.pinv")
def _pinv(xp: Any, ans: Any, x: Any, /, *, rtol: Any = None) -> LinearMap:
    """For matrices of constant rank (G. Golub and V. Pereyra, 1973)."""
    star = adjoint(xp, ans)

    def push(t: Any) -> Any:
        turned = adjoint(xp, t)
        inner = _times(xp, ans, star, turned)
        outer = _times(xp, turned, star, ans)
        return (inner - _times(xp, inner, x, ans)) + (outer - _times(xp, ans, x, outer)) - _times(xp, ans, t, ans)

    return push


# Determinants


def _adjugate(xp: Any, ans: Any, x: Any) -> Any:
    """det(x) inv(x), which exists for singular matrices too.

    Near those it is computed by the Faddeev-LeVerrier algorithm, which needs no inverse and never divides by 0 (but
    loses digits for large matrices).
    """
    sizes = xp.linalg.svdvals(xp.stop_gradient(x))
    if not sizes.size or _all(sizes[..., -1] > sizes[..., 0] * float(xp.finfo(x.dtype).eps) ** 0.5):
        return xp.linalg.inv(x) * _column(xp, _column(xp, ans))
    eye = _eye_like(xp, x)
    out = xp.broadcast_to(eye, x.shape)
    for k in range(1, x.shape[-1]):
        product = xp.matmul(x, out)
        out = product - eye * _column(xp, _column(xp, xp.linalg.trace(product) / k))
    return out if x.shape[-1] % 2 else -out


def _all(condition: Any) -> bool:
    """Whether it holds for all matrices, also of all examples of `vmap`."""
    condition = storage(condition)
    return bool(raw_namespace(condition).all(condition))


@pushed("linalg.det")
def _det(xp: Any, ans: Any, x: Any) -> LinearMap:
    return lambda t: xp.sum(xp.matrix_transpose(_adjugate(xp, ans, x)) * t, axis=(-2, -1))


@overridable
@in_single
def sign_and_logarithm(x: Any) -> Any:
    """`slogdet` of plain arrays."""
    return raw_namespace(x).linalg.slogdet(x)


primitive("linalg.slogdet")(lambda raw, x, /: sign_and_logarithm(x))


@pushed("linalg.slogdet")
def _slogdet(xp: Any, ans: Any, x: Any) -> LinearMap:
    sign, _ = ans

    def push(t: Any) -> Any:
        rate = xp.sum(xp.matrix_transpose(xp.linalg.inv(x)) * t, axis=(-2, -1))
        if not xp.isdtype(x.dtype, "complex floating"):
            return sign * 0 * rate, rate
        return sign * 1j * xp.imag(rate), xp.real(rate)

    return push


# Factorisations


@pushed("linalg.cholesky")
def _cholesky(xp: Any, ans: Any, x: Any, /, *, upper: bool = False) -> LinearMap:
    lower = adjoint(xp, ans) if upper else ans

    def push(t: Any) -> Any:
        left = xp.linalg.solve(lower, hermitian_part(xp, t))
        both = adjoint(xp, xp.linalg.solve(lower, adjoint(xp, left)))
        out = xp.matmul(lower, xp.tril(both, k=-1) + _eye_like(xp, both) * both / 2)
        return adjoint(xp, out) if upper else out

    return push


def _coincide(xp: Any, values: Any) -> Any:
    """Which values differ by rounding alone: matrices that are rotations but for that are frequent."""
    values = xp.stop_gradient(values)
    row, column = _row(xp, values), _column(xp, values)
    rounding = 32 * float(xp.finfo(values.dtype).eps)
    return xp.abs(row - column) <= rounding * xp.maximum(xp.abs(row), xp.abs(column))


def _gaps(xp: Any, values: Any, coincide: Any) -> Any:
    """1 / (values[j] - values[i]), 0 where they coincide."""
    return xp.where(coincide, 0.0, _safe_reciprocal(xp, _row(xp, values) - _column(xp, values)))


def _first_order(x: Any) -> bool:
    """Whether the operand is constant, so that the derivative is not differentiated by it."""
    return x._trace is None and not isinstance(x._value, BatchedArray)


def _mixing(xp: Any, coincide: Any, x: Any, inside: Any) -> Any:
    """The matrix of the values off its diagonal, where they coincide: 0, but its derivative is not; None if constant.

    `inside` maps x to the matrix of the values.
    """
    if _first_order(x):
        return None
    matrix = inside(x)
    part = xp.where(coincide & (_eye_like(xp, matrix) == 0), matrix, 0.0)
    return part - xp.stop_gradient(part)


def _turn(xp: Any, gaps: Any, mixing: Any, inside: Any) -> Any:
    """How eigenvectors rotate: the solution T of `T H - H T = inside`, with the matrix H of the values."""
    turn = gaps * inside
    return turn if mixing is None else turn - gaps * (xp.matmul(turn, mixing) - xp.matmul(mixing, turn))


@primitive("undetermined")
def _undetermined(raw: Any, x: Any, where: Any) -> Any:
    """Zeros, whose derivative is NaN where `where` is not 0."""
    return raw.zeros_like(x)


elementwise(
    "undetermined",
    lambda xp, ans, x, where: lambda t: xp.where(where != 0, math.nan * t, 0.0),
    lambda xp, ans, x, where: lambda t: 0 * t,
)


def _rates(xp: Any, values: Any, coincide: Any, inside: Any) -> Any:
    """The derivative of the values, which has no derivative itself where they coincide."""
    if _first_order(values):
        return xp.linalg.diagonal(inside)
    several = xp.astype(xp.count_nonzero(coincide, axis=-1) > 1, values.dtype)
    return xp.linalg.diagonal(inside) * (1 + xp.find("undetermined")(values, several))


@pushed("linalg.eigh")
def _eigh(xp: Any, ans: Any, x: Any) -> LinearMap:
    values, vectors = ans
    coincide = _coincide(xp, values)
    star, gaps = adjoint(xp, vectors), _gaps(xp, values, coincide)
    mixing = _mixing(xp, coincide, x, lambda x: _times(xp, star, hermitian_part(xp, x), vectors))

    def push(t: Any) -> Any:
        inside = _times(xp, star, hermitian_part(xp, t), vectors)
        return (
            _rates(xp, values, coincide, xp.real(inside)),
            xp.matmul(vectors, _turn(xp, gaps, mixing, inside)),
        )

    return push


@composite("linalg.eigvalsh")
def _eigvalsh(xp: Any, x: Any, /) -> Any:
    return xp.linalg.eigh(x)[0]


@pushed("linalg.eig")
def _eig(xp: Any, ans: Any, x: Any) -> LinearMap:
    """Vectors keep norm 1, as libraries return them."""
    values, vectors = ans
    coincide = _coincide(xp, values)
    gaps = _gaps(xp, values, coincide)

    def between(t: Any) -> Any:
        return xp.linalg.solve(vectors, xp.matmul(xp.astype(t, vectors.dtype), vectors))

    mixing = _mixing(xp, coincide, x, between)

    def push(t: Any) -> Any:
        inside = between(t)
        turned = xp.matmul(vectors, _turn(xp, gaps, mixing, inside))
        along = xp.real(xp.sum(conj(xp, vectors) * turned, axis=-2, keepdims=True))
        return _rates(xp, values, coincide, inside), turned - vectors * along

    return push


@composite("linalg.eigvals")
def _eigvals(xp: Any, x: Any, /) -> Any:
    return xp.linalg.eig(x)[0]


@pushed("linalg.svd")
def _svd(xp: Any, ans: Any, x: Any, /, *, full_matrices: bool = True) -> LinearMap:
    rows, columns = x.shape[-2:]
    if full_matrices and rows != columns:
        raise ValueError(
            "linalg.svd of a matrix that is not square is differentiable only with full_matrices=False: the matrix "
            "does not determine the other singular vectors. "
            f"Received: full_matrices=True and x of shape {tuple(x.shape)}"
        )
    left, values, right_star = ans
    right, left_star = adjoint(xp, right_star), adjoint(xp, left)
    s = _row(xp, values)
    inverse = _safe_reciprocal(xp, s)
    coincide = _coincide(xp, values)
    gaps, sums = _gaps(xp, values, coincide), _safe_reciprocal(xp, s + _column(xp, values))
    mixing = _mixing(xp, coincide, x, lambda x: hermitian_part(xp, _times(xp, left_star, x, right)))

    def outside(side: Any, other: Any, t: Any) -> Any:
        """How one side moves out of the space that its vectors span."""
        part = xp.matmul(t, other)
        part = (part - xp.matmul(side, xp.matmul(adjoint(xp, side), part))) * inverse
        return part if mixing is None else part - xp.matmul(part, mixing) * inverse

    def push(t: Any) -> Any:
        inside = _times(xp, left_star, t, right)
        inside_star = adjoint(xp, inside)
        # How both sides rotate together, and against each other. The second is determined also where singular values
        # coincide: it is all that functions of U V^H depend on, such as the nearest rotation.
        together = _turn(xp, gaps, mixing, (inside + inside_star) / 2)
        apart = sums * (inside - inside_star) / 2
        if mixing is not None:
            apart = apart - sums * (xp.matmul(apart, mixing) + xp.matmul(mixing, apart))
        if xp.isdtype(x.dtype, "complex floating"):  # the phase common to both sides goes to the left
            together = together + apart * _eye_like(xp, apart)
        out_left, out_right = xp.matmul(left, together + apart), xp.matmul(right, together - apart)
        if rows > columns:
            out_left = out_left + outside(left, right, t)
        if columns > rows:
            out_right = out_right + outside(right, left, adjoint(xp, t))
        return out_left, _rates(xp, values, coincide, xp.real(inside)), adjoint(xp, out_right)

    return push


@composite("linalg.svdvals")
def _svdvals(xp: Any, x: Any, /) -> Any:
    return xp.linalg.svd(x, full_matrices=False)[1]


@primitive("nuclear_norm")
def _nuclear_norm(raw: Any, x: Any) -> Any:
    """The sum of the singular values, whose derivative U V^H has derivatives also where they coincide."""
    return raw.sum(raw.linalg.svdvals(x), axis=-1)


@pushed("nuclear_norm")
def _nuclear_norm_push(xp: Any, ans: Any, x: Any) -> LinearMap:
    left, _, right_star = xp.linalg.svd(x, full_matrices=False)
    polar = conj(xp, xp.matmul(left, right_star))
    return lambda t: xp.real(xp.sum(polar * t, axis=(-2, -1)))


@pushed("linalg.qr")
def _qr(xp: Any, ans: Any, x: Any, /, *, mode: str = "reduced") -> LinearMap:
    rows, columns = x.shape[-2:]
    if mode == "complete" and rows > columns:
        raise ValueError(
            "linalg.qr with mode='complete' is differentiable only for matrices with at least as many columns as rows: "
            "the matrix does not determine the other columns of Q. Use mode='reduced'. "
            f"Received: mode='complete' and x of shape {tuple(x.shape)}"
        )
    q, r = ans
    q_star = adjoint(xp, q)
    square = r[..., :, : min(rows, columns)]

    def push(t: Any) -> Any:
        first = t[..., :, : min(rows, columns)]
        # first / square, from the right
        scaled = xp.matrix_transpose(xp.linalg.solve(xp.matrix_transpose(square), xp.matrix_transpose(first)))
        inside = xp.matmul(q_star, scaled)
        below = xp.tril(inside, k=-1)
        turn = below - adjoint(xp, below)
        if xp.isdtype(x.dtype, "complex floating"):  # R keeps a real diagonal
            turn = turn + 1j * xp.imag(inside) * _eye_like(xp, inside)
        out_q = scaled - xp.matmul(q, inside - turn)
        out_r = xp.matmul(inside - turn, square)
        if columns > rows:
            rest = xp.matmul(adjoint(xp, out_q), x[..., :, rows:]) + xp.matmul(q_star, t[..., :, rows:])
            out_r = xp.concat([out_r, rest], axis=-1)
        return out_q, out_r

    return push


no_derivative("integer result", "linalg.matrix_rank")

"""The extension `linalg` of the standard. MLX decomposes matrices on the CPU alone, real ones in most functions."""

from __future__ import annotations

from typing import Any, NamedTuple

import mlx.core as mx
from mlx.core import matrix_transpose as matrix_transpose

from portanet.backends.base import Array
from portanet.backends.mlx.elements import from_parts
from portanet.backends.mlx.reductions import matmul as matmul
from portanet.backends.mlx.reductions import sound
from portanet.backends.mlx.reductions import tensordot as tensordot
from portanet.backends.mlx.reductions import vecdot as vecdot

_own = mx.linalg


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Array
    eigenvectors: Array


class EigResult(NamedTuple):
    """What `eig` returns."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Array
    S: Array
    Vh: Array


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Array
    logabsdet: Array


def cholesky(x: Array, /, *, upper: bool = False) -> Array:
    """As in the standard; MLX's factor of a matrix that is not positive definite is wrong, and is NaN here."""
    out = _own.cholesky(x, upper, stream=mx.cpu)
    return mx.where(mx.any(sound(diagonal(out) <= 0), -1)[..., None, None], mx.nan, out)


def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """As in the standard; MLX's does not broadcast."""
    shape = mx.broadcast_shapes(x1.shape, x2.shape)
    dtype = mx.result_type(x1, x2)
    return _own.cross(*(mx.broadcast_to(x, shape).astype(dtype) for x in (x1, x2)), axis)


def det(x: Array, /) -> Array:
    """As in the standard; MLX's goes through a logarithm and back, in single precision."""
    parity, pivots = _pivots(x)
    return parity * mx.prod(sound(pivots), -1)


def _pivots(x: Array) -> tuple[Array, Array]:
    """The sign of the permutation of the rows, and the pivots of the elimination."""
    if 0 in x.shape:  # which ends the process in MLX
        return mx.ones(x.shape[:-2], x.dtype), mx.zeros(x.shape[:-1], x.dtype)
    factors, rows = _own.lu_factor(x, stream=mx.cpu)
    exchanges = mx.sum(rows != mx.arange(rows.shape[-1], dtype=rows.dtype), -1)
    return (1 - 2 * (exchanges % 2)).astype(x.dtype), diagonal(factors)


def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """As in the standard."""
    return mx.diagonal(x, offset, -2, -1)


def eig(x: Array, /) -> EigResult:
    """As in the standard."""
    return EigResult(*_own.eig(x, stream=mx.cpu))


def eigvals(x: Array, /) -> Array:
    """As in the standard."""
    return _own.eigvals(x, stream=mx.cpu)


def eigh(x: Array, /) -> EighResult:
    """As in the standard."""
    return EighResult(*_own.eigh(x, stream=mx.cpu))


def eigvalsh(x: Array, /) -> Array:
    """As in the standard."""
    return _own.eigvalsh(x, stream=mx.cpu)


def inv(x: Array, /) -> Array:
    """As in the standard; MLX's has no complex numbers."""
    if x.dtype == mx.complex64:
        return solve(x, mx.eye(x.shape[-1], dtype=x.dtype))
    return _own.inv(x, stream=mx.cpu)


def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:  # noqa: A002
    """As in the standard; MLX has it without `keepdims` of values by the singular values."""
    if ord in ("fro", None):
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in (1, -1, float("inf"), -float("inf")):
        sums = mx.sum(sound(mx.abs(x)), -2 if abs(ord) == 1 else -1)
        out = (mx.max if ord > 0 else mx.min)(sums, -1)
    else:
        values = svdvals(x)
        out = mx.sum(sound(values), -1) if ord == "nuc" else (mx.max if ord > 0 else mx.min)(values, -1)
    return mx.expand_dims(out, (-2, -1)) if keepdims else out


def matrix_power(x: Array, n: int, /) -> Array:
    """As in the standard."""
    if n == 0:
        return mx.broadcast_to(mx.eye(x.shape[-1], dtype=x.dtype), x.shape)
    base = inv(x) if n < 0 else x
    n, out = abs(n), None
    while n:
        if n % 2:
            out = base if out is None else matmul(out, base)
        n //= 2
        base = matmul(base, base) if n else base
    return out


def matrix_rank(x: Array, /, *, rtol: Any = None) -> Array:
    """As in the standard."""
    values = svdvals(x)
    return mx.sum(sound(values > _limit(x, values, rtol)), -1)


def _limit(x: Array, values: Array, rtol: Any) -> Any:
    """What singular values of a matrix must exceed to count."""
    if not values.shape[-1]:
        return 0
    if rtol is None:
        rtol = max(x.shape[-2:]) * float(mx.finfo(values.dtype).eps)
    return mx.max(values, -1, True) * (rtol[..., None] if isinstance(rtol, mx.array) else rtol)


def outer(x1: Array, x2: Array, /) -> Array:
    """As in the standard."""
    return x1[:, None] * x2[None, :]


def pinv(x: Array, /, *, rtol: Any = None) -> Array:
    """As in the standard; MLX's has no tolerance."""
    u, s, vh = svd(x, full_matrices=False)
    inverse = mx.where(s > _limit(x, s, rtol), 1 / s, 0)
    return matmul(mx.conj(matrix_transpose(vh)) * inverse[..., None, :], mx.conj(matrix_transpose(u)))


def qr(x: Array, /, *, mode: str = "reduced") -> QRResult:
    """As in the standard; MLX's is reduced. The missing columns are those of a product with a larger matrix."""
    rows, columns = x.shape[-2:]
    if mode == "reduced" or rows <= columns:
        return QRResult(*_own.qr(x, stream=mx.cpu))
    eye = mx.broadcast_to(mx.eye(rows, dtype=x.dtype), (*x.shape[:-1], rows))
    q, r = _own.qr(mx.concatenate([x, eye], -1), stream=mx.cpu)
    return QRResult(q, r[..., :columns])


def slogdet(x: Array, /) -> SlogdetResult:
    """As in the standard; MLX's overflows in double precision."""
    parity, pivots = _pivots(x)
    return SlogdetResult(parity * mx.prod(sound(mx.sign(pivots)), -1), mx.sum(sound(mx.log(mx.abs(pivots))), -1))


def solve(x1: Array, x2: Array, /) -> Array:
    """As in the standard; MLX's does not broadcast stacks of matrices, and has no complex numbers."""
    if x2.ndim == 1:
        return mx.squeeze(solve(x1, x2[:, None]), -1)
    if mx.complex64 in (x1.dtype, x2.dtype):  # as real equations, twice as many
        a, b, c, d = (part(x.astype(mx.complex64)) for x in (x1, x2) for part in (mx.real, mx.imag))
        rows = mx.concatenate([mx.concatenate([a, -b], -1), mx.concatenate([b, a], -1)], -2)
        return from_parts(*mx.split(solve(rows, mx.concatenate([c, d], -2)), 2, -2))
    lead = mx.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    a, b = (mx.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (x1, x2))
    return _own.solve(a, b, stream=mx.cpu)


def svd(x: Array, /, *, full_matrices: bool = True) -> SVDResult:
    """As in the standard; MLX's matrices are full."""
    u, s, vh = _own.svd(x, stream=mx.cpu)
    if full_matrices:
        return SVDResult(u, s, vh)
    count = s.shape[-1]
    return SVDResult(u[..., :count], s, vh[..., :count, :])


def svdvals(x: Array, /) -> Array:
    """As in the standard."""
    return _own.svd(x, False, stream=mx.cpu)


def trace(x: Array, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """As in the standard."""
    values = diagonal(x, offset=offset)
    return mx.sum(sound(values if dtype is None else values.astype(dtype)), -1)


def vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:  # noqa: A002
    """As in the standard; MLX's takes one or two axes, and two as those of matrices."""
    size = sound(mx.abs(x))
    if ord == float("inf"):
        return mx.max(size, axis, keepdims)
    if ord == -float("inf"):
        return mx.min(size, axis, keepdims)
    if ord == 0:
        return mx.sum(size != 0, axis, keepdims).astype(size.dtype)
    if ord == 1:
        return mx.sum(size, axis, keepdims)
    if ord == 2:
        return mx.sqrt(mx.sum(size * size, axis, keepdims))
    return mx.sum(size**ord, axis, keepdims) ** (1 / ord)

"""Products of arrays: matmul in every broadcasting form, and functions composed of products and diagonals."""

from __future__ import annotations

import math
from types import MethodType
from typing import Any

from portanet.autodiff.dispatch import LinearMap, fit
from portanet.autodiff.rules.declare import composite, primitive, rule


def _matmul_pull_x(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
    return MethodType(_pulled_to_x, (xp, x.shape, x.dtype, y))


def _pulled_to_x(operands: tuple[Any, tuple[int, ...], Any, Any], g: Any) -> Any:
    xp, shape, dtype, y = operands
    if y.ndim == 1:
        out = g * y if len(shape) == 1 else xp.expand_dims(g, axis=-1) * y
    elif len(shape) == 1:
        out = _products_of_vector(xp, y, g)
    else:
        out = xp.matmul(g, xp.matrix_transpose(y))
    return fit(xp, out, shape, dtype)


def _matmul_pull_y(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
    return MethodType(_pulled_to_y, (xp, x, y.shape, y.dtype))


def _pulled_to_y(operands: tuple[Any, Any, tuple[int, ...], Any], g: Any) -> Any:
    xp, x, shape, dtype = operands
    if x.ndim == 1 and len(shape) == 2:
        out = xp.find("outer_product")(x, g)
    elif x.ndim == 1:
        out = g * x if len(shape) == 1 else xp.expand_dims(g, axis=-2) * xp.expand_dims(x, axis=-1)
    elif len(shape) == 1:
        out = _products_of_vector(xp, xp.matrix_transpose(x), g)
    elif len(shape) == 2 and x.ndim > 2:
        # One product over all rows, instead of one per batch that is summed afterwards.
        rows = xp.reshape(x, (-1, x.shape[-1]))
        out = xp.matmul(xp.matrix_transpose(rows), xp.reshape(g, (-1, g.shape[-1])))
    else:
        out = xp.matmul(xp.matrix_transpose(x), g)
    return fit(xp, out, shape, dtype)


def _products_of_vector(xp: Any, matrices: Any, vectors: Any) -> Any:
    """The product of a matrix and a vector, for stacks of them."""
    if matrices.ndim == 2:
        return xp.matmul(matrices, vectors)
    return xp.matmul(matrices, xp.expand_dims(vectors, axis=-1))[..., 0]


rule(
    "matmul",
    (_matmul_pull_x, _matmul_pull_y),
    (lambda xp, ans, x, y: lambda t: xp.matmul(t, y), lambda xp, ans, x, y: lambda t: xp.matmul(x, t)),
)


@primitive("outer_product")
def _outer_product(raw: Any, x: Any, y: Any) -> Any:
    """All products of two vectors; as those of matrices, with any sign of 0. It is `linalg.outer` in one operation."""
    return raw.matmul(x[:, None], y[None, :])


rule(
    "outer_product",
    (lambda xp, ans, x, y: lambda g: xp.matmul(g, y), lambda xp, ans, x, y: lambda g: xp.matmul(x, g)),
    (
        lambda xp, ans, x, y: lambda t: xp.find("outer_product")(t, y),
        lambda xp, ans, x, y: lambda t: xp.find("outer_product")(x, t),
    ),
)


@composite("vecdot")
def _vecdot(xp: Any, x: Any, y: Any, /, *, axis: int = -1) -> Any:
    x, y = xp.broadcast_arrays(x, y)
    return xp.sum(xp.conj(x) * y, axis=axis)


@composite("tensordot")
def _tensordot(xp: Any, x: Any, y: Any, /, *, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    ax, ay = [a % x.ndim for a in axes[0]], [a % y.ndim for a in axes[1]]
    rest_x = [i for i in range(x.ndim) if i not in ax]
    rest_y = [i for i in range(y.ndim) if i not in ay]
    count = math.prod(x.shape[a] for a in ax)
    shape = tuple(x.shape[i] for i in rest_x) + tuple(y.shape[i] for i in rest_y)
    left = xp.reshape(xp.permute_dims(x, (*rest_x, *ax)), (math.prod(x.shape[i] for i in rest_x), count))
    right = xp.reshape(xp.permute_dims(y, (*ay, *rest_y)), (count, math.prod(y.shape[i] for i in rest_y)))
    return xp.reshape(xp.matmul(left, right), shape)


@composite("linalg.outer")
def _outer(xp: Any, x: Any, y: Any, /) -> Any:
    return xp.expand_dims(x, axis=1) * xp.expand_dims(y, axis=0)


@composite("linalg.cross")
def _cross(xp: Any, x: Any, y: Any, /, *, axis: int = -1) -> Any:
    """Element i is x[i+1] y[i+2] - x[i+2] y[i+1], indices modulo 3."""

    def turn(a: Any, places: int) -> Any:
        return xp.roll(a, -places, axis=axis)

    return turn(x, 1) * turn(y, 2) - turn(x, 2) * turn(y, 1)


@composite("linalg.diagonal")
def _diagonal(xp: Any, x: Any, /, *, offset: int = 0) -> Any:
    """Every (columns + 1)-th element of the flattened matrix."""
    return flat_matrices(xp, x)[..., diagonal_positions(x.shape, offset)]


def flat_matrices(xp: Any, x: Any) -> Any:
    """The matrices in `x` as vectors."""
    return xp.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))


def diagonal_positions(shape: tuple[int, ...], offset: int) -> slice:
    """The positions of a diagonal in the flattened matrix."""
    rows, columns = shape[-2:]
    first = offset if offset >= 0 else -offset * columns
    count = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    if count == 0:
        return slice(0, 0)
    return slice(first, first + (count - 1) * (columns + 1) + 1, columns + 1)


@composite("linalg.trace")
def _trace(xp: Any, x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return xp.sum(xp.linalg.diagonal(x, offset=offset), axis=-1, dtype=dtype)


@composite("linalg.matrix_power")
def _matrix_power(xp: Any, x: Any, n: int, /) -> Any:
    """By repeated squaring."""
    if n < 0:
        x, n = xp.linalg.inv(x), -n
    out = None
    while n:
        if n % 2:
            out = x if out is None else xp.matmul(out, x)
        n //= 2
        if n:
            x = xp.matmul(x, x)
    if out is None:
        unit = xp.eye(x.shape[-1], dtype=x.dtype, device=x.device)
        return xp.asarray(xp.broadcast_to(unit, x.shape), copy=True)
    return out


# The standard has these in both namespaces.


def _alias(name: str) -> None:
    @composite(f"linalg.{name}")
    def function(xp: Any, *args: Any, **kwargs: Any) -> Any:
        return xp.find(name)(*args, **kwargs)


for _name in ("matmul", "matrix_transpose", "tensordot", "vecdot"):
    _alias(_name)

"""Products of vectors, matrices and tensors."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.conversion import promoted
from portanet.ops.dtypes import counted, floating
from portanet.ops.einsum import contract
from portanet.ops.matrices import pad
from portanet.ops.operation import Operand, operation
from portanet.ops.signal import extract_sequences


@operation
def matmul(x1: Operand, x2: Operand) -> Array:
    """Matrix product along the last two axes; arrays of one axis are vectors. int8 is multiplied in int32.

    Example:
        >>> matmul([[1.0, 2.0]], [3.0, 4.0])
        array([11.], dtype=float32)
    """
    x1, x2 = _whole(x1), _whole(x2)
    return array_namespace(x1, x2).matmul(x1, x2)


def _whole(x: Array) -> Array:
    xp = array_namespace(x)
    return xp.astype(x, xp.int32) if x.dtype == xp.int8 else counted(x)


@operation
def dot(x1: Operand, x2: Operand) -> Array:
    """Sum of products over the last axis of `x1` and the last but one of `x2`; with a number, the product.

    Example:
        >>> float(dot([1.0, 2.0], [3.0, 4.0]))
        11.0
    """
    xp = array_namespace(x1, x2)
    if not x1.shape or not x2.shape:
        return xp.multiply(x1, x2)
    second = len(x2.shape) - (1 if len(x2.shape) == 1 else 2)
    return xp.tensordot(x1, x2, axes=((len(x1.shape) - 1,), (second,)))


@operation
def vdot(x1: Operand, x2: Operand) -> Array:
    """Sum of products of all elements; of the conjugate of `x1` if it is complex.

    Example:
        >>> float(vdot([1.0, 2.0], [3.0, 4.0]))
        11.0
    """
    xp = array_namespace(x1, x2)
    x1 = xp.conj(x1) if xp.isdtype(x1.dtype, "complex floating") else x1
    total = xp.reshape(x1, (-1,)) * xp.reshape(x2, (-1,))
    return xp.sum(total, dtype=total.dtype)


@operation
def inner(x1: Operand, x2: Operand) -> Array:
    """Sum of products over the last axis of both.

    Example:
        >>> inner([1, 2], [3, 4])
        array(11, dtype=int32)
    """
    xp = array_namespace(x1, x2)
    if not x1.shape or not x2.shape:
        return xp.multiply(x1, x2)
    return xp.tensordot(x1, x2, axes=((len(x1.shape) - 1,), (len(x2.shape) - 1,)))


@operation
def outer(x1: Operand, x2: Operand) -> Array:
    """Products of every element of `x1` with every one of `x2`, both flattened.

    Example:
        >>> outer([1, 2], [3, 4]).tolist()
        [[3, 4], [6, 8]]
    """
    xp = array_namespace(x1, x2)
    return xp.reshape(x1, (-1, 1)) * xp.reshape(x2, (1, -1))


@operation
def tensordot(x1: Operand, x2: Operand, axes: Any = 2) -> Array:
    """Sum of products over axes.

    Args:
        x1: Array.
        x2: Array.
        axes: Number of axes, the last ones of `x1` and the first ones of `x2`; or an axis or several for each.

    Example:
        >>> tensordot([[1.0, 2.0]], [[3.0], [4.0]], axes=1)
        array([[11.]], dtype=float32)
    """
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            raise checks.invalid("axes", axes, "a number of axes, or the axes of `x1` and those of `x2`", "tensordot")
        axes = tuple(tuple(a) if isinstance(a, (list, tuple)) else (a,) for a in axes)
    else:
        axes = checks.integer("axes", axes, "tensordot", least=0)
    return array_namespace(x1, x2).tensordot(x1, x2, axes=axes)


@operation
def kron(x1: Operand, x2: Operand) -> Array:
    """Kronecker product: `x2` times each element of `x1`, side by side.

    Example:
        >>> kron([1, 10], [1, 2])
        array([ 1,  2, 10, 20], dtype=int32)
    """
    xp = array_namespace(x1, x2)
    rank = max(len(x1.shape), len(x2.shape))
    first, second = ((1,) * (rank - len(x.shape)) + tuple(x.shape) for x in (x1, x2))
    wide = xp.reshape(x1, tuple(n for size in first for n in (size, 1)))
    narrow = xp.reshape(x2, tuple(n for size in second for n in (1, size)))
    return xp.reshape(wide * narrow, tuple(n * m for n, m in zip(first, second, strict=True)))


@operation
def cross(
    x1: Operand, x2: Operand, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Array:
    """Cross product of vectors of three elements (or two, whose third is 0).

    Args:
        x1: Array.
        x2: Array that broadcasts with `x1` apart from the vectors.
        axisa: The axis of the vectors in `x1`.
        axisb: The axis of the vectors in `x2`.
        axisc: The axis of the vectors in the result; there is none for two vectors of two elements.
        axis: The axis in all three, if given.

    Example:
        >>> cross([1, 0, 0], [0, 1, 0])
        array([0, 0, 1], dtype=int32)
    """
    xp = array_namespace(x1, x2)
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = xp.moveaxis(x1, axisa, -1), xp.moveaxis(x2, axisb, -1)
    if not {a.shape[-1], b.shape[-1]} <= {2, 3}:
        raise ValueError(
            f"cross takes vectors of two or three elements. Received: shapes {tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    third = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    if a.shape[-1] == b.shape[-1] == 2:
        return third
    a2, b2 = (v[..., 2] if v.shape[-1] == 3 else xp.zeros_like(v[..., 0]) for v in (a, b))
    first, second = a[..., 1] * b2 - a2 * b[..., 1], a2 * b[..., 0] - a[..., 0] * b2
    return xp.moveaxis(xp.stack([first, second, third], axis=-1), -1, axisc)


@operation
def einsum(subscripts: str, *operands: Operand, **kwargs: Any) -> Array:
    """Sum of products by Einstein's convention.

    Args:
        subscripts: A letter for each axis: `"ij,jk->ik"`; `...` stands for axes that broadcast. Axes whose letters are
            not in the result are summed over.
        operands: The arrays.
        kwargs: Ignored, as `optimize` of NumPy: operands are multiplied from the first to the last.

    Example:
        >>> einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]])
        array([[11.]], dtype=float32)
    """
    if not isinstance(subscripts, str):
        raise checks.invalid("subscripts", subscripts, "a string such as 'ij,jk->ik'", "einsum")
    return contract(subscripts, [_whole(x) for x in operands])


@operation
def cdist(x: Array, y: Array) -> Array:
    """Euclidean distances between every row of `x` and every row of `y`; the derivative at distance 0 is 0.

    Args:
        x: Shape (..., n, size).
        y: Shape (..., m, size).

    Returns:
        Shape (..., n, m).

    Example:
        >>> cdist([[0.0, 0.0]], [[3.0, 4.0]])
        array([[5.]], dtype=float32)
    """
    x, y = promoted(floating(x), floating(y))
    xp = array_namespace(x, y)
    if min(len(x.shape), len(y.shape)) < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(f"cdist takes rows of one size. Received: shapes {tuple(x.shape)} and {tuple(y.shape)}")
    difference = x[..., :, None, :] - y[..., None, :, :]
    squares = xp.sum(difference * difference, axis=-1)
    same = squares == 0
    return xp.where(same, 0.0, xp.sqrt(xp.where(same, 1.0, squares)))


@operation
def corrcoef(x: Array) -> Array:
    """Correlation coefficients of rows of observations.

    Args:
        x: Shape (variables, observations), or (observations,).

    Returns:
        Shape (variables, variables), or ().

    Example:
        >>> corrcoef([[1.0, 2.0], [2.0, 1.0]]).round(5)
        array([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    x = floating(x)
    xp = array_namespace(x)
    rows = xp.reshape(x, (1, -1)) if len(x.shape) < 2 else x
    centered = rows - xp.mean(rows, axis=1, keepdims=True)
    covariance = xp.matmul(centered, xp.matrix_transpose(centered))
    deviation = xp.sqrt(xp.linalg.diagonal(covariance))
    result = xp.clip(covariance / (deviation[:, None] * deviation), -1.0, 1.0)
    return result[0, 0] if len(x.shape) < 2 else result


@operation
def correlate(x1: Operand, x2: Operand, mode: str = "valid") -> Array:
    """Correlation of two sequences: sums of products of `x1` with shifted `x2`.

    Args:
        x1: Shape (n,).
        x2: Shape (m,).
        mode: `"valid"`: where they overlap completely, max(n, m) - min(n, m) + 1 values; `"same"`: max(n, m) of them;
            `"full"`: all n + m - 1.

    Example:
        >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0])
        array([2., 3.], dtype=float32)
    """
    checks.choice("mode", mode, ("valid", "same", "full"), "correlate")
    x1, x2 = floating(x1), floating(x2)
    xp = array_namespace(x1, x2)
    n, m = x1.shape[0], x2.shape[0]
    rows = extract_sequences(pad(x1, m - 1), m, 1)
    whole = xp.matmul(rows, x2)
    size = {"valid": max(n, m) - min(n, m) + 1, "same": max(n, m), "full": n + m - 1}[mode]
    start = (n + m - 1 - size) // 2
    return whole[start : start + size]

"""Diagonals, triangles and padding."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, array_like, constant, device_of
from portanet.ops.dtypes import counted, floating
from portanet.ops.operation import operation


@operation
def tril(x: Array, k: int = 0) -> Array:
    """The elements on and below a diagonal, zeros above.

    Args:
        x: Matrices, shape (..., m, n).
        k: The highest diagonal that stays.

    Example:
        >>> tril([[1, 2], [3, 4]]).tolist()
        [[1, 0], [3, 4]]
    """
    return array_namespace(x).tril(x, k=k)


@operation
def triu(x: Array, k: int = 0) -> Array:
    """The elements on and above a diagonal, zeros below.

    Args:
        x: Matrices, shape (..., m, n).
        k: The lowest diagonal that stays.

    Example:
        >>> triu([[1, 2], [3, 4]]).tolist()
        [[1, 2], [0, 4]]
    """
    return array_namespace(x).triu(x, k=k)


@operation
def diagonal(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements on a diagonal of two axes, along the last axis.

    Args:
        x: An array with two axes or more.
        offset: The diagonal; above the main one if positive.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Example:
        >>> diagonal([[1, 2], [3, 4]])
        array([1, 4], dtype=int32)
    """
    xp = array_namespace(x)
    return xp.linalg.diagonal(xp.moveaxis(x, (axis1, axis2), (-2, -1)), offset=offset)


@operation
def diagflat(x: Array, k: int = 0) -> Array:
    """A matrix with the elements on a diagonal, zeros elsewhere.

    Args:
        x: An array, which is flattened.
        k: The diagonal; above the main one if positive.

    Example:
        >>> diagflat([1, 2])
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    xp = array_namespace(x)
    values = xp.reshape(x, (-1,))
    n = values.shape[0]
    square = values * xp.eye(n, dtype=x.dtype, device=device_of(storage(x)))
    return pad(square, ((max(0, -k), max(0, k)), (max(0, k), max(0, -k))))


@operation
def diag(x: Array, k: int = 0) -> Array:
    """The diagonal of a matrix; or a matrix with an array of one axis as its diagonal.

    Args:
        x: A vector, or a matrix.
        k: The diagonal; above the main one if positive.

    Example:
        >>> diag([1, 2]).tolist()
        [[1, 0], [0, 2]]
    """
    if len(x.shape) not in (1, 2):
        raise ValueError(f"Argument `x` of diag must have one or two axes. Received: shape {tuple(x.shape)}")
    return diagflat(x, k) if len(x.shape) == 1 else diagonal(x, k)


@operation
def trace(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The sum of a diagonal of two axes; booleans and integers of less than 32 bits as int32.

    Args:
        x: An array with two axes or more.
        offset: The diagonal; above the main one if positive.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Example:
        >>> int(trace([[1, 2], [3, 4]]))
        5
    """
    values = counted(diagonal(x, offset, axis1, axis2), short=True)
    return array_namespace(x).sum(values, axis=-1, dtype=values.dtype)


@operation
def vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """The powers of elements as columns, the highest first.

    Args:
        x: Shape (n,).
        N: Number of columns; None for n.
        increasing: Whether the highest comes last.

    Example:
        >>> vander([1, 2, 3], 3)
        array([[1, 1, 1],
               [4, 2, 1],
               [9, 3, 1]], dtype=int32)
    """
    xp = array_namespace(x)
    count = x.shape[0] if N is None else N
    columns = [xp.ones_like(x)]
    for _ in range(count - 1):
        columns.append(columns[-1] * x)
    columns = columns[:count]
    return xp.stack(columns if increasing else columns[::-1], axis=-1)


@operation
def diff(a: Array, n: int = 1, axis: int = -1) -> Array:
    """Differences of neighbours along an axis, `n` times.

    Args:
        a: An array.
        n: How often differences are taken.
        axis: The axis.

    Example:
        >>> diff([1, 4, 9])
        array([3, 5], dtype=int32)
    """
    xp = array_namespace(a)
    axis = checks.axis("axis", axis, len(a.shape), "diff") % len(a.shape)
    for _ in range(n):
        before, after = (a[(*(slice(None),) * axis, key, ...)] for key in (slice(None, -1), slice(1, None)))
        a = after != before if xp.isdtype(a.dtype, "bool") else after - before
    return a


PADDINGS = ("constant", "reflect", "symmetric", "edge", "wrap")


@operation
def pad(x: Array, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Array:
    """More elements before and after those of each axis.

    Args:
        x: Array.
        pad_width: How many: a pair (before, after) per axis, a pair for all axes, or an integer.
        mode: `"constant"`, `"reflect"` (mirrored at the first element), `"symmetric"` (mirrored before it), `"edge"` or
            `"wrap"`.
        constant_values: The elements for `"constant"`; None for 0.

    Example:
        >>> pad([1, 2, 3], (2, 1), mode="reflect")
        array([3, 2, 1, 2, 3, 2], dtype=int32)
    """
    checks.choice("mode", mode, PADDINGS, "pad")
    if constant_values is not None and mode != "constant":
        raise ValueError(f"Argument `constant_values` of pad is for mode 'constant'. Received: mode={mode!r}")
    rank = len(x.shape)
    single = isinstance(pad_width, (list, tuple)) and all(isinstance(n, int) for n in pad_width) and len(pad_width) == 2
    if isinstance(pad_width, (list, tuple)) and len(pad_width) == 1 and rank > 1:
        pad_width, single = pad_width[0], isinstance(pad_width[0], (list, tuple))
    widths = checks.pairs("pad_width", [tuple(pad_width)] * rank if single else pad_width, rank, "pad")
    xp = array_namespace(x)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _padded(xp, x, axis, before, after, mode, 0 if constant_values is None else constant_values)
    return x


def _padded(xp: Any, x: Array, axis: int, before: int, after: int, mode: str, value: Any) -> Array:
    n = x.shape[axis]
    if mode == "constant":
        pieces, plain = [x], storage(x)
        if hasattr(value, "shape"):
            filling = array_namespace(value).astype(value, x.dtype)
        else:
            filling = constant(plain, value, x.dtype)
        for count, first in ((before, True), (after, False)):
            if count:
                shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
                block = xp.broadcast_to(filling, shape)
                pieces = [block, *pieces] if first else [*pieces, block]
        return xp.concat(pieces, axis=axis)
    places = [_place(i, n, mode) for i in range(-before, n + after)]
    return xp.take(x, array_like(storage(x), places), axis=axis)


def _place(i: int, n: int, mode: str) -> int:
    """The index of an axis of n elements at which the element at `i`, perhaps outside, comes from."""
    if mode == "edge":
        return min(max(i, 0), n - 1)
    if mode == "wrap":
        return i % n
    period = max(1, 2 * n - 2 if mode == "reflect" else 2 * n)
    i %= period
    return i if i < n else period - i if mode == "reflect" else period - 1 - i


@operation
def trapezoid(y: Array, x: Array | None = None, dx: float = 1.0, axis: int = -1) -> Array:
    """Integral of samples by the trapezoidal rule.

    Args:
        y: The samples.
        x: Where they were taken; None for a distance of `dx`.
        dx: Distance of the samples.
        axis: The axis.

    Example:
        >>> trapezoid([1.0, 2.0, 3.0])
        np.float32(4.0)
    """
    xp = array_namespace(y) if x is None else array_namespace(y, x)
    y = xp.moveaxis(floating(y), axis, -1)
    heights = (y[..., 1:] + y[..., :-1]) / 2.0
    if x is None:
        return xp.sum(heights * dx, axis=-1)
    steps = floating(x) if len(x.shape) == 1 else xp.moveaxis(floating(x), axis, -1)
    return xp.sum(heights * (steps[..., 1:] - steps[..., :-1]), axis=-1)

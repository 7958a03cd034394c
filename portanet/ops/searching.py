"""Searching, sorting and counting: indices are int32, as in Keras."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, stop_gradient, storage, unwrap
from portanet.backends import Array, device_of
from portanet.ops.comparisons import truth
from portanet.ops.conversion import promoted
from portanet.ops.dtypes import counted
from portanet.ops.encodings import require_dense
from portanet.ops.operation import Operand, operation


def int32(x: Array) -> Array:
    """An array of indices as int32."""
    xp = array_namespace(x)
    return xp.astype(x, xp.int32)


@operation
def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the maximum along an axis, the first at ties, as int32; among all elements for None.

    Example:
        >>> argmax([1.0, 3.0, 2.0])
        np.int32(1)
    """
    x = counted(x)
    return int32(array_namespace(x).argmax(x, axis=axis, keepdims=keepdims))


@operation
def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the minimum along an axis, the first at ties, as int32; among all elements for None.

    Example:
        >>> argmin([[3.0, 1.0], [0.0, 2.0]], axis=1)
        array([1, 0], dtype=int32)
    """
    x = counted(x)
    return int32(array_namespace(x).argmin(x, axis=axis, keepdims=keepdims))


@operation
def argsort(x: Array, axis: int | None = -1) -> Array:
    """Indices that sort along an axis, as int32; equal elements stay in order. None for all elements in one row.

    Example:
        >>> argsort([3.0, 1.0, 2.0])
        array([1, 2, 0], dtype=int32)
    """
    x, axis = _along(counted(x), axis)
    return int32(array_namespace(x).argsort(x, axis=axis, stable=True))


@operation
def sort(x: Array, axis: int | None = -1) -> Array:
    """The elements, sorted along an axis; None for all elements in one row.

    Example:
        >>> sort([3, 1, 2])
        array([1, 2, 3], dtype=int32)
    """
    x, axis = _along(x, axis)
    xp = array_namespace(x)
    if xp.isdtype(x.dtype, "bool"):
        return xp.astype(xp.sort(int32(x), axis=axis), x.dtype)
    return xp.sort(x, axis=axis)


@operation
def argpartition(x: Array, kth: int, axis: int | None = -1) -> Array:
    """Indices that put the `kth` element in its sorted place, no larger ones before it; here, those that sort.

    Args:
        x: An array.
        kth: Position whose element is in its place; smaller ones are before it, larger ones after.
        axis: The axis; None for the flattened array.

    Example:
        >>> int(argpartition([3.0, 1.0, 2.0], 0)[0])
        1
    """
    x, axis = _along(counted(x), axis)
    checks.axis("kth", kth, x.shape[axis], "argpartition")
    return int32(array_namespace(x).argsort(x, axis=axis, stable=True))


def _along(x: Array, axis: int | None) -> tuple[Array, int]:
    return (array_namespace(x).reshape(x, (-1,)), 0) if axis is None else (x, axis)


@operation
def top_k(x: Array, k: int, sorted: bool = True) -> tuple[Array, Array]:
    """The `k` largest elements along the last axis, and their indices as int32; the largest first.

    Args:
        x: An array.
        k: How many.
        sorted: Whether they are in descending order.

    Example:
        >>> top_k([1.0, 3.0, 2.0], 2)
        (array([3., 2.], dtype=float32), array([1, 2], dtype=int32))
    """
    checks.positive_int("k", k, "top_k")
    if k > x.shape[-1]:
        raise checks.invalid("k", k, f"at most {x.shape[-1]}, the size of the last axis", "top_k")
    xp = array_namespace(x)
    places = xp.argsort(counted(x), axis=-1, descending=True, stable=True)[..., :k]
    return xp.take_along_axis(x, places, axis=-1), int32(places)


@operation
def in_top_k(targets: Array, predictions: Array, k: int) -> Array:
    """Whether the prediction of the target class is among the `k` largest.

    Args:
        targets: Class numbers, shape (batch,).
        predictions: Shape (batch, classes).
        k: How many.

    Example:
        >>> in_top_k([2, 1], [[0.1, 0.2, 0.7], [0.5, 0.1, 0.4]], 1)
        array([ True, False])
    """
    places = stop_gradient(targets)
    own = array_namespace(places)
    xp = array_namespace(predictions, places)
    of_target = xp.take_along_axis(predictions, own.astype(places, own.int64)[..., None], axis=-1)
    larger = xp.sum(xp.astype(predictions > of_target, xp.int32), axis=-1)
    return (larger < k) & xp.isfinite(of_target[..., 0])


@operation
def nonzero(x: Array) -> tuple[Array, ...]:
    """Indices of the elements that differ from 0, one int32 array per axis; their number is read.

    Example:
        >>> [indices.tolist() for indices in nonzero([[0, 1], [2, 0]])]
        [[0, 1], [1, 0]]
    """
    x = truth(unwrap(x))
    return tuple(int32(index) for index in array_namespace(x).nonzero(x))


@operation
def where(condition: Array, x1: Operand | None = None, x2: Operand | None = None) -> Array:
    """Elements of `x1` where the condition is true, of `x2` elsewhere.

    Args:
        condition: Booleans, or numbers that are true if they differ from 0.
        x1: Array or number that broadcasts; None together with `x2`.
        x2: Likewise.

    Returns:
        The chosen elements; without `x1` and `x2`, the indices of true elements, as by `nonzero`.

    Example:
        >>> where([True, False], [1.0, 2.0], 0)
        array([1., 0.], dtype=float32)
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError(f"Arguments `x1` and `x2` of where come together. Received: x1={x1!r}, x2={x2!r}")
    return array_namespace(x1, x2, condition).where(truth(condition), x1, x2)


@operation
def searchsorted(sorted_sequence: Array, values: Array, side: str = "left") -> Array:
    """Indices at which values keep a sequence sorted, as int32.

    Args:
        sorted_sequence: Shape (n,), ascending.
        values: Any shape.
        side: `"left"`: before equal elements; `"right"`: after them.

    Example:
        >>> searchsorted([1.0, 2.0, 3.0], [2.0, 9.0])
        array([1, 3], dtype=int32)
    """
    checks.choice("side", side, ("left", "right"), "searchsorted")
    if len(sorted_sequence.shape) != 1:
        raise ValueError(
            "Argument `sorted_sequence` of searchsorted (`bins` of digitize) must have one axis. "
            f"Received: shape {tuple(sorted_sequence.shape)}"
        )
    edges, x = promoted(sorted_sequence, values)
    xp = array_namespace(edges, x)
    x = xp.expand_dims(x, axis=-1)
    return xp.sum(int32(edges < x if side == "left" else edges <= x), axis=-1, dtype=xp.int32)


@operation
def digitize(x: Array, bins: Array) -> Array:
    """Number of the bin of each element, as int32: i where `bins[i - 1] <= x < bins[i]`.

    Args:
        x: An array.
        bins: Edges, in ascending order.

    Example:
        >>> digitize([0.0, 1.0, 5.0], [1.0, 3.0])
        array([0, 1, 2], dtype=int32)
    """
    return searchsorted(bins, x, "right")


@operation
def bincount(x: Array, weights: Array | None = None, minlength: int = 0, sparse: bool = False) -> Array:
    """How often each integer appears; its values are read, to know the largest: that of all examples inside `vmap`.

    Args:
        x: Non-negative integers, shape (n,) or (batch, n).
        weights: Array like `x`, summed in place of ones.
        minlength: Least size of the result.
        sparse: Must be False.

    Returns:
        Shape (size,) or (batch, size), int32 or the dtype of the weights.

    Example:
        >>> bincount([0, 2, 2], minlength=4)
        array([1, 0, 2, 0], dtype=int32)
    """
    require_dense(sparse, "bincount")
    x, every = stop_gradient(x), storage(x)
    own = array_namespace(x)
    largest = int(array_namespace(every).max(every)) if math.prod(every.shape) else -1
    count = largest + 1 if largest >= minlength else minlength
    members = x[..., None] == own.arange(count, dtype=x.dtype, device=device_of(every))
    if weights is None:
        return own.sum(own.astype(members, own.int32), axis=-2, dtype=own.int32)
    xp = array_namespace(weights, members)
    chosen = xp.where(members, xp.expand_dims(weights, axis=-1), 0)
    return xp.sum(chosen, axis=-2, dtype=chosen.dtype)


@operation
def unique(
    x: Array,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements, in ascending order; their number is read.

    Args:
        x: Array, which is flattened.
        sorted: Ignored: the elements are always sorted.
        return_index: Whether to return the index at which each first appears.
        return_inverse: Whether to return the indices that give `x` again, in the shape of `x`.
        return_counts: Whether to return how often each appears.
        axis: Must be None, or 0 for an array of one axis.
        size: Size of the result: what is too much is left out, what is missing filled.
        fill_value: The filling; None for 0.

    Returns:
        The elements; a tuple with indices, inverse and counts if requested.

    Example:
        >>> unique([3, 1, 3], return_counts=True)
        (array([1, 3], dtype=int32), array([1, 2], dtype=int32))
    """
    if axis not in (None, 0) or (axis == 0 and len(x.shape) != 1):
        raise checks.invalid("axis", axis, "None, since the standard compares single elements", "unique")
    plain = unwrap(x)
    xp = array_namespace(plain)
    flat = xp.reshape(plain, (-1,))
    order = xp.argsort(counted(flat), stable=True)
    ordered = xp.take(flat, order, axis=0)
    first = xp.concat([xp.ones_like(ordered[:1], dtype=xp.bool), ordered[1:] != ordered[:-1]])
    starts = xp.nonzero(first)[0]
    values, indices = xp.take(ordered, starts, axis=0), xp.take(order, starts, axis=0)
    numbers = xp.cumulative_sum(int32(first), axis=0) - 1
    inverse = xp.reshape(xp.take(numbers, xp.argsort(order), axis=0), plain.shape)
    end = xp.asarray([flat.shape[0]], dtype=starts.dtype, device=device_of(plain))
    counts = xp.concat([starts[1:], end]) - starts
    results = [_sized(values, size, fill_value or 0)]
    results += [_sized(int32(indices), size, 0)] if return_index else []
    results += [int32(inverse)] if return_inverse else []
    results += [_sized(int32(counts), size, 0)] if return_counts else []
    return results[0] if len(results) == 1 else tuple(results)


def _sized(x: Array, size: int | None, fill: Any) -> Array:
    if size is None or x.shape[0] == size:
        return x
    xp = array_namespace(x)
    missing = size - x.shape[0]
    if missing < 0:
        return x[:size]
    return xp.concat([x, xp.full((missing,), fill, dtype=x.dtype, device=device_of(x))])


@operation
def unravel_index(indices: Array, shape: Any) -> tuple[Array, ...]:
    """The indices on each axis of an array, for indices of its elements in row-major order.

    Args:
        indices: Indices in the flattened array.
        shape: Shape of the array.

    Example:
        >>> unravel_index([5, 7], (3, 4))
        (array([1, 1], dtype=int32), array([1, 3], dtype=int32))
    """
    xp = array_namespace(indices)
    results = []
    for n in reversed(shape):
        results.append(xp.remainder(indices, n))
        indices = xp.floor_divide(indices, n)
    return tuple(reversed(results))

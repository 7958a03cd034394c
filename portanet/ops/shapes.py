"""Shapes and axes: reshaping, moving, reversing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array
from portanet.ops.conversion import ARRAY, HOST, kind_of
from portanet.ops.creation import sizes
from portanet.ops.operation import Axes, axes_of, operation
from portanet.tree import KINDS, SEQUENCE


@operation
def shape(x: Array) -> tuple[int, ...]:
    """The shape of an array, a tuple of integers.

    Example:
        >>> shape([[1.0, 2.0]])
        (1, 2)
    """
    return tuple(x.shape)


@operation
def ndim(x: Array) -> int:
    """The number of axes.

    Example:
        >>> int(ndim([[1, 2]]))
        2
    """
    return len(x.shape)


@operation
def size(x: Array) -> int:
    """The number of elements.

    Example:
        >>> int(size([[1, 2], [3, 4]]))
        4
    """
    return math.prod(x.shape)


def _known(sizes: Any, x: Array) -> tuple[Any, ...]:
    """Sizes with those of `x` in place of None, where it has the axis."""
    return tuple(x.shape[i] if n is None and i < len(x.shape) else n for i, n in enumerate(sizes))


@operation
def reshape(x: Array, newshape: Any) -> Array:
    """The elements in another shape; one size may be -1.

    None is the size of the same axis of `x`: `(ops.shape(x)[0], -1)` has it while a graph is built.

    Args:
        x: An array.
        newshape: The shape; -1 stands for the size that fits.

    Example:
        >>> reshape([1, 2, 3, 4], (2, -1))
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    values = newshape if KINDS[type(newshape)] == SEQUENCE else (newshape,)
    plain = tuple(int(unwrap(n)) if kind_of(n) in (ARRAY, HOST) else n for n in _known(values, x))
    return array_namespace(x).reshape(x, checks.integers("newshape", plain, None, "reshape", -1) if plain else ())


@operation
def ravel(x: Array) -> Array:
    """All elements in one row.

    Example:
        >>> ravel([[1, 2], [3, 4]])
        array([1, 2, 3, 4], dtype=int32)
    """
    return array_namespace(x).reshape(x, (-1,))


@operation
def transpose(x: Array, axes: Axes = None) -> Array:
    """The axes in another order; reversed for None.

    Args:
        x: An array.
        axes: The order of the axes; None to reverse it.

    Example:
        >>> from portanet import ops
        >>> shape(transpose(ops.ones((1, 2, 3)), (0, 2, 1)))
        (1, 3, 2)
    """
    order = tuple(reversed(range(len(x.shape)))) if axes is None else axes_of(axes, len(x.shape), "transpose", "axes")
    return array_namespace(x).permute_dims(x, order)


@operation
def swapaxes(x: Array, axis1: int, axis2: int) -> Array:
    """Two axes in each other's place.

    Args:
        x: An array.
        axis1: An axis.
        axis2: The other.

    Example:
        >>> swapaxes([[1, 2], [3, 4]], 0, 1).tolist()
        [[1, 3], [2, 4]]
    """
    first, second = axes_of((axis1,), len(x.shape), "swapaxes", "axis1")[0], axis2 % len(x.shape)
    order = list(range(len(x.shape)))
    order[first], order[second] = second, first
    return array_namespace(x).permute_dims(x, tuple(order))


@operation
def moveaxis(x: Array, source: Axes, destination: Axes) -> Array:
    """Axes at other positions; the others stay in order.

    Args:
        x: An array.
        source: Axes to move.
        destination: Their new positions.

    Example:
        >>> moveaxis([[[1, 2, 3]]], 2, 0).shape
        (3, 1, 1)
    """
    return array_namespace(x).moveaxis(x, source, destination)


@operation
def expand_dims(x: Array, axis: Axes) -> Array:
    """New axes of size 1, at their positions in the result.

    Example:
        >>> shape(expand_dims([1.0, 2.0], (0, -1)))
        (1, 2, 1)
    """
    values = (axis,) if isinstance(axis, int) else tuple(axis or ())
    places = sorted(axes_of(values, len(x.shape) + len(values), "expand_dims"))
    xp = array_namespace(x)
    for place in places:
        x = xp.expand_dims(x, axis=place)
    return x


@operation
def squeeze(x: Array, axis: Axes = None) -> Array:
    """The array without axes of size 1; without all of them for None.

    Example:
        >>> squeeze([[1, 2]])
        array([1, 2], dtype=int32)
    """
    single = tuple(i for i, n in enumerate(x.shape) if n == 1) if axis is None else axis
    return array_namespace(x).squeeze(x, axis=single)


@operation
def broadcast_to(x: Array, shape: Any) -> Array:
    """The array, repeated along axes of size 1 to a shape; None is the size of the same axis of `x`.

    Args:
        x: An array.
        shape: The shape.

    Example:
        >>> broadcast_to([1, 2], (2, 2)).tolist()
        [[1, 2], [1, 2]]
    """
    shape = _known(shape, x) if KINDS[type(shape)] == SEQUENCE else shape
    return array_namespace(x).broadcast_to(x, sizes(shape, "broadcast_to"))


@operation
def flip(x: Array, axis: Axes = None) -> Array:
    """The elements in reversed order along axes; along all for None.

    Example:
        >>> flip([[1, 2], [3, 4]]).tolist()
        [[4, 3], [2, 1]]
    """
    return array_namespace(x).flip(x, axis=axis)


@operation
def fliplr(x: Array) -> Array:
    """The columns in reversed order.

    Example:
        >>> fliplr([[1, 2], [3, 4]]).tolist()
        [[2, 1], [4, 3]]
    """
    return array_namespace(x).flip(x, axis=1)


@operation
def flipud(x: Array) -> Array:
    """The rows in reversed order.

    Example:
        >>> flipud([[1, 2], [3, 4]]).tolist()
        [[3, 4], [1, 2]]
    """
    return array_namespace(x).flip(x, axis=0)


@operation
def roll(x: Array, shift: Axes, axis: Axes = None) -> Array:
    """The elements, shifted along axes; what leaves at the end comes in at the start.

    Args:
        x: An array.
        shift: By how many places; one number, or one per axis.
        axis: Axis or axes; None for the flattened array.

    Example:
        >>> roll([1, 2, 3], 1)
        array([3, 1, 2], dtype=int32)
    """
    return array_namespace(x).roll(x, shift, axis=axis)


@operation
def rot90(array: Array, k: int = 1, axes: Sequence[int] = (0, 1)) -> Array:
    """The array, turned by `k` right angles, from the first of two axes to the second.

    Args:
        array: An array with two axes or more.
        k: How often to turn by 90 degrees.
        axes: The two axes of the plane.

    Example:
        >>> rot90([[1, 2], [3, 4]])
        array([[2, 4],
               [1, 3]], dtype=int32)
    """
    first, second = checks.axes("axes", checks.integers("axes", axes, 2, "rot90"), len(array.shape), "rot90")
    xp = array_namespace(array)
    for _ in range(k % 4):
        array = xp.flip(swapaxes(array, first, second), axis=first)
    return array


# Joining


# Splitting


# Repeating

"""Arrays put together, divided and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, array_like
from portanet.ops.conversion import ARRAY, HOST, kind_of
from portanet.ops.creation import sizes
from portanet.ops.operation import Operand, operation
from portanet.ops.shapes import expand_dims, reshape
from portanet.tree import KINDS, SEQUENCE


@operation
def concatenate(xs: Sequence[Operand], axis: int | None = 0) -> Array:
    """Arrays, joined along an axis that they have; flattened for None.

    Example:
        >>> concatenate([[1.0], [2.0, 3.0]])
        array([1., 2., 3.], dtype=float32)
    """
    return array_namespace(*xs).concat(xs, axis=axis)


@operation
def append(x1: Operand, x2: Operand, axis: int | None = None) -> Array:
    """`x2` after `x1`; both flattened for None.

    Example:
        >>> append([1, 2], [[3], [4]])
        array([1, 2, 3, 4], dtype=int32)
    """
    return array_namespace(x1, x2).concat([x1, x2], axis=axis)


@operation
def stack(x: Sequence[Operand], axis: int = 0) -> Array:
    """Arrays of one shape, joined along a new axis.

    Example:
        >>> stack([[1, 2], [3, 4]], axis=1)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    return array_namespace(*x).stack(x, axis=axis)


@operation
def hstack(xs: Sequence[Operand]) -> Array:
    """Arrays, joined along the second axis; along the only one if they have no second.

    Example:
        >>> hstack([[1, 2], [3, 4]])
        array([1, 2, 3, 4], dtype=int32)
    """
    xs = [reshape(x, (1,)) if len(x.shape) == 0 else x for x in xs]
    return array_namespace(*xs).concat(xs, axis=0 if len(xs[0].shape) == 1 else 1)


@operation
def vstack(xs: Sequence[Operand]) -> Array:
    """Arrays, joined along the first axis; arrays of one axis are rows.

    Example:
        >>> vstack([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
    """
    xs = [reshape(x, (1, -1)) if len(x.shape) < 2 else x for x in xs]
    return array_namespace(*xs).concat(xs, axis=0)


@operation
def dstack(xs: Sequence[Operand]) -> Array:
    """Arrays, joined along the third axis, which is added where it is missing.

    Example:
        >>> dstack([[1, 2], [3, 4]]).tolist()
        [[[1, 3], [2, 4]]]
    """
    rows = [reshape(x, (1, -1)) if len(x.shape) < 2 else x for x in xs]
    planes = [expand_dims(x, -1) if len(x.shape) == 2 else x for x in rows]
    return array_namespace(*planes).concat(planes, axis=2)


@operation
def split(x: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """The parts of an array along an axis.

    Args:
        x: Array.
        indices_or_sections: The number of equal parts, or the indices at which parts begin.
        axis: The axis.

    Example:
        >>> split([1, 2, 3, 4], 2)
        [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    return _split(x, indices_or_sections, axis, True, "split")


@operation
def array_split(x: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """As `split`, but the parts need not be equal: the first ones have one element more.

    Args:
        x: An array.
        indices_or_sections: Number of parts, or the indices at which parts begin.
        axis: The axis.

    Example:
        >>> [part.tolist() for part in array_split([1, 2, 3, 4, 5], 2)]
        [[1, 2, 3], [4, 5]]
    """
    return _split(x, indices_or_sections, axis, False, "array_split")


@operation
def hsplit(x: Array, indices_or_sections: Any) -> list[Array]:
    """The parts along the second axis, or the only one; see `split`.

    Args:
        x: An array.
        indices_or_sections: Number of equal parts, or the indices at which parts begin.

    Example:
        >>> [part.tolist() for part in hsplit([[1, 2], [3, 4]], 2)]
        [[[1], [3]], [[2], [4]]]
    """
    return _split(x, indices_or_sections, 0 if len(x.shape) == 1 else 1, True, "hsplit")


@operation
def vsplit(x: Array, indices_or_sections: Any) -> list[Array]:
    """The parts along the first axis; see `split`.

    Args:
        x: An array.
        indices_or_sections: Number of equal parts, or the indices at which parts begin.

    Example:
        >>> [part.tolist() for part in vsplit([[1, 2], [3, 4]], 2)]
        [[[1, 2]], [[3, 4]]]
    """
    return _split(x, indices_or_sections, 0, True, "vsplit")


@operation
def dsplit(x: Array, indices_or_sections: Any) -> list[Array]:
    """The parts along the third axis; see `split`.

    Args:
        x: An array.
        indices_or_sections: Number of equal parts, or the indices at which parts begin.

    Example:
        >>> [part.shape for part in dsplit([[[1, 2, 3, 4]]], 2)]
        [(1, 1, 2), (1, 1, 2)]
    """
    return _split(x, indices_or_sections, 2, True, "dsplit")


def _split(x: Array, indices_or_sections: Any, axis: int, equal: bool, of: str) -> list[Array]:
    axis = checks.axis("axis", axis, len(x.shape), of) % len(x.shape)
    n = x.shape[axis]
    if kind_of(indices_or_sections) in (ARRAY, HOST):
        plain = unwrap(indices_or_sections)
        indices_or_sections = [int(plain[i]) for i in range(plain.shape[0])] if len(plain.shape) else int(plain)
    if KINDS[type(indices_or_sections)] == SEQUENCE:
        starts = [0, *checks.integers("indices_or_sections", indices_or_sections, None, of)]
        starts = [min(i, n) if i >= 0 else max(0, i + n) for i in starts]
    else:
        count = checks.positive_int("indices_or_sections", indices_or_sections, of)
        if equal and n % count:
            raise checks.invalid("indices_or_sections", count, f"a divisor of {n}, the size of axis {axis}", of)
        quotient, more = divmod(n, count)
        starts = [i * quotient + min(i, more) for i in range(count)]
    ends = [*starts[1:], n]
    return [x[(*(slice(None),) * axis, slice(i, max(i, j)), ...)] for i, j in zip(starts, ends, strict=True)]


@operation
def unstack(x: Array, num: int | None = None, axis: int = 0) -> list[Array]:
    """The arrays along an axis, without it.

    Args:
        x: Array.
        num: Their number, checked if it is given.
        axis: The axis.

    Example:
        >>> unstack([[1, 2], [3, 4]], axis=1)
        [array([1, 3], dtype=int32), array([2, 4], dtype=int32)]
    """
    n = x.shape[checks.axis("axis", axis, len(x.shape), "unstack")]
    if num is not None and num != n:
        raise checks.invalid("num", num, f"{n}, the size of axis {axis}", "unstack")
    return list(array_namespace(x).unstack(x, axis=axis))


@operation
def repeat(x: Array, repeats: Any, axis: int | None = None) -> Array:
    """Each element several times; all elements in one row for `axis=None`.

    Args:
        x: Array.
        repeats: How often, one number for all or one per element of the axis.
        axis: The axis.

    Example:
        >>> repeat([1, 2], [1, 2])
        array([1, 2, 2], dtype=int32)
    """
    if KINDS[type(repeats)] == SEQUENCE:
        checks.integers("repeats", repeats, None, "repeat", least=0)
        repeats = array_like(storage(x), list(repeats))
    elif isinstance(repeats, Integral):
        repeats = checks.integer("repeats", repeats, "repeat", least=0)
    return array_namespace(x, repeats).repeat(x, repeats, axis=axis)


@operation
def tile(x: Array, repeats: Any) -> Array:
    """The array, several times along each axis.

    Args:
        x: An array.
        repeats: How often, along each of the last axes.

    Example:
        >>> tile([1, 2], 2)
        array([1, 2, 1, 2], dtype=int32)
    """
    return array_namespace(x).tile(x, sizes(repeats, "tile"))


@operation
def meshgrid(*x: Array, indexing: str = "xy") -> list[Array]:
    """The coordinates of a grid, one array per axis.

    Args:
        x: The coordinates along each axis, shape (n,).
        indexing: `"xy"`: the first coordinate varies along the second axis; `"ij"`: along the first.

    Example:
        >>> meshgrid([1, 2], [3])
        [array([[1, 2]], dtype=int32), array([[3, 3]], dtype=int32)]
    """
    checks.choice("indexing", indexing, ("xy", "ij"), "meshgrid")
    return list(array_namespace(*x).meshgrid(*x, indexing=indexing))

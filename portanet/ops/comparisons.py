"""Comparisons, logic, and tests of elements."""

from __future__ import annotations

import math

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.conversion import promoted
from portanet.ops.operation import Operand, call_standard, operation


@operation
def equal(x1: Operand, x2: Operand) -> Array:
    """Whether elements are equal.

    Example:
        >>> equal([1.0, 2.0], 1)
        array([ True, False])
    """
    return call_standard("equal", x1, x2)


@operation
def not_equal(x1: Operand, x2: Operand) -> Array:
    """Whether elements differ.

    Example:
        >>> not_equal([1, 2, 3], 2)
        array([ True, False,  True])
    """
    return call_standard("not_equal", x1, x2)


@operation
def less(x1: Operand, x2: Operand) -> Array:
    """Whether elements of `x1` are less.

    Example:
        >>> less([1, 2, 3], 2)
        array([ True, False, False])
    """
    return call_standard("less", x1, x2)


@operation
def less_equal(x1: Operand, x2: Operand) -> Array:
    """Whether elements of `x1` are less or equal.

    Example:
        >>> less_equal([1, 2, 3], 2)
        array([ True,  True, False])
    """
    return call_standard("less_equal", x1, x2)


@operation
def greater(x1: Operand, x2: Operand) -> Array:
    """Whether elements of `x1` are greater.

    Example:
        >>> greater([1, 2, 3], 2)
        array([False, False,  True])
    """
    return call_standard("greater", x1, x2)


@operation
def greater_equal(x1: Operand, x2: Operand) -> Array:
    """Whether elements of `x1` are greater or equal.

    Example:
        >>> greater_equal([1, 2, 3], 2)
        array([False,  True,  True])
    """
    return call_standard("greater_equal", x1, x2)


def truth(x: Array) -> Array:
    """Whether elements differ from 0."""
    xp = array_namespace(x)
    return x if xp.isdtype(x.dtype, "bool") else x != 0


@operation
def logical_and(x1: Array, x2: Array) -> Array:
    """Whether both elements are true; numbers are true if they differ from 0.

    Example:
        >>> logical_and([True, True, False], [True, False, False])
        array([ True, False, False])
    """
    return call_standard("logical_and", truth(x1), truth(x2))


@operation
def logical_or(x1: Array, x2: Array) -> Array:
    """Whether one of the elements or both are true.

    Example:
        >>> logical_or([True, True, False], [True, False, False])
        array([ True,  True, False])
    """
    return call_standard("logical_or", truth(x1), truth(x2))


@operation
def logical_xor(x1: Array, x2: Array) -> Array:
    """Whether one of the elements is true, and the other is not.

    Example:
        >>> logical_xor([True, True, False], [True, False, False])
        array([False,  True, False])
    """
    return call_standard("logical_xor", truth(x1), truth(x2))


@operation
def logical_not(x: Array) -> Array:
    """Whether elements are not true.

    Example:
        >>> logical_not([0, 2])
        array([ True, False])
    """
    return call_standard("logical_not", truth(x))


@operation
def isfinite(x: Array) -> Array:
    """Whether elements are neither infinite nor NaN.

    Example:
        >>> isfinite([1.0, float("inf"), float("nan")])
        array([ True, False, False])
    """
    return call_standard("isfinite", x)


@operation
def isinf(x: Array) -> Array:
    """Whether elements are infinite.

    Example:
        >>> isinf([1.0, float("inf"), float("nan")])
        array([False,  True, False])
    """
    return call_standard("isinf", x)


@operation
def isnan(x: Array) -> Array:
    """Whether elements are NaN.

    Example:
        >>> isnan([1.0, float("inf"), float("nan")])
        array([False, False,  True])
    """
    return call_standard("isnan", x)


@operation
def isposinf(x: Array) -> Array:
    """Whether elements are infinity.

    Example:
        >>> isposinf([float("-inf"), float("inf")])
        array([False,  True])
    """
    return x == math.inf if _is_floating(x) else call_standard("isinf", x)


@operation
def isneginf(x: Array) -> Array:
    """Whether elements are minus infinity.

    Example:
        >>> isneginf([float("-inf"), float("inf")])
        array([ True, False])
    """
    return x == -math.inf if _is_floating(x) else call_standard("isinf", x)


def _is_floating(x: Array) -> bool:
    return bool(array_namespace(x).isdtype(x.dtype, "real floating"))


@operation
def isreal(x: Array) -> Array:
    """Whether the imaginary part of elements is 0.

    Example:
        >>> isreal([1.0, 2.0])
        array([ True,  True])
    """
    xp = array_namespace(x)
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.imag(x) == 0
    return xp.ones_like(x, dtype=xp.bool)


@operation
def isclose(x1: Operand, x2: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Array:
    """Whether elements differ by no more than `atol + rtol * abs(x2)`.

    Args:
        x1: Array.
        x2: Array that broadcasts with `x1`.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        equal_nan: Whether NaN is close to NaN.

    Example:
        >>> isclose([1.0, 2.0], [1.000001, 2.1])
        array([ True, False])
    """
    xp = array_namespace(x1, x2)
    if not xp.isdtype(x1.dtype, ("real floating", "complex floating")):
        return x1 == x2
    finite = xp.isfinite(x1) & xp.isfinite(x2)
    distance = xp.abs(xp.where(finite, x1, 0.0) - xp.where(finite, x2, 0.0))
    near = xp.where(finite, distance <= atol + rtol * xp.abs(xp.where(finite, x2, 0.0)), x1 == x2)
    return near | (xp.isnan(x1) & xp.isnan(x2)) if equal_nan else near


@operation
def allclose(x1: Operand, x2: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Array:
    """Whether all elements are close, as by `isclose`: a boolean array of shape ().

    Args:
        x1: An array.
        x2: Another, which broadcasts with it.
        rtol: Tolerance relative to `x2`.
        atol: Absolute tolerance.
        equal_nan: Whether NaN equals NaN.

    Example:
        >>> bool(allclose([1.0, 2.0], [1.0, 2.00001]))
        True
    """
    close = isclose(x1, x2, rtol, atol, equal_nan)
    return array_namespace(close).all(close)


@operation
def isin(x1: Array, x2: Array, assume_unique: bool = False, invert: bool = False) -> Array:
    """Whether elements of `x1` are among those of `x2`.

    Args:
        x1: Array.
        x2: Array of any shape.
        assume_unique: Whether no element appears twice in `x1` or `x2`; it changes nothing here.
        invert: Whether to return whether elements are not in `x2`.

    Example:
        >>> isin([1, 2, 3], [2, 5])
        array([False,  True, False])
    """
    x1, x2 = promoted(x1, x2)
    xp = array_namespace(x1, x2)
    found = xp.any(xp.expand_dims(x1, axis=-1) == xp.reshape(x2, (-1,)), axis=-1)
    return xp.logical_not(found) if invert else found


@operation
def nan_to_num(x: Array, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Array:
    """The elements, with numbers in place of NaN and infinities.

    Args:
        x: Array.
        nan: In place of NaN.
        posinf: In place of infinity; None for the largest number of the dtype.
        neginf: In place of minus infinity; None for the smallest number of the dtype.

    Example:
        >>> nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0)
        array([1., 0., 9.], dtype=float32)
    """
    if not _is_floating(x):
        return x
    xp = array_namespace(x)
    limits = xp.finfo(x.dtype)
    x = xp.where(xp.isnan(x), nan, x)
    x = xp.where(x == math.inf, float(limits.max) if posinf is None else posinf, x)
    return xp.where(x == -math.inf, float(limits.min) if neginf is None else neginf, x)

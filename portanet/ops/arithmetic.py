"""Arithmetic, rounding and signs, element by element."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, storage
from portanet.backends import Array
from portanet.ops.dtypes import counted, floating
from portanet.ops.operation import Operand, call_standard, operation


@operation
def add(x1: Operand, x2: Operand) -> Array:
    """Sum of two arrays, element by element.

    Example:
        >>> add([1.0, 2.0], 1)
        array([2., 3.], dtype=float32)
    """
    xp = array_namespace(x1, x2)
    return xp.logical_or(x1, x2) if xp.isdtype(x1.dtype, "bool") else xp.add(x1, x2)


@operation
def subtract(x1: Operand, x2: Operand) -> Array:
    """Difference of two arrays, element by element.

    Example:
        >>> subtract([1.0, 2.0], [3.0, 4.0])
        array([-2., -2.], dtype=float32)
    """
    return call_standard("subtract", x1, x2)


@operation
def multiply(x1: Operand, x2: Operand) -> Array:
    """Product of two arrays, element by element.

    Example:
        >>> multiply([1.0, 2.0], [3.0, 4.0])
        array([3., 8.], dtype=float32)
    """
    xp = array_namespace(x1, x2)
    return xp.logical_and(x1, x2) if xp.isdtype(x1.dtype, "bool") else xp.multiply(x1, x2)


@operation
def divide(x1: Operand, x2: Operand) -> Array:
    """Quotient of two arrays, element by element; of integers in the default floating-point dtype.

    Example:
        >>> divide([1, 3], 2)
        array([0.5, 1.5], dtype=float32)
    """
    return call_standard("divide", floating(x1), floating(x2))


@operation
def true_divide(x1: Operand, x2: Operand) -> Array:
    """As `divide`, under the name that graphs give the operator `/`.

    Example:
        >>> true_divide([1.0, 2.0], [4.0, 4.0])
        array([0.25, 0.5 ], dtype=float32)
    """
    return divide(x1, x2)


@operation
def divide_no_nan(x1: Operand, x2: Operand) -> Array:
    """Quotient of two arrays, 0 where the divisor is 0; so are its derivatives.

    Example:
        >>> divide_no_nan([1.0, 3.0], [2.0, 0.0])
        array([0.5, 0. ], dtype=float32)
    """
    x1, x2 = floating(x1), floating(x2)
    xp = array_namespace(x1, x2)
    zero = x2 == 0
    return xp.where(zero, 0.0, xp.divide(x1, xp.where(zero, 1.0, x2)))


@operation
def floor_divide(x1: Operand, x2: Operand) -> Array:
    """The largest integers that are not greater than the quotients.

    Example:
        >>> floor_divide([7.0, -7.0], 2.0)
        array([ 3., -4.], dtype=float32)
    """
    return call_standard("floor_divide", x1, x2)


@operation
def mod(x1: Operand, x2: Operand) -> Array:
    """Remainder of the division, with the sign of the divisor.

    Example:
        >>> mod([5, -5], 3)
        array([2, 1], dtype=int32)
    """
    return call_standard("remainder", counted(x1), counted(x2))


@operation
def fmod(x1: Operand, x2: Operand) -> Array:
    """Remainder of the division, with the sign of the dividend.

    Example:
        >>> fmod([5.0, -5.0], 3.0)
        array([ 2., -2.], dtype=float32)
    """
    x1, x2 = counted(x1), counted(x2)
    xp = array_namespace(x1, x2)
    rest = xp.remainder(xp.abs(x1), xp.abs(x2))
    return xp.where(x1 < 0, -rest, rest)


@operation
def negative(x: Array) -> Array:
    """The elements with the opposite sign.

    Example:
        >>> negative([1.0, -2.0])
        array([-1.,  2.], dtype=float32)
    """
    return call_standard("negative", x)


@operation
def absolute(x: Array) -> Array:
    """Absolute values.

    Example:
        >>> absolute([-1.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    xp = array_namespace(x)
    return x if xp.isdtype(x.dtype, "bool") else xp.abs(x)


abs = absolute


@operation
def fabs(x: Array) -> Array:
    """Absolute values, in floating point.

    Example:
        >>> fabs([-1.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    return call_standard("abs", floating(x))


@operation
def sign(x: Array) -> Array:
    """-1, 0 or 1 by the sign of each element.

    Example:
        >>> sign([-2.0, 0.0, 3.0])
        array([-1.,  0.,  1.], dtype=float32)
    """
    return call_standard("sign", x)


@operation
def signbit(x: Array) -> Array:
    """Whether the sign bit is set, as for negative numbers and -0.

    Example:
        >>> signbit([-2.0, 0.0, 3.0])
        array([ True, False, False])
    """
    xp = array_namespace(x)
    return xp.signbit(x) if xp.isdtype(x.dtype, "real floating") else x < 0


@operation
def floor(x: Array) -> Array:
    """The largest integers that are not greater, in floating point.

    Example:
        >>> floor([0.2, -0.2, 3.0])
        array([ 0., -1.,  3.], dtype=float32)
    """
    return call_standard("floor", floating(x))


@operation
def ceil(x: Array) -> Array:
    """The smallest integers that are not less, in floating point.

    Example:
        >>> ceil([0.2, 1.8, 3.0])
        array([1., 2., 3.], dtype=float32)
    """
    return call_standard("ceil", floating(x))


@operation
def trunc(x: Array) -> Array:
    """The elements without their fractions.

    Example:
        >>> trunc([-1.5, 1.5])
        array([-1.,  1.], dtype=float32)
    """
    xp = array_namespace(x)
    return x if xp.isdtype(x.dtype, "bool") else xp.trunc(x)


@operation
def round(x: Array, decimals: int = 0) -> Array:
    """The elements, rounded to a number of decimals, halves to even.

    Args:
        x: An array.
        decimals: Number of decimals; tens and so on if negative.

    Example:
        >>> round([2.345, 0.5], 1)
        array([2.3, 0.5], dtype=float32)
    """
    xp = array_namespace(x)
    if decimals < 0 and xp.isdtype(x.dtype, "integral"):
        return _to_tens(xp, x, 10**-decimals)
    if decimals == 0 or not xp.isdtype(x.dtype, "real floating"):
        return xp.round(x) if xp.isdtype(x.dtype, "numeric") else x
    return xp.round(x * 10.0**decimals) / 10.0**decimals


def _to_tens(xp: Any, x: Array, unit: int) -> Array:
    """Integers, rounded to multiples of a power of ten, halves to even ones."""
    if unit > xp.iinfo(x.dtype).max:
        return xp.zeros_like(x)
    tens = xp.floor_divide(x, unit)
    rest = x - tens * unit
    odd = xp.remainder(tens, 2) == 1
    up = (rest > unit - rest) | ((rest == unit - rest) & odd)
    return (tens + xp.astype(up, x.dtype)) * unit


@operation
def maximum(x1: Operand, x2: Operand) -> Array:
    """The larger of two elements; NaN if either is.

    Example:
        >>> maximum([1.0, 5.0], [3.0, 2.0])
        array([3., 5.], dtype=float32)
    """
    return call_standard("maximum", x1, x2)


@operation
def minimum(x1: Operand, x2: Operand) -> Array:
    """The smaller of two elements; NaN if either is.

    Example:
        >>> minimum([1.0, 5.0], [3.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    return call_standard("minimum", x1, x2)


@operation
def fmax(x1: Operand, x2: Operand) -> Array:
    """The larger of two elements, or the one that is not NaN.

    Example:
        >>> fmax([1.0, float("nan")], 0.5)
        array([1. , 0.5], dtype=float32)
    """
    return call_standard("maximum", *_without_nan(x1, x2))


@operation
def fmin(x1: Operand, x2: Operand) -> Array:
    """The smaller of two elements, or the one that is not NaN.

    Example:
        >>> fmin([1.0, float("nan")], [2.0, 3.0])
        array([1., 3.], dtype=float32)
    """
    return call_standard("minimum", *_without_nan(x1, x2))


def _without_nan(x1: Array, x2: Array) -> tuple[Array, Array]:
    xp = array_namespace(x1, x2)
    return xp.where(xp.isnan(x1), x2, x1), xp.where(xp.isnan(x2), x1, x2)


@operation
def clip(x: Operand, x_min: Operand, x_max: Operand) -> Array:
    """The elements, at least `x_min` and at most `x_max`.

    Args:
        x: An array.
        x_min: Lower bound.
        x_max: Upper bound.

    Example:
        >>> clip([-1.0, 0.5, 3.0], 0, 1)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    xp = array_namespace(x, x_min, x_max)
    return xp.minimum(xp.maximum(x, x_min), x_max)


@operation
def heaviside(x1: Operand, x2: Operand) -> Array:
    """0 for negative elements, 1 for positive ones, and `x2` at 0.

    Example:
        >>> heaviside([-1.0, 0.0, 2.0], 0.5)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    x1, x2 = floating(x1), floating(x2)
    xp = array_namespace(x1, x2)
    step = xp.where(xp.isnan(x1), x1, xp.astype(x1 > 0, x1.dtype))
    return xp.where(x1 == 0, x2, step)


@operation
def nextafter(x1: Operand, x2: Operand) -> Array:
    """The next floating-point number from `x1` towards `x2`.

    Example:
        >>> bool(nextafter(1.0, 2.0) > 1)
        True
    """
    return call_standard("nextafter", floating(x1), floating(x2))


@operation
def gcd(x1: Operand, x2: Operand) -> Array:
    """Greatest common divisor of integers; its values are read.

    Example:
        >>> gcd([12, 18], 8)
        array([4, 2], dtype=int32)
    """
    xp = array_namespace(x1, x2)
    if not xp.isdtype(x1.dtype, "integral"):
        raise TypeError(f"gcd and lcm take integers. Received: arrays of dtype {x1.dtype}")
    x1, x2 = xp.broadcast_arrays(xp.abs(x1), xp.abs(x2))
    while _any_is_set(storage(x2)):
        ended = x2 == 0
        rest = xp.remainder(x1, xp.where(ended, xp.ones_like(x2), x2))
        x1, x2 = xp.where(ended, x1, x2), xp.where(ended, x2, rest)
    return x1


def _any_is_set(x: Array) -> bool:
    return bool(array_namespace(x).any(x != 0))


@operation
def lcm(x1: Operand, x2: Operand) -> Array:
    """Least common multiple of integers; its values are read.

    Example:
        >>> lcm([4, 6], [6, 9])
        array([12, 18], dtype=int32)
    """
    xp = array_namespace(x1, x2)
    divisor = gcd(x1, x2)
    none = divisor == 0
    return xp.abs(xp.floor_divide(x1, xp.where(none, xp.ones_like(divisor), divisor)) * x2)

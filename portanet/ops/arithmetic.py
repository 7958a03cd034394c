"""Arithmetic with one or two operands, element by element."""

from __future__ import annotations

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.operation import Operand, floating, operation


@operation
def add(x1: Operand, x2: Operand) -> Array:
    """Sum of two arrays, element by element.

    Example:
        >>> add([1.0, 2.0], 1)
        array([2., 3.], dtype=float32)
    """
    return array_namespace(x1, x2).add(x1, x2)


@operation
def subtract(x1: Operand, x2: Operand) -> Array:
    """Difference of two arrays, element by element."""
    return array_namespace(x1, x2).subtract(x1, x2)


@operation
def multiply(x1: Operand, x2: Operand) -> Array:
    """Product of two arrays, element by element."""
    return array_namespace(x1, x2).multiply(x1, x2)


@operation
def divide(x1: Operand, x2: Operand) -> Array:
    """Quotient of two arrays, element by element; of integers in the default floating-point dtype.

    Example:
        >>> divide([1, 3], 2)
        array([0.5, 1.5], dtype=float32)
    """
    xp = array_namespace(x1, x2)
    return xp.divide(floating(x1), floating(x2))


true_divide = divide


@operation
def floor_divide(x1: Operand, x2: Operand) -> Array:
    """The largest integers that are not greater than the quotients."""
    return array_namespace(x1, x2).floor_divide(x1, x2)


@operation
def negative(x: Array) -> Array:
    """The elements with the opposite sign."""
    return array_namespace(x).negative(x)


@operation
def sin(x: Array) -> Array:
    """Sine of angles in radians.

    Example:
        >>> float(sin(0))
        0.0
    """
    return array_namespace(x).sin(floating(x))

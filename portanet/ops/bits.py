"""Bits of integers."""

from __future__ import annotations

from portanet.backends import Array
from portanet.ops.operation import Operand, call_standard, operation


@operation
def bitwise_and(x: Operand, y: Operand) -> Array:
    """Bits that are set in both.

    Example:
        >>> bitwise_and([5, 6], 3)
        array([1, 2], dtype=int32)
    """
    return call_standard("bitwise_and", x, y)


@operation
def bitwise_or(x: Operand, y: Operand) -> Array:
    """Bits that are set in either.

    Example:
        >>> bitwise_or([5, 6], 3)
        array([7, 7], dtype=int32)
    """
    return call_standard("bitwise_or", x, y)


@operation
def bitwise_xor(x: Operand, y: Operand) -> Array:
    """Bits that are set in one of the two.

    Example:
        >>> bitwise_xor([5, 6], 3)
        array([6, 5], dtype=int32)
    """
    return call_standard("bitwise_xor", x, y)


@operation
def bitwise_invert(x: Array) -> Array:
    """The other bits.

    Example:
        >>> bitwise_invert([0, 5])
        array([-1, -6], dtype=int32)
    """
    return call_standard("bitwise_invert", x)


@operation
def bitwise_left_shift(x: Operand, y: Operand) -> Array:
    """The bits, `y` places higher.

    Example:
        >>> bitwise_left_shift([1, 3], 2)
        array([ 4, 12], dtype=int32)
    """
    return call_standard("bitwise_left_shift", x, y)


@operation
def bitwise_right_shift(x: Operand, y: Operand) -> Array:
    """The bits, `y` places lower; the sign stays.

    Example:
        >>> bitwise_right_shift([4, 13], 2)
        array([1, 3], dtype=int32)
    """
    return call_standard("bitwise_right_shift", x, y)


bitwise_not = bitwise_invert
left_shift = bitwise_left_shift
right_shift = bitwise_right_shift

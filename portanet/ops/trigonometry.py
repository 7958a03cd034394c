"""Trigonometric and hyperbolic functions, element by element."""

from __future__ import annotations

import math

from portanet.backends import Array
from portanet.ops.dtypes import floating
from portanet.ops.operation import Operand, call_standard, operation


@operation
def sin(x: Array) -> Array:
    """Sine of angles in radians.

    Example:
        >>> float(sin(0))
        0.0
    """
    return call_standard("sin", floating(x))


@operation
def cos(x: Array) -> Array:
    """Cosine of angles in radians.

    Example:
        >>> cos([0.0, 1.0]).round(4)
        array([1.    , 0.5403], dtype=float32)
    """
    return call_standard("cos", floating(x))


@operation
def tan(x: Array) -> Array:
    """Tangent of angles in radians.

    Example:
        >>> tan([0.0, 1.0]).round(4)
        array([0.    , 1.5574], dtype=float32)
    """
    return call_standard("tan", floating(x))


@operation
def arcsin(x: Array) -> Array:
    """Angles from -pi/2 to pi/2 by their sine.

    Example:
        >>> arcsin([0.0, 1.0]).round(4)
        array([0.    , 1.5708], dtype=float32)
    """
    return call_standard("asin", floating(x))


@operation
def arccos(x: Array) -> Array:
    """Angles from 0 to pi by their cosine.

    Example:
        >>> arccos([0.0, 1.0]).round(4)
        array([1.5708, 0.    ], dtype=float32)
    """
    return call_standard("acos", floating(x))


@operation
def arctan(x: Array) -> Array:
    """Angles from -pi/2 to pi/2 by their tangent.

    Example:
        >>> arctan([0.0, 1.0]).round(4)
        array([0.    , 0.7854], dtype=float32)
    """
    return call_standard("atan", floating(x))


@operation
def sinh(x: Array) -> Array:
    """Hyperbolic sine.

    Example:
        >>> sinh([0.0, 1.0]).round(4)
        array([0.    , 1.1752], dtype=float32)
    """
    return call_standard("sinh", floating(x))


@operation
def cosh(x: Array) -> Array:
    """Hyperbolic cosine.

    Example:
        >>> cosh([0.0, 1.0]).round(4)
        array([1.    , 1.5431], dtype=float32)
    """
    return call_standard("cosh", floating(x))


@operation
def tanh(x: Array) -> Array:
    """Hyperbolic tangent.

    Example:
        >>> tanh([0.0, 1.0]).round(4)
        array([0.    , 0.7616], dtype=float32)
    """
    return call_standard("tanh", floating(x))


@operation
def arcsinh(x: Array) -> Array:
    """Inverse of the hyperbolic sine.

    Example:
        >>> arcsinh([0.0, 1.0]).round(4)
        array([0.    , 0.8814], dtype=float32)
    """
    return call_standard("asinh", floating(x))


@operation
def arccosh(x: Array) -> Array:
    """Inverse of the hyperbolic cosine, at least 0.

    Example:
        >>> arccosh([1.0, 2.0]).round(4)
        array([0.   , 1.317], dtype=float32)
    """
    return call_standard("acosh", floating(x))


@operation
def arctanh(x: Array) -> Array:
    """Inverse of the hyperbolic tangent.

    Example:
        >>> arctanh([0.0, 0.5]).round(4)
        array([0.    , 0.5493], dtype=float32)
    """
    return call_standard("atanh", floating(x))


@operation
def arctan2(x1: Operand, x2: Operand) -> Array:
    """Angles from -pi to pi of the points with ordinate `x1` and abscissa `x2`.

    Example:
        >>> arctan2([0.0, 1.0], [1.0, 0.0])
        array([0.       , 1.5707964], dtype=float32)
    """
    return call_standard("atan2", floating(x1), floating(x2))


@operation
def deg2rad(x: Array) -> Array:
    """Degrees in radians.

    Example:
        >>> deg2rad([0.0, 180.0]).round(4)
        array([0.    , 3.1416], dtype=float32)
    """
    return floating(x) * (math.pi / 180)


@operation
def rad2deg(x: Array) -> Array:
    """Radians in degrees.

    Example:
        >>> import math
        >>> rad2deg([0.0, math.pi]).round(4)
        array([  0., 180.], dtype=float32)
    """
    return floating(x) * (180 / math.pi)

"""Powers, exponentials, logarithms, trigonometric and related functions, element by element."""

from __future__ import annotations

import math

from portanet.autodiff import array_namespace, special
from portanet.backends import Array
from portanet.ops.dtypes import counted, floating
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
    """Cosine of angles in radians."""
    return call_standard("cos", floating(x))


@operation
def tan(x: Array) -> Array:
    """Tangent of angles in radians."""
    return call_standard("tan", floating(x))


@operation
def arcsin(x: Array) -> Array:
    """Angles from -pi/2 to pi/2 by their sine."""
    return call_standard("asin", floating(x))


@operation
def arccos(x: Array) -> Array:
    """Angles from 0 to pi by their cosine."""
    return call_standard("acos", floating(x))


@operation
def arctan(x: Array) -> Array:
    """Angles from -pi/2 to pi/2 by their tangent."""
    return call_standard("atan", floating(x))


@operation
def sinh(x: Array) -> Array:
    """Hyperbolic sine."""
    return call_standard("sinh", floating(x))


@operation
def cosh(x: Array) -> Array:
    """Hyperbolic cosine."""
    return call_standard("cosh", floating(x))


@operation
def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return call_standard("tanh", floating(x))


@operation
def arcsinh(x: Array) -> Array:
    """Inverse of the hyperbolic sine."""
    return call_standard("asinh", floating(x))


@operation
def arccosh(x: Array) -> Array:
    """Inverse of the hyperbolic cosine, at least 0."""
    return call_standard("acosh", floating(x))


@operation
def arctanh(x: Array) -> Array:
    """Inverse of the hyperbolic tangent."""
    return call_standard("atanh", floating(x))


@operation
def exp(x: Array) -> Array:
    """E to the power of each element."""
    return call_standard("exp", floating(x))


@operation
def expm1(x: Array) -> Array:
    """`exp(x) - 1`, accurate for small elements."""
    return call_standard("expm1", floating(x))


@operation
def log(x: Array) -> Array:
    """Natural logarithm."""
    return call_standard("log", floating(x))


@operation
def log10(x: Array) -> Array:
    """Logarithm to base 10."""
    return call_standard("log10", floating(x))


@operation
def log2(x: Array) -> Array:
    """Logarithm to base 2."""
    return call_standard("log2", floating(x))


@operation
def log1p(x: Array) -> Array:
    """`log(1 + x)`, accurate for small elements."""
    return call_standard("log1p", floating(x))


@operation
def sqrt(x: Array) -> Array:
    """Square root."""
    return call_standard("sqrt", floating(x))


@operation
def arctan2(x1: Operand, x2: Operand) -> Array:
    """Angles from -pi to pi of the points with ordinate `x1` and abscissa `x2`.

    Example:
        >>> arctan2([0.0, 1.0], [1.0, 0.0])
        array([0.       , 1.5707964], dtype=float32)
    """
    return call_standard("atan2", floating(x1), floating(x2))


@operation
def hypot(x1: Operand, x2: Operand) -> Array:
    """`sqrt(x1**2 + x2**2)`, without overflow."""
    return call_standard("hypot", floating(x1), floating(x2))


@operation
def deg2rad(x: Array) -> Array:
    """Degrees in radians."""
    return floating(x) * (math.pi / 180)


@operation
def rad2deg(x: Array) -> Array:
    """Radians in degrees."""
    return floating(x) * (180 / math.pi)


@operation
def sinc(x: Array) -> Array:
    """`sin(pi x) / (pi x)`, 1 at 0.

    Example:
        >>> sinc([0.0, 0.5]).round(4)
        array([1.    , 0.6366], dtype=float32)
    """
    return special.sinc(floating(x))


@operation
def exp2(x: Array) -> Array:
    """2 to the power of each element."""
    return special.exp2(floating(x))


@operation
def logaddexp(x1: Operand, x2: Operand) -> Array:
    """`log(exp(x1) + exp(x2))`, without overflow."""
    return call_standard("logaddexp", floating(x1), floating(x2))


@operation
def logaddexp2(x1: Operand, x2: Operand) -> Array:
    """`log2(2**x1 + 2**x2)`, without overflow."""
    natural = math.log(2)
    return call_standard("logaddexp", floating(x1) * natural, floating(x2) * natural) / natural


@operation
def rsqrt(x: Array) -> Array:
    """`1 / sqrt(x)`.

    Example:
        >>> rsqrt([4.0, 0.25])
        array([0.5, 2. ], dtype=float32)
    """
    return 1.0 / call_standard("sqrt", floating(x))


@operation
def cbrt(x: Array) -> Array:
    """The real cube root."""
    return special.cbrt(floating(x))


@operation
def square(x: Array) -> Array:
    """Square of each element."""
    return call_standard("square", counted(x))


@operation
def power(x1: Operand, x2: Operand) -> Array:
    """`x1` to the power of `x2`, element by element."""
    return call_standard("pow", counted(x1), counted(x2))


@operation
def reciprocal(x: Array) -> Array:
    """`1 / x`."""
    return call_standard("reciprocal", floating(x))


@operation
def ldexp(x1: Array, x2: Array) -> Array:
    """`x1 * 2**x2` for integers `x2`.

    Example:
        >>> ldexp([1.0, 0.5], [3, -1])
        array([8.  , 0.25], dtype=float32)
    """
    x1 = floating(x1)
    xp = array_namespace(x1, x2)
    if not xp.isdtype(x2.dtype, ("integral", "bool")):
        raise TypeError(f"Argument `x2` of ops.ldexp must hold integers. Received: an array of dtype {x2.dtype}")
    return x1 * special.exp2(xp.astype(x2, x1.dtype))


@operation
def i0(x: Array) -> Array:
    """Modified Bessel function of the first kind, of order 0."""
    return special.i0(floating(x))


@operation
def erf(x: Array) -> Array:
    """Error function.

    Example:
        >>> erf([0.0, 1.0]).round(4)
        array([0.    , 0.8427], dtype=float32)
    """
    return special.erf(floating(x))


@operation
def erfc(x: Array) -> Array:
    """`1 - erf(x)`, accurate for large elements."""
    return special.erfc(floating(x))


@operation
def erfinv(x: Array) -> Array:
    """Inverse of the error function."""
    return special.erfinv(floating(x))

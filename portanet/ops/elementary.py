"""Powers, exponentials, logarithms and related functions, element by element."""

from __future__ import annotations

import math

from portanet.autodiff import array_namespace, special
from portanet.backends import Array
from portanet.ops.dtypes import counted, floating
from portanet.ops.operation import Operand, call_standard, operation


@operation
def exp(x: Array) -> Array:
    """E to the power of each element.

    Example:
        >>> exp([0.0, 1.0]).round(4)
        array([1.    , 2.7183], dtype=float32)
    """
    return call_standard("exp", floating(x))


@operation
def expm1(x: Array) -> Array:
    """`exp(x) - 1`, accurate for small elements.

    Example:
        >>> expm1([0.0, 1.0]).round(4)
        array([0.    , 1.7183], dtype=float32)
    """
    return call_standard("expm1", floating(x))


@operation
def log(x: Array) -> Array:
    """Natural logarithm.

    Example:
        >>> log([1.0, 10.0]).round(4)
        array([0.    , 2.3026], dtype=float32)
    """
    return call_standard("log", floating(x))


@operation
def log10(x: Array) -> Array:
    """Logarithm to base 10.

    Example:
        >>> log10([1.0, 1000.0]).round(4)
        array([0., 3.], dtype=float32)
    """
    return call_standard("log10", floating(x))


@operation
def log2(x: Array) -> Array:
    """Logarithm to base 2.

    Example:
        >>> log2([1.0, 8.0]).round(4)
        array([0., 3.], dtype=float32)
    """
    return call_standard("log2", floating(x))


@operation
def log1p(x: Array) -> Array:
    """`log(1 + x)`, accurate for small elements.

    Example:
        >>> log1p([0.0, 1.0]).round(4)
        array([0.    , 0.6931], dtype=float32)
    """
    return call_standard("log1p", floating(x))


@operation
def sqrt(x: Array) -> Array:
    """Square root.

    Example:
        >>> sqrt([4.0, 9.0])
        array([2., 3.], dtype=float32)
    """
    return call_standard("sqrt", floating(x))


@operation
def hypot(x1: Operand, x2: Operand) -> Array:
    """`sqrt(x1**2 + x2**2)`, without overflow.

    Example:
        >>> hypot([3.0, 5.0], [4.0, 12.0]).round(4)
        array([ 5., 13.], dtype=float32)
    """
    return call_standard("hypot", floating(x1), floating(x2))


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
    """2 to the power of each element.

    Example:
        >>> exp2([0.0, 3.0]).round(4)
        array([1., 8.], dtype=float32)
    """
    return special.exp2(floating(x))


@operation
def logaddexp(x1: Operand, x2: Operand) -> Array:
    """`log(exp(x1) + exp(x2))`, without overflow.

    Example:
        >>> logaddexp([0.0, 1.0], [0.0, 1.0]).round(4)
        array([0.6931, 1.6931], dtype=float32)
    """
    return call_standard("logaddexp", floating(x1), floating(x2))


@operation
def logaddexp2(x1: Operand, x2: Operand) -> Array:
    """`log2(2**x1 + 2**x2)`, without overflow.

    Example:
        >>> logaddexp2([0.0, 1.0], [0.0, 1.0]).round(4)
        array([1., 2.], dtype=float32)
    """
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
    """The real cube root.

    Example:
        >>> cbrt([8.0, -27.0]).round(4)
        array([ 2., -3.], dtype=float32)
    """
    return special.cbrt(floating(x))


@operation
def square(x: Array) -> Array:
    """Square of each element.

    Example:
        >>> square([2.0, 3.0])
        array([4., 9.], dtype=float32)
    """
    return call_standard("square", counted(x))


@operation
def power(x1: Operand, x2: Operand) -> Array:
    """`x1` to the power of `x2`, element by element.

    Example:
        >>> power([1.0, 2.0, 3.0], 2.0).round(4)
        array([1., 4., 9.], dtype=float32)
    """
    return call_standard("pow", counted(x1), counted(x2))


@operation
def reciprocal(x: Array) -> Array:
    """`1 / x`.

    Example:
        >>> reciprocal([2.0, 4.0])
        array([0.5 , 0.25], dtype=float32)
    """
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
    """Modified Bessel function of the first kind, of order 0.

    Example:
        >>> i0([0.0, 1.0]).round(4)
        array([1.    , 1.2661], dtype=float32)
    """
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
    """`1 - erf(x)`, accurate for large elements.

    Example:
        >>> erfc([0.0, 1.0]).round(4)
        array([1.    , 0.1573], dtype=float32)
    """
    return special.erfc(floating(x))


@operation
def erfinv(x: Array) -> Array:
    """Inverse of the error function.

    Example:
        >>> erfinv([0.0, 0.5]).round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    return special.erfinv(floating(x))

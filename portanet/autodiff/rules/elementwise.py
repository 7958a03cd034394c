"""Elementwise functions.

Conventions at kinks: the derivative of abs and sign at 0 is 0; maximum and minimum give each operand half at a tie;
clip gives 1 on its bounds; copysign treats the sign of its second operand as constant; floor, ceil, round, trunc
have derivative 0.
"""

from __future__ import annotations

import cmath
import math
import operator
from types import MethodType
from typing import Any

from portanet.autodiff.dispatch import LinearMap, fitted
from portanet.autodiff.rules.declare import composite, elementwise, no_derivative, of_operand, of_result, rule


def _itself(t: Any) -> Any:
    return t


def _same(xp: Any, ans: Any, *args: Any) -> LinearMap:
    return _itself


def _opposite(xp: Any, ans: Any, *args: Any) -> LinearMap:
    return operator.neg


def _times(factor: Any, t: Any) -> Any:
    return t * factor


def _by(divisor: Any, t: Any) -> Any:
    return t / divisor


def _times_each(factors: tuple[Any, Any], t: Any) -> tuple[Any, Any]:
    x, y = factors
    return t * y, t * x


def _by_each(operands: tuple[Any, Any], t: Any) -> tuple[Any, Any]:
    ans, y = operands
    return t / y, -t * (ans / y)


def _by_divisor(operands: tuple[Any, Any], t: Any) -> Any:
    ans, y = operands
    return -t * (ans / y)


def _by_twice(root: Any, t: Any) -> Any:
    return t / (2 * root)


def _times_double(x: Any, t: Any) -> Any:
    return 2 * t * x


def _tanh(ans: Any, t: Any) -> Any:
    return t * (1 - ans * ans)


def _is_complex(xp: Any, x: Any) -> bool:
    return bool(xp.isdtype(x.dtype, "complex floating"))


# Arithmetic

elementwise("positive", _same)
elementwise("negative", _opposite)
elementwise("add", _same, _same)
elementwise("subtract", _same, _opposite)
elementwise(
    "multiply",
    lambda xp, ans, x, y: MethodType(_times, y),
    lambda xp, ans, x, y: MethodType(_times, x),
    joint=lambda xp, ans, x, y: MethodType(_times_each, (x, y)),
)
elementwise(
    "divide",
    lambda xp, ans, x, y: MethodType(_by, y),
    lambda xp, ans, x, y: MethodType(_by_divisor, (ans, y)),
    joint=lambda xp, ans, x, y: MethodType(_by_each, (ans, y)),
)
elementwise("reciprocal", of_result(lambda xp, ans, t: -t * (ans * ans)))
elementwise("square", lambda xp, ans, x: MethodType(_times_double, x))
elementwise("sqrt", lambda xp, ans, x: MethodType(_by_twice, ans))
# remainder(x, y) = x - y * floor(x / y)
elementwise("remainder", _same, lambda xp, ans, x, y: lambda t: -t * xp.floor_divide(x, y))


def _times_power(operands: tuple[Any, Any], t: Any) -> Any:
    x, y = operands
    return t * (y * x ** (y - 1))


def _power_of_base(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
    if isinstance(y, (int, float, complex)):
        if y == 2:
            return MethodType(_times_double, x)
        if y == 0:
            return lambda t: t * 0
        return MethodType(_times_power, (x, y))
    # y x^(y-1), without the 0 * inf of y = 0 at x = 0.
    return lambda t: t * xp.where(y == 0, 0.0, y * x ** xp.where(y == 0, 1.0, y - 1))


def _power_of_exponent(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
    if isinstance(x, (int, float, complex)):
        if x == 0:
            log: complex = 0.0
        elif isinstance(x, complex) or _is_complex(xp, ans):
            log = cmath.log(x)
        else:
            log = math.log(x) if x > 0 else math.nan
        return lambda t: t * ans * log
    # x^y log x, with the limit 0 at x = 0.
    return lambda t: t * ans * xp.log(xp.where(x == 0, 1.0, x))


elementwise("pow", _power_of_base, _power_of_exponent)

# Exponentials, logarithms, trigonometry

elementwise("exp", lambda xp, ans, x: MethodType(_times, ans))
elementwise("expm1", of_result(lambda xp, ans, t: t * (ans + 1)))
elementwise("log", lambda xp, ans, x: MethodType(_by, x))
elementwise("log1p", of_operand(lambda xp, x, t: t / (1 + x)))
elementwise("log2", of_operand(lambda xp, x, t: t / (x * math.log(2))))
elementwise("log10", of_operand(lambda xp, x, t: t / (x * math.log(10))))
elementwise(
    "logaddexp",
    lambda xp, ans, x, y: lambda t: t * xp.exp(_difference(xp, x, ans)),
    lambda xp, ans, x, y: lambda t: t * xp.exp(_difference(xp, y, ans)),
)
elementwise("sin", of_operand(lambda xp, x, t: t * xp.cos(x)))
elementwise("cos", of_operand(lambda xp, x, t: -t * xp.sin(x)))
elementwise("tan", of_result(lambda xp, ans, t: t * (1 + ans * ans)))
elementwise("asin", of_operand(lambda xp, x, t: t / xp.sqrt((1 - x) * (1 + x))))
elementwise("acos", of_operand(lambda xp, x, t: -t / xp.sqrt((1 - x) * (1 + x))))
elementwise("atan", of_operand(lambda xp, x, t: t / (1 + x * x)))
elementwise("sinh", of_operand(lambda xp, x, t: t * xp.cosh(x)))
elementwise("cosh", of_operand(lambda xp, x, t: t * xp.sinh(x)))
elementwise("tanh", lambda xp, ans, x: MethodType(_tanh, ans))
elementwise("asinh", of_operand(lambda xp, x, t: t / _root_of_one_and_square(xp, x)))
elementwise("acosh", of_operand(lambda xp, x, t: t / (xp.sqrt(x - 1) * xp.sqrt(x + 1))))
elementwise("atanh", of_operand(lambda xp, x, t: t / ((1 - x) * (1 + x))))
elementwise(
    "atan2",
    lambda xp, ans, x, y: lambda t: t * (y / xp.hypot(x, y) / xp.hypot(x, y)),
    lambda xp, ans, x, y: lambda t: -t * (x / xp.hypot(x, y) / xp.hypot(x, y)),
)


# Without squares, which are not finite for values that are: above 256 in float16.


def _root_of_one_and_square(xp: Any, x: Any) -> Any:
    """The square root of 1 + x^2."""
    return xp.sqrt(1 + 1j * x) * xp.sqrt(1 - 1j * x) if _is_complex(xp, x) else xp.hypot(x, xp.ones_like(x))


def _difference(xp: Any, x: Any, ans: Any) -> Any:
    """`x - ans`, 0 where both are the same infinity."""
    return xp.where(x == ans, 0.0, x - ans)


# Hypotenuse: 0 at the origin, like the norm.


def _hypot(first: bool) -> Any:
    def factory(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
        return lambda t: t * ((x if first else y) / xp.where(ans == 0, 1.0, ans))

    return factory


elementwise("hypot", _hypot(True), _hypot(False))

# Kinks


def _abs_pull(xp: Any, ans: Any, x: Any) -> LinearMap:
    if xp.isdtype(x.dtype, "complex floating"):
        return lambda g: g * xp.conj(xp.sign(x))
    return MethodType(_times_sign, (xp, x))


def _abs_push(xp: Any, ans: Any, x: Any) -> LinearMap:
    if xp.isdtype(x.dtype, "complex floating"):
        return lambda t: xp.real(t * xp.conj(xp.sign(x)))
    return MethodType(_times_sign, (xp, x))


def _times_sign(operand: tuple[Any, Any], t: Any) -> Any:
    xp, x = operand
    return t * xp.sign(x)


def _sign_map(conjugate: bool) -> Any:
    def factory(xp: Any, ans: Any, x: Any) -> LinearMap:
        if not xp.isdtype(x.dtype, "complex floating"):
            return lambda t: t * 0
        # sign(z) = z/|z| rotates with z: d sign = i sign Im(conj(sign) dz) / |z|
        size = xp.abs(x)
        safe = xp.where(size == 0, 1.0, size)
        if conjugate:
            return lambda g: (xp.real(g * 1j * ans) / safe) * (xp.conj(ans) * -1j)
        return lambda t: (xp.imag(t * xp.conj(ans)) / safe) * (ans * 1j)

    return factory


elementwise("abs", _abs_pull, pushes=(_abs_push,))
elementwise("sign", _sign_map(True), pushes=(_sign_map(False),))


def _tie(better: str, first: bool) -> Any:
    """1 where this operand is selected, 1/2 at a tie, else 0."""

    def factory(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
        wins = xp.find(better)(x, y) if first else xp.find(better)(y, x)
        ties = xp.equal(x, y)
        return lambda t: xp.where(wins, t, 0.0) + 0.5 * xp.where(ties, t, 0.0)

    return factory


elementwise("maximum", _tie("greater", True), _tie("greater", False))
elementwise("minimum", _tie("less", True), _tie("less", False))


def _copysign(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
    flipped = xp.signbit(x) != xp.signbit(ans)
    return lambda t: xp.where(flipped, -t, t)


def _nothing(xp: Any, ans: Any, *args: Any) -> LinearMap:
    return lambda t: t * 0


elementwise("copysign", _copysign, _nothing)
elementwise("nextafter", _same, _nothing)


@composite("clip")
def _clip(xp: Any, x: Any, /, min: Any = None, max: Any = None) -> Any:  # noqa: A002 -- the standard's names
    """Inside and on the bounds the derivative goes to x, outside to the bound."""
    if min is not None:
        x = xp.where(x < min, min, x)
    if max is not None:
        x = xp.where(x > max, max, x)
    return x


# Complex numbers; the pairing is Re(sum(g t)), see dispatch.py


def _real_pull(xp: Any, ans: Any, x: Any) -> LinearMap:
    dtype = x.dtype
    return lambda g: xp.astype(g, dtype)


elementwise("real", _real_pull, pushes=(lambda xp, ans, x: xp.real,))
elementwise("imag", lambda xp, ans, x: lambda g: g * -1j, pushes=(lambda xp, ans, x: xp.imag,))
elementwise("conj", lambda xp, ans, x: xp.conj)

# Selection


def _where_pull(chosen: bool) -> Any:
    def factory(xp: Any, ans: Any, condition: Any, x: Any, y: Any) -> LinearMap:
        operand = x if chosen else y
        return fitted(
            xp, lambda g: xp.where(condition, g, 0.0) if chosen else xp.where(condition, 0.0, g), operand, ans
        )

    return factory


def _where_push(chosen: bool) -> Any:
    def factory(xp: Any, ans: Any, condition: Any, x: Any, y: Any) -> LinearMap:
        return lambda t: xp.where(condition, t, 0.0) if chosen else xp.where(condition, 0.0, t)

    return factory


rule(
    "where",
    (_where_pull(True), _where_pull(True), _where_pull(False)),
    (_where_push(True), _where_push(True), _where_push(False)),
)

no_derivative("derivative 0 wherever it exists", "ceil", "floor", "round", "trunc", "floor_divide", "signbit")
no_derivative(
    "boolean result", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "isfinite", "isinf",
    "isnan", "isin", "logical_and", "logical_not", "logical_or", "logical_xor",
)  # fmt: skip
no_derivative(
    "integers only", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor",
)  # fmt: skip

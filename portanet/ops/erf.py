"""The error function, which the array API standard lacks.

Rational approximations of the Cephes library (S. L. Moshier, Methods and Programs for Mathematical Functions, 1989,
file ndtr.c), accurate to the rounding of float64.
"""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, elementwise, overridable

# erf(x) = x T(x^2) / U(x^2) for |x| <= 1; highest power first.
_T = (
    9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
    5.55923013010394962768e4,
)  # fmt: skip
_U = (
    1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4,
    4.92673942608635921086e4,
)  # fmt: skip
# erfc(x) = exp(-x^2) P(x) / Q(x) for 1 <= x <= 8.
_P = (
    2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0, 4.86371970985681366614e1,
    1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3,
    5.57535335369399327526e2,
)  # fmt: skip
_Q = (
    1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
    1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3, 5.57535340817727675546e2,
)  # fmt: skip


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y *= x
        y += c
    return y


def _parts(x: Array) -> tuple[Array, Array]:
    """erf(x), valid for |x| <= 1, and erfc(|x|), valid elsewhere."""
    xp = array_namespace(x)
    inner = xp.minimum(xp.maximum(x, -1.0), 1.0)
    square = inner * inner
    inner = inner * (_polynomial(square, _T) / _polynomial(square, _U))
    size = xp.minimum(xp.abs(x), 30.0)  # exp(-900) is 0, and no square overflows
    outer = xp.minimum(xp.maximum(size, 1.0), 8.0)
    return inner, xp.exp(-size * size) * (_polynomial(outer, _P) / _polynomial(outer, _Q))


def _wide(x: Array) -> Array:
    """`x` in at least single precision: the polynomials overflow in half."""
    xp = array_namespace(x)
    return xp.astype(x, xp.float32) if xp.finfo(x.dtype).bits < 32 else x


@elementwise
@overridable
def erf_values(x: Array) -> Array:
    """The values of `erf`."""
    xp = array_namespace(x)
    wide = _wide(x)
    inner, tail = _parts(wide)
    y = xp.where(xp.abs(wide) <= 1, inner, xp.where(wide > 0, 1 - tail, tail - 1))
    return y if y.dtype == x.dtype else xp.astype(y, x.dtype)


@elementwise
@overridable
def erfc_values(x: Array) -> Array:
    """The values of `erfc`."""
    xp = array_namespace(x)
    wide = _wide(x)
    inner, tail = _parts(wide)
    y = xp.where(xp.abs(wide) <= 1, 1 - inner, xp.where(wide > 0, tail, 2 - tail))
    return y if y.dtype == x.dtype else xp.astype(y, x.dtype)


@custom_vjp
def erf(x: Array) -> Any:
    """The error function, `2/sqrt(pi)` times the integral of `exp(-t^2)` from 0 to x.

    The relative error is below 5e-16 in float64 and 2e-7 in float32 (measured against mpmath and SciPy).

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> erf(np.asarray([-1.0, 0.0, 0.5])).round(9)
        array([-0.84270079,  0.        ,  0.52049988])
    """
    return erf_values(x), lambda g: (g * _bell(x, 2 / math.sqrt(math.pi)),)


@custom_vjp
def erfc(x: Array) -> Any:
    """`1 - erf(x)`, accurate where that difference would lose all digits.

    The relative error is below 5e-15 in float64 and 6e-6 in float32 for x < 8 (measured against mpmath and SciPy);
    beyond, the values are below 2e-29 and their relative error grows.

    Args:
        x: Floating-point array.

    Example:
        >>> import numpy as np
        >>> [f"{v:.6e}" for v in erfc(np.asarray([-1.0, 0.0, 6.0]))]
        ['1.842701e+00', '1.000000e+00', '2.151974e-17']
    """
    return erfc_values(x), lambda g: (g * _bell(x, -2 / math.sqrt(math.pi)),)


def _bell(x: Array, height: float) -> Array:
    xp = array_namespace(x)
    size = xp.minimum(xp.abs(x), 30.0)
    return height * xp.exp(-size * size)

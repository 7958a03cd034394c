"""Special functions: derivatives of every order, since they are written in special functions again.

Derivatives by parameters that have no closed form are integrals, see `portanet/autodiff/special/incomplete.py`.

Source: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from portanet.autodiff.dispatch import LinearMap
from portanet.autodiff.rules.declare import elementwise
from portanet.autodiff.special import bessel_functions, incomplete
from portanet.autodiff.special.beta_functions import betaln
from portanet.autodiff.special.declare import polynomial
from portanet.autodiff.special.distributions import NORMAL
from portanet.autodiff.special.gamma_functions import digamma_rise, zeta_slope
from portanet.autodiff.special.integrals import expn_of_any_order
from portanet.autodiff.traced import TraceError


def declare(name: str, *slopes: Any) -> None:
    """A function by its partial derivatives, `slope(xp, ans, *operands)`."""

    def linear(slope: Any) -> Any:
        def factory(xp: Any, ans: Any, *operands: Any) -> LinearMap:
            return lambda t: t * slope(xp, ans, *operands)

        return factory

    elementwise(f"special.{name}", *map(linear, slopes))


def _undefined(function: str, parameter: str) -> Any:
    def slope(xp: Any, ans: Any, *operands: Any) -> Any:
        raise TraceError(
            f"special.{function} has no derivative by its argument `{parameter}`: pass a number, or "
            f"portanet.autodiff.stop_gradient({parameter}). Received: a traced array"
        )

    return slope


# Error function and normal distribution


def _bell(xp: Any, x: Any, height: float, rate: float) -> Any:
    """`height exp(-rate x^2)`."""
    size = xp.minimum(xp.abs(x), 40.0)  # beyond, it is 0; and no square overflows
    return height * xp.exp(size * size * -rate)


def _erfcx_slope(xp: Any, ans: Any, x: Any) -> Any:
    """`2 x ans - 2 / sqrt(pi)`, whose terms cancel for large x: there, the asymptotic series."""
    far = x > 8
    near = 2 * xp.where(far, 0.0, x) * ans - 2 / math.sqrt(math.pi)
    outside = xp.where(far, x, 8.0)
    half = 0.5 / outside / outside
    total = 1.0
    for k in range(20, 0, -1):
        total = 1 - (2 * k + 1) * half * total
    return xp.where(far, -2 / math.sqrt(math.pi) * half * total, near)


def _log_ndtr_slope(xp: Any, ans: Any, x: Any) -> Any:
    """The density divided by `ndtr(x)`, of which both vanish far below 0: there, the asymptotic series.

    With u = -x, it is `u + 1 / u - 2 / u^3 + 10 / u^5 - ...`.
    """
    above, far = x > 0, x < -10
    right, left = xp.where(above, x, 0.0), xp.where(above | far, 0.0, x)
    upper = _bell(xp, right, 1 / ROOT_OF_TWO_PI, 0.5) / xp.special.ndtr(right)
    lower = math.sqrt(2 / math.pi) / xp.special.erfcx(left * -math.sqrt(0.5))
    outside = xp.where(far, -x, 10.0)
    inverse, total = 1 / outside, 1.0
    for ratio in _HAZARD:
        total = 1 + ratio * inverse * inverse * total
    return xp.where(above, upper, xp.where(far, outside + inverse * total, lower))


def _hazard_ratios() -> list[float]:
    """Of successive coefficients of that series, the last first; the slope s satisfies `ds/du = s (s - u)`."""
    terms = [1.0]
    for k in range(1, 18):
        terms.append(-(2 * k - 1) * terms[-1] - sum(terms[j] * terms[k - 1 - j] for j in range(k)))
    return [after / before for before, after in itertools.pairwise(terms)][::-1]


_HAZARD = _hazard_ratios()
ROOT_OF_TWO_PI = math.sqrt(2 * math.pi)
declare("erf", lambda xp, ans, x: _bell(xp, x, 2 / math.sqrt(math.pi), 1.0))
declare("erfc", lambda xp, ans, x: _bell(xp, x, -2 / math.sqrt(math.pi), 1.0))
declare("erfcx", _erfcx_slope)
declare("erfinv", lambda xp, ans, x: math.sqrt(math.pi) / 2 * xp.exp(ans * ans))
declare("ndtr", lambda xp, ans, x: _bell(xp, x, 1 / ROOT_OF_TWO_PI, 0.5))
declare("ndtri", lambda xp, ans, p: ROOT_OF_TWO_PI * xp.exp(ans * ans / 2))
# The density divided by the probability, in terms that are finite in the tails.
declare("log_ndtr", _log_ndtr_slope)

# Logistic function

declare("expit", lambda xp, ans, x: ans * xp.special.expit(-x))
declare("logit", lambda xp, ans, p: 1 / p + 1 / (1 - p))
declare("log_expit", lambda xp, ans, x: xp.special.expit(-x))

# Entropies


def _log_ratio(xp: Any, x: Any, y: Any) -> Any:
    return xp.log(x) - xp.log(y)


def _ratio(xp: Any, x: Any, y: Any) -> Any:
    """X / y, and 0 where x is 0."""
    zero = (x == 0) & (y == 0)
    return xp.where(zero, 0.0, x / xp.where(zero, 1.0, y))


declare("entr", lambda xp, ans, x: -1 - xp.log(x))
declare(
    "rel_entr",
    lambda xp, ans, x, y: 1 + _log_ratio(xp, x, y),
    lambda xp, ans, x, y: -_ratio(xp, x, y),
)
declare("kl_div", lambda xp, ans, x, y: _log_ratio(xp, x, y), lambda xp, ans, x, y: 1 - _ratio(xp, x, y))
declare("xlogy", lambda xp, ans, x, y: xp.log(y), lambda xp, ans, x, y: _ratio(xp, x, y))
declare("xlog1py", lambda xp, ans, x, y: xp.log1p(y), lambda xp, ans, x, y: _ratio(xp, x, 1 + y))

# Gamma and beta functions

declare("gammaln", lambda xp, ans, x: xp.special.digamma(x))
declare("gammasgn", lambda xp, ans, x: 0 * x)
declare("digamma", lambda xp, ans, x: xp.special.polygamma(1, x))
declare("polygamma", _undefined("polygamma", "n"), lambda xp, ans, n, x: xp.special.polygamma(n + 1, x))


declare("zeta", lambda xp, ans, x, q: zeta_slope(xp, x, q), lambda xp, ans, x, q: -x * xp.special.zeta(x + 1, q))
declare(
    "betaln",
    lambda xp, ans, a, b: -digamma_rise(xp, a, b),
    lambda xp, ans, a, b: -digamma_rise(xp, b, a),
)
declare(
    "gammainc",
    lambda xp, ans, a, x: incomplete.gammainc_by_parameter(xp, a, x),
    lambda xp, ans, a, x: incomplete.gamma_density(xp, a, x),
)
declare(
    "gammaincc",
    lambda xp, ans, a, x: -incomplete.gammainc_by_parameter(xp, a, x),
    lambda xp, ans, a, x: -incomplete.gamma_density(xp, a, x),
)


def _beta(sign: float, parameter: str) -> Any:
    def slope(xp: Any, ans: Any, a: Any, b: Any, x: Any) -> Any:
        if parameter == "x":
            return sign * incomplete.beta_density(xp, a, b, x)
        return sign * incomplete.beta_by_parameter(xp, a, b, x, 1 - x, parameter)

    return slope


for _name, _sign in (("betainc", 1.0), ("betaincc", -1.0)):
    declare(_name, *(_beta(_sign, parameter) for parameter in ("a", "b", "x")))

# Student's t distribution


def _student_density(xp: Any, ans: Any, df: Any, t: Any) -> Any:
    finite = df < NORMAL
    freedom = xp.where(finite, df, 1.0)
    ratio = t / xp.sqrt(freedom)
    exponent = -(freedom + 1) * xp.log(xp.hypot(xp.ones_like(ratio), ratio))
    density = xp.exp(exponent - betaln(freedom / 2, xp.full_like(freedom, 0.5))) / xp.sqrt(freedom)
    return xp.where(finite, density, _bell(xp, t, 1 / ROOT_OF_TWO_PI, 0.5))


def _student_by_freedom(xp: Any, ans: Any, df: Any, t: Any) -> Any:
    """The tail is half of `betainc(df / 2, 1 / 2, df / (df + t^2))`."""
    inside = (t != 0) & xp.isfinite(t) & (df < NORMAL)
    freedom, size = xp.where(inside, df, 1.0), xp.where(inside, t, 1.0)
    ratio = size / xp.sqrt(freedom) * (size / xp.sqrt(freedom))
    x, y = 1 / (1 + ratio), ratio / (1 + ratio)
    a, b = freedom / 2, xp.full_like(freedom, 0.5)
    by_a = incomplete.beta_by_parameter(xp, a, b, x, y, "a")
    tail = by_a / 4 + incomplete.beta_mass(xp, a, b, x, y) / (2 * freedom)
    return xp.where(inside, xp.where(t < 0, tail, -tail), 0.0)


declare("stdtr", _student_by_freedom, _student_density)

# Bessel functions


def _scaled_slope(order: int, sign: float, near: Any) -> Any:
    """Of a scaled function: `near`, whose terms cancel for large |x|; there, Hankel's expansion (10.40)."""
    height = -0.5 * (math.sqrt(math.pi / 2) if sign > 0 else 1 / ROOT_OF_TWO_PI)
    ratios = [
        (k + 0.5) / (k - 0.5) * sign * (4 * order * order - (2 * k - 1) ** 2) / (8 * k) for k in reversed(range(1, 18))
    ]

    def slope(xp: Any, ans: Any, x: Any) -> Any:
        start = 24.0 if xp.finfo(x.dtype).bits == 64 else 9.0
        size = x if sign > 0 else xp.abs(x)
        far = size > start
        outside = xp.where(far, size, start)
        total, inverse = 1.0, 1 / outside
        for ratio in ratios:
            total = 1 + ratio * inverse * total
        total = height * total * outside**-1.5
        return xp.where(far, total if order else xp.sign(x) * total, near(xp, ans, x))

    return slope


declare("i0", lambda xp, ans, x: xp.special.i1(x))
declare("i0e", _scaled_slope(0, -1.0, lambda xp, ans, x: xp.special.i1e(x) - xp.sign(x) * ans))
declare("i1", lambda xp, ans, x: xp.special.i0(x) - bessel_functions.i1_over_x(xp, x))
declare(
    "i1e",
    _scaled_slope(
        1, -1.0, lambda xp, ans, x: xp.special.i0e(x) - xp.sign(x) * ans - bessel_functions.i1e_over_x(xp, x)
    ),
)
declare("j0", lambda xp, ans, x: -xp.special.j1(x))
declare("j1", lambda xp, ans, x: xp.special.j0(x) - bessel_functions.j1_over_x(xp, x))
declare("y0", lambda xp, ans, x: -xp.special.y1(x))
declare("y1", lambda xp, ans, x: xp.special.y0(x) - ans / x)
declare("yn", _undefined("yn", "n"), lambda xp, ans, n, x: xp.special.yn(n - 1, x) - n / x * ans)
declare("k0", lambda xp, ans, x: -xp.special.k1(x))
declare("k0e", _scaled_slope(0, 1.0, lambda xp, ans, x: ans - xp.special.k1e(x)))
declare("k1", lambda xp, ans, x: -xp.special.k0(x) - ans / x)
declare("k1e", _scaled_slope(1, 1.0, lambda xp, ans, x: ans - xp.special.k0e(x) - ans / x))

# Hypergeometric and Legendre functions


def _hypergeometric_slope(xp: Any, ans: Any, a: Any, b: Any, x: Any) -> Any:
    """Of `1 - x / b` for a = -1, also where b is."""
    linear = a == -1
    upper, lower = (xp.where(linear, 1.0, p + 1) for p in (a, b))
    return a / b * xp.where(linear, 1.0, xp.special.hyp1f1(upper, lower, x))


declare("hyp1f1", _undefined("hyp1f1", "a"), _undefined("hyp1f1", "b"), _hypergeometric_slope)


def _legendre_slope(xp: Any, ans: Any, m: Any, v: Any, x: Any) -> Any:
    """The function of the next order, by the derivative of a hypergeometric function; a constant has none."""
    constant = (v == m) | (v == -1 - m)
    order = xp.where(constant, 0.0, m + 1)
    slope = (v - m) * (m + 1 + v) / (2 * (m + 1)) * xp.special.recorded("legendre_factor")(order, v, x)
    return xp.where(constant, 0.0, slope)


declare(
    "legendre_factor",
    _undefined("lpmv", "m"),
    _undefined("lpmv", "v"),
    _legendre_slope,
)

# Elementary functions and integrals


def _dilogarithm_slope(xp: Any, ans: Any, z: Any) -> Any:
    """`log(z) / (1 - z)`, differentiable at 1 to any order."""
    near = xp.abs(z - 1) < 0.25
    u, far = xp.where(near, z - 1, 0.0), xp.where(near, 2.0, z)
    series = polynomial(u, tuple((-1.0) ** (k + 1) / (k + 1) for k in reversed(range(28))))
    return xp.where(near, series, xp.log(far) / (1 - far))


declare("cbrt", lambda xp, ans, x: 1 / (3 * ans * ans))
declare("exp2", lambda xp, ans, x: ans * math.log(2))
declare("exp10", lambda xp, ans, x: ans * math.log(10))
declare("exp1", lambda xp, ans, x: -xp.exp(-x) / x)
declare("expi", lambda xp, ans, x: xp.exp(x) / x)
declare("spence", _dilogarithm_slope)
declare("expn_of_any_order", _undefined("expn", "n"), lambda xp, ans, n, x: -expn_of_any_order(n - 1, x))

# Quantiles: the derivative of the inverse function


def _gamma_quantile(sign: float) -> tuple[Any, Any]:
    def by_parameter(xp: Any, ans: Any, a: Any, p: Any) -> Any:
        return -incomplete.gammainc_by_parameter(xp, a, ans) / incomplete.gamma_density(xp, a, ans)

    return by_parameter, lambda xp, ans, a, p: sign / incomplete.gamma_density(xp, a, ans)


declare("gammaincinv", *_gamma_quantile(1.0))
declare("gammainccinv", *_gamma_quantile(-1.0))


def _beta_quantile(parameter: str) -> Any:
    def slope(xp: Any, ans: Any, a: Any, b: Any, p: Any) -> Any:
        by_parameter = incomplete.beta_by_parameter(xp, a, b, ans, 1 - ans, parameter)
        return -by_parameter / incomplete.beta_density(xp, a, b, ans)

    return slope


for _name, _sign in (("betaincinv", 1.0), ("betainccinv", -1.0)):
    declare(
        _name,
        _beta_quantile("a"),
        _beta_quantile("b"),
        lambda xp, ans, a, b, p, sign=_sign: sign / incomplete.beta_density(xp, a, b, ans),
    )
declare(
    "stdtrit",
    lambda xp, ans, df, p: -_student_by_freedom(xp, None, df, ans) / _student_density(xp, None, df, ans),
    lambda xp, ans, df, p: 1 / _student_density(xp, None, df, ans),
)

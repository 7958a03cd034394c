"""Special functions at all combinations of edge values, against SciPy, in one generated test per function."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import grad, special
from portanet.backends import Backend
from tests.autodiff.special_cases import ARGUMENTS, SLOW_ON_STRICT, WHOLE, arguments
from tests.support import asarray, to_numpy

scipy_special = pytest.importorskip("scipy.special")
EDGES = (0.0, -0.0, 0.3, 1.0, 2.0, 2.5, -0.5, -1.0, -2.0, -2.5, 1e-300, -1e-300, 1e-20, 1e300, -1e300, 40.0, -40.0)
INFINITE = (math.inf, -math.inf, math.nan)
FEWER = (0.0, -0.0, 0.3, 1.0, 2.0, -0.5, -1.0, 1e-300, 1e300, 40.0)
"""For functions of three arguments."""
HUGE = 1e300
Point = tuple[float, ...]


def extreme(*positions: int) -> Callable[[Point], bool]:
    """Whether one of these arguments is infinite, or so large or small that it stands for infinity or 0."""

    def is_extreme(p: Point) -> bool:
        return any(math.isinf(p[i]) or abs(p[i]) >= HUGE or 0 < abs(p[i]) <= 1e-20 for i in positions)

    return is_extreme


def large_counts(*positions: int) -> Callable[[Point], bool]:
    """Whether a count is beyond SciPy's integers, where its result is NaN."""
    return lambda p: any(abs(p[i]) >= 2**31 for i in positions)


def outside_unit(position: int) -> Callable[[Point], bool]:
    """Whether a probability is none, or the shape is 0."""
    return lambda p: not 0 <= p[position] <= 1 or p[0] == 0 or extreme(0)(p)


def different_legendre(m: float, v: float, x: float) -> bool:
    """Outside of (-1, 1]; negative orders above an integer degree; large orders and degrees."""
    degree = max(v, -1 - v)
    return not -1 < x <= 1 or (m < 0 and degree < -m and degree == round(degree)) or abs(m) >= 40 or degree >= HUGE


DIFFERENT: dict[str, tuple[Callable[[Point], bool], str]] = {
    "bdtr": (large_counts(1), "SciPy has C integers"),
    "bdtrc": (large_counts(1), "SciPy has C integers"),
    "beta": (lambda p: math.inf in p and HUGE in p, "SciPy overflows"),
    "betainc": (extreme(0, 1), "libraries differ"),
    "betaincc": (extreme(0, 1), "libraries differ"),
    "betainccinv": (extreme(0, 1, 2), "SciPy's are NaN"),
    "betaincinv": (extreme(0, 1, 2), "SciPy's are NaN"),
    "bdtri": (lambda p: large_counts(1)(p) or extreme(2)(p), "SciPy has C integers; its `betaincinv` is NaN"),
    "betaln": (lambda p: math.inf in p and HUGE in p, "SciPy overflows"),
    "binom": (extreme(0, 1), "SciPy's have other signs, or are NaN"),
    "chdtr": (extreme(0), "libraries differ"),
    "chdtrc": (extreme(0), "libraries differ"),
    "chdtri": (outside_unit(1), "libraries differ"),
    "cotdg": (extreme(0), "SciPy loses the digits of small angles"),
    "digamma": (lambda p: p[0] == -math.inf, "undefined"),
    "expn": (large_counts(0), "SciPy has C integers"),
    "fdtr": (extreme(0, 1), "libraries differ"),
    "fdtrc": (extreme(0, 1), "libraries differ"),
    "fdtri": (extreme(0, 1), "libraries differ"),
    "gamma": (lambda p: p[0] == -math.inf, "undefined"),
    "gammainc": (lambda p: extreme(0)(p) or p[0] <= 0, "libraries differ"),
    "gammaincc": (lambda p: extreme(0)(p) or p[0] <= 0, "libraries differ"),
    "gammainccinv": (outside_unit(1), "libraries differ"),
    "gammaincinv": (outside_unit(1), "libraries differ"),
    "gammaln": (lambda p: p[0] == -math.inf, "undefined"),
    "gdtr": (extreme(0, 1, 2), "libraries differ"),
    "gdtrc": (extreme(0, 1, 2), "libraries differ"),
    "hyp1f1": (extreme(0, 1, 2), "SciPy's are NaN, or never come"),
    "i0": (extreme(0), "SciPy's are NaN"),
    "i1": (extreme(0), "SciPy's are NaN"),
    "inv_boxcox1p": (lambda p: 0 < abs(p[1]) < 1e-150, "SciPy returns y, which is not the limit exp(y) - 1"),
    "j0": (extreme(0), "no digits are left of the angle"),
    "j1": (extreme(0), "no digits are left of the angle"),
    "k0e": (extreme(0), "the definition loses the root of so large a number"),
    "k1e": (extreme(0), "the definition loses the root of so large a number"),
    "kl_div": (extreme(0, 1), "SciPy overflows"),
    "lpmv": (lambda p: different_legendre(*p), "SciPy's infinity at -1 has no sign, and it loses digits"),
    "nbdtr": (large_counts(0, 1), "SciPy has C integers"),
    "nbdtrc": (large_counts(0, 1), "SciPy has C integers"),
    "nbdtri": (lambda p: large_counts(0, 1)(p) or extreme(2)(p), "SciPy has C integers; its `betaincinv` is NaN"),
    "pdtri": (large_counts(0), "SciPy has C integers"),
    "pdtr": (extreme(0), "libraries differ"),
    "pdtrc": (extreme(0), "libraries differ"),
    "poch": (extreme(0, 1), "SciPy's are NaN"),
    "polygamma": (lambda p: p[1] < 0 or extreme(0, 1)(p), "the definition is for positive x"),
    "pseudo_huber": (extreme(0, 1), "SciPy overflows"),
    "psi": (lambda p: p[0] == -math.inf, "undefined"),
    "rel_entr": (lambda p: HUGE in p, "libraries differ by rounding"),
    "stdtr": (lambda p: extreme(0, 1)(p) or p[0] <= 0, "libraries differ"),
    "stdtrit": (lambda p: extreme(0, 1)(p) or p[1] in (0.0, 1.0), "SciPy's for 0 is infinity without its sign"),
    "y0": (extreme(0), "no digits are left of the angle"),
    "y1": (extreme(0), "no digits are left of the angle"),
    "yn": (lambda p: extreme(1)(p) or large_counts(0)(p), "no digits are left of the angle; SciPy has C integers"),
    "zeta": (lambda p: p[1] < 0 or math.isnan(p[0]) or extreme(0)(p), "the definition is for positive q"),
}
"""Points where a result may be another than SciPy's, and why."""
SAMPLE_OF_JAX = ("beta", "binom", "boxcox", "cosdg", "erf", "gammaln", "poch", "rgamma")


def points(name: str) -> list[Point]:
    count = len(ARGUMENTS[name])
    values = (*(EDGES if count < 3 else FEWER), *INFINITE)
    different = DIFFERENT.get(name, (lambda p: False, ""))[0]
    return [p for p in itertools.product(values, repeat=count) if not different(p)]


def skip_slow(backend: Backend, name: str) -> None:
    if backend.name == "jax" and name not in SAMPLE_OF_JAX:
        pytest.skip("JAX compiles every operation; the definitions are the same")
    if backend.name == "strict" and name in SLOW_ON_STRICT:
        pytest.skip("slow")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_edges(backend: Backend, name: str) -> None:
    skip_slow(backend, name)
    hosts = [np.asarray(column) for column in zip(*points(name), strict=True)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that n is not a whole number
        expected = getattr(scipy_special, name)(*hosts)
        result = to_numpy(getattr(special, name)(*(asarray(x, "float64") for x in hosts)))
    close = np.isclose(result, expected, rtol=1e-10, atol=1e-290, equal_nan=True)
    close |= (expected == 0) & (np.abs(result) < 1e-15)
    wrong = [
        f"{p}: {got}, not {want}"
        for p, got, want, c in zip(points(name), result, expected, close, strict=True)
        if not c
    ]
    assert not wrong, f"{len(wrong)} of {len(result)}: " + "; ".join(wrong[:20])


@pytest.mark.parametrize(
    ("call", "x", "expected"),
    [
        (special.rgamma, [0.0, -1.0, -2.0, -3.0, 1.0], [1.0, -1.0, 2.0, -6.0, 0.5772156649015329]),
        (lambda x: special.poch(x, 2.0), [0.0, -1.0, -3.0], [1.0, -1.0, -5.0]),
        (lambda x: special.binom(x, 2.0), [3.0, 1.5, 0.0], [2.5, 1.0, -0.5]),
        (lambda x: special.beta(x, 1.0), [-0.5, 2.0], [-4.0, -0.25]),
        (lambda x: special.boxcox(x, 0.0), [2.0, 1e-10], [0.5, 1e10]),
        (lambda x: special.inv_boxcox(x, 0.0), [0.0, -math.inf], [1.0, math.nan]),
        (special.cosdg, [0.0, 90.0], [0.0, -math.pi / 180]),
    ],
)
def test_derivatives_at_edges(xp: Any, call: Any, x: list[float], expected: list[float]) -> None:
    with np.errstate(all="ignore"):
        slopes = [to_numpy(grad(call)(asarray(v, "float64"))) for v in x]
    for slope, want in zip(slopes, expected, strict=True):
        if math.isfinite(want):
            np.testing.assert_allclose(slope, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_nothing_comes_of_nan(backend: Backend, name: str) -> None:
    """Element i of the result has NaN for operand i, and the last one for none."""
    skip_slow(backend, name)
    count = len(ARGUMENTS[name])
    hosts: list[Any] = [np.full(count + 1, x[0]) for x in arguments(name, np.random.default_rng(1), (1,))]
    whole = WHOLE.get(name, ())
    for i, x in enumerate(hosts):
        x[i] = x[i] if i in whole else np.nan
    with np.errstate(all="ignore"):
        result = to_numpy(getattr(special, name)(*(asarray(x, "float64") for x in hosts)))
    np.testing.assert_array_equal(np.isnan(result), [*(i not in whole for i in range(count)), False])


@pytest.mark.parametrize(
    ("a", "b", "left", "right"),
    [
        (1.0, 3.0, 3.0, 0.0),
        (2.0, 3.0, 0.0, 0.0),
        (0.5, 3.0, math.inf, 0.0),
        (3.0, 0.5, 0.0, math.inf),
        (3.0, 1.0, 0.0, 3.0),
    ],
)
def test_the_density_at_the_ends(backend: Backend, a: float, b: float, left: float, right: float) -> None:
    """The derivative of `betainc` by its last argument, at 0 and 1."""
    a_, b_ = asarray(a, "float64"), asarray(b, "float64")
    for x, expected in ((0.0, left), (1.0, right)):
        with np.errstate(all="ignore"):
            for function, sign in ((special.betainc, 1.0), (special.betaincc, -1.0)):
                slope = float(to_numpy(grad(lambda t, f=function: f(a_, b_, t))(asarray(x, "float64"))))
                assert slope == pytest.approx(sign * expected)

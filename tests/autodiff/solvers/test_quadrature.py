from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.integrate

from portanet.autodiff import ConvergenceError, array_namespace, check_grads, grad, hessian, quadrature
from portanet.autodiff.solvers.quadrature import COARSE, FINE, gauss_legendre
from tests.support import asarray, assert_close


def double(values: Any) -> Any:
    return asarray(values, "float64")


def bell(x: Any, scale: Any) -> Any:
    xp = array_namespace(x, scale)
    return xp.exp(-(x * x) * scale) * xp.cos(x)


INF = float("inf")


@pytest.mark.parametrize(
    ("a", "b"), [(0.0, 1.0), (-INF, INF), (INF, -INF), (0.5, INF), (-INF, 0.5), (INF, 0.5), (2.0, -1.0), (1.0, 1.0)]
)
def test_values_beside_scipy(xp, a, b):
    want = scipy.integrate.quad(lambda x: np.exp(-x * x * 0.8) * np.cos(x), a, b, epsabs=1e-13)[0]
    assert_close(quadrature(bell, a, b, double(0.8)), want, dtype="float64", rtol=1e-8)


def test_fixed_rules(xp):
    for n in (1, 2, 7, 30):
        for ours, theirs in zip(gauss_legendre(n), np.polynomial.legendre.leggauss(n), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-14)
    powers = lambda x: array_namespace(x).stack([x**k for k in range(10)], axis=1)
    got = quadrature(powers, double(-1.0), double(2.0), n=5)
    assert_close(got, [(2.0**k - (-1.0) ** k) / k for k in range(1, 11)], dtype="float64")


@pytest.mark.parametrize("n", [None, 12])
def test_derivatives_by_limits_and_parameters(xp, n):
    def f(a: Any, b: Any, rate: Any, other: Any) -> Any:
        def integrand(x: Any, rate: Any) -> Any:
            xp = array_namespace(x, rate, other)
            return {"s": xp.sin(x * rate) * x, "c": xp.expand_dims(xp.cos(x * rate), axis=1) * (x[0] * 0.0 + other)}

        return quadrature(integrand, a, b, rate, n=n, rtol=1e-11)

    check_grads(f, (double(0.3), double(1.7), double(1.2), double([1.0, 2.0])), directions=1)


def test_the_derivative_by_a_limit_is_the_value_there(xp):
    """Of a function with a step, which no rule resolves; and of higher order."""
    step = lambda x: array_namespace(x).where(x < 1.0, 1.0 + x * 0.0, 3.0 + x * 0.0)
    f = lambda b: quadrature(step, 0.0, b, rtol=1e-6)
    assert_close(grad(f)(double(2.0)), 3.0, dtype="float64")
    g = lambda b: quadrature(lambda x: x**3, 0.0, b)
    assert_close(hessian(grad(g))(double(2.0)), 12.0, dtype="float64")


def test_float32_complex_and_a_singular_end(xp):
    f = lambda k: quadrature(lambda x: array_namespace(x, k).exp(x * k * 1j), 0.0, 1.0)
    k = asarray(2.0 + 0j, "complex64")
    assert_close(f(k), (np.exp(2j) - 1) / 2j, dtype="complex64", rtol=1e-3)
    like = asarray(1.0)
    root = lambda x, scale: array_namespace(x, scale).sqrt(x * scale)
    assert_close(quadrature(root, 0.0, 1.0, like), 2 / 3, rtol=1e-3)
    assert_close(
        quadrature(lambda x, s: 1 / root(x, s), 0.0, 1.0, double(1.0), rtol=1e-6), 2.0, dtype="float64", rtol=1e-5
    )


@pytest.mark.parametrize("n", [None, 64])
def test_integrands_of_integers_and_booleans(xp, n):
    both = lambda x: {"one": xp.astype(x >= 0, xp.int64), "above": x > 0.5}
    result = quadrature(both, double(0.0), double(2.0), n=n, atol=1e-6)
    assert_close(result["one"], 2.0, dtype="float64")
    assert_close(result["above"], 1.5, atol=1e-6 if n is None else 0.05, dtype="float64")


def test_errors(xp):
    one = double(1.0)
    with pytest.raises(
        ConvergenceError, match=r"did not reach its tolerance.*an estimated error of .* after 20 intervals"
    ):
        quadrature(lambda x, s: array_namespace(x).cos(x * x * 1e3) * s, 0.0, 10.0, one, max_intervals=20)
    with pytest.raises(ValueError, match=r"one entry per point along the first axis.*Received: \(\) for 3 points"):
        quadrature(lambda x: x[0], 0.0, one, n=3)
    with pytest.raises(ValueError, match=r"`b` of quadrature must be finite for a fixed rule"):
        quadrature(lambda x: x, one, INF, n=3)
    with pytest.raises(ValueError, match=r"`a` of quadrature must be a number"):
        quadrature(lambda x: x, double([0.0, 1.0]), one)


def test_an_infinite_value_at_one_point_is_no_integral(xp):
    """At a point of the finer rule alone, the error is infinite, and so is a tolerance relative to the size."""
    point = (1 + next(u for u, _ in FINE if u not in dict(COARSE))) / 2

    def spike(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.where(xp.abs(x - point) < 1e-9, INF * xp.ones_like(x), x)

    with pytest.raises(ConvergenceError, match=r"an estimated error of inf for an integral of size inf"):
        quadrature(spike, 0.0, double(1.0))

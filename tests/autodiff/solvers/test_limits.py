"""Solvers at the limits of what they take: nothing to solve, solutions that run away, arguments of a wrong kind."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    ConvergenceError,
    array_namespace,
    custom_root,
    fixed_point,
    grad,
    jvp,
    odeint,
    quadrature,
    scan,
    unwrap,
    vmap,
    while_loop,
)
from portanet.autodiff.solvers import ode
from tests.autodiff.solvers.test_implicit import direct, double, newton
from tests.support import asarray, assert_close, to_numpy


def test_nothing_to_solve(xp):
    for call in (
        lambda: fixed_point(lambda x: x, []),
        lambda: custom_root(lambda x: x, {}, newton),
        lambda: odeint(lambda y, t: y, (), double([0.0, 1.0])),
    ):
        with pytest.raises(TypeError, match=r"must hold at least one array\. Received: (x0=\[\]|.*=\{\}|y0=\(\))"):
            call()
    empty = double(np.zeros((0, 2)))
    assert fixed_point(lambda x: x / 2, empty).shape == (0, 2)
    for method in ("dopri5", "RK45"):
        assert odeint(lambda y, t: y, empty, double([0.0, 1.0, 2.0]), method=method).shape == (3, 0, 2)


def test_an_empty_batch(xp):
    """Of tangents: the equation is one for all."""
    f = lambda a: custom_root(lambda x: x**3 - a, double([1.0, 1.0]), newton, direct)
    a, tangents = double([8.0, 27.0]), double([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]])
    over = vmap(lambda t: jvp(f, (a,), (t,))[1])
    assert_close(over(tangents), to_numpy(tangents) / [12.0, 27.0], dtype="float64", rtol=1e-6)
    assert over(tangents[:0, :]).shape == (0, 2)


@pytest.mark.parametrize("method", ["dopri5", "RK45", "LSODA"])
def test_times_that_are_equal(method):
    """The solution stays where it started, and the derivative by the start is 1."""
    t = double([1.0, 1.0, 1.0])
    y = odeint(lambda y, t: -y, double([2.0, 3.0]), t, method=method)
    assert_close(y, [[2.0, 3.0]] * 3, dtype="float64")
    last = grad(lambda y: odeint(lambda y, t: -y, y, t, method=method)[-1])
    assert_close(last(double(2.0)), 1.0, dtype="float64")
    repeated = odeint(lambda y, t: -y, double(1.0), double([0.0, 1.0, 1.0, 2.0]), method=method, rtol=1e-9, atol=1e-9)
    assert_close(repeated, np.exp([0.0, -1.0, -1.0, -2.0]), dtype="float64", rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_solution_that_scipy_does_not_reach():
    with (
        pytest.raises(ConvergenceError, match=r"odeint did not reach the end: .*time 1 of 2, method='RK45'"),
        np.errstate(all="ignore"),
    ):
        odeint(lambda y, t: y * y, double(1.0), double([0.0, 2.0]), method="RK45")


def test_without_scipy(xp, monkeypatch):
    imported = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("scipy"):
            raise ImportError(name)
        return imported(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"needs SciPy for method='RK45'.*pip install .*\[scipy\]"):
        odeint(lambda y, t: y, double(1.0), double([0.0, 1.0]), method="RK45")
    assert_close(odeint(lambda y, t: 0 * y, double(1.0), double([0.0, 1.0])), [1.0, 1.0], dtype="float64")
    assert "RK45" in ode.METHODS


def test_fixed_points_that_run_away(xp):
    with pytest.raises(ConvergenceError, match=r"a residual of (inf|nan)"), np.errstate(all="ignore"):
        fixed_point(lambda x: x * x * 1e5, double(10.0), memory=0)
    with pytest.raises(ValueError, match=r"`tangent_solve` of fixed_point must be a function"):
        fixed_point(lambda x: x / 2, double(1.0), tangent_solve=3)


def test_fixed_points_with_a_solver_of_the_tangents():
    """x = cos(a x): dx/da = -x sin(a x) / (1 + a sin(a x))."""
    asked = []

    def solver(g: Any, y: Any) -> Any:
        asked.append(1)
        return direct(g, y)

    def point(a: Any) -> Any:
        f = lambda x: array_namespace(x, a).cos(a * x)
        return fixed_point(f, double([1.0]), tangent_solve=solver)[0]

    x = float(point(double(1.0)))
    assert math.isclose(x, math.cos(x), rel_tol=1e-8)
    assert_close(grad(point)(double(1.0)), -x * math.sin(x) / (1 + math.sin(x)), dtype="float64", rtol=1e-6)
    assert asked


def test_an_acceleration_that_misleads_is_dropped():
    """On this map residuals grow while few differences are remembered: about 40 steps, and 160 if none is dropped."""
    matrix = np.asarray([
        [0.18, -0.03, -0.27, 0.25], [0.19, -0.05, 0.38, -0.06], [-0.2, -0.03, 0.19, -0.17], [0.35, -0.16, 0.17, 0.1],
    ])  # fmt: skip
    shift, steps = np.asarray([-0.76, 0.18, -0.44, 0.77]), []

    def f(x: Any) -> Any:
        steps.append(x)
        return np.tanh(5.17 * (matrix @ x + shift)) * 2 + np.sin(5.17 * x) * 0.11

    point = fixed_point(f, np.zeros(4), tolerance=1e-10, max_iterations=300)
    assert len(steps) <= 52
    np.testing.assert_allclose(f(point), point, atol=1e-9)


def test_integrals_of_no_length(xp):
    for end in (math.inf, -math.inf, 2.0):
        assert float(quadrature(lambda x: array_namespace(x).exp(-(x * x)), end, end)) == 0.0
    gauss = quadrature(lambda x: array_namespace(x).exp(-(x * x)), math.inf, -math.inf)
    assert math.isclose(float(gauss), -math.sqrt(math.pi), rel_tol=1e-6)


def test_a_derivative_that_is_not_finite(xp):
    """The slope of the square root at 0 is infinite."""
    f = lambda a: custom_root(lambda x: array_namespace(x).sqrt(x) - a, double([1.0]), lambda f, x: x * 0)
    with pytest.raises(ConvergenceError, match=r"singular.*Received: a residual of nan"), np.errstate(all="ignore"):
        grad(lambda a: f(a)[0])(double([0.0]))


def test_loops_over_what_is_no_array(xp):
    with pytest.raises(TypeError, match=r"must be an array, or a tree of arrays and numbers.*of type str"):
        while_loop(lambda v: False, lambda v: v, "a")
    with pytest.raises(TypeError, match=r"must be an array, or a tree of arrays and numbers.*of type str"):
        scan(lambda c, x: (c, x), {"a": "b"}, double([1.0]))
    with pytest.raises(TypeError, match=r"`f` of scan must return \(carry, y\) with arrays.*Received: str"):
        scan(lambda c, x: (c, "y"), double(1.0), double([1.0, 2.0]))


def test_integers_where_floating_point_is_needed(xp):
    whole = asarray([1, 2], "int32")
    for call in (
        lambda: fixed_point(lambda x: x, whole),
        lambda: odeint(lambda y, t: y, whole, double([0.0, 1.0])),
        lambda: odeint(lambda y, t: y, double([1.0]), whole),
    ):
        with pytest.raises(TypeError, match=r"must be a floating-point array, or a tree of them.*of dtype .*int32"):
            call()
    assert unwrap(whole) is whole

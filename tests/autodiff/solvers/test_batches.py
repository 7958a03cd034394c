"""Solvers under vmap, where the equation itself differs between the examples: beside a loop over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.optimize

from portanet.autodiff import (
    ConvergenceError,
    array_namespace,
    cg,
    custom_linear_solve,
    custom_minimum,
    custom_root,
    fixed_point,
    gmres,
    grad,
    hessian,
    jacobian,
    jvp,
    odeint,
    on_host,
    quadrature,
    vmap,
    while_loop,
)
from portanet.optimizers import bisect, minimize
from portanet.optimizers import newton as newton_root
from tests.autodiff.solvers.test_implicit import direct, newton
from tests.support import asarray, assert_close, to_numpy


def double(values: Any) -> Any:
    return asarray(values, "float64")


scipy_root = on_host(lambda f, x0: scipy.optimize.root(f, x0, jac=f.jac, tol=1e-13).x)
bfgs = on_host(lambda f, x0: scipy.optimize.minimize(f, x0, jac=f.jac, tol=1e-12).x)


def matrix(a: Any) -> Any:
    """A symmetric positive definite matrix of a number."""
    xp = array_namespace(a)
    return xp.stack([xp.stack([a + 3.0, a * 0.5]), xp.stack([a * 0.5, a * a + 1.0])])


def right(a: Any) -> Any:
    xp = array_namespace(a)
    return xp.stack([xp.sin(a), a])


def product(a: Any) -> Callable[[Any], Any]:
    return lambda x: array_namespace(a, x).matmul(matrix(a), x)


def counted(a: Any) -> Any:
    """Newton's iteration with a number of steps of its own for each example."""
    far = lambda v: abs(v["x"] * v["x"] - a) > 1e-13 * a
    step = lambda v: {"x": (v["x"] + a / v["x"]) / 2, "n": v["n"] + 1}
    return while_loop(far, step, {"x": a * 1.5, "n": 0})["x"]


def leaving(a: Any) -> Any:
    """One step more than the condition allows would leave the domain."""
    return while_loop(lambda y: y > 1.0, lambda y: array_namespace(y).sqrt(y - 1.0), a * 4.0)


def equation(a: Any) -> Callable[[Any, Any], Any]:
    return lambda y, t: array_namespace(a, y).sin(t * a) - a * y


TIMES = [0.0, 0.4, 1.0]


def decay(a: Any, **options: Any) -> Any:
    return odeint(equation(a), a * 0.0 + 1.0, double(TIMES), rtol=1e-7, atol=1e-7, **options)[2]


def decay_at(a: Any) -> Any:
    xp = array_namespace(a)
    times = xp.stack([a * 0.0, a, a * 2.0])
    return odeint(lambda y, t: -y * t, a, times, rtol=1e-7, atol=1e-7)[2]


SOLVERS: dict[str, Callable[[Any], Any]] = {
    "root": lambda a: custom_root(lambda x: x**3 - a, double(1.0), newton),
    "root of scipy": lambda a: custom_root(lambda x: x**3 + x - a, double([1.0]), scipy_root)[0],
    "linear": lambda a: custom_linear_solve(product(a), right(a), direct, direct)[1],
    "cg": lambda a: cg(product(a), right(a), rtol=1e-12)[0],
    "gmres": lambda a: gmres(product(a), double([1.0, 2.0]), rtol=1e-12)[0],
    "fixed point": lambda a: fixed_point(lambda x: array_namespace(x).cos(a * x * 0.4), double(1.0), 1e-13),
    "minimum of scipy": lambda a: custom_minimum(lambda x: (x[0] - a) ** 2 * (1 + 0 * a), double([0.0]), bfgs)[0] ** 2,
    "minimize": lambda a: minimize(lambda x: (x - a) ** 2 + (x * a) ** 2, double(1.0), tolerance=1e-12).x,
    "bisect": lambda a: bisect(lambda x: x**3 + x - a, double(0.0), a + 1.0).x,
    "newton": lambda a: newton_root(lambda x: x**3 + x - a, double(1.0)).x,
    "while": counted,
    "while, leaving": leaving,
    "ode": decay,
    "ode, direct": lambda a: decay(a, gradient="direct"),
    "ode, one start": lambda a: odeint(equation(a), double(1.0), double([0.0, 0.4]), rtol=1e-7, gradient="direct")[1],
    "ode of scipy": lambda a: decay(a, method="RK45"),
    "ode at other times": decay_at,
    "quadrature": lambda a: quadrature(lambda x: array_namespace(x, a).exp(-x * x * a), -a, 2.0 * a, rtol=1e-11),
    "quadrature to infinity": lambda a: quadrature(lambda x: a / (1 + (x * a) ** 4), a, np.inf, rtol=1e-11),
    "fixed rule": lambda a: quadrature(lambda x: array_namespace(x, a).cos(x * a), 0.0, a, n=6),
}
HERE = [0.6, 1.1, 2.3]


def total(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda a: array_namespace(a).sum(vmap(f)(a) ** 2)


def squared(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda a: f(a) ** 2


SAMPLE = {
    "strict": {"root", "linear", "minimize", "while", "ode", "ode, one start", "quadrature"},
    "jax": {"root", "while"},
}
"""What runs where everything is slow."""


@pytest.mark.parametrize("name", SOLVERS)
def test_values_and_first_derivatives(backend, xp, name):
    if name not in SAMPLE.get(backend.name, SOLVERS):
        pytest.skip("slow")
    f, a = SOLVERS[name], double(HERE)
    rows = [double(x) for x in HERE]
    tolerance = {"rtol": 2e-5, "atol": 1e-6} if "ode" in name else {"rtol": 1e-7, "atol": 1e-9}
    slopes = [float(grad(f)(x)) for x in rows]
    assert_close(vmap(f)(a), [float(f(x)) for x in rows], dtype="float64", **tolerance)
    assert_close(vmap(grad(f))(a), slopes, dtype="float64", **tolerance)
    if backend.name == "strict" and name == "ode":
        return  # slow
    assert_close(grad(total(f))(a), [float(grad(squared(f))(x)) for x in rows], dtype="float64", **tolerance)
    assert_close(jvp(vmap(f), (a,), (a,))[1], np.multiply(slopes, HERE), dtype="float64", **tolerance)
    assert_close(vmap(lambda x: jvp(f, (x,), (x,))[1])(a), np.multiply(slopes, HERE), dtype="float64", **tolerance)


@pytest.mark.parametrize(
    "name", ["root", "newton", "cg", "fixed point", "minimize", "while", "ode", "ode, direct", "quadrature"]
)
def test_second_derivatives_in_every_order(backend, xp, name):
    if backend.name not in ("numpy", "torch") and name not in ("root", "while"):
        pytest.skip("slow")
    f, a = SOLVERS[name], double(HERE)
    tolerance = {"rtol": 2e-4, "atol": 1e-5} if "ode" in name else {"rtol": 1e-6, "atol": 1e-8}
    curvatures = [float(grad(grad(f))(double(x))) for x in HERE]
    assert_close(vmap(grad(grad(f)))(a), curvatures, dtype="float64", **tolerance)
    assert_close(vmap(hessian(f))(a), curvatures, dtype="float64", **tolerance)
    assert_close(jacobian(vmap(grad(f)))(a), np.diag(curvatures), dtype="float64", **tolerance)
    plain_total = lambda a: array_namespace(a).sum(vmap(f)(a))
    assert_close(hessian(plain_total)(a), np.diag(curvatures), dtype="float64", **tolerance)
    assert_close(grad(lambda a: array_namespace(a).sum(vmap(grad(f))(a)))(a), curvatures, dtype="float64", **tolerance)


@pytest.mark.parametrize("name", ["root", "gmres", "ode", "quadrature", "while"])
def test_nested_batches(backend, xp, name):
    """One argument differs along each of two batches."""
    if backend.name not in ("numpy", "torch") and name not in ("root", "while"):
        pytest.skip("slow")
    f = lambda a, b: SOLVERS[name](a * b)
    a, b = double(HERE[:2]), double([0.9, 1.2, 1.4])
    both = vmap(vmap(f, (None, 0)), (0, None))
    want = [[float(f(double(x), double(y))) for y in to_numpy(b)] for x in to_numpy(a)]
    assert_close(both(a, b), want, dtype="float64", rtol=1e-5)
    slope = vmap(vmap(grad(f), (None, 0)), (0, None))(a, b)
    want = [[float(grad(f)(double(x), double(y))) for y in to_numpy(b)] for x in to_numpy(a)]
    assert_close(slope, want, dtype="float64", rtol=2e-5)


def test_batched_guesses_and_auxiliary_results(xp):
    """Each example starts where its guess is; numbers of auxiliary results become arrays."""

    def solve(f: Any, x: Any) -> Any:
        return newton(f, x), {"start": float(x), "by": "newton", "root": x * 2.0}

    def f(a: Any, guess: Any) -> Any:
        root, aux = custom_root(lambda x: x * x - a, guess, solve, has_aux=True)
        assert aux["by"] == "newton"
        return root, aux["start"], aux["root"]

    root, start, twice = vmap(f)(double([4.0, 9.0]), double([1.0, -2.0]))
    assert_close(root, [2.0, -3.0], dtype="float64")
    assert_close(start, [1.0, -2.0], dtype="float64")
    assert_close(twice, [2.0, -4.0], dtype="float64")
    only = vmap(lambda guess: custom_root(lambda x: x * x - 4.0, guess, newton))(double([1.0, -2.0]))
    assert_close(only, [2.0, -2.0], dtype="float64")


def test_results_of_minimize_are_those_of_each_example(xp):
    f = lambda a: minimize(lambda x: (x - a) ** 2 + a, double(0.0), tolerance=1e-10)
    x, value, converged = vmap(lambda a: (f(a).x, f(a).value, f(a).converged))(double([1.0, 3.0]))
    assert_close(x, [1.0, 3.0], dtype="float64")
    assert_close(value, [1.0, 3.0], dtype="float64")
    assert to_numpy(converged).all()


def test_starts_of_linear_solvers_that_differ(xp):
    f = lambda x0: cg(lambda x: 2.0 * x, double([1.0, 2.0]), x0)
    assert_close(vmap(f)(double([[0.0, 0.0], [5.0, 5.0]])), [[0.5, 1.0], [0.5, 1.0]], dtype="float64")
    g = lambda a, x0: gmres(product(a), right(a), x0, rtol=1e-12)
    a = double(HERE)
    want = [to_numpy(gmres(product(x), right(x), rtol=1e-12)) for x in map(double, HERE)]
    assert_close(vmap(g)(a, double(np.ones((3, 2)))), want, dtype="float64")


def test_no_examples(xp):
    a = double(np.zeros(0))
    for name in ("root", "bisect", "newton", "cg", "minimize", "while", "ode", "ode at other times", "quadrature"):
        assert vmap(SOLVERS[name])(a).shape == (0,)


def test_conditions_of_finished_examples(xp):
    """Counters, beside jax.vmap of a while loop: finished examples stay as they are."""
    steps = lambda k: while_loop(lambda v: v[0] < k, lambda v: (v[0] + 1, v[1] * 1.5), (0, double(1.0)))
    n, power = vmap(steps)(asarray([0, 2, 5], "int32"))
    assert to_numpy(n).tolist() == [0, 2, 5]
    assert_close(power, [1.0, 1.5**2, 1.5**5], dtype="float64")
    jax = pytest.importorskip("jax")
    f = lambda x: jax.lax.while_loop(lambda y: y < 100.0, lambda y: y * y + 1.0, x)
    x = np.asarray([0.5, 3.0, 200.0])
    want, slope = jax.vmap(lambda x: jax.jvp(f, (x,), (1.0,)))(x)
    ours = lambda x: while_loop(lambda y: y < 100.0, lambda y: y * y + 1.0, x)
    assert_close(vmap(ours)(double(x)), np.asarray(want), dtype="float64", rtol=1e-6)
    assert_close(vmap(grad(ours))(double(x)), np.asarray(slope), dtype="float64", rtol=1e-6)


def test_an_example_without_a_solution_is_named_like_any_other(xp):
    f = lambda a: fixed_point(lambda x: x * a + 1.0, double(0.0), max_iterations=20, memory=0)
    with pytest.raises(ConvergenceError, match="fixed_point did not converge"):
        vmap(f)(double([0.1, 2.0]))

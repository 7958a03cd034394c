from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize

from portanet.autodiff import (
    ConvergenceError,
    array_namespace,
    check_grads,
    checkpoint,
    custom_linear_solve,
    custom_minimum,
    custom_root,
    fixed_point,
    grad,
    hessian,
    is_traced,
    jacobian,
    jvp,
    on_host,
    value_and_grad,
    vjp,
)
from portanet.optimizers import minimize
from tests.support import asarray, assert_close, to_numpy

rng = np.random.default_rng(3)
MATRIX = rng.normal(size=(3, 3)) + 4 * np.eye(3)
RIGHT = rng.normal(size=3)


def double(values: Any) -> Any:
    return asarray(values, "float64")


def newton(f: Any, x: Any) -> Any:
    """Newton's method; it sees plain arrays."""
    assert not is_traced(x)
    xp = array_namespace(x)
    for _ in range(10):
        value = f(x)
        assert not is_traced(value)
        slope = jacobian(f)(x)
        x = x - (xp.linalg.solve(slope, value) if x.ndim else value / slope)
    return x


def direct(g: Any, y: Any) -> Any:
    """A linear solver by the matrix."""
    matrix = jacobian(g)(y)
    return array_namespace(y).linalg.solve(matrix, y) if y.ndim else y / matrix


root = on_host(lambda f, x0: scipy.optimize.root(f, x0, jac=f.jac, tol=1e-13).x)
bfgs = on_host(lambda f, x0: scipy.optimize.minimize(f, x0, jac=f.jac, tol=1e-12).x)


def curved(a: Any, b: Any, x: Any) -> Any:
    """x + small nonlinear terms, so that the root is a smooth function of a and b."""
    xp = array_namespace(a, b, x)
    return xp.matmul(a, x) + 0.3 * xp.sin(x) - b


# Roots


def test_cube_root_to_third_order_against_closed_forms(xp):
    f = lambda a: custom_root(lambda x: x**3 - a, double(1.0), newton)
    a = double(2.0)
    wants = [2 ** (1 / 3), 2 ** (-2 / 3) / 3, -2 / 9 * 2 ** (-5 / 3), 10 / 27 * 2 ** (-8 / 3)]
    for want in wants:
        assert_close(f(a), want, dtype="float64", rtol=1e-12)
        f = grad(f)
    check_grads(lambda a: custom_root(lambda x: x**3 - a, double(1.0), newton), (a,), directions=1)


@pytest.mark.parametrize("solver", [newton, root], ids=["newton", "scipy"])
@pytest.mark.parametrize("tangent", [None, direct], ids=["default", "given"])
def test_a_system_of_equations(xp, solver, tangent):
    def f(a: Any, b: Any) -> Any:
        return custom_root(lambda x: curved(a, b, x), double(np.zeros(3)), solver, tangent)

    a, b = double(MATRIX), double(RIGHT)
    want = scipy.optimize.root(lambda x: MATRIX @ x + 0.3 * np.sin(x) - RIGHT, np.zeros(3), tol=1e-14).x
    assert_close(f(a, b), want, dtype="float64", rtol=1e-9)
    check_grads(f, (a, b), directions=1, order=2 if solver is newton and tangent is None else 1)


def test_trees_of_arrays_and_auxiliary_results(xp):
    def solve(f: Any, guess: Any) -> Any:
        return {"u": [asarray(3.0, "float64")], "v": asarray([2.0, 0.5], "float64")}, "steps: 0"

    def f(a: Any) -> Any:
        equations = lambda x: {"u": [x["u"][0] - a[0] * 3], "v": x["v"] * a - array_namespace(a, x["v"]).ones_like(a)}
        guess = {"u": [double(1.0)], "v": double([1.0, 1.0])}
        value, aux = custom_root(equations, guess, solve, has_aux=True, tolerance=1.0)
        assert aux == "steps: 0"
        return value["u"][0] * value["v"]

    # At a = (1, 2) the solver's answer is no root of v: the derivative is at its answer all the same.
    slope = jacobian(f)(double([1.0, 2.0]))
    assert_close(slope, [[3 * 2.0 - 3.0 * 2.0, 0.0], [3 * 0.5, -3.0 * 0.25]], dtype="float64")


def test_inside_other_transformations(xp):
    """Levels that enclose each other, all of which the function closes over."""

    def f(a: Any) -> Any:
        inner = lambda b: custom_root(lambda x: x**3 + x * a - b * a, double(1.0), newton)
        return grad(inner)(a) + jvp(inner, (a * a,), (a,))[1] * a

    x = lambda a, b: custom_root(lambda x: x**3 + x * a - b * a, double(1.0), newton)
    plain = lambda a: a / (3 * x(a, a) ** 2 + a) + a * a * a / (3 * x(a, a * a) ** 2 + a)
    a = double(1.3)
    assert_close(f(a), to_numpy(plain(a)), dtype="float64")
    assert_close(grad(f)(a), to_numpy(grad(plain)(a)), dtype="float64")
    check_grads(f, (a,), order=1)


def test_a_checkpoint_inside(xp):
    f = lambda a: custom_root(lambda x: checkpoint(lambda y: y**3 - y * a - a)(x), double(2.0), newton)
    check_grads(f, (double(2.0),), directions=1)


def test_complex_roots_and_functions_that_are_not_holomorphic(xp):
    def steps(f: Any, x: Any) -> Any:
        for _ in range(40):
            x = x - f(x) / jvp(f, (x,), (array_namespace(x).ones_like(x),))[1]
        return x

    z = asarray(2.0 + 1j, "complex128")
    f = lambda z: custom_root(lambda x: x * x * x - x * z - z, asarray(1.0 + 1j, "complex128"), steps)
    assert abs(complex(f(z)) ** 3 - (2 + 1j) * complex(f(z)) - (2 + 1j)) < 1e-12
    check_grads(f, (z,), directions=1)

    def conjugated(z: Any) -> Any:
        solve = lambda f, x: on_host(lambda g, x0: np.linalg.solve(g.jac(x0), g.jac(x0) @ x0 - g(x0)))(f, x)
        equation = lambda x: 3 * x + array_namespace(x, z).conj(x) * z - 1
        return custom_root(equation, asarray(1.0 + 1j, "complex128"), solve)

    check_grads(conjugated, (asarray(0.3 + 0.2j, "complex128"),), order=1)


def test_float32(xp):
    f = lambda a: custom_root(lambda x: x**3 - a, asarray(1.0), newton)
    value, slope = value_and_grad(f)(asarray(2.0))
    assert_close(value, 2 ** (1 / 3))
    assert_close(slope, 2 ** (-2 / 3) / 3)


def test_empty_arrays(xp):
    f = lambda a: custom_root(lambda x: x - a, double(np.zeros(0)), lambda f, x: x)
    value, pullback = vjp(f, double(np.zeros(0)))
    assert_close(value, np.zeros(0), dtype="float64")
    assert_close(pullback(double(np.zeros(0)))[0], np.zeros(0), dtype="float64")


def test_without_derivative_the_solver_gets_what_it_was_given(xp):
    seen = []
    solver = lambda f, x: seen.append((f(x), x)) or x
    x = double([1.0, 2.0])
    assert custom_root(lambda x: x - x, x, solver) is x
    assert not is_traced(seen)


def test_a_large_system_is_solved_by_gmres(xp):
    size = 80
    weights = double(rng.normal(size=(size, size)) / 20)

    def f(b: Any) -> Any:
        step = lambda x: array_namespace(x, b).tanh(array_namespace(x, b).matmul(weights, x)) + b
        return array_namespace(b).sum(fixed_point(step, double(np.zeros(size)), 1e-13) ** 2)

    b = double(rng.normal(size=size))
    x = to_numpy(fixed_point(lambda x: array_namespace(x).tanh(array_namespace(x).matmul(weights, x)) + b, b * 0))
    w = to_numpy(weights)
    slope = np.eye(size) - (1 - np.tanh(w @ x) ** 2)[:, None] * w
    assert_close(grad(f)(b), np.linalg.solve(slope.T, 2 * x), dtype="float64", rtol=1e-7)


def test_a_dependence_behind_a_condition(xp):
    """At the guess, the function does not depend on a."""
    f = lambda a: custom_root(lambda x: x - 1.0 if x < 0.5 else -(a - x), double(0.0), lambda f, x: double(3.0))
    assert_close(grad(f)(double(3.0)), 1.0, dtype="float64")


# Fixed points


@pytest.mark.parametrize("memory", [0, 5])
def test_fixed_points(xp, memory):
    def f(a: Any) -> Any:
        step = lambda x: {"p": array_namespace(x["p"], a).cos(a * x["p"]), "q": 0.5 * x["q"] + x["p"]}
        start = {"p": double([1.0, 0.3]), "q": double([0.0, 0.0])}
        return fixed_point(step, start, 1e-12, memory=memory)["q"]

    a = double([1.0, 0.5])
    want = [scipy.optimize.brentq(lambda x, a=a: np.cos(a * x) - x, 0, 2, xtol=1e-14) * 2 for a in (1.0, 0.5)]
    assert_close(f(a), want, dtype="float64")
    check_grads(f, (a,), directions=1, order=2 if memory else 1)


def test_acceleration_needs_fewer_steps():
    counts = []
    for memory in (0, 5):
        seen: list[int] = []
        fixed_point(lambda x, seen=seen: seen.append(1) or 0.97 * np.cos(x), np.asarray([1.0]), 1e-12, memory=memory)
        counts.append(len(seen))
    assert counts[1] < counts[0] / 3


# Minima


@pytest.mark.parametrize("tool", ["scipy", "minimize", "newton-cg"])
def test_minima(backend, xp, tool):
    if backend.name == "strict" and tool == "newton-cg":
        pytest.skip("slow")

    def objective(a: Any, x: Any) -> Any:
        xp = array_namespace(a, x["v"])
        return xp.sum((x["v"] - a) ** 4 + x["v"] ** 2 * a) + (x["s"] - a[0]) ** 2 * (1 + x["s"] ** 2)

    def f(a: Any) -> Any:
        start = {"v": double([1.0, 1.0]), "s": double(1.0)}
        if tool == "scipy":
            return custom_minimum(lambda x: objective(a, x), start, bfgs)
        method = "l-bfgs" if tool == "minimize" else tool
        return minimize(lambda x: objective(a, x), start, method, tolerance=1e-11).x

    a = double([1.0, 2.0])
    if tool == "scipy":  # whose results are not accurate enough for finite differences
        slope = jacobian(f)(a)
        tool = "newton-cg"
        want = jacobian(f)(a)
        assert_close(slope["v"], to_numpy(want["v"]), dtype="float64", rtol=1e-4)
        assert_close(slope["s"], to_numpy(want["s"]), dtype="float64", rtol=1e-4)
        tool = "scipy"
    else:
        check_grads(f, (a,), tol=1e-4, directions=1)
    v = to_numpy(f(a)["v"])
    np.testing.assert_allclose(4 * (v - [1, 2]) ** 3 + 2 * np.asarray([1, 2]) * v, 0, atol=1e-4)


def test_least_squares_of_scipy_through_its_normal_equations(xp):
    data = double([1.0, 0.7, 0.4, 0.3])
    t = double([0.0, 1.0, 2.0, 3.0])

    def residuals(x: Any, data: Any) -> Any:
        xp = array_namespace(x, data)
        return xp.subtract(x[0] * xp.exp(-x[1] * t), data)

    def fitted(data: Any) -> Any:
        def normal(x: Any) -> Any:
            value, pullback = vjp(lambda x: residuals(x, data), x)
            return pullback(value)[0]

        def solve(_: Any, x0: Any) -> Any:
            fit = on_host(lambda f, x0: scipy.optimize.least_squares(f, x0, f.jac, xtol=1e-14, ftol=1e-14).x)
            return fit(lambda x: residuals(x, data), x0)

        return custom_root(normal, double([1.0, 0.5]), solve)

    check_grads(fitted, (data,), order=1)


def test_ridge_regression_tuned_by_its_error_on_other_data(xp):
    """The gradient by the penalty: closed form of ridge regression, differentiated directly."""
    x, y = double(rng.normal(size=(8, 3))), double(rng.normal(size=8))
    other, target = double(rng.normal(size=(5, 3))), double(rng.normal(size=5))

    def error(w: Any) -> Any:
        xp = array_namespace(w)
        return xp.mean((xp.matmul(other, w) - target) ** 2)

    def implicit(penalty: Any) -> Any:
        def loss(w: Any) -> Any:
            xp = array_namespace(w, penalty)
            return xp.sum((xp.matmul(x, w) - y) ** 2) + penalty * xp.sum(w * w)

        return error(minimize(loss, double(np.zeros(3)), tolerance=1e-12).x)

    def closed(penalty: Any) -> Any:
        xp = array_namespace(penalty)
        gram = xp.matmul(xp.matrix_transpose(x), x)
        eye = double(np.eye(3))
        return error(xp.linalg.solve(penalty * eye + gram, xp.matmul(xp.matrix_transpose(x), y)))

    penalty = double(0.7)
    assert_close(grad(implicit)(penalty), to_numpy(grad(closed)(penalty)), dtype="float64", rtol=1e-7)
    assert_close(hessian(implicit)(penalty), to_numpy(hessian(closed)(penalty)), dtype="float64", rtol=1e-6)


# Linear systems


@pytest.mark.parametrize("symmetric", [False, True])
def test_linear_systems(xp, symmetric):
    def f(a: Any, b: Any) -> Any:
        xp = array_namespace(a, b)
        if symmetric:
            a = xp.matmul(xp.matrix_transpose(a), a)
        product = lambda x: array_namespace(a, x).matmul(a, x)
        return custom_linear_solve(product, b, direct, None if symmetric else direct, symmetric)

    a, b = double(MATRIX), double(RIGHT)
    matrix = MATRIX.T @ MATRIX if symmetric else MATRIX
    assert_close(f(a, b), np.linalg.solve(matrix, RIGHT), dtype="float64")
    check_grads(f, (a, b), directions=1)


def test_each_transposed_system_is_solved_once_for_all(xp):
    """The gradient costs one transposed solution, however the solver works."""
    calls: list[str] = []

    def solve(name: str) -> Any:
        return lambda g, y: calls.append(name) or direct(g, y)

    a, b = double(MATRIX), double(RIGHT)
    product = lambda a: lambda x: array_namespace(a, x).matmul(a, x)
    total = lambda a: array_namespace(a).sum(custom_linear_solve(product(a), b, solve("solve"), solve("transpose")))
    want = -np.outer(np.linalg.solve(MATRIX.T, np.ones(3)), np.linalg.solve(MATRIX, RIGHT))
    assert_close(grad(total)(a), want, dtype="float64")
    assert calls == ["solve", "transpose"]


# Errors


def test_reverse_mode_without_a_transposed_solver(xp):
    f = lambda b: custom_linear_solve(lambda x: 2.0 * x, b, direct)
    assert_close(jvp(f, (double(1.0),), (double(1.0),))[1], 0.5, dtype="float64")
    with pytest.raises(TypeError, match=r"give custom_linear_solve the argument `transpose_solve`"):
        grad(f)(double(1.0))


def test_a_singular_derivative_is_an_error(xp):
    """The root x = 0 of x**2 = a at a = 0, and a matrix of rank 1."""
    f = lambda a: custom_root(lambda x: x * x - a, double(1.0), lambda f, x: x * 0.0)
    for derivative in (grad(f), lambda a: jvp(f, (a,), (a + 1.0,))):
        with pytest.raises(ConvergenceError, match=r"singular: the equation does not determine its solution"):
            derivative(double(0.0))
    ones = double([[1.0, 1.0], [1.0, 1.0]])
    g = lambda a: custom_root(lambda x: array_namespace(x).matmul(ones, x) - a, double([0.0, 0.0]), lambda f, x: x)
    with pytest.raises(ConvergenceError, match="singular"):
        vjp(g, double([0.0, 0.0]))[1](double([1.0, 0.0]))


def test_a_fixed_point_that_is_not_reached(xp):
    with pytest.raises(ValueError, match=r"The result of argument `f` of fixed_point must have"):
        fixed_point(lambda x: None, double(0.0))
    with pytest.raises(ConvergenceError, match=r"after 20 iterations a residual of"):
        fixed_point(lambda x: x + 1.0, double(0.0), max_iterations=20)
    with pytest.raises(ConvergenceError, match=r"after 9 iterations a residual of 1\.97e\+04"):
        fixed_point(lambda x: x * 3.0 + 1.0, double(1.0), max_iterations=9, memory=0)


def test_results_of_another_form(xp):
    x = double([1.0, 2.0])
    with pytest.raises(ValueError, match=r"The result of the function of custom_root must have .*Received: \(\) "):
        custom_root(lambda x: x[0], x, newton)
    with pytest.raises(ValueError, match=r"The result of argument `solve` of custom_root must have"):
        custom_root(lambda x: x, x, lambda f, x: x[0])
    with pytest.raises(TypeError, match=r"`initial_guess` of custom_root must be a floating-point array"):
        custom_root(lambda x: x, asarray([1, 2], "int32"), newton)
    with pytest.raises(TypeError, match=r"With has_aux=True, `solve` of custom_root must return"):
        custom_root(lambda x: x, x, lambda f, x: x, has_aux=True)
    with pytest.raises(ValueError, match=r"on_host must return and pass on vectors of shape \(2,\)"):
        custom_root(lambda x: x, x, on_host(lambda f, x0: x0[:1]))

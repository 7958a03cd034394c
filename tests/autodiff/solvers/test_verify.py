"""What solvers return is checked, and so are the operators that they get."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    ConvergenceError,
    array_namespace,
    cg,
    custom_linear_solve,
    custom_minimum,
    custom_root,
    gmres,
    grad,
    odeint,
    quadrature,
    vmap,
)
from tests.autodiff.solvers.test_implicit import direct, newton
from tests.support import asarray, assert_close


def double(values: Any) -> Any:
    return asarray(values, "float64")


def matmul(values: Any) -> Any:
    matrix = double(values)
    return lambda x: array_namespace(x).matmul(matrix, x)


def test_an_affine_operator(xp):
    b = double([1.0, 2.0])
    affine = lambda x: 2.0 * x + 1.0
    for solver in (cg, gmres):
        with pytest.raises(ValueError, match=rf"`A` of {solver.__name__} must be linear.*Received: A\(2 x\) of norm"):
            solver(affine, b)
    with pytest.raises(ValueError, match=r"`matvec` of custom_linear_solve must be linear"):
        custom_linear_solve(affine, b, lambda f, y: (y - 1.0) / 2.0)


def test_an_operator_that_is_not_linear(xp):
    for solver in (cg, gmres):
        with pytest.raises(ValueError, match=r"`A` of .* must be linear"):
            solver(lambda x: x * x * x, double([1.0, 2.0]))


@pytest.mark.parametrize("matrix", [[[2.0, 1.0], [0.0, 2.0]], [[4.0, 1.0], [-1.0, 4.0]], [[1.0, 5.0], [0.0, 2.0]]])
def test_an_operator_that_is_not_symmetric(xp, matrix):
    """Also where the right-hand side is an eigenvector, for which conjugate gradients end after one step."""
    for b in ([1.0, 2.0], [1.0, 0.0]):
        with pytest.raises(ValueError, match=r"`A` of cg must be symmetric.*Use gmres"):
            cg(matmul(matrix), double(b))


def test_symmetric_and_hermitian_operators_pass(xp):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(6, 6)) + 1j * rng.normal(size=(6, 6))
    matrix = matrix @ matrix.conj().T + np.eye(6)
    right = rng.normal(size=6) + 1j
    product = asarray(matrix, "complex128")
    solution = cg(lambda x: array_namespace(x).matmul(product, x), asarray(right, "complex128"), rtol=1e-12)
    assert_close(solution, np.linalg.solve(matrix, right), dtype="complex128", rtol=1e-8)
    small = matmul(np.diag([1e-200, 2e-200]))
    assert_close(cg(small, double([1e-190, 4e-190])), [1e10, 2e10], dtype="float64")
    assert_close(cg(small, double([0.0, 0.0])), [0.0, 0.0], dtype="float64")


def test_the_residual_at_the_end_is_the_true_one(xp):
    """Linear along the right-hand side alone: the updated residual becomes small, the true one does not."""

    def product(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.stack([x[0] * 2.0, x[1] * 3.0]) + xp.stack([xp.abs(x[0] - x[1]), x[0] * 0.0])

    with pytest.raises((ConvergenceError, ValueError), match=r"cg .*`A`|`A` of cg"):
        cg(product, double([1.0, 1.0]))


def test_a_wrong_root(xp):
    f = lambda a, **options: custom_root(lambda x: x**3 - a, double(1.0), lambda f, x: x, **options)
    with pytest.raises(ConvergenceError, match=r"`solve` of custom_root must return a solution.*residual of norm 7"):
        f(double(8.0))
    with pytest.raises(ConvergenceError, match="`solve` of custom_root"):
        grad(f)(double(8.0))
    with pytest.raises(ConvergenceError, match="`solve` of custom_root"):
        vmap(f)(double([1.0, 8.0]))
    with pytest.raises(ConvergenceError, match="residual of norm nan"):
        custom_root(lambda x: x**3 - 8.0, double(1.0), lambda f, x: x * math.nan)
    assert_close(f(double(8.0), tolerance=1.0), 1.0, dtype="float64")
    assert_close(f(double(1.0)), 1.0, dtype="float64")
    with pytest.raises(ValueError, match=r"`tolerance` of custom_root"):
        f(double(8.0), tolerance=-1.0)


def test_a_root_as_good_as_the_tolerance(xp):
    near = lambda error: lambda f, x: newton(f, x) * (1.0 + error)
    f = lambda a, error, **options: custom_root(lambda x: x**3 - a, double(1.0), near(error), **options)
    assert_close(f(double(8.0), 1e-7), 2.0, dtype="float64", rtol=1e-6)
    with pytest.raises(ConvergenceError, match="relative to x"):
        f(double(8.0), 1e-2)
    assert_close(f(double(8.0), 1e-2, tolerance=0.1), 2.02, dtype="float64", rtol=1e-6)


def test_a_wrong_minimum(xp):
    f = lambda a: custom_minimum(lambda x: (x - a) ** 2, double(0.0), lambda f, x: x)
    with pytest.raises(ConvergenceError, match=r"`solve` of custom_minimum"):
        f(double(3.0))
    assert_close(f(double(0.0)), 0.0, dtype="float64")


def test_a_wrong_solution_of_a_linear_system(xp):
    b = double([1.0, 2.0])
    wrong = lambda g, y: y * 0.4
    with pytest.raises(ConvergenceError, match=r"`solve` of custom_linear_solve must solve the system"):
        custom_linear_solve(lambda x: 2.0 * x, b, wrong)
    total = lambda solve, back: lambda b: array_namespace(b).sum(custom_linear_solve(lambda x: 2.0 * x, b, solve, back))
    with pytest.raises(ConvergenceError, match=r"`transpose_solve` of custom_linear_solve must solve the system"):
        grad(total(direct, wrong))(b)
    assert_close(custom_linear_solve(lambda x: 2.0 * x, b, wrong, tolerance=0.5), [0.4, 0.8], dtype="float64")


def test_a_wrong_tangent_solve(xp):
    f = lambda a: custom_root(lambda x: x**3 - a, double(1.0), newton, lambda g, y: y)
    with pytest.raises(ConvergenceError, match=r"`tangent_solve` of custom_root must solve the system"):
        grad(f)(double(8.0))


def test_a_function_that_ends_at_its_root_is_not_refused(xp):
    """The step of the check leaves the domain: x = 1 is a root, and beyond it the function is NaN."""
    f = lambda x: array_namespace(x).sqrt(1.0 - x) + (1.0 - x) * 2.0
    with np.errstate(all="ignore"):
        assert_close(custom_root(f, double(0.5), lambda f, x: x * 0.0 + 1.0), 1.0, dtype="float64")


@pytest.mark.parametrize("n", [None, 10])
def test_points_have_the_precision_of_what_the_integrand_closes_over(xp, n):
    rate = double([1.0 / 3.0])
    integral = quadrature(lambda x: array_namespace(x).exp(x * rate), asarray(0.0), asarray(1.0), n=n)
    assert_close(integral, 3 * (math.exp(1 / 3) - 1), dtype="float64", rtol=1e-12)


def test_gmres_and_cg_name_the_dtypes_that_differ(xp):
    matrix = double([[2.0, 0.0], [0.0, 4.0]])
    product = lambda x: array_namespace(x).matmul(matrix, array_namespace(x).astype(x, matrix.dtype))
    for solver in (cg, gmres):
        with pytest.raises(ValueError, match=r"float32.*Received:.*float64"):
            solver(product, asarray([1.0, 2.0]))


@pytest.mark.parametrize("method", ["LSODA", "RK45", "dopri5"])
def test_a_solution_without_bound_ends_with_an_error(xp, method):
    with np.errstate(all="ignore"), pytest.raises(ConvergenceError, match=r"did not reach the end.*Received: time 1"):
        odeint(lambda y, t: y * y, double([1.0]), double([0.0, 2.0]), method=method)


def test_steps_of_scipy_are_limited(xp):
    with pytest.raises(ConvergenceError, match=r"the limit of 5 steps was reached.*method='Radau'"):
        odeint(lambda y, t: -y * 50.0, double([1.0]), double([0.0, 2.0]), method="Radau", max_steps=5)

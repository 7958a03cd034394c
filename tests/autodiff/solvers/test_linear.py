from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse.linalg

from portanet.autodiff import ConvergenceError, array_namespace, cg, check_grads, gmres, grad, jvp
from tests.support import asarray, assert_close

rng = np.random.default_rng(5)
SIZE = 5
GENERAL = rng.normal(size=(SIZE, SIZE)) + 5 * np.eye(SIZE)
DEFINITE = GENERAL @ GENERAL.T / 10
RIGHT = rng.normal(size=SIZE)


def double(values: Any) -> Any:
    return asarray(values, "float64")


@pytest.mark.parametrize(("solver", "matrix"), [(cg, DEFINITE), (gmres, GENERAL)], ids=["cg", "gmres"])
class TestBoth:
    def test_values_and_derivatives(self, xp, solver, matrix):
        def f(s: Any, b: Any) -> Any:
            xp = array_namespace(s, b)
            a = xp.expand_dims(s, axis=0) * xp.expand_dims(s, axis=1) + double(matrix)
            return solver(a, b, rtol=1e-13)

        s, b = double(rng.normal(size=SIZE)), double(RIGHT)
        assert_close(solver(double(matrix), b), np.linalg.solve(matrix, RIGHT), dtype="float64", rtol=1e-7)
        check_grads(f, (s, b), directions=1, order=2 if solver is cg else 1)

    def test_complex(self, xp, solver, matrix):
        a = matrix + 1j * rng.normal(size=(SIZE, SIZE)) / 3
        a = a @ a.conj().T if solver is cg else a
        b = RIGHT * (1 + 0.5j)
        matrix = asarray(a, "complex128")
        f = lambda b, s: solver(lambda x: array_namespace(x, s).matmul(matrix, x) * s, b, rtol=1e-13)
        s = double(1.5)
        assert_close(f(asarray(b), s), np.linalg.solve(1.5 * a, b), dtype="complex128", rtol=1e-7)
        check_grads(f, (asarray(b), s), order=1, directions=1)

    def test_trees_start_and_preconditioner(self, xp, solver, matrix):
        d = {"u": double([1.0, 20.0]), "v": double(300.0)}
        b = {"u": double([1.0, 2.0]), "v": double(3.0)}
        products: list[int] = []

        def diagonal(x: Any) -> Any:
            products.append(1)
            return {"u": x["u"] * d["u"], "v": x["v"] * d["v"]}

        inverse = lambda x: {"u": x["u"] / d["u"], "v": x["v"] / d["v"]}
        x = solver(diagonal, b, x0=b, M=inverse)
        assert_close(x["u"], [1.0, 0.1], dtype="float64")
        assert_close(x["v"], 0.01, dtype="float64")
        assert len(products) < 9  # some of which are checks
        check_grads(lambda b: solver(diagonal, b, M=inverse), (b,), order=1)

    def test_float32_and_empty(self, xp, solver, matrix):
        x = solver(asarray(matrix.astype("float32")), asarray(RIGHT.astype("float32")))
        assert_close(x, np.linalg.solve(matrix, RIGHT), rtol=3e-3)
        assert_close(solver(lambda x: x, asarray(np.zeros(0, "float32"))), np.zeros(0))
        assert_close(solver(lambda x: x, asarray(np.zeros(3, "float32"))), np.zeros(3))

    def test_no_convergence(self, xp, solver, matrix):
        # No other reason is given, such as that more steps would not help.
        with pytest.raises(
            ConvergenceError, match=rf"{solver.__name__} did not converge\. .*after 2 .*residual of [\d.]+"
        ):
            solver(double(matrix), double(RIGHT), maxiter=2)
        zero = double(np.diag([1.0, 0.0]))
        with pytest.raises(ConvergenceError, match=r"residual"):
            solver(zero, double([1.0, 1.0]))

    def test_bad_arguments(self, xp, solver, matrix):
        with pytest.raises(ValueError, match=r"`A` of \w+ must be a linear function, or a matrix of shape \(n, n\)"):
            solver(double(matrix), double([1.0, 2.0]))
        with pytest.raises(ValueError, match=r"`x0` of \w+ must have the structure"):
            solver(lambda x: x, double([1.0, 2.0]), x0=double([1.0]))
        with pytest.raises(TypeError, match=r"`b` of \w+ must be a floating-point array"):
            solver(lambda x: x, asarray([1, 2], "int64"))


def test_restarts_and_an_indefinite_operator(xp):
    matrix = np.diag(np.linspace(-1, 2, SIZE) + 0.01) + np.eye(SIZE, k=1)
    x = gmres(double(matrix), double(RIGHT), restart=SIZE)
    want, info = scipy.sparse.linalg.gmres(matrix, RIGHT, rtol=1e-12, restart=SIZE)
    assert info == 0
    assert_close(x, want, dtype="float64", rtol=1e-5)
    assert_close(
        gmres(double(GENERAL), double(RIGHT), restart=4), np.linalg.solve(GENERAL, RIGHT), dtype="float64", rtol=1e-7
    )
    with pytest.raises(ConvergenceError, match="not positive definite"):
        cg(double(-DEFINITE), double(RIGHT))


def test_the_start_has_no_derivative(xp):
    f = lambda x0: array_namespace(x0).sum(cg(double(DEFINITE), double(RIGHT), x0))
    assert_close(grad(f)(double(RIGHT)), np.zeros(SIZE), dtype="float64")
    assert_close(jvp(f, (double(RIGHT),), (double(RIGHT),))[1], 0.0, dtype="float64")


@pytest.mark.parametrize("solver", [cg, gmres])
def test_a_right_hand_side_that_is_not_finite(xp, solver):
    with pytest.raises(ValueError, match=r"`b` of (cg|gmres) must be finite"), np.errstate(all="ignore"):
        solver(lambda x: x * 2.0, asarray([math.inf, 1.0], "float64"))

"""Bisection and Newton's method, beside SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import optimizers
from portanet.autodiff import array_namespace, grad, jacobian, vmap
from portanet.backends import use_backend
from portanet.optimizers import bisect, newton
from tests.support import asarray, assert_close, to_numpy


def cubic(x: Any) -> Any:
    return x**3 - 2.0 * x - 5.0


def wave(x: Any) -> Any:
    return array_namespace(x).cos(x) - x


def circle_and_line(v: Any) -> Any:
    return {"x": v["x"] ** 2 + v["y"] ** 2 - 5.0, "y": v["x"] * 2.0 - v["y"]}


def pole(x: Any) -> Any:
    return 1.0 / (x - 0.3)


def jump(x: Any) -> Any:
    return array_namespace(x).sign(x - 0.3)


@pytest.mark.parametrize("f", [pole, jump])
def test_a_change_of_sign_without_a_root_has_not_converged(f: Any, backend: Any) -> None:
    result = bisect(f, asarray([-1.0, 0.0]), asarray([2.0, 1.5]))
    assert not result.converged
    assert "a pole or a step" in result.message


@pytest.mark.parametrize(("f", "a", "b"), [(cubic, 2.0, 3.0), (cubic, 3.0, 2.0), (wave, 0.0, 2.0), (cubic, -1e6, 1e6)])
def test_bisection_against_scipy(f: Any, a: float, b: float) -> None:
    scipy = pytest.importorskip("scipy.optimize")
    expected, report = scipy.bisect(lambda x: float(f(np.asarray(x))), a, b, xtol=1e-12, full_output=True)
    result = bisect(f, np.asarray(a), np.asarray(b), tolerance=1e-12)
    assert result.converged
    assert float(result.x) == pytest.approx(expected, abs=2e-12)
    assert abs(result.iterations - report.iterations) <= 2
    assert result.residual == abs(float(f(result.x)))


@pytest.mark.parametrize(("f", "start"), [(cubic, 2.0), (wave, 1.0), (cubic, -10.0)])
def test_newton_against_scipy(f: Any, start: float) -> None:
    scipy = pytest.importorskip("scipy.optimize")
    slope = {cubic: lambda x: 3 * x**2 - 2.0, wave: lambda x: -np.sin(x) - 1}[f]
    expected, report = scipy.newton(lambda x: float(f(np.asarray(x))), start, slope, full_output=True)
    result = newton(f, np.asarray(start))
    assert result.converged
    assert float(result.x) == pytest.approx(expected, rel=1e-14)
    assert abs(result.iterations - report.iterations) <= 1


def test_a_system_against_scipy(backend: Any) -> None:
    scipy = pytest.importorskip("scipy.optimize")
    expected = scipy.root(lambda v: [v[0] ** 2 + v[1] ** 2 - 5.0, 2 * v[0] - v[1]], [1.5, 1.0], tol=1e-12).x
    result = newton(circle_and_line, {"x": asarray(1.5, "float64"), "y": asarray(1.0, "float64")})
    assert result.converged
    assert_close(result.x["x"], expected[0], dtype="float64")
    assert_close(result.x["y"], expected[1], dtype="float64")


def test_each_element_has_its_root(backend: Any) -> None:
    y = asarray([[1.0, 2.0], [9.0, 0.0]])
    result = bisect(lambda x: x * x - y, asarray(np.zeros((2, 2))), asarray(np.full((2, 2), 10.0)))
    assert_close(result.x, np.sqrt([[1.0, 2.0], [9.0, 0.0]]), rtol=1e-6, atol=1e-6)
    assert result.converged
    assert_close(newton(lambda x: x * x - y - 1.0, asarray(np.ones((2, 2)))).x, np.sqrt([[2.0, 3.0], [10.0, 1.0]]))


def test_derivatives_by_what_the_function_closes_over(backend: Any) -> None:
    """The root of x^3 = y is y^(1/3), whose slope at 8 is 1/12 and whose second derivative is -1/144."""
    with use_backend(backend.name, backend.device, "float64"):
        y = asarray(8.0)
        by_halves = lambda y: bisect(lambda x: x**3 - y, asarray(0.0), asarray(4.0)).x
        by_slopes = lambda y: newton(lambda x: x**3 - y, asarray(3.0)).x
        for root in (by_halves, by_slopes):
            assert_close(root(y), 2.0)
            assert_close(grad(root)(y), 1 / 12)
        assert_close(grad(grad(by_slopes))(y), -1 / 144)


def test_of_many_elements_the_jacobian_is_diagonal() -> None:
    y = np.asarray([1.0, 4.0, 9.0])
    roots = lambda y: bisect(lambda x: x * x - y, np.zeros(3), np.full(3, 10.0)).x
    np.testing.assert_allclose(jacobian(roots)(y), np.diag([0.5, 0.25, 1 / 6]), atol=1e-12)


def test_each_example_of_a_batch_is_solved_alone(backend: Any) -> None:
    y, low = asarray([1.0, 8.0, 27.0], "float64"), asarray([0.0, 1.0, -1.0], "float64")
    high = asarray([4.0, 5.0, 6.0], "float64")

    def halves(y: Any, low: Any, high: Any) -> Any:
        result = bisect(lambda x: x**3 - y, low, high)
        return result.x, result.iterations, result.converged

    x, iterations, converged = vmap(halves)(y, low, high)
    assert_close(x, [1.0, 2.0, 3.0], dtype="float64")
    assert to_numpy(converged).all()
    assert to_numpy(iterations).max() > to_numpy(iterations).min() or to_numpy(iterations)[0] > 40
    slopes = vmap(grad(lambda y: newton(lambda x: x**3 - y, asarray(2.0, "float64")).x))(y)
    assert_close(slopes, [1 / 3, 1 / 12, 1 / 27], dtype="float64", rtol=1e-9)
    assert vmap(lambda y: newton(lambda x: x - y, y).x)(asarray(np.zeros(0))).shape == (0,)


def test_every_step_is_reported() -> None:
    halves, slopes = [], []
    bisect(lambda x: x - 0.7, np.asarray(0.0), np.asarray(1.0), max_iterations=3, callback=halves.append)
    assert [float(x) for x in halves] == [0.5, 0.75, 0.625]
    newton(lambda x: x * x, np.asarray(1.0), max_iterations=3, callback=slopes.append)
    assert [float(x) for x in slopes] == [0.5, 0.25, 0.125]


def test_roots_at_the_ends_and_at_the_start() -> None:
    for a, b in ((2.0, 5.0), (0.0, 2.0), (2.0, 2.0)):
        assert float(bisect(lambda x: x - 2.0, np.asarray(a), np.asarray(b)).x) == 2.0
    result = newton(lambda x: x - 2.0, np.asarray(2.0))
    assert (result.iterations, result.converged, float(result.x)) == (0, True, 2.0)


def test_reasons_to_stop() -> None:
    result = bisect(cubic, np.asarray(2.0), np.asarray(3.0), max_iterations=5)
    assert (result.converged, result.iterations) == (False, 5)
    assert result.message == "the limit of iterations was reached"
    result = newton(lambda x: x * x + 1.0, np.asarray(0.5), max_iterations=4)
    assert (result.converged, result.message) == (False, "the limit of iterations was reached")
    result = newton(lambda x: x * x + 1.0, np.asarray(0.0))
    assert (result.converged, result.message) == (False, "the derivative is singular, or not finite")
    with np.errstate(all="ignore"):
        result = newton(lambda x: array_namespace(x).log(x), np.asarray(5.0))
    assert (result.converged, result.message) == (False, "the steps led to where the function is not finite")


def test_ends_far_apart_and_no_elements() -> None:
    far = np.asarray(1.7e308)
    assert abs(float(bisect(lambda x: x - 1.0, -far, far, max_iterations=2000).x) - 1.0) < 1e-14
    with pytest.raises(ValueError, match=r"`a` and `b` of bisect must be finite. Received: a=-inf, b=1.0"):
        bisect(lambda x: x, np.asarray(-np.inf), np.asarray(1.0))
    none = np.zeros(0)
    assert bisect(cubic, none, none).converged
    assert newton(cubic, none).converged


def test_newton_in_half_precision() -> None:
    result = newton(lambda x: x * x - 2.0, np.asarray(2.0, dtype="float16"))
    assert result.converged
    assert result.x.dtype == np.float16
    assert abs(float(result.x) - 2**0.5) < 1e-3


def test_bad_input() -> None:
    one = np.asarray(1.0)
    with pytest.raises(ValueError, match=r"`a` and `b` of bisect must be on two sides .* Received: f\(a\)=2.0, f\(b\)"):
        bisect(lambda x: x + 1.0, one, one * 2)
    with pytest.raises(ValueError, match=r"`f` of bisect must be a number between `a` and `b`. Received: f\(1.5\)=nan"):
        bisect(lambda x: array_namespace(x).where(x == 1.5, float("nan"), x - 1.2), one, one * 2)
    with pytest.raises(ValueError, match=r"`b` of bisect must have the shape and dtype of `a`. Received: b of \(2,\)"):
        bisect(cubic, one, np.ones(2))
    with pytest.raises(TypeError, match=r"`a` of bisect must be a floating-point array. Received: a=1.0"):
        bisect(cubic, 1.0, one)
    with pytest.raises(TypeError, match=r"`b` of bisect must be .* floating-point arrays of one dtype. Received: dt"):
        bisect(cubic, one, np.asarray(3))
    with pytest.raises(ValueError, match=r"`f` of newton must be finite at `x0`. Received: f\(x0\)=\[nan\]"):
        newton(lambda x: x * float("nan"), one)
    with pytest.raises(
        ValueError, match=r"`f` of newton must return .* of `x0`: \(\) float64. Received: \(2,\) float64"
    ):
        newton(lambda x: array_namespace(x).stack([x, x]), one)
    with pytest.raises(TypeError, match=r"`x0` of newton must be a tree of floating-point arrays of one dtype"):
        newton(cubic, 2)
    with pytest.raises(
        ValueError, match=r"`f` of bisect must return .* of `a`: \(\) float64. Received: \(1,\) float64"
    ):
        bisect(lambda x: array_namespace(x).reshape(x, (1,)), one, one)
    for solver, arguments in ((bisect, (one, one)), (newton, (one,))):
        with pytest.raises(ValueError, match=r"`tolerance` of \w+ must be a non-negative number. Received: tol"):
            solver(cubic, *arguments, tolerance=-1.0)
        with pytest.raises(ValueError, match=r"`callback` of \w+ must be"):
            solver(cubic, *arguments, callback=3)


def test_exported() -> None:
    assert (optimizers.bisect, optimizers.newton) == (bisect, newton)

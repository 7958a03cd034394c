from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.integrate

from portanet.autodiff import (
    ConvergenceError,
    TraceError,
    array_namespace,
    check_grads,
    checkpoint,
    grad,
    hessian,
    jacobian,
    jvp,
    odeint,
)
from tests.support import asarray, assert_close, to_numpy

TIMES = [0.0, 0.5, 1.3, 1.3, 2.0]
WAYS = [("dopri5", "adjoint"), ("dopri5", "direct"), ("DOP853", "adjoint")]


def double(values: Any) -> Any:
    return asarray(values, "float64")


def slope(y: Any, t: Any, a: Any) -> Any:
    """Without closed form, with the time and a parameter."""
    xp = array_namespace(y, t, a)
    return xp.sin(t) * y * a - y * y * 0.1


@pytest.mark.parametrize("method", ["dopri5", "DOP853", "LSODA"])
@pytest.mark.parametrize("backwards", [False, True])
def test_values_beside_scipy(xp, method, backwards):
    times = TIMES[::-1] if backwards else TIMES
    ys = odeint(slope, double([1.0, 2.0]), double(times), double(0.7), rtol=1e-10, atol=1e-10, method=method)
    span, ends = (times[0], times[-1]), sorted(set(times), reverse=backwards)
    plain = lambda t, y: np.sin(t) * y * 0.7 - y * y * 0.1
    want = scipy.integrate.solve_ivp(plain, span, [1.0, 2.0], "DOP853", ends, rtol=1e-12, atol=1e-12).y.T
    rows = [0, 1, 1, 2, 3] if backwards else [0, 1, 2, 2, 3]
    assert_close(ys, want[rows], dtype="float64", rtol=1e-7)


@pytest.mark.parametrize(("method", "gradient"), WAYS, ids=["adjoint", "direct", "scipy"])
def test_derivatives_by_start_times_and_parameters(xp, method, gradient):
    def f(y0: Any, t: Any, a: Any) -> Any:
        return odeint(slope, y0, t, a, rtol=1e-9, atol=1e-9, method=method, gradient=gradient)

    args = double([1.0, 2.0]), double([0.1, 0.6, 1.1]), double(0.7)
    check_grads(f, args, order=1, directions=1)
    for mode in ("forward", "reverse"):  # one batch of all directions
        rows = jacobian(lambda y0: f(y0, *args[1:])[2, ...], mode=mode)(args[0])
        columns = [jvp(lambda y0: f(y0, *args[1:])[2, ...], (args[0],), (double(e),))[1] for e in np.eye(2)]
        assert_close(rows, np.stack([to_numpy(c) for c in columns], axis=1), dtype="float64", rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("method", "gradient"), WAYS, ids=["adjoint", "direct", "scipy"])
def test_second_derivatives_of_closed_forms(backend, xp, method, gradient):
    """y' = -a y: y(t) = y0 exp(-a t), with a in a closure."""
    if backend.name == "strict" and gradient == "direct":
        pytest.skip("slow")

    def f(a: Any, y0: Any, end: Any) -> Any:
        t = array_namespace(end).stack([end * 0.0, end])
        solve = {"rtol": 1e-10, "atol": 1e-10, "method": method, "gradient": gradient}
        return odeint(lambda y, t: -(y * a), y0, t, **solve)[1]

    a, y0, end = 0.7, 1.5, 1.2
    args = tuple(map(double, (a, y0, end)))
    e = np.exp(-a * end)
    wants = [[end * end * y0 * e, -end * e, (a * end - 1) * y0 * e], [-end * e, 0.0, -a * e],
             [(a * end - 1) * y0 * e, -a * e, a * a * y0 * e]]  # fmt: skip
    for got, want in zip(hessian(f, (0, 1, 2))(*args), wants, strict=True):
        for g, w in zip(got, want, strict=True):
            assert_close(g, w, dtype="float64", rtol=1e-6, atol=1e-7)
    by_reverse = grad(lambda a: grad(f)(a, args[1], args[2]))(args[0])
    assert_close(by_reverse, wants[0][0], dtype="float64", rtol=1e-6)


def test_a_neural_equation_of_trees_in_float32(xp):
    rng = np.random.default_rng(0)
    w = asarray(rng.normal(size=(2, 2)).astype("float32") / 2)

    def field(y: Any, t: Any, w: Any) -> Any:
        xp = array_namespace(y["p"], w)
        return {"p": y["q"], "q": xp.tanh(xp.matmul(y["p"], w))}

    def loss(w: Any, gradient: str) -> Any:
        start = {"p": asarray([[1.0, 0.0], [0.5, 0.5]]), "q": asarray(np.zeros((2, 2), "float32"))}
        ys = odeint(field, start, asarray([0.0, 1.0]), w, gradient=gradient)
        return array_namespace(ys["p"]).sum(ys["p"][1, ...] ** 2)

    adjoint, direct = (grad(loss)(w, gradient) for gradient in ("adjoint", "direct"))
    assert_close(adjoint, to_numpy(direct), rtol=3e-3)
    assert adjoint.dtype == w.dtype


def test_complex_rotation(xp):
    """y' = i w y, which turns y by the angle w t."""
    f = lambda w: odeint(lambda y, t, w: y * w * 1j, asarray(1.0 + 0j, "complex128"), double([0.0, 1.0]), w)[1]
    w = double(0.8)
    assert_close(f(w), np.exp(0.8j), dtype="complex128", rtol=1e-6)
    assert_close(jvp(f, (w,), (double(1.0),))[1], 1j * np.exp(0.8j), dtype="complex128", rtol=1e-6)
    assert_close(grad(lambda w: array_namespace(w).real(f(w)))(w), -np.sin(0.8), dtype="float64", rtol=1e-6)


def test_stiff_equations_on_the_host():
    """Van der Pol's oscillator with a large parameter: an implicit method needs few steps."""
    counts: list[int] = []

    def field(y: Any, t: Any, mu: Any) -> Any:
        counts.append(1)
        xp = array_namespace(y, mu)
        return xp.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])

    solve = lambda mu: odeint(field, np.asarray([2.0, 0.0]), np.asarray([0.0, 1.0]), mu, method="Radau", rtol=1e-7)[
        1, 0
    ]
    want = scipy.integrate.solve_ivp(
        lambda t, y: [y[1], 1000.0 * (1 - y[0] ** 2) * y[1] - y[0]], (0, 1), [2.0, 0.0], "Radau", rtol=1e-10, atol=1e-12
    ).y[0, -1]
    np.testing.assert_allclose(solve(np.asarray(1000.0)), want, rtol=1e-6)
    assert len(counts) < 2000


def test_one_time_and_no_elements(xp):
    y0 = double([1.0, 2.0])
    assert_close(odeint(slope, y0, double([0.3]), double(1.0)), [[1.0, 2.0]], dtype="float64")
    assert_close(grad(lambda y: odeint(slope, y, double([0.3]), double(1.0))[0, 1])(y0), [0.0, 1.0], dtype="float64")
    empty = odeint(slope, double(np.zeros(0)), double([0.0, 1.0]), double(1.0))
    assert_close(empty, np.zeros((2, 0)), dtype="float64")


def test_the_length_of_steps_lasts_beyond_an_output_time(xp):
    """What finds the first length takes slopes besides those of the steps, six each, and is called once."""
    slopes = []

    def counted(y: Any, t: Any) -> Any:
        slopes.append(t)
        return -y

    beside = set()
    for times in ([0.0, 1.0], [0.0, 0.25, 0.5, 1.0], [0.0, 0.1, 0.2, 0.5, 0.9, 1.0]):
        slopes.clear()
        odeint(counted, double([1.0, 2.0]), double(times))
        beside.add(len(slopes) % 6)
    assert len(beside) == 1


def test_a_checkpoint_in_the_equation(xp):
    f = lambda a: odeint(checkpoint(lambda y, t: -(y * a)), double(1.0), double([0.0, 1.0]), rtol=1e-9)[1]
    assert_close(grad(f)(double(0.5)), -np.exp(-0.5), dtype="float64", rtol=1e-6)


def test_errors(xp):
    y0, t = double([1.0, 2.0]), double([0.0, 1.0])
    with pytest.raises(ConvergenceError, match=r"the limit of steps was reached.*after 3 steps"):
        odeint(lambda y, t: -(y * 50.0), y0, t, max_steps=3)
    with (
        pytest.raises(
            ConvergenceError, match=r"odeint did not reach the end.*the step size became too small.*time 0\.[45]"
        ),
        np.errstate(all="ignore"),
    ):
        odeint(lambda y, t: y * y, y0, t)  # infinite at t = 1/2
    for start, factor in ((math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan)):
        not_finite = pytest.raises(ConvergenceError, match=r"the solution or its derivative is not finite")
        with not_finite, np.errstate(all="ignore"):
            odeint(lambda y, t, factor=factor: y * factor, double([start]), t)
    with pytest.raises(ValueError, match=r"`t` of odeint must have finite times.*inf"):
        odeint(lambda y, t: y, y0, double([0.0, math.inf]))
    with pytest.raises(ValueError, match=r"`t` of odeint must be in ascending or descending order"):
        odeint(lambda y, t: y, y0, double([0.0, 1.0, 0.5]))
    with pytest.raises(ValueError, match=r"`t` of odeint must be an array of shape \(times,\)"):
        odeint(lambda y, t: y, y0, double(0.0))
    with pytest.raises(ValueError, match=r"The result of argument `func` of odeint must have"):
        odeint(lambda y, t: y[0], y0, t)
    with pytest.raises(ValueError, match=r'can be "direct" for method="dopri5" alone'):
        odeint(lambda y, t: y, y0, t, method="RK45", gradient="direct")

    def switched(a: Any) -> Any:
        factor = lambda y, t: array_namespace(y, a).multiply(y, a) if 0.4 < float(t) < 0.6 else y * 1.0
        return odeint(factor, y0, t, rtol=1e-7, atol=1e-7, max_steps=500)[1, 0]

    with pytest.raises(TraceError, match=r"depends on other arrays at some times.*Use xp.where, or add such times"):
        grad(switched)(double(0.5))

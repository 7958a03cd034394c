from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import losses, models, optimizers, random
from portanet.autodiff import array_namespace
from portanet.backends import use_backend
from portanet.layers import Dense
from portanet.optimizers import minimize
from portanet.variables import bind
from tests.support import asarray, to_numpy

METHODS = ["l-bfgs", "cg", "newton-cg"]


def rosenbrock(x: Any) -> Any:
    xp = array_namespace(x)
    return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", METHODS)
def test_rosenbrock(backend: Any, method: str) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        start = np.array([-1.2, 1.0, -0.5])
        x0 = asarray(start.copy())
        result = minimize(rosenbrock, x0, method, tolerance=1e-7)
        assert result.converged, result
        np.testing.assert_allclose(to_numpy(result.x), 1.0, atol=1e-6)
        assert result.value < 1e-12
        assert result.gradient_norm <= 1e-7
        np.testing.assert_array_equal(to_numpy(x0), start)


@pytest.mark.parametrize("method", METHODS)
def test_against_scipy(method: str) -> None:
    """Logistic regression with a penalty: convex, so all must reach the one minimum, in few steps."""
    scipy = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    data, signs = rng.standard_normal((80, 6)), np.sign(rng.standard_normal(80))

    def loss(params: Any) -> Any:
        xp = array_namespace(params["w"])
        margin = (xp.matmul(asarray(data, "float64"), params["w"]) + params["b"]) * asarray(signs, "float64")
        return xp.mean(xp.log1p(xp.exp(-margin))) + 0.05 * xp.sum(params["w"] ** 2)

    x0 = {"w": np.zeros(6), "b": np.zeros(())}
    oracle = scipy.minimize(
        lambda v: float(loss({"w": v[:6], "b": v[6]})), np.zeros(7), method="BFGS", options={"gtol": 1e-9}
    )
    result = minimize(loss, x0, method, tolerance=1e-9)
    assert result.converged
    np.testing.assert_allclose([*result.x["w"], result.x["b"]], oracle.x, atol=1e-6)
    assert result.iterations < {"l-bfgs": 40, "cg": 60, "newton-cg": 10}[method]


@pytest.mark.parametrize("method", METHODS)
def test_float32_ends_where_rounding_does(backend: Any, method: str) -> None:
    result = minimize(rosenbrock, asarray([-1.2, 1.0]), method, tolerance=1e-12, max_iterations=60)
    np.testing.assert_allclose(to_numpy(result.x), 1.0, atol=2e-2)
    assert backend.dtype_name(result.x.dtype) == "float32"
    assert result.converged or "no lower point" in result.message or "limit" in result.message


def test_few_steps_on_a_quadratic() -> None:
    scales = np.array([1.0, 3.0, 10.0, 30.0])
    result = minimize(lambda x: array_namespace(x).sum(x**2 * scales), np.ones(4), "newton-cg", tolerance=1e-8)
    assert result.iterations <= 5
    result = minimize(lambda x: array_namespace(x).sum(x**2 * scales), np.ones(4), "l-bfgs", tolerance=1e-8)
    assert result.iterations <= 20


def test_a_model_on_all_its_data(backend: Any) -> None:
    """A network's variables bound to the optimised tree."""
    random.set_seed(0)
    rng = np.random.default_rng(0)
    x = asarray(rng.standard_normal((40, 3)))
    y = asarray(np.sin(to_numpy(x).sum(axis=1, keepdims=True)))
    model = models.Sequential([Dense(6, "tanh"), Dense(1)])
    model(x)
    variables, loss = model.named_variables(), losses.MeanSquaredError()

    def objective(params: Any) -> Any:
        with bind({variables[path]: p for path, p in params.items()}):
            return array_namespace(params["dense/kernel"]).mean(loss.per_example(y, model(x)))

    result = minimize(objective, {path: v.value for path, v in variables.items()}, max_iterations=15)
    assert result.value < 0.3 * float(to_numpy(objective({path: v.value for path, v in variables.items()})))


@pytest.mark.parametrize("rate", [None, 0.1])
def test_gradient_descent_down_a_paraboloid(backend: Any, rate: float | None) -> None:
    """The highest point of -(x^2 + y^2) + 4 is 4 at (0, 0); of a fixed rate, the distance shrinks by 1 - 2 rate."""
    path: list[Any] = []
    start = asarray([1.5, -1.0], "float64")
    result = minimize(
        lambda v: -(-array_namespace(v).sum(v * v) + 4.0), start, "gradient-descent", 1e-8, learning_rate=rate,
        callback=path.append,
    )  # fmt: skip
    assert result.converged
    assert len(path) == result.iterations
    assert result.value == pytest.approx(-4.0, abs=1e-12)
    np.testing.assert_allclose(to_numpy(result.x), 0.0, atol=1e-8)
    if rate is not None:
        expected = np.outer((1 - 2 * rate) ** np.arange(1, len(path) + 1), [1.5, -1.0])
        np.testing.assert_allclose(np.stack([to_numpy(x) for x in path]), expected, rtol=1e-12)


def test_too_large_a_rate() -> None:
    result = minimize(lambda x: x * x, np.asarray(1.0), "gradient-descent", learning_rate=1.1)
    assert not result.converged
    assert "`learning_rate` may be too large" in result.message
    with pytest.raises(
        ValueError, match=r"`learning_rate` of minimize must be a positive number. Received: learning_r"
    ):
        minimize(lambda x: x * x, np.asarray(1.0), "gradient-descent", learning_rate=0.0)


def test_gradient_descent_on_a_convex_function_against_scipy() -> None:
    scipy = pytest.importorskip("scipy.optimize")
    scales, goal = np.asarray([1.0, 2.0, 4.0]), np.asarray([0.5, -0.3, 1.0])
    f = lambda x: array_namespace(x).sum(scales * (x - goal) ** 2 + x**4)
    expected = scipy.minimize(lambda x: float(f(x)), np.ones(3), tol=1e-12).x
    for rate in (None, 0.05):
        result = minimize(f, np.ones(3), "gradient-descent", tolerance=1e-8, learning_rate=rate)
        assert result.converged
        np.testing.assert_allclose(result.x, expected, atol=1e-7)


def test_negative_curvature_and_infinity() -> None:
    """Starting near a maximum, and with a boundary beyond which the function is undefined."""
    for method in METHODS:
        result = minimize(lambda x: array_namespace(x).sum(x**4 - x**2), np.array([0.1, -0.2]), method, 1e-8)
        np.testing.assert_allclose(np.abs(result.x), np.sqrt(0.5), atol=1e-6)
        with np.errstate(invalid="ignore"):
            result = minimize(lambda x: array_namespace(x).sum(x - array_namespace(x).log(x)), np.array([5.0]), method)
        np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


def test_limit_of_iterations() -> None:
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), max_iterations=3)
    assert (result.iterations, result.converged) == (3, False)
    assert result.message == "the limit of iterations was reached"
    at_minimum = minimize(rosenbrock, np.array([1.0, 1.0]))
    assert (at_minimum.iterations, at_minimum.converged) == (0, True)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"must be one of 'l-bfgs', 'cg', 'newton-cg', 'gradient-descent'. Rec"):
        minimize(rosenbrock, np.ones(2), "bfgs")
    with pytest.raises(ValueError, match=r"`memory` of minimize must be a positive integer. Received: memory=0"):
        minimize(rosenbrock, np.ones(2), memory=0)
    with pytest.raises(TypeError, match=r"floating-point arrays of one dtype. Received: dtypes float32, float64"):
        minimize(rosenbrock, {"a": np.ones(2), "b": np.ones(2, dtype="float32")})
    with pytest.raises(TypeError, match=r"floating-point arrays of one dtype. Received: dtypes int"):
        minimize(rosenbrock, np.ones(2, dtype="int64"))
    with pytest.raises(ValueError, match=r"must be finite at `x0`. Received: f\(x0\)=nan"):
        minimize(lambda x: array_namespace(x).sum(x * float("nan")), np.ones(2))


def test_exported() -> None:
    assert optimizers.minimize is minimize

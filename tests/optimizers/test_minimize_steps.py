"""Each step of `minimize` against the same method with dense matrices; negative curvature against SciPy."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, stop_gradient
from portanet.optimizers import minimize
from portanet.optimizers.line_search import Point, wolfe
from portanet.optimizers.minimize import Problem, _newton_direction, _times_inverse

METHODS = ["l-bfgs", "cg", "newton-cg"]
START = np.array([0.3, -0.2, 0.15, 1.1])
COUPLING = np.array([[0.0, 0.5, 0, 0], [0.5, 0, 0.25, 0], [0, 0.25, 0, -1], [0, 0, -1, 0]])


def wells(x: Any) -> Any:
    """Concave around the origin, with minima in every orthant."""
    xp = array_namespace(x)
    return xp.sum(x**4 - 2 * x**2) + 0.2 * xp.sum(x * xp.matmul(xp.asarray(COUPLING), x))


def wells_gradient(x: Any) -> Any:
    return 4 * x**3 - 4 * x + 0.4 * COUPLING @ x


def wells_hessian(x: Any) -> Any:
    return np.diag(12 * x**2 - 4) + 0.4 * COUPLING


def valley(x: Any) -> Any:
    xp = array_namespace(x)
    return xp.sum(10.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def valley_gradient(x: Any) -> Any:
    gradient = np.zeros_like(x)
    gradient[:-1] = -40 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    gradient[1:] += 20 * (x[1:] - x[:-1] ** 2)
    return gradient


def valley_hessian(x: Any) -> Any:
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 120 * x[:-1] ** 2 - 40 * x[1:] + 2
    diagonal[1:] += 20
    return np.diag(diagonal) + np.diag(-40 * x[:-1], 1) + np.diag(-40 * x[:-1], -1)


FUNCTIONS: dict[str, tuple[Any, Any, Any]] = {
    "wells": (wells, wells_gradient, wells_hessian),
    "valley": (valley, valley_gradient, valley_hessian),
}


class Reference:
    """The three methods, after the book of Nocedal and Wright, with matrices."""

    def __init__(self, function: str, x: np.ndarray, memory: int = 10) -> None:
        self.f, self.g, self.h = FUNCTIONS[function]
        self.x, self.memory, self.evaluations = x, memory, 1
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self.direction: Any = None
        self.first = 0.0

    def search(self, direction: np.ndarray, step: float, c2: float) -> tuple[float, np.ndarray]:
        def at(a: float) -> Point:
            self.evaluations += 1
            y = self.x + a * direction
            return Point(a, float(self.f(y)), float(self.g(y) @ direction), y, self.g(y))

        value = float(self.f(self.x))
        start = Point(0.0, value, float(self.g(self.x) @ direction), self.x, self.g(self.x))
        result = wolfe(at, start, step, c2=c2, slack=4 * np.finfo(float).eps * abs(value))
        assert result is not None
        return result.step, result.x

    def l_bfgs(self) -> None:
        g = self.g(self.x)
        inverse = np.eye(g.size)
        if self.pairs:
            s, y = self.pairs[-1]
            inverse *= (s @ y) / (y @ y)
        for s, y in self.pairs:
            left = np.eye(g.size) - np.outer(s, y) / (s @ y)
            inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
        first = 1.0 if self.pairs else min(1.0, 1 / np.linalg.norm(g))
        _, x = self.search(-inverse @ g, first, 0.9)
        self.pairs = [*self.pairs, (x - self.x, self.g(x) - g)][-self.memory :]
        assert self.pairs[-1][0] @ self.pairs[-1][1] > 0
        self.x = x

    def cg(self) -> None:
        g = self.g(self.x)
        if self.direction is None:
            self.direction, self.first = -g, min(1.0, 1 / np.linalg.norm(g))
        if g @ self.direction >= 0:
            self.direction = -g
        step, x = self.search(self.direction, self.first, 0.1)
        new = self.g(x)
        factor = max(0.0, new @ (new - g) / (g @ g))
        old = self.direction
        self.direction = factor * old - new
        slope = new @ self.direction
        self.first = min(10 * step, step * (g @ old) / slope) if slope < 0 else step
        self.x = x

    def newton_cg(self) -> None:
        _, self.x = self.search(inexact_newton(self.g(self.x), self.h(self.x)), 1.0, 0.5)


def inexact_newton(g: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """Algorithm 7.1 of Nocedal and Wright, to a residual of min(1/100, sqrt |g|) |g|."""
    z, r, d = np.zeros_like(g), g, -g
    enough = min(0.01, math.sqrt(np.linalg.norm(g))) * np.linalg.norm(g)
    for j in range(2 * g.size + 10):
        if d @ hessian @ d <= 0:
            return d if j == 0 else z
        a = (r @ r) / (d @ hessian @ d)
        z, new = z + a * d, r + a * hessian @ d
        if np.linalg.norm(new) <= enough:
            return z
        d, r = -new + (new @ new) / (r @ r) * d, new
    return z


@pytest.mark.parametrize("memory", [1, 2, 10])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_step(function: str, method: str, memory: int) -> None:
    f, g, _ = FUNCTIONS[function]
    reference = Reference(function, START.copy(), memory)
    for count in range(1, 13):
        getattr(reference, method.replace("-", "_"))()
        result = minimize(f, START, method, tolerance=1e-7, max_iterations=count, memory=memory)
        if result.converged:
            break
        np.testing.assert_allclose(result.x, reference.x, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(result.value, f(reference.x), rtol=1e-7)
        np.testing.assert_allclose(result.gradient_norm, np.abs(g(reference.x)).max(), rtol=1e-4, atol=1e-8)
        assert (result.iterations, result.evaluations) == (count, reference.evaluations)
    assert count > 4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", [[0.1, -0.2], [1e-3, 1e-3], [-0.3, 0.05], [0.0, 0.5]])
def test_negative_curvature_at_the_start(method: str, start: list[float]) -> None:
    """The value where SciPy ends too, one of two equal minima."""
    scipy = pytest.importorskip("scipy.optimize")
    saddle = lambda x: array_namespace(x).sum((x[0:1] - 0.3) ** 2 * 2.0 + x[1:2] ** 4 - x[1:2] ** 2 * (1 + x[0:1] ** 2))
    gradient = lambda x: np.array([4 * (x[0] - 0.3) - 2 * x[0] * x[1] ** 2, 4 * x[1] ** 3 - 2 * x[1] * (1 + x[0] ** 2)])
    curvature = -2 * (1 + start[0] ** 2) + 12 * start[1] ** 2
    assert curvature < 0 or start[1] >= 0.5
    oracle = scipy.minimize(saddle, start, jac=gradient, method="Newton-CG", options={"xtol": 1e-10})
    result = minimize(saddle, np.array(start), method, 1e-9)
    assert result.converged, result
    np.testing.assert_allclose(result.value, oracle.fun, rtol=1e-9)
    np.testing.assert_allclose(np.abs(result.x), np.abs(oracle.x), atol=1e-6)
    assert result.iterations <= 40


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("signs", [(1, 1, 1, 1), (1, 1, 1, -1), (-1, 1, -1, 1), (-1, -1, -1, -1)])
def test_newtons_direction(seed: int, signs: tuple[int, ...]) -> None:
    """Conjugate gradients: to the residual's limit, or to the first direction of negative curvature."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    hessian = turned @ np.diag(np.array(signs) * [1.0, 2.0, 5.0, 0.5]) @ turned.T
    hessian = (hessian + hessian.T) / 2
    g = rng.normal(size=4) * 10.0 ** rng.integers(-6, 2)

    def quadratic(x: Any) -> Any:
        xp = array_namespace(x)
        return 0.5 * xp.sum(x * xp.matmul(xp.asarray(hessian), x)) + xp.sum(x * xp.asarray(g))

    problem = Problem(quadratic, np.zeros(4))
    result = _newton_direction(problem, problem.at(np.zeros(4)))
    np.testing.assert_allclose(result, inexact_newton(g, hessian), rtol=1e-6)
    assert result @ g < 0


def test_zero_curvature_is_no_curvature() -> None:
    """A linear function: steepest descent, not a division by 0."""
    problem = Problem(lambda x: array_namespace(x).sum(x), np.zeros(3))
    np.testing.assert_array_equal(_newton_direction(problem, problem.at(np.zeros(3))), -np.ones(3))


def test_the_inverse_hessian_of_stored_pairs() -> None:
    rng = np.random.default_rng(0)
    for count in range(5):
        hessian = np.diag(rng.uniform(0.5, 4, size=5))
        pairs = [(s, hessian @ s, float(s @ hessian @ s)) for s in rng.normal(size=(count, 5))]
        inverse = np.eye(5)
        if pairs:
            _, y, sy = pairs[-1]
            inverse *= sy / (y @ y)
        for s, y, sy in pairs:
            left = np.eye(5) - np.outer(s, y) / sy
            inverse = left @ inverse @ left.T + np.outer(s, s) / sy
        v = rng.normal(size=5)
        np.testing.assert_allclose(_times_inverse(pairs, v), inverse @ v, rtol=1e-10)


# The loop around the methods


def bowl(x: Any) -> Any:
    return array_namespace(x).sum(x * x)


@pytest.mark.parametrize("method", METHODS)
def test_within_the_tolerance(method: str) -> None:
    """The largest absolute element of the gradient, equality included."""
    at = np.array([0.25, -0.5])
    result = minimize(bowl, at, method, tolerance=1.0)
    assert (result.converged, result.iterations, result.evaluations, result.gradient_norm) == (True, 0, 1, 1.0)
    assert result.message == "the gradient is within the tolerance"
    assert result.value == 0.3125
    result = minimize(bowl, at, method, tolerance=0.999, max_iterations=0)
    assert (result.converged, result.iterations, result.message) == (False, 0, "the limit of iterations was reached")
    result = minimize(bowl, at, method, tolerance=0.999)
    assert result.converged
    assert result.iterations > 0


@pytest.mark.parametrize("method", METHODS)
def test_nowhere_lower(method: str) -> None:
    """A function whose gradient is not its own, so that no step is lower."""
    result = minimize(lambda x: 3.0 * bowl(stop_gradient(x)) - bowl(x), np.array([1.0, 2.0]), method)
    assert result.message == "no lower point was found; the gradient may be as small as rounding allows"
    assert (result.iterations, result.converged) == (0, False)
    np.testing.assert_array_equal(result.x, [1.0, 2.0])


def test_defaults() -> None:
    """L-BFGS with ten pairs, up to 1000 steps, to a gradient of 1e-5."""
    given = {"method": "l-bfgs", "memory": 10, "tolerance": 1e-5, "max_iterations": 1000}
    assert {name: inspect.signature(minimize).parameters[name].default for name in given} == given
    start = np.linspace(-1.5, 1.5, 12)
    for other in ({"memory": 9}, {"memory": 11}, {"method": "cg"}):
        assert minimize(valley, start).evaluations == minimize(valley, start, **given).evaluations
        assert not np.array_equal(minimize(valley, start).x, minimize(valley, start, **{**given, **other}).x)


def test_trees_of_every_kind() -> None:
    """Leaves of several shapes, in order; each goes to its own target."""
    target = {"a": np.array(2.0), "b": [np.array([[1.0, -1.0], [3.0, 0.5]]), np.array([5.0])]}

    def distance(tree: Any) -> Any:
        xp = array_namespace(tree["a"])
        pairs = [(tree["a"], target["a"]), *zip(tree["b"], target["b"], strict=True)]
        return sum(xp.sum((x - xp.asarray(t)) ** 2) for x, t in pairs)

    start = {"a": np.array(0.0), "b": [np.zeros((2, 2)), np.zeros(1)]}
    result = minimize(distance, start, tolerance=1e-9)
    assert type(result.x) is dict
    np.testing.assert_allclose(result.x["a"], 2.0)
    for x, t in zip(result.x["b"], target["b"], strict=True):
        assert x.shape == t.shape
        np.testing.assert_allclose(x, t, atol=1e-8)


@pytest.mark.parametrize(
    ("x0", "received"),
    [
        ([], "dtypes of no arrays"),
        ([1.0], "dtypes float"),
        ([np.ones(1), 1.0], "dtypes float, float64"),
        (np.ones(2, "complex128"), "dtypes complex128"),
        (np.ones(2, "bool"), "dtypes bool"),
        ({"a": np.ones(1, "float32"), "b": np.ones(1)}, "dtypes float32, float64"),
    ],
)
def test_what_cannot_be_varied(x0: Any, received: str) -> None:
    with pytest.raises(TypeError, match=rf"`x0` of minimize must be a tree of floating-point arrays.*: {received}$"):
        minimize(bowl, x0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_functions_that_are_not_finite(value: float) -> None:
    f: Callable[[Any], Any] = lambda x: array_namespace(x).sum(x * 0.0 + value)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=rf"finite at `x0`. Received: f\(x0\)={value}"):
        minimize(f, np.ones(2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": -1e-9}, "`tolerance` of minimize must be a non-negative number"),
        ({"tolerance": None}, "`tolerance` of minimize must be a non-negative number"),
        ({"max_iterations": -1}, "`max_iterations` of minimize must be a non-negative integer"),
        ({"max_iterations": "9"}, "`max_iterations` of minimize must be a non-negative integer"),
        ({"memory": 0}, "`memory` of minimize must be a positive integer"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        minimize(bowl, np.ones(2), **options)
    assert minimize(bowl, np.ones(2), tolerance=0, max_iterations=1, memory=1).iterations == 1

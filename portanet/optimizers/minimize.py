"""Full-batch minimisation of a function of a tree of arrays: L-BFGS, conjugate gradients, Newton-CG and others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from portanet import autodiff, checks
from portanet.autodiff import array_namespace, hvp, value_and_grad
from portanet.backends import Array
from portanet.optimizers.line_search import Point, wolfe
from portanet.optimizers.vectors import flat, largest, readable_now, real_floating, tree_of
from portanet.tree import tree_items


@dataclass(frozen=True)
class Result:
    """The result of `minimize`.

    Attributes:
        x: The arguments, a tree like `x0`.
        value: The function at `x`.
        gradient_norm: The largest absolute element of the gradient at `x`.
        iterations: Steps taken.
        evaluations: Evaluations of function and gradient.
        converged: Whether `gradient_norm <= tolerance`.
        message: Why the iteration stopped.

    Example:
        >>> import numpy as np
        >>> from portanet.optimizers import minimize
        >>> minimize(lambda x: (x - 1.0) ** 2, np.asarray(0.0)).converged
        True
    """

    x: Any
    value: float
    gradient_norm: float
    iterations: int
    evaluations: int
    converged: bool
    message: str


def minimize(
    f: Callable[[Any], Array],
    x0: Any,
    method: str = "l-bfgs",
    tolerance: float = 1e-5,
    max_iterations: int = 1000,
    memory: int = 10,
    learning_rate: float | None = None,
    callback: Callable[[Any], Any] | None = None,
) -> Result:
    """Find a local minimum; for small full-batch problems, where it takes far fewer steps than other optimizers.

    Values are read on the host in each step, so it cannot be part of a compiled training step. `x` of the result has
    derivatives by the arrays that `f` closes over, from the implicit function theorem
    (`portanet.autodiff.custom_minimum`), if the minimum is accurate. Under `vmap`, each example is minimised alone, and
    the numbers of the result are arrays with one value per example.

    Args:
        f: A function of a tree of arrays, written against the array API standard, that returns a scalar.
        x0: Initial values: floating-point arrays of one dtype; not changed.
        method: `"l-bfgs"` (Nocedal 1980), `"cg"` (nonlinear conjugate gradients, Polak-Ribiere with restarts),
            `"newton-cg"` (Newton's method, each step solved by conjugate gradients on Hessian-vector products) or
            `"gradient-descent"` (Cauchy 1847).
        tolerance: Converged if no element of the gradient is larger.
        max_iterations: Maximum number of steps.
        memory: Number of pairs that L-BFGS stores.
        learning_rate: Of gradient descent: a step is this times the gradient. None is a line search in each step.
        callback: Called with the arguments, a tree like `x0`, after each step.

    Returns:
        A `Result`.

    Raises:
        ValueError: The method is unknown, or `f` is not finite at `x0`.
        TypeError: `x0` holds no floating-point arrays, or several dtypes.

    Example:
        >>> import numpy as np
        >>> rosenbrock = lambda v: (1 - v["x"]) ** 2 + 100 * (v["y"] - v["x"] ** 2) ** 2
        >>> result = minimize(rosenbrock, {"x": np.asarray(-1.2), "y": np.asarray(1.0)})
        >>> result.converged, round(float(result.x["x"]), 4), round(float(result.x["y"]), 4)
        (True, 1.0, 1.0)
        >>> path = []
        >>> _ = minimize(lambda x: x * x, np.asarray(1.0), "gradient-descent", learning_rate=0.25,
        ...              callback=lambda x: path.append(float(x)), max_iterations=3)
        >>> path
        [0.5, 0.25, 0.125]
    """
    method = checks.choice("method", method, METHODS, "minimize")
    tolerance = checks.non_negative("tolerance", tolerance, "minimize")
    max_iterations = checks.integer("max_iterations", max_iterations, "minimize", least=0)
    memory = checks.positive_int("memory", memory, "minimize")
    if learning_rate is not None:
        learning_rate = checks.positive("learning_rate", learning_rate, "minimize")
    checks.function("f", f, "minimize")
    if callback is not None:
        checks.function("callback", callback, "minimize")
    real_floating("x0", x0, "minimize")
    options = Options(memory, learning_rate, callback or (lambda x: None))

    def solve(f: Callable[[Any], Array], x0: Any) -> tuple[Any, Result]:
        result = _minimum(Problem(f, x0), x0, method, tolerance, max_iterations, options)
        return result.x, result

    result: Result | None
    x, result = autodiff.custom_minimum(f, x0, solve, has_aux=True, tolerance=1.0)
    if result is None:  # vmap of no examples
        return Result(x, 0.0, 0.0, 0, 0, True, "there are no examples")
    return replace(result, x=x)


@dataclass(frozen=True)
class Options:
    """What single methods take, and what is called after each step."""

    memory: int
    learning_rate: float | None
    callback: Callable[[Any], Any]


def _minimum(problem: Problem, x0: Any, method: str, tolerance: float, max_iterations: int, options: Options) -> Result:
    start = problem.at(flat(x0))
    if not math.isfinite(start.value):
        raise ValueError(f"Argument `f` must be finite at `x0`. Received: f(x0)={start.value}")
    point, iterations, message = start, 0, "the gradient is within the tolerance"
    for next_point in METHODS[method](problem, start, options):
        if largest(point.gradient) <= tolerance:
            break
        if iterations == max_iterations:
            message = "the limit of iterations was reached"
            break
        candidate = next_point()
        if candidate is None or (
            candidate.value >= point.value and largest(candidate.gradient) >= largest(point.gradient)
        ):
            large = "" if options.learning_rate is None else "`learning_rate` may be too large, or "
            message = f"no lower point was found; {large}the gradient may be as small as rounding allows"
            break
        point, iterations = candidate, iterations + 1
        options.callback(problem.tree(point.x))
    norm = largest(point.gradient)
    return Result(problem.tree(point.x), point.value, norm, iterations, problem.evaluations, norm <= tolerance, message)


class Problem:
    """A function of a tree as a function of one vector."""

    def __init__(self, f: Callable[[Any], Array], x0: Any) -> None:
        self.template = x0
        self.f = lambda x: f(self.tree(x))
        self.value_and_grad = value_and_grad(self.f)
        self.evaluations = 0
        first = next(leaf for _, leaf in tree_items(x0))
        self.epsilon = float(array_namespace(first).finfo(first.dtype).eps)

    def tree(self, x: Array) -> Any:
        """The tree of a vector."""
        return tree_of(x, self.template)

    def at(self, x: Array, step: float = 0.0, direction: Array | None = None) -> Point:
        """Value and gradient at `x`, and the slope along a direction."""
        self.evaluations += 1
        value, gradient = self.value_and_grad(x)
        readable_now(value, "minimize")
        return Point(step, float(value), 0.0 if direction is None else dot(gradient, direction), x, gradient)

    def search(self, point: Point, direction: Array, step: float, c2: float) -> Point | None:
        """A lower point along a direction."""
        start = Point(0.0, point.value, dot(point.gradient, direction), point.x, point.gradient)
        if not start.slope < 0:
            return None
        slack = 4 * self.epsilon * abs(point.value)
        return wolfe(lambda a: self.at(point.x + a * direction, a, direction), start, step, c2=c2, slack=slack)

    def product(self, x: Array, v: Array) -> Array:
        """The Hessian at `x` times a vector."""
        return hvp(self.f, (x,), (v,))


Steps = Iterator[Callable[[], Point | None]]
"""Steps of a method: each is a function that returns the next point, or None."""


def dot(a: Array, b: Array) -> float:
    """The inner product of two vectors, as a float."""
    return float(array_namespace(a, b).sum(a * b))


def l_bfgs(problem: Problem, point: Point, options: Options) -> Steps:
    """Newton steps with an inverse Hessian from the last changes of x and gradient."""
    pairs: list[tuple[Array, Array, float]] = []
    now: Point = point

    def next_point() -> Point | None:
        nonlocal now
        direction = -_times_inverse(pairs, now.gradient)
        first = 1.0 if pairs else min(1.0, 1.0 / math.sqrt(dot(now.gradient, now.gradient)))
        new = problem.search(now, direction, first, c2=0.9)
        if new is None and pairs:  # the stored pairs mislead: restart
            pairs.clear()
            return next_point()
        if new is not None:
            dx, dg = new.x - now.x, new.gradient - now.gradient
            curvature = dot(dx, dg)
            if curvature > 1e-10 * dot(dg, dg):
                pairs.append((dx, dg, curvature))
                del pairs[: -options.memory]
            now = new
        return new

    while True:
        yield next_point


def _times_inverse(pairs: list[tuple[Array, Array, float]], gradient: Array) -> Array:
    """The approximate inverse Hessian times the gradient (Nocedal and Wright, algorithm 7.4)."""
    q, factors = gradient, []
    for dx, dg, curvature in reversed(pairs):
        factor = dot(dx, q) / curvature
        factors.append(factor)
        q = q - factor * dg
    if pairs:
        _, dg, curvature = pairs[-1]
        q = q * (curvature / dot(dg, dg))
    for (dx, dg, curvature), factor in zip(pairs, reversed(factors), strict=True):
        q = q + (factor - dot(dg, q) / curvature) * dx
    return q


def nonlinear_cg(problem: Problem, point: Point, options: Options) -> Steps:
    """Each direction is conjugate to the last one, as far as the function is quadratic."""
    now: Point = point
    direction = -point.gradient
    first = min(1.0, 1.0 / max(math.sqrt(dot(direction, direction)), 1e-30))

    def next_point() -> Point | None:
        nonlocal now, direction, first
        if dot(now.gradient, direction) >= 0:
            direction = -now.gradient
        new = problem.search(now, direction, first, c2=0.1)
        if new is None:
            return None
        dg = new.gradient - now.gradient
        factor = max(0.0, dot(new.gradient, dg) / dot(now.gradient, now.gradient))
        old_slope = dot(now.gradient, direction)
        direction = factor * direction - new.gradient
        new_slope = dot(new.gradient, direction)
        first = min(10.0 * new.step, new.step * old_slope / new_slope) if new_slope < 0 else new.step
        now = new
        return new

    while True:
        yield next_point


def newton_cg(problem: Problem, point: Point, options: Options) -> Steps:
    """Newton's direction by conjugate gradients, stopped early far from the minimum or at negative curvature."""
    now: Point = point

    def next_point() -> Point | None:
        nonlocal now
        new = problem.search(now, _newton_direction(problem, now), 1.0, c2=0.5)
        if new is not None:
            now = new
        return new

    while True:
        yield next_point


def gradient_descent(problem: Problem, point: Point, options: Options) -> Steps:
    """Against the gradient, by a line search or a fixed rate."""
    now: Point = point
    first = min(1.0, 1.0 / max(math.sqrt(dot(point.gradient, point.gradient)), 1e-30))

    def next_point() -> Point | None:
        nonlocal now, first
        direction = -now.gradient
        if options.learning_rate is not None:
            now = problem.at(now.x + options.learning_rate * direction)
            return now
        new = problem.search(now, direction, first, c2=0.1)
        if new is not None:
            first = new.step
            now = new
        return new

    while True:
        yield next_point


def _newton_direction(problem: Problem, point: Point) -> Array:
    """An approximate solution of `H d = -g` (Nocedal and Wright, algorithm 7.1)."""
    residual = point.gradient
    square = dot(residual, residual)
    tolerance = min(0.01, square**0.25) ** 2 * square
    solution, direction = residual * 0.0, -residual
    for i in range(2 * math.prod(residual.shape) + 10):
        product = problem.product(point.x, direction)
        curvature = dot(direction, product)
        if curvature <= 0:
            return direction if i == 0 else solution
        factor = square / curvature
        solution = solution + factor * direction
        residual = residual + factor * product
        before, square = square, dot(residual, residual)
        if square <= tolerance:
            break
        direction = (square / before) * direction - residual
    return solution


METHODS: dict[str, Callable[[Problem, Point, Options], Steps]] = {
    "l-bfgs": l_bfgs,
    "cg": nonlinear_cg,
    "newton-cg": newton_cg,
    "gradient-descent": gradient_descent,
}

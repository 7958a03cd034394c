"""Minimisation of a function of a tree of arrays, all data at once: L-BFGS, conjugate gradients and Newton-CG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, hvp, value_and_grad
from portanet.backends import Array
from portanet.optimizers.line_search import Point, wolfe
from portanet.tree import tree_items, tree_map


@dataclass(frozen=True)
class Result:
    """What `minimize` found.

    Attributes:
        x: The arguments, a tree like `x0`.
        value: The function there.
        gradient_norm: The largest absolute element of its gradient there.
        iterations: Steps taken.
        evaluations: Evaluations of function and gradient.
        converged: Whether `gradient_norm <= tolerance`.
        message: Why it ended.
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
) -> Result:
    """Find a local minimum; for small problems on all data at once, where it takes far fewer steps than the rest.

    Values are read on the host in each step, so this is no part of a compiled training step.

    Args:
        f: A function of a tree of arrays, written against the array API standard, that returns a scalar.
        x0: Where to start: floating-point arrays of one dtype; not changed.
        method: `"l-bfgs"` (Nocedal 1980), `"cg"` (nonlinear conjugate gradients, Polak-Ribiere with restarts) or
            `"newton-cg"` (Newton's method, each step solved by conjugate gradients on Hessian-vector products).
        tolerance: It has converged when no element of the gradient is larger.
        max_iterations: The most steps.
        memory: Pairs that L-BFGS remembers.

    Returns:
        A `Result`.

    Raises:
        ValueError: The method is not known, or `f` is not finite at `x0`.
        TypeError: `x0` holds no floating-point arrays, or several dtypes.

    Example:
        >>> import numpy as np
        >>> rosenbrock = lambda v: (1 - v["x"]) ** 2 + 100 * (v["y"] - v["x"] ** 2) ** 2
        >>> found = minimize(rosenbrock, {"x": np.asarray(-1.2), "y": np.asarray(1.0)})
        >>> found.converged, round(float(found.x["x"]), 4), round(float(found.x["y"]), 4)
        (True, 1.0, 1.0)
    """
    method = checks.choice("method", method, METHODS, "minimize")
    memory = checks.positive_int("memory", memory, "minimize")
    problem = Problem(f, x0)
    start = problem.at(problem.flat(x0))
    if not math.isfinite(start.value):
        raise ValueError(f"The function must be finite at `x0`. Received: f(x0)={start.value}")
    point, iterations, message = start, 0, "the gradient is within the tolerance"
    for following in METHODS[method](problem, start, memory):
        if problem.size(point.gradient) <= tolerance:
            break
        if iterations == max_iterations:
            message = "the limit of iterations is reached"
            break
        candidate = following()
        if candidate is None or (
            candidate.value >= point.value and problem.size(candidate.gradient) >= problem.size(point.gradient)
        ):
            message = "no lower point is found; the gradient may be as small as rounding lets it be"
            break
        point, iterations = candidate, iterations + 1
    norm = problem.size(point.gradient)
    return Result(problem.tree(point.x), point.value, norm, iterations, problem.evaluations, norm <= tolerance, message)


class Problem:
    """A function of a tree as a function of one vector."""

    def __init__(self, f: Callable[[Any], Array], x0: Any) -> None:
        self.template = x0
        leaves = [leaf for _, leaf in tree_items(x0)]
        dtypes = {str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in leaves}
        floating = all(
            hasattr(leaf, "dtype") and array_namespace(leaf).isdtype(leaf.dtype, "real floating") for leaf in leaves
        )
        if len(dtypes) != 1 or not floating:
            raise TypeError(
                "Argument `x0` must be a tree of floating-point arrays of one dtype. "
                f"Received: dtypes {', '.join(sorted(dtypes)) or 'of no arrays'}"
            )
        self.f = lambda x: f(self.tree(x))
        self.value_and_grad = value_and_grad(self.f)
        self.evaluations = 0
        self.epsilon = float(array_namespace(leaves[0]).finfo(leaves[0].dtype).eps)

    def flat(self, tree: Any) -> Array:
        """The leaves of a tree in one vector."""
        leaves = [leaf for _, leaf in tree_items(tree)]
        xp = array_namespace(*leaves)
        return xp.concat([xp.reshape(leaf, (-1,)) for leaf in leaves])

    def tree(self, x: Array) -> Any:
        """A vector as the tree that it stands for."""
        place = 0

        def leaf(like: Array) -> Array:
            nonlocal place
            size = math.prod(like.shape)
            place += size
            return array_namespace(x).reshape(x[place - size : place], tuple(like.shape))

        return tree_map(leaf, self.template)

    def at(self, x: Array, step: float = 0.0, direction: Array | None = None) -> Point:
        """Value and gradient at `x`, and the slope along a direction."""
        self.evaluations += 1
        value, gradient = self.value_and_grad(x)
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

    def size(self, x: Array) -> float:
        """The largest absolute element."""
        xp = array_namespace(x)
        return float(xp.max(xp.abs(x)))


Following = Iterator[Callable[[], Point | None]]
"""Steps of a method: each is called for the next point, or not at all when the work is done."""


def dot(a: Array, b: Array) -> float:
    """The inner product of two vectors, as a float."""
    return float(array_namespace(a, b).sum(a * b))


def l_bfgs(problem: Problem, point: Point, memory: int) -> Following:
    """Newton steps with an inverse Hessian built from the last changes of place and gradient."""
    pairs: list[tuple[Array, Array, float]] = []
    now: Point = point

    def following() -> Point | None:
        nonlocal now
        direction = -_times_inverse(pairs, now.gradient)
        first = 1.0 if pairs else min(1.0, 1.0 / math.sqrt(dot(now.gradient, now.gradient)))
        found = problem.search(now, direction, first, c2=0.9)
        if found is None and pairs:  # the memory misleads: start anew
            pairs.clear()
            return following()
        if found is not None:
            moved, turned = found.x - now.x, found.gradient - now.gradient
            curvature = dot(moved, turned)
            if curvature > 1e-10 * dot(turned, turned):
                pairs.append((moved, turned, curvature))
                del pairs[:-memory]
            now = found
        return found

    while True:
        yield following


def _times_inverse(pairs: list[tuple[Array, Array, float]], gradient: Array) -> Array:
    """The approximate inverse Hessian times the gradient (Nocedal and Wright, algorithm 7.4)."""
    q, shares = gradient, []
    for moved, turned, curvature in reversed(pairs):
        share = dot(moved, q) / curvature
        shares.append(share)
        q = q - share * turned
    if pairs:
        _, turned, curvature = pairs[-1]
        q = q * (curvature / dot(turned, turned))
    for (moved, turned, curvature), share in zip(pairs, reversed(shares), strict=True):
        q = q + (share - dot(turned, q) / curvature) * moved
    return q


def nonlinear_cg(problem: Problem, point: Point, memory: int) -> Following:
    """Each direction conjugate to the last one, as far as the function is quadratic."""
    now: Point = point
    direction = -point.gradient
    first = min(1.0, 1.0 / max(math.sqrt(dot(direction, direction)), 1e-30))

    def following() -> Point | None:
        nonlocal now, direction, first
        if dot(now.gradient, direction) >= 0:
            direction = -now.gradient
        found = problem.search(now, direction, first, c2=0.1)
        if found is None:
            return None
        turned = found.gradient - now.gradient
        share = max(0.0, dot(found.gradient, turned) / dot(now.gradient, now.gradient))
        old_slope = dot(now.gradient, direction)
        direction = share * direction - found.gradient
        new_slope = dot(found.gradient, direction)
        first = min(10.0 * found.step, found.step * old_slope / new_slope) if new_slope < 0 else found.step
        now = found
        return found

    while True:
        yield following


def newton_cg(problem: Problem, point: Point, memory: int) -> Following:
    """Newton's direction by conjugate gradients, left early where it is far from the minimum or curves down."""
    now: Point = point

    def following() -> Point | None:
        nonlocal now
        found = problem.search(now, _newton_direction(problem, now), 1.0, c2=0.5)
        if found is not None:
            now = found
        return found

    while True:
        yield following


def _newton_direction(problem: Problem, point: Point) -> Array:
    """An approximate solution of `H d = -g` (Nocedal and Wright, algorithm 7.1)."""
    residual = point.gradient
    square = dot(residual, residual)
    enough = min(0.01, square**0.25) ** 2 * square
    solution, direction = residual * 0.0, -residual
    for number in range(2 * math.prod(residual.shape) + 10):
        product = problem.product(point.x, direction)
        curvature = dot(direction, product)
        if curvature <= 0:
            return direction if number == 0 else solution
        share = square / curvature
        solution = solution + share * direction
        residual = residual + share * product
        before, square = square, dot(residual, residual)
        if square <= enough:
            break
        direction = (square / before) * direction - residual
    return solution


METHODS: dict[str, Callable[[Problem, Point, int], Following]] = {
    "l-bfgs": l_bfgs,
    "cg": nonlinear_cg,
    "newton-cg": newton_cg,
}

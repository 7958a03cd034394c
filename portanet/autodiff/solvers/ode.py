"""Ordinary differential equations: `odeint`, differentiated by the adjoint equation or through the steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, Literal

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.batching.array import depends_on, innermost_level, is_recorded, storage
from portanet.autodiff.batching.transform import batch, whole
from portanet.autodiff.closures import (
    at_level,
    frozen,
    has_derivative,
    held_now,
    innermost,
    states,
    traces_in,
    with_tangent,
)
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.solvers.adjoint import Adjoint
from portanet.autodiff.solvers.batches import by_examples, level_of
from portanet.autodiff.solvers.host import to_device
from portanet.autodiff.solvers.host_steps import METHODS, integrate
from portanet.autodiff.solvers.loops import chain
from portanet.autodiff.solvers.runge_kutta import Step, adaptive, step
from portanet.autodiff.solvers.slopes import (
    Slope,
    clock,
    depends_on_time,
    plain_slope,
    probed_slope,
    tangent_in,
    value_in,
)
from portanet.autodiff.solvers.vectors import Vector, floating, on_host_now, same_form
from portanet.autodiff.traced import Trace, TracedArray, is_traced, unwrap
from portanet.autodiff.tracing import is_array, melted_inside
from portanet.autodiff.transforms import stop_gradient
from portanet.backends import Array, raw_namespace, to_host
from portanet.tree import tree_leaves, tree_map


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Array,
    *args: Any,
    rtol: float | None = None,
    atol: float | None = None,
    max_steps: int = 100_000,
    method: str = "dopri5",
    gradient: Literal["adjoint", "direct"] = "adjoint",
) -> Any:
    """The solution of `dy/dt = func(y, t, *args)` at the times `t`, from `y0` at `t[0]`.

    Differentiable by `y0`, `args`, all arrays that `func` closes over, and `t`, to any order (by `t`, up to the fifth).

    Source: the signature is that of `jax.experimental.ode.odeint`; R. Chen et al., Neural ordinary differential
    equations (2018), for the adjoint equation.

    Args:
        func: Function of a tree y of arrays, a time (an array of no dimension) and `args`. It returns a tree like y.
        y0: The solution at `t[0]`: a floating-point array, or a tree of them, of one precision.
        t: Times in ascending or descending order, shape (times,).
        args: Further arguments of `func`: arrays or trees of them.
        rtol: Relative tolerance of a step; None for the square root of the precision (1.5e-8 in float64).
        atol: Absolute tolerance of a step; None for the same.
        max_steps: Largest number of steps.
        method: `"dopri5"`, Dormand and Prince's of order 5, on the device; or a method of SciPy, on the host:
            `"RK45"`, `"RK23"`, `"DOP853"`, or for stiff equations `"Radau"`, `"BDF"`, `"LSODA"`.
        gradient: Of reverse mode: `"adjoint"` integrates the adjoint equation back from each time to the one before,
            and stores the solution at the times `t` alone; its accuracy is that of the tolerances. `"direct"` is the
            exact derivative of the steps of `"dopri5"`; it stores about the square root of their number.

    Returns:
        A tree like `y0` with the times as first axis of its arrays.

    Raises:
        ConvergenceError: The end was not reached.
        TypeError: `y0` or `t` is not floating-point.
        ValueError: The times are not in order, or `func` returns another structure, shape or dtype than `y0`.
        ImportError: The method is one of SciPy's, which is not installed.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad, odeint
        >>> t = np.asarray([0.0, 1.0, 2.0])
        >>> decay = lambda y, t, rate: -rate * y
        >>> odeint(decay, np.asarray(1.0), t, np.asarray(0.5)).round(6)
        array([1.      , 0.606531, 0.367879])
        >>> grad(lambda rate: odeint(decay, np.asarray(1.0), t, rate)[2])(np.asarray(0.5)).round(6)  # -2 exp(-1)
        np.float64(-0.735759)
    """
    checks.function("func", func, "odeint")
    floating("y0", y0, "odeint")
    method = checks.choice("method", method, ("dopri5", *METHODS), "odeint")
    checks.choice("gradient", gradient, ("adjoint", "direct"), "odeint")
    if gradient == "direct" and method != "dopri5":
        raise ValueError(
            'Argument `gradient` of odeint can be "direct" for method="dopri5" alone. '
            f"Received: gradient={gradient!r}, method={method!r}"
        )
    max_steps = checks.integer("max_steps", max_steps, "odeint", least=1)
    first = unwrap(tree_leaves(y0)[0])
    precision = float(raw_namespace(first).finfo(first.dtype).eps) ** 0.5
    rtol = precision if rtol is None else checks.positive("rtol", rtol, "odeint")
    atol = precision if atol is None else checks.positive("atol", atol, "odeint")
    problem = Problem(method, rtol, atol, max_steps)
    t = melted_inside(t)
    times = _times(t)

    def slope(y: Any, t: Any) -> Any:
        return func(y, t, *args)

    moving = has_derivative(t)
    if moving:  # the solution that starts at a time moved by 0, which has the derivative by the time
        start = t[0]
        y0 = _moved(slope, y0, start, times[0] - start)
    solve = problem.replayed if gradient == "direct" else problem.solution
    shared = isinstance(times[0], float)
    ys = solve(slope, y0, times) if shared else _in_intervals(solve, slope, y0, times)
    if not moving:
        return ys
    rows = [tree_map(lambda y, i=i: lift(y)[i, ...], ys) for i in range(len(times))]
    rows = [_moved(slope, y, stop_gradient(t[i]), t[i] - times[i]) for i, y in enumerate(rows)]
    return _stacked(rows)


def _times(t: Any) -> list[Any]:
    """The times as numbers, or where they differ between the examples of vmap as constant arrays."""
    floating("t", t, "odeint")
    if not is_array(t) or len(t.shape) != 1 or not t.shape[0]:
        raise ValueError(
            "Argument `t` of odeint must be an array of shape (times,) with at least one time. "
            f"Received: t of shape {tuple(getattr(t, 'shape', ()))}"
        )
    values = to_host(on_host_now(storage(t)))
    for times in values.reshape(-1, values.shape[-1]).tolist():
        steps = [b - a for a, b in itertools.pairwise(times)]
        if not (all(s >= 0 for s in steps) or all(s <= 0 for s in steps)):
            raise ValueError(f"Argument `t` of odeint must be in ascending or descending order. Received: t={times}")
        if not all(map(math.isfinite, times)):
            raise ValueError(f"Argument `t` of odeint must have finite times. Received: t={times}")
    if values.ndim == 1:
        return list(map(float, values))
    constant = stop_gradient(t)
    return [constant[i] for i in range(values.shape[-1])]


def _in_intervals(solve: Callable[..., Any], slope: Slope, y0: Any, times: list[Any]) -> Any:
    """The solution at times that differ between the examples of vmap: each interval as one from 0 to 1."""
    rows = [y0]
    for start, end in itertools.pairwise(times):
        size = end - start

        def scaled(y: Any, u: Any, start: Any = start, size: Any = size) -> Any:
            return tree_map(lambda dy: lift(dy) * size, slope(boundary.lift_tree(y), start + u * size))

        rows.append(tree_map(lambda y: lift(y)[1, ...], solve(scaled, rows[-1], [0.0, 1.0])))
    return _stacked(rows)


def _moved(slope: Slope, y: Any, t: Any, h: Any) -> Any:
    """A step whose length is 0, with its derivatives."""
    y = boundary.lift_tree(y)
    vector = Vector(y)
    field = lambda v, s: vector.flat(slope(vector.tree(v), s))  # noqa: E731
    return vector.tree(step(field, vector.flat(y), lift(t), h)[0])


def _stacked(rows: list[Any]) -> Any:
    return tree_map(lambda *ys: array_namespace(*ys).stack(list(ys)), rows[0], *rows[1:])


class Problem:
    """How to integrate."""

    def __init__(self, method: str, rtol: float, atol: float, max_steps: int) -> None:
        self.method, self.rtol, self.atol, self.max_steps = method, rtol, atol, max_steps

    def solution(self, slope: Slope, y0: Any, times: list[float]) -> Any:
        """The stacked solution at the present level of differentiation, by the adjoint equation in reverse mode."""
        y0 = tree_map(at_level, y0)
        probe, lifting = probed_slope(slope, y0, times[0])
        level = level_of((probe, y0))
        if level is not None and self.method == "dopri5" and not any(map(is_recorded, tree_leaves((probe, y0)))):
            y0 = tree_map(lambda y: batch(whole(y, level), level), y0)  # with the same steps for all examples
        elif level is not None:
            like = tree_map(lambda y: boundary.zeros(storage(y), (len(times), *y.shape)), y0)
            return by_examples(lambda y: self.solution(slope, y, times), y0, level, like)
        trace = innermost((probe, y0))
        if trace is None:
            return _stacked(self.integrated(plain_slope(slope, lifting), y0, times)[0])
        with frozen(trace):
            below = tree_map(at_level, y0)
        if trace.forward:
            return self.forward(trace, slope, y0, below, times, probe)
        with frozen(trace):
            ys = self.solution(slope, below, times)
        return Adjoint(self, trace, slope, y0, ys, times).attached()

    def integrated(self, slope: Slope, y0: Any, times: list[float]) -> tuple[list[Any], list[Step]]:
        """The solution at each time, for values without derivatives, and the steps of `"dopri5"`."""
        vector = Vector(y0)
        wrapped = is_traced(y0)
        start = vector.flat(y0)
        at = clock(start)

        def field(y: Array, t: float) -> Array:
            out = slope(vector.tree(y), at(t))
            if innermost(out) is not None:
                raise depends_on_time("the arrays of a derivative")
            return vector.flat(tree_map(lift, out) if wrapped else out)

        if self.method == "dopri5":
            outputs, steps = adaptive(field, start, times, self.rtol, self.atol, self.max_steps)
            return [vector.tree(y) for y in outputs], steps
        return [vector.tree(y) for y in self.on_host(field, start, times)], []

    def on_host(self, field: Callable[[Array, float], Array], start: Array, times: list[float]) -> list[Array]:
        """The solution by SciPy."""
        if times[0] == times[-1] or not start.shape[0]:
            return [start for _ in times]
        rates = lambda t, y: to_host(on_host_now(field(to_device(y, start), t)))  # noqa: E731
        rtol = max(self.rtol, 1e-13)
        ys = integrate(rates, to_host(start), times, self.method, rtol, self.atol, self.max_steps)
        return [to_device(y, start) for y in ys]

    def replayed(self, slope: Slope, y0: Any, times: list[float]) -> Any:
        """The solution with the derivatives of the steps, whose sizes follow from values."""
        plain = tree_map(stop_gradient, y0)
        probe, lifting = probed_slope(slope, plain, times[0])
        traces = traces_in((probe, y0))
        with frozen(*traces):
            start = tree_map(at_level, plain)
            level = level_of(tree_map(at_level, (probe, start)))
            if level is not None:  # with the same steps for all examples
                start = tree_map(lambda y: batch(whole(y, level), level), start)
            steps = self.integrated(plain_slope(slope, lifting), start, times)[1]
        vector = Vector(y0)
        opened = lift if lifting or traces else lambda x: x
        y = vector.flat(tree_map(opened, y0))
        at = clock(y)

        def field(v: Array, t: float) -> Array:
            return vector.flat(slope(vector.tree(v), opened(at(t))))

        def taken(y: Array, item: Step) -> tuple[Array, Any]:
            new = step(field, y, item.time, item.size)[0]
            return new, new if item.output else None

        ends = iter([y for y in chain(taken, y, steps, "odeint")[1] if y is not None]) if steps else iter(())
        rows, now = [y], y
        for before, after in itertools.pairwise(times):
            now = now if before == after else next(ends)
            rows.append(now)
        return _stacked([vector.tree(row) for row in rows])

    def forward(self, trace: Trace, slope: Slope, y0: Any, below: Any, times: list[float], probe: Any) -> Any:
        """The solution with its tangent, which solves the linearised equation.

        A batch of tangents has its axis first: one equation for all of them.
        """
        held = held_now()
        leaves = tree_leaves((probe, y0))
        level = innermost_level(tangent_in(trace, x) for x in leaves)
        if level is not None and any(depends_on(level, value_in(trace, x)) for x in leaves):
            level = None  # each example has an equation of its own

        def hidden(x: Any) -> Any:
            return x if level is None else batch(boundary.plain(x), level)

        def shown(x: Any) -> Any:
            return x if level is None else whole(x, level)

        def opened(y: Any, tangent: Any) -> TracedArray:
            return with_tangent(trace, "odeint", boundary.plain(y), hidden(tangent))

        def both(pair: Any, t: Any) -> Any:
            with states((trace,), held):
                out = slope(tree_map(opened, pair["y"], pair["tangent"]), lift(t))
                same_form("The result of argument `func`", out, pair["y"], "odeint")
                tangent = tree_map(lambda x: shown(tangent_in(trace, x)), out)
                return {"y": tree_map(lambda x: value_in(trace, x), out), "tangent": tangent}

        start = {"y": below, "tangent": tree_map(lambda x: shown(tangent_in(trace, x)), y0)}
        solved = self.solution(both, start, times)

        def pushed(y: Any, tangent: Any) -> Any:
            if level is not None:
                tangent = hidden(array_namespace(tangent).moveaxis(tangent, 1, 0))
            return with_tangent(trace, "odeint", y, tangent)

        return tree_map(pushed, solved["y"], solved["tangent"])

"""Ordinary differential equations: `odeint`, differentiated by the adjoint equation or through the steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from portanet import checks
from portanet.autodiff import boundary, tracing
from portanet.autodiff.batching.array import innermost_level
from portanet.autodiff.batching.transform import batch, whole
from portanet.autodiff.closures import (
    at_level,
    frozen,
    frozen_traces,
    innermost,
    plain_function,
    probed,
    states,
    traces_in,
    with_tangent,
)
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.solvers.batches import by_rows, level_of, require_one_problem
from portanet.autodiff.solvers.host import to_device
from portanet.autodiff.solvers.loops import chain
from portanet.autodiff.solvers.runge_kutta import Step, adaptive, step
from portanet.autodiff.solvers.vectors import ConvergenceError, Vector, floating, same_form
from portanet.autodiff.traced import Node, Trace, TracedArray, TraceError, unwrap
from portanet.autodiff.tracing import is_array
from portanet.backends import Array, device_of, raw_namespace, to_host
from portanet.tree import tree_leaves, tree_map

Slope: TypeAlias = Callable[[Any, Any], Any]
"""`slope(y, t)`: a tree like y, for a tree y and an array t of no dimension."""

METHODS = ("dopri5", "RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA")
SAMPLES = 8
"""At how many output times, at most, the arrays that the equation depends on are looked for."""


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
        max_steps: Largest number of steps of `"dopri5"`.
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
    method = checks.choice("method", method, METHODS, "odeint")
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
    times = _times(t)

    def slope(y: Any, t: Any) -> Any:
        return func(y, t, *args)

    moving = innermost(t) is not None
    if moving:  # the solution that starts at a time moved by 0, which has the derivative by the time
        start = t[0]
        y0 = _moved(slope, y0, start, times[0] - start)
    solve = problem.replayed if gradient == "direct" else problem.solution
    ys = solve(slope, y0, times)
    if not moving:
        return ys
    rows = [tree_map(lambda y, i=i: lift(y)[i, ...], ys) for i in range(len(times))]
    rows = [_moved(slope, y, unwrap(t[i]), t[i] - times[i]) for i, y in enumerate(rows)]
    return _stacked(rows)


def _times(t: Any) -> list[float]:
    floating("t", t, "odeint")
    if not is_array(t) or len(t.shape) != 1 or not t.shape[0]:
        raise ValueError(
            "Argument `t` of odeint must be an array of shape (times,) with at least one time. "
            f"Received: t of shape {tuple(getattr(t, 'shape', ()))}"
        )
    times: list[float] = to_host(unwrap(t)).tolist()
    steps = [b - a for a, b in itertools.pairwise(times)]
    if not (all(s >= 0 for s in steps) or all(s <= 0 for s in steps)):
        raise ValueError(f"Argument `t` of odeint must be in ascending or descending order. Received: t={times}")
    if not all(map(math.isfinite, times)):
        raise ValueError(f"Argument `t` of odeint must have finite times. Received: t={times}")
    return times


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
        probe, lifting = _probed(slope, y0, times[0])
        require_one_problem((probe, y0), "odeint")
        trace = innermost((probe, y0))
        if trace is None:
            return _stacked(self.integrated(_plain_slope(slope, lifting), y0, times)[0])
        with frozen(trace):
            below = tree_map(at_level, y0)
        if trace.forward:
            return self.forward(trace, slope, y0, below, times, probe)
        with frozen(trace):
            ys = self.solution(slope, below, times)
        return Adjoint(self, trace, slope, y0, ys, times).attached()

    def integrated(self, slope: Slope, y0: Any, times: list[float]) -> tuple[list[Any], list[Step]]:
        """The solution at each time, for plain arrays, and the steps of `"dopri5"`."""
        vector = Vector(y0)
        start = vector.flat(y0)
        clock = _clock(start)

        def field(y: Array, t: float) -> Array:
            out = slope(vector.tree(y), clock(t))
            if innermost(out) is not None:
                raise depends_on_time("the arrays of a derivative")
            return vector.flat(out)

        if self.method == "dopri5":
            outputs, steps = adaptive(field, start, times, self.rtol, self.atol, self.max_steps)
            return [vector.tree(y) for y in outputs], steps
        return [vector.tree(y) for y in self.on_host(field, start, times)], []

    def on_host(self, field: Callable[[Array, float], Array], start: Array, times: list[float]) -> list[Array]:
        """The solution by SciPy."""
        try:
            from scipy.integrate import solve_ivp
        except ImportError:
            raise ImportError(
                f'odeint needs SciPy for method={self.method!r}. Type: pip install scipy; or use method="dopri5".'
            ) from None
        if times[0] == times[-1] or not start.shape[0]:
            return [start for _ in times]
        rates = lambda t, y: to_host(field(to_device(y, start), t))  # noqa: E731
        span, rtol = (times[0], times[-1]), max(self.rtol, 1e-13)
        ends = list(dict.fromkeys(times))
        result = solve_ivp(rates, span, to_host(start), self.method, t_eval=ends, rtol=rtol, atol=self.atol)
        if not result.success:
            raise ConvergenceError(
                f"odeint did not reach the end: {result.message} Raise `rtol` or `atol`, or use another method. "
                f"Received: method={self.method!r}, times from {times[0]:.6g} to {times[-1]:.6g}"
            )
        return [to_device(result.y[:, ends.index(t)], start) for t in times]

    def replayed(self, slope: Slope, y0: Any, times: list[float]) -> Any:
        """The solution with the derivatives of the steps, whose sizes follow from values."""
        plain = tree_map(unwrap, y0)
        probe, lifting = _probed(slope, plain, times[0])
        traces = traces_in((probe, y0))
        with frozen(*traces):
            steps = self.integrated(_plain_slope(slope, lifting), plain, times)[1]
        vector = Vector(y0)
        opened = lift if lifting or traces else lambda x: x
        y = vector.flat(tree_map(opened, y0))
        clock = _clock(y)

        def field(v: Array, t: float) -> Array:
            return vector.flat(slope(vector.tree(v), opened(clock(t))))

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
        held = frozen_traces()
        level = innermost_level(_tangent(trace, x) for x in tree_leaves((probe, y0)))

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
                tangent = tree_map(lambda x: shown(_tangent(trace, x)), out)
                return {"y": tree_map(lambda x: _value(trace, x), out), "tangent": tangent}

        start = {"y": below, "tangent": tree_map(lambda x: shown(_tangent(trace, x)), y0)}
        solved = self.solution(both, start, times)

        def pushed(y: Any, tangent: Any) -> Any:
            if level is not None:
                tangent = hidden(array_namespace(tangent).moveaxis(tangent, 1, 0))
            return with_tangent(trace, "odeint", y, tangent)

        return tree_map(pushed, solved["y"], solved["tangent"])


def _value(trace: Trace, x: Any) -> Any:
    return boundary.plain(x._value if boundary.belongs(trace, x) else x)


def _tangent(trace: Trace, x: Any) -> Any:
    return boundary.plain(x._link) if boundary.belongs(trace, x) else boundary.zeros_like(x)


def _clock(like: Array) -> Callable[[float], Array]:
    """A function that makes an array of no dimension of a time."""
    raw = unwrap(like)
    return lambda t: raw_namespace(raw).asarray(t, dtype=raw.dtype, device=device_of(raw))


def _probed(slope: Slope, y: Any, t: float) -> tuple[Any, bool]:
    """`slope(y, t)`, and whether it needs its arguments in the differentiable namespace; see `probed`."""
    value, lifting = probed(lambda state: slope(*state), (y, _clock(Vector(y).flat(y))(t)))
    same_form("The result of argument `func`", value, y, "odeint")
    return value, lifting


def _plain_slope(slope: Slope, lifting: bool) -> Slope:
    """`slope` for integrators: plain arrays in give plain arrays out."""
    function = plain_function(lambda state: slope(*state), lifting)
    return lambda y, t: function((y, t))


def depends_on_time(received: str) -> TraceError:
    """The error for an equation that uses some arrays only between output times."""
    return TraceError(
        "Argument `func` of odeint depends on other arrays at some times than at the output times, by an `if`: their "
        "derivative would be lost. Use xp.where, or add such times to `t`. "
        f"Received: at some time, a dependence on {received}"
    )


class Adjoint:
    """The derivative of a solution `ys` in reverse mode, by one level."""

    def __init__(self, problem: Problem, trace: Trace, slope: Slope, y0: Any, ys: Any, times: list[float]) -> None:
        self.problem, self.trace, self.slope = problem, trace, slope
        self.y0, self.ys, self.times = y0, ys, times
        self.held = frozen_traces()
        self.parameters: dict[Node, Any] = {}
        for i in sorted({round(j * (len(times) - 1) / (SAMPLES - 1)) for j in range(SAMPLES)}):
            y = self.row(ys, i)
            zeros = tree_map(boundary.zeros_like, y)
            reached = self.pulled(y, zeros, _clock(Vector(y).flat(y))(times[i]))[1]
            self.parameters |= {node: boundary.zeros_like(g) for node, g in reached.items()}

    def opened(self, x: Any) -> TracedArray:
        """An array as an input of the trace."""
        return TracedArray(boundary.plain(x), self.trace, Node("input", None, None), lift(x)._xp)

    @staticmethod
    def row(tree: Any, i: int) -> Any:
        """The part of a stacked tree at one time."""
        return tree_map(lambda x: boundary.plain(lift(x)[i, ...]), tree)

    def pulled(self, y: Any, cotangent: Any, t: Any) -> tuple[Any, dict[Node, Any], Any]:
        """The slope at y, and what a cotangent of it becomes: of the nodes of other arrays; and of y."""
        start = Node("start", None, None)
        with states((self.trace,), self.held):
            inputs = tree_map(self.opened, y)
            out = self.slope(inputs, lift(t))
            same_form("The result of argument `func`", out, y, "odeint")
        seeds: list[tuple[Node, Any]] = []

        def seed(x: Any, g: Any) -> None:
            if boundary.belongs(self.trace, x):
                seeds.append((x._link, lift(g) if type(x._value) is TracedArray else g))

        tree_map(seed, out, cotangent)
        reached = boundary.pull_back(seeds, start=start)

        def of_input(x: TracedArray) -> Any:
            g = reached.pop(x._link, None)
            return boundary.zeros_like(x) if g is None else g

        back = tree_map(of_input, inputs)
        return tree_map(lambda x: _value(self.trace, x), out), reached, back

    def slope_back(self, state: Any, t: Any) -> Any:
        """The adjoint equation: of the solution, its cotangent, and the cotangents of the parameters."""
        slope, reached, back = self.pulled(state["y"], state["cotangent"], t)
        unknown = reached.keys() - self.parameters.keys()
        if unknown:
            raise depends_on_time(f"results of {', '.join(sorted({node.op for node in unknown}))}")
        parts = [reached.get(node, zero) for node, zero in self.parameters.items()]
        return {"y": slope, "cotangent": tree_map(lambda g: -g, back), "parameters": [-g for g in parts]}

    def pull(self, gs: Any) -> tuple[Any, list[Any]]:
        """Cotangents of the first value and of the parameters."""
        level = level_of(gs)
        if level is not None:
            both: tuple[Any, list[Any]] = by_rows(self.pull, gs, level)
            return both
        total = self.row(gs, len(self.times) - 1)
        parameters = list(self.parameters.values())
        for i in range(len(self.times) - 1, 0, -1):
            if self.times[i] != self.times[i - 1]:
                state = {"y": self.row(self.ys, i), "cotangent": total, "parameters": parameters}
                solved = self.row(self.problem.solution(self.slope_back, state, [self.times[i], self.times[i - 1]]), 1)
                total, parameters = solved["cotangent"], solved["parameters"]
            total = tree_map(lambda a, g: lift(a) + g, total, self.row(gs, i - 1))
        return total, parameters

    def attached(self) -> Any:
        """The solution as an array of the trace."""
        leaves = tree_leaves(self.y0)
        depends = [boundary.belongs(self.trace, x) for x in leaves]
        own = tuple(x._link for x, d in zip(leaves, depends, strict=True) if d)
        values = tree_leaves(self.ys)

        def pull(gs: list[Any]) -> list[Any]:
            parts = iter([boundary.zeros_like(v) if g is None else g for v, g in zip(values, gs, strict=True)])
            with frozen(*self.held, self.trace):
                first, parameters = self.pull(tree_map(lambda _: next(parts), self.ys))
            return [g for g, d in zip(tree_leaves(first), depends, strict=True) if d] + parameters

        parents = own + tuple(self.parameters)
        xp = lift(values[0])._xp
        remaining = iter(tracing.record_many(xp, self.trace, "odeint", values, parents, pull))
        return tree_map(lambda _: next(remaining), self.ys)

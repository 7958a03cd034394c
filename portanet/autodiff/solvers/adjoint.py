"""The derivative of a differential equation in reverse mode, by the adjoint equation."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import boundary, tracing
from portanet.autodiff.closures import frozen, held_now, states
from portanet.autodiff.namespace import lift
from portanet.autodiff.solvers.batches import by_examples, level_of
from portanet.autodiff.solvers.slopes import Slope, clock, depends_on_time, value_in
from portanet.autodiff.solvers.vectors import Vector, same_form
from portanet.autodiff.traced import Node, Trace, TracedArray
from portanet.tree import tree_leaves, tree_map

SAMPLES = 8
"""At how many output times, at most, the arrays that the equation depends on are looked for."""


class Adjoint:
    """The derivative of a solution `ys` in reverse mode, by one level."""

    def __init__(self, problem: Any, trace: Trace, slope: Slope, y0: Any, ys: Any, times: list[float]) -> None:
        self.problem, self.trace, self.slope = problem, trace, slope
        self.y0, self.ys, self.times = y0, ys, times
        self.held = held_now()
        self.parameters: dict[Node, Any] = {}
        for i in sorted({round(j * (len(times) - 1) / (SAMPLES - 1)) for j in range(SAMPLES)}):
            y = self.row(ys, i)
            zeros = tree_map(boundary.zeros_like, y)
            reached = self.pulled(y, zeros, clock(Vector(y).flat(y))(times[i]))[1]
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
                seeds.append((x._link, g if type(x._value) is type(g) else lift(g)))

        tree_map(seed, out, cotangent)
        reached = boundary.pull_back(seeds, start=start)

        def of_input(x: TracedArray) -> Any:
            g = reached.pop(x._link, None)
            return boundary.zeros_like(x) if g is None else g

        back = tree_map(of_input, inputs)
        return tree_map(lambda x: value_in(self.trace, x), out), reached, back

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
            like = (self.row(gs, 0), list(self.parameters.values()))
            both: tuple[Any, list[Any]] = by_examples(self.pull, gs, level, like)
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

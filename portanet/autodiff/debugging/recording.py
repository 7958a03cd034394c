"""The operations of a trace in order, with their operands: a Wengert list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portanet.autodiff import boundary
from portanet.autodiff.namespace import differentiable_namespace, lift
from portanet.autodiff.traced import Node, Trace, TracedArray
from portanet.autodiff.tracing import copied
from portanet.backends import raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map


@dataclass(frozen=True)
class Step:
    """One recorded operation: its name, its result, and in reverse mode the numbers of its operands' steps."""

    name: str
    result: TracedArray
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Recording:
    """The inputs (as steps without operands), then the operations; and the step of each result by path."""

    steps: list[Step]
    results: dict[str, int | None]


def record_run(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...] | None = None) -> Recording:
    """Run `f` once and record every operation on the floating-point arrays among its arguments.

    Args:
        f: The function.
        args: Its arguments; anything but floating-point arrays is passed as a constant.
        tangents: Directions for these arrays, to record a forward trace; None for a reverse trace.
    """
    log: list[tuple[str, TracedArray]] = []
    trace = Trace(forward=tangents is not None, log=log)
    arrays = [x for x in tree_leaves(args) if hasattr(x, "dtype")]
    names = iter([f"argument {number}{path}" for number, arg in enumerate(args) for path, _ in tree_items(arg)])
    direction = iter(tree_leaves(tangents))
    inputs: list[Step] = []

    def start(x: Any) -> Any:
        name = next(names)
        if type(x) is float:
            x = boundary.like(arrays, x)
        if not (hasattr(x, "dtype") and hasattr(x, "shape")):
            return x
        xp = x._xp if type(x) is TracedArray else differentiable_namespace(raw_namespace(x))
        if not xp.isdtype(x.dtype, ("real floating", "complex floating")):
            return lift(x)
        link = Node("input", None, None) if tangents is None else next(direction)
        inputs.append(Step(name, TracedArray(boundary.plain(x), trace, link, xp), ()))
        return copied(inputs[-1].result)

    out, _ = boundary.call(trace, f, tree_map(start, args), {}, False)
    numbers = {id(step.result._link): i for i, step in enumerate(inputs)}
    steps = list(inputs)
    for name, result in log:
        operands = () if trace.forward else tuple(numbers[id(node)] for node in parents_of(result._link, numbers))
        numbers[id(result._link)] = len(steps)
        steps.append(Step(name, result, operands))
    results = {path: numbers.get(id(getattr(x, "_link", None))) for path, x in tree_items(out)}
    return Recording(steps, results)


def parents_of(node: Node, known: dict[int, int]) -> tuple[Node, ...]:
    """The recorded parents of a node; the parts of a tuple of results share those of the whole."""
    parents = node.parents
    if type(parents) is Node:
        return (parents,) if id(parents) in known else parents_of(parents, known)
    return parents if isinstance(parents, tuple) else ()

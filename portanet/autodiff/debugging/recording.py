"""What happened inside a trace: every operation in order, with its operands; a Wengert list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portanet.autodiff import boundary
from portanet.autodiff.namespace import differentiable_namespace, lift
from portanet.autodiff.traced import Node, Trace, TracedArray, unwrap
from portanet.backends import raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map


@dataclass(frozen=True)
class Step:
    """One recorded operation: its name, its result, and in reverse mode the numbers of the steps it was made from."""

    name: str
    result: TracedArray
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Recording:
    """The inputs (as steps without operands), then the operations, and which of them are results by path."""

    steps: list[Step]
    results: dict[str, int | None]


def record_run(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...] | None = None) -> Recording:
    """Run `f` once and keep every operation on the floating-point arrays among its arguments.

    Args:
        f: The function.
        args: Its arguments; what is not a floating-point array is passed on as a constant.
        tangents: Directions for all of them, to record a forward trace; None for a reverse trace.
    """
    log: list[tuple[str, TracedArray]] = []
    trace = Trace(forward=tangents is not None, log=log)
    arrays = [x for x in tree_leaves(args) if hasattr(x, "dtype")]
    places = [f"{number}{path}" for number, arg in enumerate(args) for path, _ in tree_items(arg)]
    place = iter(places)
    direction = iter(tree_leaves(tangents))
    inputs: list[Step] = []

    def start(x: Any) -> Any:
        name = f"argument {next(place)}"
        if type(x) is float:
            x = boundary.like(arrays, x)
        if not (hasattr(x, "dtype") and hasattr(x, "shape")):
            return x
        xp = x._xp if type(x) is TracedArray else differentiable_namespace(raw_namespace(x))
        if not xp.isdtype(x.dtype, ("real floating", "complex floating")):
            return lift(x)
        link = Node("input", None, None) if tangents is None else next(direction)
        inputs.append(Step(name, TracedArray(boundary.plain(x), trace, link, xp), ()))
        return inputs[-1].result

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
    """The recorded nodes that one was made from; the parts of a tuple of results share those of the whole."""
    parents = node.parents
    if type(parents) is Node:
        return (parents,) if id(parents) in known else parents_of(parents, known)
    return parents if isinstance(parents, tuple) else ()


def value_of(step: Step) -> Any:
    """The plain array that a step gave."""
    return unwrap(step.result)

"""Functions that close over traced arrays: computed with the values of these, or run again when cotangents arrive."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

from portanet.autodiff import boundary, tracing
from portanet.autodiff.batching.array import HELD, BatchedArray, Level, is_recorded
from portanet.autodiff.namespace import lift
from portanet.autodiff.traced import Node, Trace, TracedArray, unwrap
from portanet.autodiff.tracing import melted
from portanet.tree import tree_leaves, tree_map


class Example(NamedTuple):
    """One example of a level of `vmap`, which is computed alone."""

    level: Level
    number: int


Held: TypeAlias = tuple[Trace | Example, ...]
_HELD: ContextVar[Held] = ContextVar("held", default=())


def held_now() -> Held:
    """What is frozen now: a function that is called later must find it frozen again."""
    return _HELD.get()


def frozen(*held: Trace | Example) -> contextlib.AbstractContextManager[None]:
    """Within this context, arrays of traces are constants, and those of a level of `vmap` are those of one example.

    Also the arrays that a function closes over.
    """
    return states((), held)


@contextlib.contextmanager
def states(opened: Iterable[Trace], closed: Iterable[Trace | Example]) -> Iterator[None]:
    """Within this context, some traces record, even if they have ended, and others are frozen; see `frozen`."""
    examples = {x.level: x for x in closed if isinstance(x, Example)}
    traces = dict.fromkeys(opened, (True, False))
    traces |= {x: (False, True) for x in closed if isinstance(x, Trace)}
    before = [(trace, trace.alive, trace.frozen) for trace in traces]
    levels = [(level, level.alive, level.example) for level in examples]
    still = [x for x in _HELD.get() if (x.level not in examples if isinstance(x, Example) else x not in traces)]
    token = _HELD.set((*still, *(x for x, (_, freeze) in traces.items() if freeze), *examples.values()))
    for trace, state in traces.items():
        trace.alive, trace.frozen = state
    for level, example in examples.items():
        level.alive, level.example = False, example.number  # not alive: short paths leave it alone
    added = [*(x for x, (_, freeze) in traces.items() if freeze), *examples]
    HELD.extend(added)
    try:
        yield
    finally:
        for trace, alive, was_frozen in before:
            trace.alive, trace.frozen = alive, was_frozen
        for level, alive, index in levels:
            level.alive, level.example = alive, index
        for x in added:
            HELD.remove(x)
        _HELD.reset(token)


def innermost(tree: Any) -> Trace | None:
    """The newest trace, of those that are not frozen, to which leaves of a tree belong."""
    return tracing.innermost([melted(x) for x in tree_leaves(tree)])[0]


def at_level(x: Any) -> Any:
    """A leaf as an array of the newest level that is not frozen, or as a plain one."""
    return boundary.plain(melted(x))


def has_derivative(x: Any) -> bool:
    """Whether an array depends on inputs of a trace that is not frozen, also inside a batch."""
    x = melted(x)
    return innermost(x) is not None or (isinstance(boundary.plain(x), BatchedArray) and is_recorded(x))


def value_of(x: Any) -> Any:
    """The value of a leaf without any derivative: a plain array, or a batched one of `vmap`."""
    return unwrap(melted(x))


def probed(f: Callable[[Any], Any], x: Any) -> tuple[Any, bool]:
    """`f(x)` for a plain tree, and whether `f` needs its argument in the differentiable namespace.

    It does if it closes over traced arrays and takes its namespace from the argument alone.
    """
    try:
        return f(x), False
    except Exception:
        return f(boundary.lift_tree(x)), True


def plain_function(f: Callable[[Any], Any], lifting: bool) -> Callable[[Any], Any]:
    """`f` for solvers: plain arrays in give plain arrays out, unless the solver differentiates it."""

    def function(x: Any) -> Any:
        return tree_map(at_level, f(boundary.lift_tree(x) if lifting else x))

    return function


def with_tangent(trace: Trace, name: str, value: Any, tangent: Any) -> TracedArray:
    """A value with its tangent as an array of a forward trace; both in one namespace if either is traced or batched."""
    if type(value) is TracedArray or type(tangent) is TracedArray:
        value, tangent = lift(value), lift(tangent)
    return tracing.push_forward(lift(value)._xp, trace, name, value, tangent)


def older(nodes: Iterable[Node], start: Node) -> list[Node]:
    """The nodes before `start` that the given ones depend on directly, in the order of their creation."""
    seen: set[Node] = set()
    reached: list[Node] = []
    queue = list(nodes)
    while queue:
        node = queue.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.serial < start.serial:
            reached.append(node)
        else:
            parents: Any = node.parents or ()
            queue.extend((parents,) if type(parents) is Node else parents)
    return sorted(reached, key=lambda node: node.serial)


def recomputed(run: Callable[[], Any], name: str, arguments: Any = ()) -> Any:
    """The result of `run()`, which the reverse passes of all traces in it run again instead of storing anything.

    Args:
        run: Function without arguments; it closes over its inputs.
        name: Of the operation.
        arguments: The inputs that are known: with the results, they say which traces may take part.
    """
    start, held = Node("start", None, None), held_now()
    out = run()
    arrays = recorded(out)
    traces = traces_in((out, arguments)) if arrays else []
    renewed: dict[int, Any] = {}
    reverse = [trace for trace in traces if not trace.forward]
    for trace in sorted(reverse, key=lambda trace: trace.serial):  # enclosing traces first
        mine = [x for x in arrays if x._trace is trace]
        if not mine:
            continue
        parents = tuple(older([x._link for x in mine], start))

        def pull(gs: list[Any], trace: Trace = trace, parents: tuple[Node, ...] = parents) -> list[Any]:
            again = Node("start", None, None)
            with states(traces, held):
                links = [x._link for x in recorded(run()) if x._trace is trace]
            seeds = [(link, g) for link, g in zip(links, gs, strict=True) if g is not None]
            cotangents = boundary.pull_back(seeds, start=again)
            return [cotangents.get(node) for node in parents]

        values = [_renewed(x._value, renewed) for x in mine]
        results = tracing.record_many(mine[0]._xp, trace, name, values, parents, pull)
        renewed |= {id(x): new for x, new in zip(mine, results, strict=True)}
    return tree_map(lambda x: _renewed(x, renewed), out) if arrays else out


def recorded(tree: Any) -> list[TracedArray]:
    """The arrays of reverse traces in a tree, those inside arrays of other traces among them; each once."""
    found: dict[int, TracedArray] = {}
    queue = tree_leaves(tree)[::-1]
    while queue:
        x = melted(queue.pop())
        if type(x) is TracedArray and x._trace is not None:
            if x._trace.forward:
                queue += [x._link, x._value]
            elif id(x) not in found:
                found[id(x)] = x
                queue.append(x._value)
    return list(found.values())


def traces_in(tree: Any) -> list[Trace]:
    """All traces that arrays in a tree belong to, at any level, without those that are frozen."""
    found: dict[Trace, None] = {}
    queue = tree_leaves(tree)
    while queue:
        x = melted(queue.pop())
        if type(x) is TracedArray and x._trace is not None:
            found[x._trace] = None
            queue.append(x._value)
            if x._trace.forward:
                queue.append(x._link)
    return list(found)


def _renewed(x: Any, renewed: dict[int, Any]) -> Any:
    """A result with its recorded arrays exchanged."""
    x = melted(x)
    if type(x) is not TracedArray or x._trace is None or not renewed:
        return x
    if x._trace.forward:
        return TracedArray(_renewed(x._value, renewed), x._trace, _renewed(x._link, renewed), x._xp)
    return renewed[id(x)]

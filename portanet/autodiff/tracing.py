"""The results of an operation: wrapped, with the record of how they came about."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portanet.autodiff.operands import differentiable, is_array
from portanet.autodiff.traced import Node, Trace, TracedArray

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace


def rebuild(like: Any, parts: list[Any]) -> Any:
    """A tuple, named tuple or list of the type of `like`."""
    return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)


def constant(xp: Namespace, value: Any) -> Any:
    """Wrap a raw array (or a tuple or list of them) as a constant of the differentiable namespace."""
    if isinstance(value, (tuple, list)):
        return rebuild(value, [constant(xp, v) for v in value])
    return TracedArray(value, None, None, xp) if is_array(value) else value


def record(xp: Namespace, trace: Trace, op: str, ans: Any, parents: Any, pull: Callable[[Any], Any]) -> TracedArray:
    """Wrap the result of an operation and remember how to pull its cotangent back."""
    out = TracedArray(ans, trace, Node(op, parents, pull), xp)
    if trace.log is not None:
        trace.log.append((op, copied(out)))
    return out


def push_forward(xp: Namespace, trace: Trace, op: str, ans: Any, tangent: Any) -> TracedArray:
    """Wrap the result of an operation together with its tangent."""
    if type(ans) is TracedArray:
        tangent = lifted(xp, tangent)
    out = TracedArray(ans, trace, tangent, xp)
    if trace.log is not None:
        trace.log.append((op, copied(out)))
    return out


def copied(x: TracedArray) -> TracedArray:
    """Another traced array with the same value and link, which stays as it is when `x` is written to."""
    return TracedArray(x._value, x._trace, x._link, x._xp)


class Parts:
    """The cotangent of a tuple of results, of which some may be absent."""

    __slots__ = ("parts",)

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Parts) -> Parts:
        merged = dict(self.parts)
        for i, g in other.parts.items():
            merged[i] = merged[i] + g if i in merged else g
        return Parts(merged)


def _part(index: int, g: Any) -> Parts:
    return Parts({index: g})


def record_many(
    xp: Namespace, trace: Trace, op: str, results: Sequence[Any], parents: Any, pull: Callable[[Any], Any]
) -> list[Any]:
    """Like `record` for an operation with several results; `pull` gets a list of cotangents, None where absent.

    Results that are not floating-point arrays (counts, permutations) come back as constants.
    """
    count = len(results)

    def pull_together(g: Parts) -> Any:
        return pull([g.parts.get(i) for i in range(count)])

    joint = Node(op, parents, pull_together)
    out: list[Any] = []
    for i, value in enumerate(results):
        if differentiable(xp, value):
            out.append(record(xp, trace, f"{op}[{i}]", value, joint, functools.partial(_part, i)))
        else:
            out.append(lifted(xp, value))
    return out


def lifted(xp: Namespace, value: Any) -> Any:
    """`value` as a constant where it is a raw array."""
    return value if type(value) is TracedArray else constant(xp, value)

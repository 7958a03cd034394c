"""From a function of the standard and its rule to a function that records itself.

A rule gives, for each differentiable operand, two linear maps: `pull` takes the cotangent of the result to that of
the operand (reverse mode), `push` takes the tangent of the operand to that of the result (forward mode). Both are
written in the differentiable namespace, which is why they can be differentiated again. Cotangents and tangents are
paired by the real part of `sum(cotangent * tangent)`: for complex arrays the pullback is the transpose, without a
conjugate, as in JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from portanet.autodiff.traced import Node, Trace, TracedArray, TraceError, raw_value
from portanet.backends import raw_namespace

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace

LinearMap: TypeAlias = Callable[[Any], Any]
Factory: TypeAlias = Callable[..., LinearMap]
"""`factory(xp, ans, *args, **kwargs)` gives the linear map; it should capture only what the map needs."""

SCALARS = frozenset({bool, int, float, complex})


@dataclass(frozen=True, slots=True)
class Rule:
    """How to differentiate one function; `pulls[i]` and `pushes[i]` belong to positional operand i.

    A variadic rule has one factory for all operands, which is given the operand's number as keyword `index`.
    """

    name: str
    pulls: tuple[Factory, ...]
    pushes: tuple[Factory, ...]
    variadic: bool = False

    def pull(self, index: int, xp: Namespace, ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> LinearMap:
        """The linear map from the result's cotangent to that of operand `index`."""
        if self.variadic:
            return self.pulls[0](xp, ans, *args, **kwargs, index=index)
        return self.pulls[index](xp, ans, *args, **kwargs)

    def push(self, index: int, xp: Namespace, ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> LinearMap:
        """The linear map from the tangent of operand `index` to that of the result."""
        if self.variadic:
            return self.pushes[0](xp, ans, *args, **kwargs, index=index)
        return self.pushes[index](xp, ans, *args, **kwargs)


# Helpers that rules share


def fit(xp: Namespace, g: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Bring a cotangent back to its operand's shape and dtype: the transpose of broadcasting and promotion."""
    if g.shape != shape:
        lead = g.ndim - len(shape)
        axes = tuple(i for i in range(g.ndim) if i < lead or (shape[i - lead] == 1 and g.shape[i] != 1))
        if axes:
            g = xp.sum(g, axis=axes, keepdims=True)
            g = xp.reshape(g, g.shape[lead:])
        if g.shape != shape:
            g = xp.broadcast_to(g, shape)
    if g.dtype != dtype:
        if xp.isdtype(g.dtype, "complex floating") and not xp.isdtype(dtype, "complex floating"):
            g = xp.real(g)
        g = xp.astype(g, dtype)
    return g


def fitted(xp: Namespace, pull: LinearMap, operand: Any, ans: Any) -> LinearMap:
    """`pull`, followed by `fit` where broadcasting or promotion made the result differ from the operand."""
    shape, dtype = operand.shape, operand.dtype
    if shape == ans.shape and (dtype is ans.dtype or dtype == ans.dtype):
        return pull
    return lambda g: fit(xp, pull(g), shape, dtype)


# Recording


def constant(xp: Namespace, value: Any) -> Any:
    """Wrap a raw array (or a tuple or list of them) as a constant of the differentiable namespace."""
    if isinstance(value, (tuple, list)):
        parts = [constant(xp, v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return TracedArray(value, None, None, xp)


def record(xp: Namespace, trace: Trace, op: str, ans: Any, parents: Any, pull: LinearMap) -> TracedArray:
    """Wrap the result of an operation and remember how to pull its cotangent back."""
    out = TracedArray(ans, trace, Node(op, parents, pull), xp)
    if trace.log is not None:
        trace.log.append(out)
    return out


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


def record_many(
    xp: Namespace, trace: Trace, op: str, results: Sequence[Any], parents: Any, pull: LinearMap
) -> list[Any]:
    """Like `record` for an operation with several results; `pull` gets a list of cotangents, None where absent.

    Results that are not floating-point arrays (counts, permutations) come back as constants.
    """
    count = len(results)
    joint = Node(op, parents, lambda g: pull([g.parts.get(i) for i in range(count)]))
    out: list[Any] = []
    for i, value in enumerate(results):
        if differentiable(xp, value):
            out.append(record(xp, trace, f"{op}[{i}]", value, joint, lambda g, i=i: Parts({i: g})))
        else:
            out.append(constant(xp, value) if hasattr(value, "dtype") else value)
    return out


def differentiable(xp: Namespace, value: Any) -> bool:
    """Whether `value` is an array with a dtype that has derivatives."""
    return hasattr(value, "dtype") and xp.isdtype(value.dtype, ("real floating", "complex floating"))


def innermost(args: Sequence[Any]) -> tuple[Trace | None, bool]:
    """The innermost trace among `args`, and whether any of them is a traced array at all."""
    top = None
    wrapped = False
    for a in args:
        if type(a) is TracedArray:
            wrapped = True
            trace = a._trace
            if trace is not None and (top is None or trace.serial > top.serial):
                top = trace
    return top, wrapped


def split(xp: Namespace, trace: Trace, args: Sequence[Any]) -> tuple[list[Any], dict[int, Any]]:
    """Take the wrappers of `trace` and of constants off `args`; give the values and the links by position."""
    trace.require_alive()
    values: list[Any] = []
    links: dict[int, Any] = {}
    for i, a in enumerate(args):
        if type(a) is TracedArray:
            require_same(xp, a)
            if a._trace is trace:
                links[i] = a._link
            values.append(a._value if a._trace is trace or a._trace is None else a)
        else:
            if hasattr(a, "dtype"):
                require_same(xp, a)
            values.append(a)
    return values, links


def require_same(xp: Namespace, other: Any) -> None:
    """Refuse an operand that belongs to another library; Python scalars belong to all."""
    if type(other) in SCALARS or other is None:
        return
    theirs = other._xp.raw if type(other) is TracedArray else raw_namespace(other)
    if theirs is not xp.raw:
        raise TraceError(
            f"One operation got arrays of two libraries: {xp.raw.__name__} and {theirs.__name__}. Convert one of them "
            f"first, for example with portanet.asarray(x) for the backend in use. "
            f"Received: {type(raw_value(other)).__name__} of shape {tuple(other.shape)}"
        )


# One function per number of operands: the common cases are short because every traced operation pays for them


def unary(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record a function of one array."""
    name, pull, push = rule.name, rule.pulls[0], rule.pushes[0]

    def op(x: Any, /) -> Any:
        if type(x) is not TracedArray:
            return raw(x)
        value, trace = x._value, x._trace
        if trace is None:
            return TracedArray(raw(value), None, None, xp)
        if not trace.alive:
            trace.require_alive()
        ans = op(value) if type(value) is TracedArray else raw(value)
        if trace.forward:
            return TracedArray(ans, trace, push(xp, ans, value)(x._link), xp)
        return record(xp, trace, name, ans, x._link, pull(xp, ans, value))

    op.__name__ = op.__qualname__ = name
    return op


def binary(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record a function of two arrays that broadcast against each other; either may be a Python scalar."""
    name = rule.name
    pull_x, pull_y = rule.pulls
    anything = general(raw, broadcasting(rule), xp)

    def op(x: Any, y: Any, /) -> Any:
        if type(x) is TracedArray:
            trace, xv = x._trace, x._value
            if trace is not None and not trace.forward and trace.alive and type(xv) is not TracedArray:
                if type(y) is TracedArray:
                    if y._trace is trace and y._xp is xp:
                        yv = y._value
                        ans = raw(xv, yv)
                        px = fitted(xp, pull_x(xp, ans, xv, yv), xv, ans)
                        py = fitted(xp, pull_y(xp, ans, xv, yv), yv, ans)
                        return record(xp, trace, name, ans, (x._link, y._link), lambda g: (px(g), py(g)))
                elif type(y) is type(xv) or type(y) in SCALARS:
                    ans = raw(xv, y)
                    return record(xp, trace, name, ans, x._link, fitted(xp, pull_x(xp, ans, xv, y), xv, ans))
        elif type(y) is not TracedArray:
            return raw(x, y)
        else:
            trace, yv = y._trace, y._value
            if (
                trace is not None
                and not trace.forward
                and trace.alive
                and type(yv) is not TracedArray
                and (type(x) is type(yv) or type(x) in SCALARS)
            ):
                ans = raw(x, yv)
                return record(xp, trace, name, ans, y._link, fitted(xp, pull_y(xp, ans, x, yv), yv, ans))
        return anything(x, y)

    op.__name__ = op.__qualname__ = name
    return op


def broadcasting(rule: Rule) -> Rule:
    """The rule with its pulls fitted to their operands, for functions whose operands broadcast."""

    def fit_to(i: int, pull: Factory) -> Factory:
        return lambda xp, ans, *args: fitted(xp, pull(xp, ans, *args), args[i], ans)

    return Rule(rule.name, tuple(fit_to(i, pull) for i, pull in enumerate(rule.pulls)), rule.pushes)


def general(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record a function of any number of positional operands, at any mixture of nesting levels."""

    def op(*args: Any, **kwargs: Any) -> Any:
        trace, wrapped = innermost(args)
        if trace is None:
            if not wrapped:
                return raw(*args, **kwargs)
            for a in args:
                if hasattr(a, "dtype"):
                    require_same(xp, a)
            return constant(xp, raw(*map(raw_value, args), **kwargs))
        values, links = split(xp, trace, args)
        ans = op(*values, **kwargs)
        several = isinstance(ans, (tuple, list))
        if trace.forward:
            tangent = None
            for i, t in links.items():
                part = rule.push(i, xp, ans, values, kwargs)(t)
                if tangent is None:
                    tangent = part
                else:
                    tangent = [a + b for a, b in zip(tangent, part, strict=True)] if several else tangent + part
            if several:
                assert tangent is not None
                outs = [
                    TracedArray(a, trace, t, xp) if differentiable(xp, a) else constant(xp, a)
                    for a, t in zip(ans, tangent, strict=True)
                ]
                return type(ans)(*outs) if hasattr(ans, "_fields") else type(ans)(outs)
            if tangent.shape != ans.shape:
                tangent = xp.broadcast_to(tangent, ans.shape)
            return TracedArray(ans, trace, tangent, xp)
        pulls = [rule.pull(i, xp, ans, values, kwargs) for i in links]
        parents = tuple(links.values())
        pull = (lambda g: (pulls[0](g),)) if len(pulls) == 1 else (lambda g: tuple(p(g) for p in pulls))
        if several:
            outs = record_many(xp, trace, rule.name, ans, parents, pull)
            return type(ans)(*outs) if hasattr(ans, "_fields") else type(ans)(outs)
        return record(xp, trace, rule.name, ans, parents, pull)

    op.__name__ = op.__qualname__ = rule.name
    return op


def passthrough(raw: Callable[..., Any], xp: Namespace) -> Callable[..., Any]:
    """A function without derivative: takes the wrappers off everywhere, gives a constant if there were any."""

    def op(*args: Any, **kwargs: Any) -> Any:
        seen = [False]
        args = tuple(_unwrap(xp, a, seen) for a in args)
        kwargs = {k: _unwrap(xp, a, seen) for k, a in kwargs.items()}
        ans = raw(*args, **kwargs)
        if not seen[0]:
            return ans
        if hasattr(ans, "dtype") and hasattr(ans, "shape"):
            return TracedArray(ans, None, None, xp)
        if isinstance(ans, (tuple, list)) and any(hasattr(a, "shape") for a in ans):
            return constant(xp, ans)
        return ans

    op.__name__ = op.__qualname__ = getattr(raw, "__name__", "function")
    return op


def _unwrap(xp: Namespace, x: Any, seen: list[bool]) -> Any:
    if type(x) is TracedArray:
        require_same(xp, x)
        seen[0] = True
        return raw_value(x)
    if isinstance(x, (tuple, list)):
        return type(x)(_unwrap(xp, a, seen) for a in x) if not hasattr(x, "_fields") else x
    return x

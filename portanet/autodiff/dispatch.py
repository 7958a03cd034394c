"""From a function of the standard and its rule to a function that records itself.

A rule has two linear maps for each differentiable operand: `pull` maps the cotangent of the result to that of the
operand (reverse mode), `push` maps the tangent of the operand to that of the result (forward mode). Both are written in
the differentiable namespace, so they can be differentiated again. Cotangents and tangents are paired by the real part
of `sum(cotangent * tangent)`: for complex arrays the pullback is the transpose, without a conjugate, as in JAX.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeAlias

from portanet.autodiff.batching.array import BatchedArray, batched_namespace, innermost_level
from portanet.autodiff.traced import Trace, TracedArray, unwrap
from portanet.autodiff.tracing import (
    NO_ARRAYS,
    REAL_SCALARS,
    SCALARS,
    accepted,
    constant,
    differentiable,
    explained,
    holds,
    innermost,
    is_array,
    lifted,
    melted,
    push_forward,
    rebuild,
    record,
    record_many,
    require_same,
    single,
    split,
)
from portanet.autodiff.views import Put, View, link_view, shares_memory
from portanet.backends import ArrayHolder, held

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace

LinearMap: TypeAlias = Callable[[Any], Any]
Factory: TypeAlias = Callable[..., LinearMap]
"""`factory(xp, ans, *args, **kwargs)` returns the linear map; it should capture only what the map needs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How to differentiate one function; `pulls[i]` and `pushes[i]` belong to positional operand i.

    A variadic rule has one factory for all operands, which receives the operand's position as keyword `index`. The
    operands of an elementwise rule broadcast; its pulls are fitted to them. `joint` makes one map for both operands of
    one shape and dtype, which takes less memory than two.
    """

    name: str
    pulls: tuple[Factory, ...]
    pushes: tuple[Factory, ...]
    variadic: bool = False
    elementwise: bool = False
    joint: Factory | None = None

    def of(self, index: int, factories: tuple[Factory, ...]) -> Factory:
        """The factory for operand `index`, of the pulls or the pushes."""
        return functools.partial(factories[0], index=index) if self.variadic else factories[index]


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
    return MethodType(_fit_pulled, (xp, pull, shape, dtype))


def _fit_pulled(fitting: tuple[Namespace, LinearMap, tuple[int, ...], Any], g: Any) -> Any:
    xp, pull, shape, dtype = fitting
    return fit(xp, pull(g), shape, dtype)


# One function per number of operands: the common cases are short because every traced operation pays for them


def unary(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record an elementwise function of one array."""
    name, pull, push = rule.name, rule.pulls[0], rule.pushes[0]

    def op(x: Any, /) -> Any:
        if type(x) is not TracedArray:
            return op(x.value) if isinstance(x, ArrayHolder) else raw(x)
        if x._xp is not xp and x._xp.batched:
            return x._xp.find(name)(x)
        value, trace = x._value, x._trace
        if trace is None:
            return TracedArray(raw(value), None, None, xp)
        if not trace.alive:
            if trace.frozen:
                return op(lifted(xp, melted(x)))
            trace.require_alive()
        ans = op(value) if type(value) is TracedArray else raw(value)
        if trace.forward:
            return push_forward(xp, trace, name, ans, push(xp, ans, value)(x._link))
        return record(xp, trace, name, ans, x._link, pull(xp, ans, value))

    return op


def binary(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record a function of two arrays that broadcast against each other; either may be a Python scalar."""
    name = rule.name
    (pull_x, pull_y), joint = rule.pulls, rule.joint
    fallback = general(raw, broadcasting(rule), xp)

    def op(x: Any, y: Any, /) -> Any:
        try:
            if type(x) is TracedArray:
                trace, xv = x._trace, x._value
                if trace is not None and not trace.forward and trace.alive and type(xv) is not TracedArray:
                    if type(y) is TracedArray:
                        if y._trace is trace and y._xp is xp:
                            yv = y._value
                            ans = raw(xv, yv)
                            dtype, other = xv.dtype, yv.dtype
                            alike = xv.shape == yv.shape and (dtype is other or dtype == other)
                            if alike and joint is not None:
                                return record(xp, trace, name, ans, (x._link, y._link), joint(xp, ans, xv, yv))
                            px, py = pull_x(xp, ans, xv, yv), pull_y(xp, ans, xv, yv)
                            if not alike:
                                px, py = fitted(xp, px, xv, ans), fitted(xp, py, yv, ans)
                            return record(xp, trace, name, ans, (x._link, y._link), (px, py))
                    elif type(y) in REAL_SCALARS:  # the result has the shape and dtype of x
                        ans = raw(xv, y)
                        return record(xp, trace, name, ans, x._link, pull_x(xp, ans, xv, y))
                    elif type(y) is type(xv) or type(y) is complex:
                        ans = raw(xv, y)
                        return record(xp, trace, name, ans, x._link, fitted(xp, pull_x(xp, ans, xv, y), xv, ans))
            elif type(y) is TracedArray:
                trace, yv = y._trace, y._value
                plain = type(x) is type(yv) or type(x) in SCALARS
                if plain and trace is not None and not trace.forward and trace.alive and type(yv) is not TracedArray:
                    ans = raw(x, yv)
                    pull = pull_y(xp, ans, x, yv)
                    if type(x) not in REAL_SCALARS:
                        pull = fitted(xp, pull, yv, ans)
                    return record(xp, trace, name, ans, y._link, pull)
        except Exception:
            pass  # the fallback fails again and can explain why
        return fallback(x, y)

    return op


def broadcasting(rule: Rule) -> Rule:
    """The rule with its pulls fitted to their operands, for functions whose operands broadcast."""

    def fit_to(i: int, pull: Factory) -> Factory:
        return lambda xp, ans, *args: fitted(xp, pull(xp, ans, *args), args[i], ans)

    return Rule(rule.name, tuple(fit_to(i, pull) for i, pull in enumerate(rule.pulls)), rule.pushes)


def of_first(raw: Callable[..., Any], rule: Rule, xp: Namespace, put: Put | None) -> Callable[..., Any]:
    """Record a function of one array and options, such as `sum` or `reshape`."""
    name, pull = rule.name, rule.pulls[0]
    compute = fallback = general(raw, rule, xp)
    view = None
    if put is not None:
        view = View(name, compute, put)
        fallback = viewing(compute, view)

    def op(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        if kwargs and ("dtype" in kwargs or TracedArray in map(type, kwargs.values())):
            return fallback(x, *args, **kwargs)
        if not NO_ARRAYS.issuperset(map(type, args)):
            return fallback(x, *args, **kwargs)
        if type(x) is not TracedArray:
            return op(x.value, *args, **kwargs) if isinstance(x, ArrayHolder) else raw(x, *args, **kwargs)
        trace, value = x._trace, x._value
        if trace is None or trace.forward or not trace.alive or type(value) is TracedArray or x._xp is not xp:
            return fallback(x, *args, **kwargs)
        try:
            ans = raw(value, *args, **kwargs)
        except Exception:
            return fallback(x, *args, **kwargs)  # fails again and can explain why
        if isinstance(ans, (tuple, list)):
            pulled = pull(xp, ans, value, *args, **kwargs)
            return rebuild(ans, record_many(xp, trace, name, ans, x._link, pulled))
        out = record(xp, trace, name, ans, x._link, pull(xp, ans, value, *args, **kwargs))
        if view is not None and (getattr(ans, "base", None) is value or shares_memory(view, x, out, args, kwargs)):
            link_view(view, x, out, args, kwargs)
        return out

    return op


def viewing(compute: Callable[..., Any], view: View) -> Callable[..., Any]:
    """`compute`, whose result remembers its operand if it shares memory with it, and the operand it."""

    def op(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        out = compute(x, *args, **kwargs)
        if type(x) is TracedArray and shares_memory(view, x, out, args, kwargs):
            link_view(view, x, out, args, kwargs)
        return out

    return functools.update_wrapper(op, compute)


def general(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record a function of any number of positional operands, at any mixture of nesting levels."""
    name = rule.name
    batched = xp.batched

    def op(*args: Any, **kwargs: Any) -> Any:
        if TracedArray not in map(type, args) and TracedArray not in map(type, kwargs.values()):
            try:
                return raw(*args, **kwargs)
            except Exception:
                if not holds(args):
                    raise
                return op(*map(held, args), **kwargs)
        if kwargs:
            kwargs = {k: unwrap(v) for k, v in kwargs.items()}
        operands = None if batched else single(xp, args)
        if operands is not None:
            trace, values, links = operands
            nested = False
        else:
            if not batched:
                for a in args:
                    if type(a) is TracedArray and a._xp.batched:
                        return a._xp.find(name)(*args, **kwargs)
            if holds(args):
                return op(*map(held, args), **kwargs)
            top, wrapped = innermost(args)
            if batched:
                level = innermost_level(args)
                if level is not None and (top is None or level.serial > top.serial):
                    values = [a._value if _is_constant(a) else accepted(xp, a) if is_array(a) else a for a in args]
                    return constant(xp, raw(*values, **kwargs))
            if top is None:
                if not wrapped:
                    return raw(*args, **kwargs)
                plain = [unwrap(accepted(xp, a) if is_array(a) else a) for a in args]
                try:
                    return constant(xp, raw(*plain, **kwargs))
                except Exception as error:
                    if not batched and (home := batched_namespace(args)) is not None:  # of a batched index
                        return home.find(name)(*args, **kwargs)
                    raise explained(error, plain) from None
            trace = top
            values, links = split(xp, trace, args)
            nested = any(type(v) is TracedArray for v in values) or (batched and _mixed(xp, values))
        if nested:  # rules need all values in one namespace
            values = [lifted(xp, v) if differentiable(xp, v) else v for v in values]
        if trace.forward and (nested or TracedArray in map(type, links.values())):
            links = {i: lifted(xp, t) for i, t in links.items()}
        try:
            ans = op(*values, **kwargs) if nested else raw(*values, **kwargs)
        except Exception as error:
            if not batched and (home := batched_namespace(args)) is not None:
                return home.find(name)(*args, **kwargs)
            raise explained(error, values) from None
        if "dtype" in kwargs and not isinstance(ans, (tuple, list)) and not differentiable(xp, ans):
            return lifted(xp, ans)
        return recorded(rule, xp, trace, ans, values, links, kwargs)

    return op


def recorded(
    rule: Rule, xp: Namespace, trace: Trace, ans: Any, values: list[Any], links: dict[int, Any], kwargs: dict[str, Any]
) -> Any:
    """The result of an operation, with its tangent or what pulls its cotangent back."""
    name = rule.name
    several = isinstance(ans, (tuple, list))
    if trace.forward:
        tangent = None
        for i, t in links.items():
            part = rule.of(i, rule.pushes)(xp, ans, *values, **kwargs)(t)
            if tangent is None:
                tangent = part
            else:
                tangent = [a + b for a, b in zip(tangent, part, strict=True)] if several else tangent + part
        if not several:
            return push_forward(xp, trace, name, ans, conform(xp, tangent, ans))
        assert tangent is not None
        outs = [
            push_forward(xp, trace, name, a, conform(xp, t, a)) if differentiable(xp, a) else lifted(xp, a)
            for a, t in zip(ans, tangent, strict=True)
        ]
        return rebuild(ans, outs)
    pulls: Any = {i: rule.of(i, rule.pulls) for i in links} if rule.variadic else rule.pulls
    pull: Any = tuple([pulls[i](xp, ans, *values, **kwargs) for i in links])
    parents: Any = tuple(links.values())
    if len(pull) == 1:
        parents, pull = parents[0], pull[0]
    elif several:
        pull = functools.partial(_pull_each, pull)
    if several:
        return rebuild(ans, record_many(xp, trace, name, ans, parents, pull))
    return record(xp, trace, name, ans._value if xp.batched and _is_constant(ans) else ans, parents, pull)


def _mixed(xp: Namespace, values: Sequence[Any]) -> bool:
    """Whether some values are batched and some not: plain arrays of some libraries refuse batched ones in operators."""
    return len({isinstance(v, BatchedArray) for v in values if differentiable(xp, v)}) == 2


def _is_constant(x: Any) -> bool:
    return type(x) is TracedArray and x._trace is None


def _pull_each(pulls: Sequence[LinearMap], g: Any) -> list[Any]:
    return [pull(g) for pull in pulls]


def conform(xp: Namespace, tangent: Any, ans: Any) -> Any:
    """Broadcast and cast a tangent to the shape and dtype of the result."""
    if tangent.shape != ans.shape:
        tangent = xp.broadcast_to(tangent, ans.shape)
    return tangent if tangent.dtype == ans.dtype else xp.astype(tangent, ans.dtype)


def passthrough(raw: Callable[..., Any], xp: Namespace, name: str) -> Callable[..., Any]:
    """Wrap a function without derivative: it unwraps traced arguments, and then returns a constant."""

    def op(*args: Any, **kwargs: Any) -> Any:
        seen: list[Any] = [False]
        plain = [_unwrap(xp, a, seen) for a in args]
        kwargs = {k: _unwrap(xp, a, seen) for k, a in kwargs.items()}
        if not seen[0]:
            return raw(*plain, **kwargs)
        if len(seen) > 1:
            return seen[1].find(name)(*args, **kwargs)
        plain = [accepted(xp, a) if is_array(a) else a for a in plain]
        try:
            out = raw(*plain, **kwargs)
        except Exception as error:
            raise explained(error, plain) from None
        for given, value in zip(args, plain, strict=True):
            if value is out and type(given) is TracedArray and given._trace is None:
                return given  # as array-api-strict returns integers that are to be rounded
        return constant(xp, out)

    return op


def _unwrap(xp: Namespace, x: Any, seen: list[Any]) -> Any:
    if type(x) is TracedArray:
        require_same(xp, x)
        seen[0] = True
        if x._xp is not xp and x._xp.batched:
            seen.append(x._xp)
        return unwrap(x)
    if isinstance(x, (tuple, list)) and not hasattr(x, "_fields"):
        return type(x)(_unwrap(xp, a, seen) for a in x)
    return _unwrap(xp, x.value, seen) if isinstance(x, ArrayHolder) else x

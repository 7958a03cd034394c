"""Functions with a custom derivative."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from portanet.autodiff import boundary, tracing
from portanet.autodiff.batching.array import (
    HELD,
    BatchedArray,
    Level,
    batched_namespace,
    innermost_level,
    is_recorded,
    level_of,
    tangent_value,
)
from portanet.autodiff.namespace import Namespace, array_namespace, lift
from portanet.autodiff.traced import Trace, TracedArray, TraceError, is_traced, unwrap
from portanet.autodiff.tracing import differentiable, innermost, melted_arguments, split
from portanet.autodiff.transforms import vjp

Declared: TypeAlias = Callable[..., tuple[Any, Callable[..., Any]]]


def custom_vjp(f: Declared, value: Callable[..., Any] | None = None, early: bool = False) -> Callable[..., Any]:
    """Declare a function by its value and its pullback; used for fused ops.

    `f(*arrays, **options)` returns `(result, pullback)`. The result is an array or a tuple of arrays;
    `pullback(cotangent)` (a tuple of cotangents, None where absent, for a tuple) returns one cotangent per
    positional argument, with the argument's shape and dtype, or None for arguments without derivative; an expensive one
    may be a function without arguments, which is called only if needed. Both are written in the standard. Since
    cotangents may be traced when derivatives are nested, the pullback gets its own namespace,
    `xp = array_namespace(g, x)`, from the cotangent and the arrays that it uses.

    Called with plain arrays, the decorated function returns the result alone, computed by `value` if given. Forward
    mode transposes the pullback; derivatives of any order follow.

    A backend may override `f`, result and pullback together, if it is `overridable`; for traced cotangents the
    definition's pullback is used.

    Args:
        f: The function, see above.
        value: Computes the result alone, for calls without derivatives; by default `f` does.
        early: Whether the pullback is called as soon as the cotangent is complete, such as one that sends it elsewhere;
            by default cotangents of what was computed later come first.

    Raises:
        TraceError: A traced array was passed through an option or a closure, where its derivative would be lost.
        TypeError: The pullback did not return a tuple of one cotangent per positional argument.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace, custom_vjp, grad
        >>> @custom_vjp
        ... def cube(x):
        ...     return x**3, lambda g: (3 * x**2 * g,)
        >>> float(grad(cube)(np.asarray(2.0)))
        12.0
    """
    value = value or (lambda *args, **kwargs: f(*args, **kwargs)[0])
    record = _record_early if early else _record_pullback
    return _declared(f, value, record, _transpose_pullback, _batch_reverse)


def custom_jvp(f: Declared) -> Callable[..., Any]:
    """Declare a function by its value and its pushforward; for rules that are easier to state for tangents.

    `f(*arrays, **options)` returns `(result, pushforward)`. `pushforward(*tangents)` gets one tangent per
    positional argument (None for a constant one), and returns the tangent of the result (a tuple of them for a tuple);
    it is linear in them and written in the standard, with its own `xp = array_namespace(*tangents, x)`. Reverse mode
    transposes it.

    Args:
        f: A function of arrays, written in the standard.

    Raises:
        TraceError: A traced array was passed through an option or a closure, where its derivative would be lost.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import custom_jvp, grad
        >>> @custom_jvp
        ... def cube(x):
        ...     return x**3, lambda t: 3 * x**2 * t
        >>> float(grad(cube)(np.asarray(2.0)))
        12.0
    """

    def value(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **kwargs)[0]

    return _declared(f, value, _transpose_pushforward, _apply_pushforward, _batch_forward)


def primitive(
    function: Callable[..., Any], pullback: Callable[..., Callable[..., Any]], examples: Sequence[int] = ()
) -> Callable[..., Any]:
    """Declare an op whose function only sees plain arrays: the op calls itself with one wrapper fewer each time.

    For linear functions whose adjoints are such ops: derivatives of every order then run the same fast code.

    Args:
        function: `function(*arrays, **options)` computes the result.
        pullback: `pullback(result, *arrays, **options)` returns the pullback, written in such ops; see `custom_vjp`.
        examples: Positions of the arrays with examples along the first axis, as the result has: `vmap` over these alone
            makes more examples of them. Otherwise, it calls the op for each element of the batch.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad
        >>> total = primitive(lambda x, *, size: np.sum(x), lambda y, x, *, size: lambda g: (spread(g, size=size),))
        >>> spread = primitive(
        ...     lambda g, *, size: np.full(size, g), lambda y, g, *, size: lambda h: (total(h, size=size),)
        ... )
        >>> grad(lambda x: total(x, size=2) * 3.0)(np.asarray([1.0, 2.0]))
        array([3., 3.])
    """

    @functools.wraps(function)
    def declared(*args: Any, **options: Any) -> Any:
        result = op(*args, **options) if is_traced(args) else function(*args, **options)
        return result, pullback(result, *args, **options)

    batch = functools.partial(_batch_primitive, examples=frozenset(examples))
    op = _declared(declared, function, _record_pullback, _transpose_pullback, batch)
    return op


def _declared(
    f: Declared,
    value: Callable[..., Any],
    reverse: Callable[..., Any],
    forward: Callable[..., Any],
    batch: Callable[..., Any],
) -> Callable[..., Any]:
    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        if HELD:
            args, kwargs = melted_arguments(args, kwargs)
        home: Any = None  # the namespace of batched arrays, which may be bare
        constants = []  # options that are wrapped
        for name, option in kwargs.items():
            kind = type(option)
            if kind is TracedArray or kind.__base__ is BatchedArray:
                if is_recorded(option):
                    raise TraceError(
                        f"{f.__name__} has a derivative for its positional arguments only; pass the array by position. "
                        f"Received: a traced array as option {name!r}"
                    )
                home = home or batched_namespace((option,))
                constants.append(option)
        trace, wrapped = innermost(args)
        for a in args:
            if type(a) is TracedArray:
                if a._xp.batched:
                    home = a._xp
                    break
            elif type(a).__base__ is BatchedArray:
                home = a.namespace.differentiable()
                break
        if home is not None:
            level = innermost_level((*args, *kwargs.values()))
            if level is not None and (trace is None or level.serial > trace.serial):
                level.require_alive()
                return batch(level, f, function, args, kwargs)
            kwargs = {name: lift(option) for name, option in kwargs.items()}
            constants = [option for option in kwargs.values() if type(option) is TracedArray]
        if trace is None:
            if not wrapped and not constants:
                return value(*args, **kwargs)
            if constants:
                kwargs = {name: unwrap(option) for name, option in kwargs.items()}
            xp = array_namespace(*args, *constants)
            return tracing.constant(xp, value(*map(unwrap, args), **kwargs))
        xp = home or array_namespace(*args)
        values, links = split(xp, trace, args)
        if home is not None or any(type(v) is TracedArray for v in values):
            values = [lift(v) for v in values]
        elif constants:
            kwargs = {name: unwrap(option) for name, option in kwargs.items()}
        return (forward if trace.forward else reverse)(xp, trace, f, values, links, kwargs)

    return function


def _batch_reverse(level: Level, f: Declared, function: Any, args: Any, options: Any) -> Any:
    return _batch(level, f, args, options, custom_vjp, True)


def _batch_forward(level: Level, f: Declared, function: Any, args: Any, options: Any) -> Any:
    return _batch(level, f, args, options, custom_jvp, False)


def _batch(level: Level, f: Declared, args: Any, options: Any, declare: Any, reverse: bool) -> Any:
    from portanet.autodiff.batching import custom

    names = [name for name, option in options.items() if level_of(option) is not None]
    if names:
        f = custom.with_options(f, len(args), names, reverse)
        args, options = (*args, *map(options.pop, names)), options
    values, batched = custom.split(level, args)
    out = declare(custom.with_level(f, level, batched, reverse))(*values, **options)
    return custom.closed(level, out, f.__name__)


def _batch_primitive(
    level: Level, f: Declared, function: Any, args: Any, options: Any, examples: frozenset[int]
) -> Any:
    from portanet.autodiff.batching.custom import batched_primitive

    return batched_primitive(function, level, args, options, f.__name__, examples)


def bare(trace: Trace | None, name: str, result: Any) -> Any:
    """A result of `name`, unwrapped if constant; raises if it depends on `trace` (on any trace for None)."""
    if type(result) is not TracedArray:
        return result
    if result._trace is None:
        return result._value
    if trace is None or result._trace.serial >= trace.serial:
        raise TraceError(
            f"{name} closes over a traced array, whose derivative would be lost: pass every array that it "
            "differentiates as a separate argument (not inside a list for custom_vjp and custom_jvp)."
        )
    return result


def space_of(xp: Namespace, results: list[Any]) -> Namespace:
    """The namespace of results, which are batched if the function closes over batched arrays."""
    for result in results:
        if type(result).__base__ is BatchedArray:
            return result.namespace.differentiable()  # type: ignore[no-any-return]
    return xp


def _as_list(results: Any) -> list[Any]:
    return list(results) if isinstance(results, tuple) else [results]


# Declared by a pullback


def _record_pullback(
    xp: Namespace, trace: Trace, f: Declared, values: list[Any], links: dict[int, Any], kwargs: dict[str, Any]
) -> Any:
    ans, pullback = f(*values, **kwargs)
    chosen = tuple(links)
    lifted = any(type(v) is TracedArray for v in values)

    def pull(g: Any) -> tuple[Any, ...]:
        if lifted:  # in the namespace of the values: not every library defers `plain * traced` to the right operand
            g = tuple(map(lift, g)) if isinstance(g, tuple) else lift(g)
            grads = pullback(g)
        elif type(g) is TracedArray or (type(g) is tuple and TracedArray in map(type, g)):
            # Again with lifted values, for the same reason, and since overrides never get traced cotangents.
            grads = f(*map(lift, values), **kwargs)[1](g)
        else:
            grads = pullback(g)
        if type(grads) is not tuple or len(grads) != len(values):
            grads = per_argument(grads, f, len(values))
        return tuple([grads[i]() if callable(grads[i]) else grads[i] for i in chosen])

    parents, name = tuple(links.values()), f.__name__
    results = [bare(trace, name, a) for a in _as_list(ans)]
    xp = space_of(xp, results)
    if isinstance(ans, tuple):
        return tuple(tracing.record_many(xp, trace, name, results, parents, lambda gs: pull(tuple(gs))))
    return tracing.record(xp, trace, name, results[0], parents, pull)


def _record_early(xp: Namespace, trace: Trace, *args: Any) -> Any:
    out = _record_pullback(xp, trace, *args)
    trace.early += [each._link for each in _as_list(out) if boundary.belongs(trace, each)]
    return out


def _transpose_pullback(
    xp: Namespace, trace: Trace, f: Declared, values: list[Any], links: dict[int, Any], kwargs: dict[str, Any]
) -> Any:
    """The pullback is linear: its own pullback maps the tangents of the arguments to those of the results.

    Everything is lifted, so that a pullback gets traced cotangents in the namespace that it expects.
    """
    ans, pullback = f(*map(lift, values), **kwargs)
    results = [bare(trace, f.__name__, a) for a in _as_list(ans)]
    xp = space_of(xp, results)
    floating = [i for i, a in enumerate(results) if differentiable(xp, a)]

    def back(*gs: Any) -> Any:
        cotangents = dict(zip(floating, gs, strict=True))
        grads = pullback(tuple(cotangents.get(i) for i in range(len(results))) if isinstance(ans, tuple) else gs[0])
        grads = per_argument(grads, f, len(values))
        used = [i for i in links if grads[i] is not None]
        return [grads[i]() if callable(grads[i]) else grads[i] for i in used], used

    tangents: dict[int, Any] = {}
    if floating:
        _, transpose, used = vjp(back, *(boundary.zeros_like(results[i]) for i in floating), has_aux=True)
        tangents = dict(zip(floating, transpose([links[i] for i in used]), strict=True))
    return _with_tangents(xp, trace, f.__name__, ans, results, tangents)


def per_argument(grads: Any, f: Declared, count: int) -> tuple[Any, ...]:
    """What a pullback returned, as a tuple; an array would be taken for the cotangents of its rows.

    There may be more, None each, for arguments that were left to their defaults.
    """
    few = not isinstance(grads, (tuple, list)) or len(grads) < count
    if few or any(each is not None for each in grads[count:]):
        received = f"{len(grads)}" if isinstance(grads, (tuple, list)) else f"a {type(grads).__name__}"
        raise TypeError(
            f"The pullback of {f.__name__} must return a tuple of one cotangent per positional argument, {count} here: "
            f"(g,) for one. Received: {received}"
        )
    return tuple(grads)


# Declared by a pushforward


def _apply_pushforward(
    xp: Namespace, trace: Trace, f: Declared, values: list[Any], links: dict[int, Any], kwargs: dict[str, Any]
) -> Any:
    if any(type(t) is TracedArray for t in links.values()):
        values = [lift(v) for v in values]
    ans, pushforward = f(*values, **kwargs)
    results = [bare(trace, f.__name__, a) for a in _as_list(ans)]
    xp = space_of(xp, results)
    pushed = _as_list(pushforward(*(links.get(i) for i in range(len(values)))))
    tangents = {i: tangent_value(t) for i, t in enumerate(pushed) if t is not None and differentiable(xp, results[i])}
    return _with_tangents(xp, trace, f.__name__, ans, results, tangents)


def _transpose_pushforward(
    xp: Namespace, trace: Trace, f: Declared, values: list[Any], links: dict[int, Any], kwargs: dict[str, Any]
) -> Any:
    """The pullback of the pushforward, recorded when the cotangent arrives."""
    ans, pushforward = f(*map(lift, values), **kwargs)
    results = [bare(trace, f.__name__, a) for a in _as_list(ans)]
    xp = space_of(xp, results)
    zeros = [boundary.zeros_like(values[i]) for i in links]
    parents, name = tuple(links.values()), f.__name__

    def pull(gs: list[Any]) -> tuple[Any, ...]:
        def push(*ts: Any) -> Any:
            tangents = dict(zip(links, ts, strict=True))
            return [
                t
                for t, g in zip(_as_list(pushforward(*(tangents.get(i) for i in range(len(values))))), gs, strict=True)
                if g is not None
            ]

        pulled: tuple[Any, ...] = vjp(push, *zeros)[1]([g for g in gs if g is not None])
        return pulled

    if isinstance(ans, tuple):
        return tuple(tracing.record_many(xp, trace, name, results, parents, pull))
    return tracing.record(xp, trace, name, results[0], parents, lambda g: pull([g]))


def _with_tangents(
    xp: Namespace, trace: Trace, name: str, ans: Any, results: list[Any], tangents: dict[int, Any]
) -> Any:
    outs = [
        tracing.push_forward(xp, trace, name, a, tangents[i]) if i in tangents else tracing.constant(xp, a)
        for i, a in enumerate(results)
    ]
    return tuple(outs) if isinstance(ans, tuple) else outs[0]

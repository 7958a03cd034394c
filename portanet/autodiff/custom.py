"""Functions that bring their own derivative."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.autodiff import dispatch
from portanet.autodiff.dispatch import Rule, differentiable, general
from portanet.autodiff.namespace import Namespace, array_namespace, lift
from portanet.autodiff.traced import TracedArray


def custom_vjp(f: Callable[..., tuple[Any, Callable[[Any], Any]]]) -> Callable[..., Any]:
    """Declare a function by its value and its pullback; how fused ops are written.

    `f(*arrays, **options)` returns `(result, pullback)`. The result is an array or a tuple of arrays;
    `pullback(cotangent)` (a tuple of cotangents, None where absent, for a tuple) returns one cotangent for each
    positional argument, in the argument's shape and dtype, or None for arguments without derivative. Both are written
    in the standard. Since cotangents may be traced when derivatives are nested, the pullback asks for its namespace
    again: `xp = array_namespace(g, x)`, of the cotangent and what it uses.

    Called with plain arrays, the decorated function gives the result alone. In forward mode the tangent is found by
    transposing the pullback, so no more is needed; derivatives of any order follow.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace, custom_vjp, grad
        >>> @custom_vjp
        ... def cube(x):
        ...     return x**3, lambda g: (3 * x**2 * g,)
        >>> float(grad(cube)(np.asarray(2.0)))
        12.0
    """

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        trace, wrapped = dispatch.innermost(args)
        if trace is None:
            if not wrapped:
                return f(*args, **kwargs)[0]
            xp = array_namespace(*args)
            return dispatch.constant(xp, f(*map(dispatch.raw_value, args), **kwargs)[0])
        xp = array_namespace(*args)
        values, links = dispatch.split(xp, trace, args)
        if any(type(v) is TracedArray for v in values):
            values = [lift(v) for v in values]
        if trace.forward:
            return _forward(xp, trace, f, values, links, kwargs)
        ans, pullback = f(*values, **kwargs)
        chosen = tuple(links)

        def pull(g: Any) -> tuple[Any, ...]:
            grads = pullback(g)
            return tuple(grads[i] for i in chosen)

        parents = tuple(links.values())
        if isinstance(ans, tuple):
            return tuple(dispatch.record_many(xp, trace, f.__name__, [_bare(a) for a in ans], parents, pull))
        return dispatch.record(xp, trace, f.__name__, _bare(ans), parents, pull)

    return function


def _bare(x: Any) -> Any:
    return x._value if type(x) is TracedArray and x._trace is None else x


def _forward(
    xp: Namespace, trace: Any, f: Callable[..., Any], values: list[Any], links: dict[int, Any], kwargs: dict[str, Any]
) -> Any:
    """The tangent is the transpose of the pullback, which is linear: its own pullback applied to the tangents."""
    from portanet.autodiff.transforms import vjp

    ans, pullback = f(*(lift(v) for v in values), **kwargs)
    several = isinstance(ans, tuple)
    results = [_bare(a) for a in ans] if several else [_bare(ans)]
    smooth = [i for i, a in enumerate(results) if differentiable(xp, a)]
    zeros = [xp.zeros_like(results[i]) for i in smooth]

    def cotangents(*gs: Any) -> Any:
        by_place = dict(zip(smooth, gs, strict=True))
        grads = pullback(tuple(by_place.get(i) for i in range(len(results))) if several else gs[0])
        return [grads[i] for i in links if grads[i] is not None]

    used: list[Any] = []
    grads, transpose = vjp(cotangents, *zeros)
    probe = pullback(tuple(zeros_or_none(results, smooth, zeros)) if several else zeros[0])
    used = [t for i, t in links.items() if probe[i] is not None]
    tangents = dict(zip(smooth, transpose(used), strict=True))
    outs = [
        TracedArray(a, trace, tangents[i], xp) if i in tangents else dispatch.constant(xp, a)
        for i, a in enumerate(results)
    ]
    return tuple(outs) if several else outs[0]


def zeros_or_none(results: list[Any], smooth: list[int], zeros: list[Any]) -> list[Any]:
    places = dict(zip(smooth, zeros, strict=True))
    return [places.get(i) for i in range(len(results))]

"""Declaration of rules: one line or one function each, in tables that the namespace reads.

Every function of the standard is in exactly one table: `RULES` (differentiated by its own rule), `COMPOSITES`
(composed of other functions, which are differentiated), `CREATION` (a new array) or `PASSTHROUGH` (no derivative, or a
zero one). `PRIMITIVES` holds the few functions with a rule that the standard lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from portanet.autodiff.batching.array import tangent_value
from portanet.autodiff.dispatch import Factory, LinearMap, Rule
from portanet.autodiff.tracing import lifted as lift

Function = Callable[..., Any]

RULES: dict[str, Rule] = {}
COMPOSITES: dict[str, Function] = {}
PRIMITIVES: dict[str, Function] = {}
CREATION: set[str] = set()
PASSTHROUGH: dict[str, str] = {}
"""Function and the reason why it has no derivative."""
VIEWS: dict[str, Function] = {}
"""Functions whose result may share memory with the operand; and how to write through it, see `view`."""


def elementwise(
    name: str, *maps: Factory, pushes: tuple[Factory, ...] | None = None, joint: Factory | None = None
) -> None:
    """An elementwise function of one array or of two that broadcast.

    Its Jacobian is diagonal, so one map per operand serves both directions; only for complex numbers may the `pushes`
    (forward mode) differ.
    """
    RULES[name] = Rule(name, maps, maps if pushes is None else pushes, elementwise=True, joint=joint)


# Maps of frequent functions are methods bound to what they need: a closure takes twice to four times the memory.


def of_operand(derivative: Function) -> Factory:
    """The map `derivative(xp, x, t)` of the tangent or cotangent `t`, for an elementwise function of `x`."""
    return lambda xp, ans, x: MethodType(_apply, (derivative, xp, x))


def of_result(derivative: Function) -> Factory:
    """The map `derivative(xp, ans, t)`, for an elementwise function with the result `ans`."""
    return lambda xp, ans, x: MethodType(_apply, (derivative, xp, ans))


def _apply(saved: tuple[Function, Any, Any], t: Any) -> Any:
    derivative, xp, x = saved
    return derivative(xp, x, t)


def rule(name: str, pulls: tuple[Factory, ...], pushes: tuple[Factory, ...], variadic: bool = False) -> None:
    """A function with separate maps for reverse (pulls) and forward mode (pushes)."""
    RULES[name] = Rule(name, pulls, pushes, variadic)


def linear(name: str, transpose: Factory) -> None:
    """A function that is linear in its first operand: forward mode applies the function itself to the tangent."""

    def push(xp: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> LinearMap:
        function = xp.find(name)
        return lambda t: function(t, *args, **kwargs)

    RULES[name] = Rule(name, (transpose,), (push,))


def pushed(name: str) -> Callable[[Factory], Factory]:
    """A function of one array whose rule is easier to state for tangents; reverse mode transposes the push.

    The push is linear in the tangent, so its own pullback, computed by recording it, is the required map. It is
    recorded when the cotangent arrives, only for results that have one. All operands of a push are lifted: it may
    write `ans * t`, which array-api-strict would refuse for a plain `ans` and a traced `t`.
    """

    def register(push: Factory) -> Factory:
        def lifted(xp: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> LinearMap:
            ans = tuple(lift(xp, a) for a in ans) if isinstance(ans, tuple) else lift(xp, ans)
            forward = push(xp, ans, lift(xp, x), *args, **kwargs)
            return lambda t: forward(lift(xp, t))

        def forward_mode(xp: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> LinearMap:
            forward = lifted(xp, ans, x, *args, **kwargs)

            def apply(t: Any) -> Any:
                out = forward(t)
                return [tangent_value(part) for part in out] if isinstance(out, tuple) else tangent_value(out)

            return apply

        def reverse_mode(xp: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> LinearMap:
            from portanet.autodiff.transforms import vjp

            forward = lifted(xp, ans, x, *args, **kwargs)

            def pull(g: Any) -> Any:
                if not isinstance(g, list):
                    return vjp(forward, xp.zeros_like(x))[1](g)[0]
                present = [i for i, part in enumerate(g) if part is not None]
                back = vjp(lambda t: [forward(t)[i] for i in present], xp.zeros_like(x))[1]
                return back([g[i] for i in present])[0]

            return pull

        RULES[name] = Rule(name, (reverse_mode,), (forward_mode,))
        return push

    return register


def composite(name: str) -> Callable[[Function], Function]:
    """Register a function `(xp, *args, **kwargs)` composed of other functions of the namespace."""

    def register(function: Function) -> Function:
        COMPOSITES[name] = function
        return function

    return register


def primitive(name: str) -> Callable[[Function], Function]:
    """Register a function `(raw, *args, **kwargs)` that has a rule but is not in the standard."""

    def register(function: Function) -> Function:
        PRIMITIVES[name] = function
        return function

    return register


def creation(*names: str) -> None:
    """Register functions that create an array, which may then be filled by `x[key] = value`."""
    CREATION.update(names)


def no_derivative(reason: str, *names: str) -> None:
    """Register functions that unwrap arguments and return constants."""
    PASSTHROUGH.update(dict.fromkeys(names, reason))


def view(name: str) -> Callable[[Function], Function]:
    """Register `(xp, x, part, *args, **kwargs)`: `x` with `part` in place of the result of `name`."""

    def register(put: Function) -> Function:
        VIEWS[name] = put
        return put

    return register

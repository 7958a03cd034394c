"""How a rule is declared: one line or one function each, kept in tables that the namespace reads.

Every function of the standard is in exactly one table: `RULES` (differentiated by its own rule), `COMPOSITES`
(written in other functions, which are differentiated) or `PASSTHROUGH` (no derivative, or a zero one).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.autodiff.dispatch import Factory, Rule

RULES: dict[str, Rule] = {}
COMPOSITES: dict[str, Callable[..., Any]] = {}
PASSTHROUGH: dict[str, str] = {}
"""Function and the reason why it has no derivative."""


def elementwise(name: str, *maps: Factory) -> None:
    """A function of each element: its Jacobian is diagonal, so one map per operand serves both directions."""
    RULES[name] = Rule(name, maps, maps)


def rule(name: str, pulls: tuple[Factory, ...], pushes: tuple[Factory, ...], variadic: bool = False) -> None:
    """A function with separate maps for reverse (pulls) and forward mode (pushes)."""
    RULES[name] = Rule(name, pulls, pushes, variadic)


def linear(name: str, transpose: Factory) -> None:
    """A function that is linear in its first operand: forward mode applies the function itself to the tangent."""

    def push(xp: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        function = xp.find(name)
        return lambda t: function(t, *args, **kwargs)

    RULES[name] = Rule(name, (transpose,), (push,))


def composite(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function `(xp, *args, **kwargs)` that is written in other functions of the namespace."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        COMPOSITES[name] = function
        return function

    return register


def no_derivative(reason: str, *names: str) -> None:
    """Register functions that take the wrappers off and give plain results."""
    PASSTHROUGH.update(dict.fromkeys(names, reason))

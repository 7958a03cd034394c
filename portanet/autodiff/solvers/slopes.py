"""The right-hand side of a differential equation: a function of a tree and a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from portanet.autodiff import boundary
from portanet.autodiff.batching.array import storage
from portanet.autodiff.closures import plain_function, probed
from portanet.autodiff.solvers.vectors import Vector, same_form
from portanet.autodiff.traced import Trace, TraceError
from portanet.backends import Array, device_of, raw_namespace

Slope: TypeAlias = Callable[[Any, Any], Any]
"""`slope(y, t)`: a tree like y, for a tree y and an array t of no dimension."""


def value_in(trace: Trace, x: Any) -> Any:
    """The value of an array of a trace, or of an enclosing one."""
    return boundary.plain(x._value if boundary.belongs(trace, x) else x)


def tangent_in(trace: Trace, x: Any) -> Any:
    """The tangent of an array in a trace; zeros for others."""
    return boundary.plain(x._link) if boundary.belongs(trace, x) else boundary.zeros_like(x)


def clock(like: Array) -> Callable[[float], Array]:
    """A function that makes an array of no dimension of a time."""
    raw = storage(like)
    return lambda t: raw_namespace(raw).asarray(t, dtype=raw.dtype, device=device_of(raw))


def probed_slope(slope: Slope, y: Any, t: float) -> tuple[Any, bool]:
    """`slope(y, t)`, and whether it needs its arguments in the differentiable namespace; see `probed`."""
    value, lifting = probed(lambda state: slope(*state), (y, clock(Vector(y).flat(y))(t)))
    same_form("The result of argument `func`", value, y, "odeint")
    return value, lifting


def plain_slope(slope: Slope, lifting: bool) -> Slope:
    """`slope` for integrators: plain arrays in give plain arrays out."""
    function = plain_function(lambda state: slope(*state), lifting)
    return lambda y, t: function((y, t))


def depends_on_time(received: str) -> TraceError:
    """The error for an equation that uses some arrays only between output times."""
    return TraceError(
        "Argument `func` of odeint depends on other arrays at some times than at the output times, by an `if`: their "
        "derivative would be lost. Use xp.where, or add such times to `t`. "
        f"Received: at some time, a dependence on {received}"
    )

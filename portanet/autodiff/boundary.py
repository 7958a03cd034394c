"""The boundary of a trace: arguments go in wrapped, results come out plain, cotangents are pulled across."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

from portanet.autodiff.namespace import differentiable_namespace, lift
from portanet.autodiff.operands import dtype_kind, is_array
from portanet.autodiff.tape import pull_back
from portanet.autodiff.traced import Node, Trace, TracedArray, unwrap
from portanet.backends import device_of, get_backend, raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map

Start: TypeAlias = Callable[..., TracedArray]
"""`start(array, namespace, tangent or nothing)` makes the traced array that stands for an input."""


def plain(x: Any) -> Any:
    """An array without the wrapper of a constant."""
    return x._value if type(x) is TracedArray and x._trace is None else x


def belongs(trace: Trace, x: Any) -> bool:
    """Whether `x` was recorded in `trace`."""
    return type(x) is TracedArray and x._trace is trace


def zeros_like(x: Any) -> Any:
    """Plain zeros of the shape, dtype and device of `x`; 0 for a Python number."""
    value = unwrap(x)
    if not hasattr(value, "dtype"):
        if isinstance(value, (int, float, complex)):
            return 0.0
        raise TypeError(
            "Only arrays have derivatives: return anything else beside them, with has_aux=True. "
            f"Received: a result of type {type(value).__name__}"
        )
    return raw_namespace(value).zeros_like(value)


# Going in


def start_reverse(trace: Trace) -> Start:
    """Inputs of a reverse trace are nodes without parents."""
    return lambda x, xp: TracedArray(x, trace, Node("input", None, None), xp)


def open_arguments(args: dict[int, Any], start: Start, beside: Any = (), tangents: Any = None) -> dict[int, Any]:
    """Wrap every leaf of the arguments to differentiate; Python floats become arrays like those `beside` them.

    Raises:
        TypeError: A leaf is not a floating-point array; the message names the argument, the path and the dtype.
    """
    opened = {}
    for number, arg in args.items():
        place = itertools.count()

        def leaf(x: Any, *tangent: Any, number: int = number, arg: Any = arg, place: Any = place) -> TracedArray:
            at = next(place)
            if type(x) is float:
                x = like([y for y in tree_leaves((args, beside)) if is_array(y)], x)
            if not is_array(x):
                raise TypeError(_not_floating(number, arg, at, f"of type {type(x).__name__}"))
            xp = x._xp if type(x) is TracedArray else differentiable_namespace(raw_namespace(x))
            if dtype_kind(xp, x.dtype) == "other":
                raise TypeError(_not_floating(number, arg, at, f"with dtype {x.dtype}"))
            made = start(plain(x), xp, *tangent)
            made._buffer = False
            return made

        opened[number] = tree_map(leaf, arg) if tangents is None else tree_map(leaf, arg, tangents[number])
    return opened


def like(around: list[Any], x: float) -> Any:
    """A Python float as an array of the library, device and float dtype of the arrays around it."""
    backend = get_backend()
    if not around:
        return backend.xp.asarray(x, dtype=backend.dtype, device=backend.device)
    first = unwrap(around[0])
    raw = raw_namespace(first)
    floating = [a.dtype for a in around if raw.isdtype(a.dtype, "real floating")]
    return raw.asarray(x, dtype=floating[0] if floating else None, device=device_of(first))


def _not_floating(number: int, arg: Any, place: int, what: str) -> str:
    path = [path for path, _ in tree_items(arg)][place]
    return (
        "Only floating-point arrays can be differentiated with respect to. Convert it (xp.astype), or leave it out of "
        f"argnums. Received: argument {number}{path} {what}"
    )


def call(trace: Trace, f: Callable[..., Any], args: Any, kwargs: Any, has_aux: bool) -> tuple[Any, Any]:
    """Run `f` inside the trace, which ends with it; give its value and what came beside it."""
    try:
        out = f(*args, **kwargs)
    finally:
        trace.alive = False
    if not has_aux:
        return out, None
    if not (isinstance(out, tuple) and len(out) == 2):
        raise TypeError(
            f"With has_aux=True the function must return (value, anything else). Received: {type(out).__name__}"
        )
    return out


def lift_tree(tree: Any) -> Any:
    """Every plain array in a tree as a constant."""
    return tree_map(lift, tree)


# Coming out


def close(trace: Trace, tree: Any, nested: bool) -> Any:
    """Take this trace's wrappers off a result; for a caller inside another trace, constants keep theirs."""

    def leaf(x: Any) -> Any:
        value = plain(x._value if belongs(trace, x) else x)
        return lift(value) if nested else value

    return tree_map(leaf, tree)


def require_scalar(out: Any) -> None:
    """Refuse the result of a function whose gradient was asked for unless it is one real number."""
    if not is_array(out):
        raise TypeError(f"The function to differentiate must return a 0-d array. Received: {type(out).__name__}")
    if tuple(out.shape) != ():
        raise TypeError(
            "grad needs a function that returns a scalar: take the sum or mean, or use vjp or jacobian. "
            f"Received: an output of shape {tuple(out.shape)}"
        )
    xp = out._xp if type(out) is TracedArray else differentiable_namespace(raw_namespace(out))
    if dtype_kind(xp, out.dtype) != "real":
        raise TypeError(
            "grad needs a function that returns a real floating-point number; for complex results use vjp or jvp. "
            f"Received: an output of dtype {out.dtype}"
        )


def tangent_like(what: str, x: Any, t: Any) -> Any:
    """A tangent or cotangent as a plain array that matches `x`; Python scalars are converted."""
    t = plain(t)
    if not hasattr(t, "dtype"):
        raw = unwrap(x)
        t = raw_namespace(raw).asarray(
            t, dtype=x.dtype, device=differentiable_namespace(raw_namespace(raw)).device_of(x)
        )
    if tuple(t.shape) != tuple(x.shape) or t.dtype != x.dtype:
        raise TypeError(
            f"A {what} must have the shape and dtype of what it belongs to, {tuple(x.shape)} {x.dtype}. "
            f"Received: {tuple(t.shape)} {t.dtype}"
        )
    return t


def pull(trace: Trace, pairs: list[tuple[Any, Any]], inputs: Any, nested: bool, retain: bool = False) -> Any:
    """Cotangents of the inputs, in their structure, from pairs (output, its cotangent); a cotangent of None means 1."""
    seeds = []
    for out, g in pairs:
        if belongs(trace, out):
            if g is None:
                value = unwrap(out)
                g = raw_namespace(value).ones_like(value)
            g = tangent_like("cotangent", out, g)
            seeds.append((out._link, lift(g) if type(out._value) is TracedArray else g))
    found = pull_back(seeds, retain)

    def cotangent(x: TracedArray) -> Any:
        g = found.get(x._link)
        g = zeros_like(x) if g is None else plain(g)
        return lift(g) if nested else g

    return tree_map(cotangent, inputs)

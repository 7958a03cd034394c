"""The boundary of a trace: arguments are wrapped, results unwrapped, cotangents pulled back."""

from __future__ import annotations

import itertools
import math
import pathlib
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from typing import Any, TypeAlias

from portanet.autodiff.batching.array import BatchedArray
from portanet.autodiff.namespace import Namespace, differentiable_namespace, lift
from portanet.autodiff.traced import Node, Trace, TracedArray, TraceError, unwrap
from portanet.autodiff.tracing import dtype_kind, is_array, record
from portanet.backends import Array, device_of, get_backend, raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map

PACKAGE = str(pathlib.Path(__file__).parents[1])
Start: TypeAlias = Callable[..., TracedArray]
"""`start(array, namespace[, tangent])` creates the traced array of an input."""


def plain(x: Any) -> Any:
    """An array without the wrapper of a constant."""
    return x._value if type(x) is TracedArray and x._trace is None else x


def belongs(trace: Trace, x: Any) -> bool:
    """Whether `x` was recorded in `trace`."""
    return type(x) is TracedArray and x._trace is trace


def zeros_like(x: Any) -> Any:
    """Plain zeros with the shape, dtype and device of `x`; 0 for a Python number."""
    value = unwrap(x)
    if not hasattr(value, "dtype"):
        if isinstance(value, (int, float, complex)):
            return 0.0
        raise TypeError(
            "Only arrays have derivatives: return other results as auxiliary output, with has_aux=True. "
            f"Received: a result of type {type(value).__name__}"
        )
    return raw_namespace(value).zeros_like(value)


def is_floating(x: Any) -> bool:
    """Whether `x` is an array with a dtype that has derivatives."""
    return is_array(x) and dtype_kind(differentiable_namespace(raw_namespace(unwrap(x))), x.dtype) != "other"


def unit(x: Array, position: int | None) -> Array:
    """Zeros like the plain array `x`, with a 1 at the flat `position` if that is given."""
    raw = raw_namespace(x)
    if position is None:
        return raw.zeros_like(x)
    positions = raw.arange(math.prod(x.shape), device=device_of(x))
    return raw.reshape(raw.astype(positions == position, x.dtype), tuple(x.shape))


def zeros(like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of a shape, with the library, dtype and device of an array."""
    value = unwrap(like)
    return raw_namespace(value).zeros(shape, dtype=value.dtype, device=device_of(value))


# Inputs


def start_reverse(trace: Trace) -> Start:
    """Inputs of a reverse trace are nodes without parents."""
    return lambda x, xp: record(xp, trace, "input", x, None, None)


def open_arguments(
    args: Mapping[Any, Any], start: Start, others: Any = (), tangents: Any = None
) -> dict[int | str, Any]:
    """Wrap every leaf of the arguments to differentiate; Python floats become arrays like the others.

    Raises:
        TypeError: A leaf is not a floating-point array; the message names the argument, the path and the dtype.
    """
    opened: dict[int | str, Any] = {}
    for number, arg in args.items():
        counter = itertools.count()

        def leaf(x: Any, *tangent: Any, number: Any = number, arg: Any = arg, counter: Any = counter) -> TracedArray:
            xp, x = _floating(x, number, arg, next(counter), (args, others))
            traced = start(plain(x), xp, *tangent)
            traced._writable = False
            return traced

        opened[number] = tree_map(leaf, arg) if tangents is None else tree_map(leaf, arg, tangents[number])
    return opened


def floating_arguments(args: Mapping[Any, Any], others: Any) -> list[Any]:
    """The arguments with arrays in place of Python floats; raises as `open_arguments` does."""

    def converted(key: Any, arg: Any) -> Any:
        counter = itertools.count()
        return tree_map(lambda x: _floating(x, key, arg, next(counter), (args, others))[1], arg)

    return [converted(key, arg) for key, arg in args.items()]


def _floating(x: Any, number: int | str, arg: Any, position: int, others: Any) -> tuple[Namespace, Any]:
    """A leaf of an argument as a floating-point array, and its differentiable namespace."""
    if type(x) is float:
        x = like([y for y in tree_leaves(others) if is_array(y)], x)
    if not is_array(x):
        raise TypeError(_not_floating(number, arg, position, f"of type {type(x).__name__}"))
    xp = x._xp if type(x) is TracedArray else differentiable_namespace(raw_namespace(x))
    if dtype_kind(xp, x.dtype) == "other":
        raise TypeError(_not_floating(number, arg, position, f"with dtype {x.dtype}"))
    return xp, x


def like(arrays: list[Any], x: float) -> Any:
    """A Python float as an array of the library, device and float dtype of `arrays`, or of the backend in use."""
    backend = get_backend()
    if not arrays:
        return backend.xp.asarray(x, dtype=backend.dtype, device=backend.device)
    first = unwrap(arrays[0])
    raw = raw_namespace(first)
    floating = [a.dtype for a in arrays if raw.isdtype(a.dtype, "real floating")]
    return raw.asarray(x, dtype=floating[0] if floating else None, device=device_of(first))


def _not_floating(number: int | str, arg: Any, position: int, what: str) -> str:
    path = [path for path, _ in tree_items(arg)][position]
    return (
        "Only floating-point arrays can be differentiated with respect to. Convert it (xp.astype), leave it out of "
        f"argnums, or close over it (lambda x: f(x, labels)). Received: argument {number}{path} {what}"
    )


def call(trace: Trace, f: Callable[..., Any], args: Any, kwargs: Any, has_aux: bool) -> tuple[Any, Any]:
    """Run `f` inside the trace, which ends with it; return its value and the auxiliary result."""
    try:
        out = f(*args, **kwargs)
    except (TypeError, ValueError) as error:
        if (own := refused_elsewhere(error)) is not None:
            raise own from error
        raise
    finally:
        trace.alive = False
    if not has_aux:
        return out, None
    return with_aux(out)


def with_aux(out: Any) -> tuple[Any, Any]:
    """What a function returned, which must be a value and an auxiliary result."""
    if not (isinstance(out, tuple) and len(out) == 2):
        raise TypeError(f"With has_aux=True the function must return (value, aux). Received: {type(out).__name__}")
    return out


def refused_elsewhere(error: Exception) -> TraceError | None:
    """The error to raise where another library refused an array of ours with this one; None for other errors."""
    text, cause = str(error).partition("\n")[0], error.__cause__
    if isinstance(cause, TraceError) and text.startswith("setting an array element"):  # NumPy's, which hides ours
        return TraceError(f"{_line_outside(error)} writes into a plain array. {cause}")
    if isinstance(error, TraceError) or "Received: " in text or not re.search("TracedArray|BatchedArray", text):
        return None
    if "read-only" in text:
        return TraceError(
            f"{_line_outside(error)} writes to an array that came from outside the function being differentiated: the "
            "caller's array would not change. Write to a copy (xp.asarray(x, copy=True), or array_api_extra.at without "
            f"copy=False). Received: {type(error).__name__}: {text[:200]}"
        )
    return TraceError(
        f"{_line_outside(error)} passes an array that is traced, or batched by vmap, to a function of another library. "
        "Compute with xp = x.__array_namespace__(), for example xp.sin and xp.special.gammaln, or declare a derivative "
        f"with custom_vjp. Received: {type(error).__name__}: {text[:200]}"
    )


def _line_outside(error: Exception) -> str:
    """The innermost file and line of a traceback outside this package."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(PACKAGE)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "The function"


def lift_tree(tree: Any) -> Any:
    """Every plain array in a tree as a constant."""
    return tree_map(lift, tree)


# Outputs


def close(trace: Trace, tree: Any, nested: bool) -> Any:
    """Unwrap a result of this trace; for a caller inside another trace, constants stay wrapped."""

    def leaf(x: Any) -> Any:
        value = plain(x._value if belongs(trace, x) else x)
        return lift(value) if nested or isinstance(value, BatchedArray) else value

    return tree_map(leaf, tree)


def require_scalar(out: Any) -> None:
    """Raise unless the result is a real floating-point 0-d array."""
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
            f"A {what} must have the shape and dtype of the array it belongs to, {tuple(x.shape)} {x.dtype}. "
            f"Received: {tuple(t.shape)} {t.dtype}"
        )
    return t


# The reverse pass


def pull(trace: Trace, pairs: list[tuple[Any, Any]], inputs: Any, nested: bool, retain: bool = False) -> Any:
    """Cotangents of the inputs, in their structure, from pairs (output, its cotangent); a cotangent of None means 1."""
    seeds = []
    for out, g in pairs:
        if belongs(trace, out):
            if g is None:
                value = unwrap(out)
                g = raw_namespace(value).ones_like(value)
            g = tangent_like("cotangent", out, g)
            wrapped = type(out._value) is TracedArray or isinstance(out._value, BatchedArray)
            seeds.append((out._link, lift(g) if wrapped or isinstance(g, BatchedArray) else g))
    if trace.early:
        bring_forward([node for node, _ in seeds], trace.early)
    cotangents = pull_back(seeds, retain)

    def cotangent(x: TracedArray) -> Any:
        first = x if x._origin is None else x._origin
        g = cotangents.get(first._link)
        g = zeros_like(x) if g is None else plain(g)
        return lift(g) if nested or isinstance(g, BatchedArray) else g

    return tree_map(cotangent, inputs)


def bring_forward(ends: Iterable[Node], early: list[Node]) -> None:
    """Let `pull_back` from some nodes visit others as soon as it has visited all that was computed from these."""
    oldest = dict.fromkeys(early, math.inf)
    seen = set(ends)
    left = list(seen)
    while left:
        node = left.pop()
        for parent in (node.parents,) if isinstance(node.parents, Node) else node.parents or ():
            if parent in oldest:
                oldest[parent] = min(oldest[parent], node.serial)
            if parent not in seen:
                seen.add(parent)
                left.append(parent)
    for i, (node, serial) in enumerate(oldest.items(), 1):
        if serial < math.inf:
            node.serial = serial - i / (len(oldest) + 1)  # each has another


def pulled(node: Node, g: Any) -> Any:
    """The cotangent of the parent of a node, or a sequence of those of its parents.

    Several parents share one map to all their cotangents, or have one map each.
    """
    pull = node.pull
    return [part(g) for part in pull] if type(pull) is tuple else pull(g)


def _consumed(_: Any) -> Any:
    raise TraceError(
        "This pullback has already been called, which freed its recording. To call it more than once, pass "
        "retain=True to every call but the last."
    )


def pull_back(seeds: Iterable[tuple[Node, Any]], retain: bool = False, start: Node | None = None) -> dict[Node, Any]:
    """Pull cotangents back to the inputs of a trace, or to the nodes older than `start`.

    Nodes are visited from newest to oldest, so that each cotangent is complete when it is pulled; the node is then
    freed, unless `retain`. No recursion: a chain may have any length.

    Returns:
        The cotangent of each input node, or older one, that was reached.
    """
    pending: dict[Node, Any] = {}
    queue: list[tuple[float, Node]] = []
    inputs: dict[Node, Any] = {}
    if start is not None:
        pending[start] = None
        queue.append((-start.serial, start))

    seeds = list(seeds)
    # Inside another trace, cotangents stay in its namespace: an array-api-strict array refuses `plain * traced`.
    nested = any(type(g) is TracedArray for _, g in seeds)

    def suited(g: Any) -> Any:
        if nested:
            return lift(g)
        return g._value if type(g) is TracedArray and g._trace is None else g

    def add(node: Node, g: Any) -> None:
        if nested or type(g) is TracedArray:
            g = suited(g)
        if node in pending:
            pending[node] = pending[node] + g
        else:
            pending[node] = g
            heappush(queue, (-node.serial, node))

    for node, g in seeds:
        add(node, g)
    while queue:
        node = heappop(queue)[1]
        g = pending.pop(node)
        while node.pull is not None:
            parents: Any = node.parents
            grads = pulled(node, g)
            if not retain:
                node.pull, node.parents = _consumed, None
            if type(parents) is not Node:
                for parent, grad in zip(parents, grads, strict=True):
                    if grad is not None:
                        add(parent, grad)
                break
            if grads is None:
                break
            if queue and parents.serial <= -queue[0][0]:
                add(parents, grads)
                break
            node = parents  # the newest of all: it would be popped next
            g = suited(grads) if nested or type(grads) is TracedArray else grads
        else:
            if node is start:
                return inputs | pending
            inputs[node] = g
    return inputs

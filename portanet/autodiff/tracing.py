"""Helpers for operations on traced arrays: operands are unwrapped, results recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any

from portanet.autodiff.batching.array import HELD, BatchedArray, chosen, root, tangent_value
from portanet.autodiff.traced import Node, Trace, TracedArray, TraceError, unwrap
from portanet.backends import ArrayHolder, device_of, raw_namespace

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace

REAL_SCALARS = frozenset({bool, int, float})
SCALARS = REAL_SCALARS | {complex}
NO_ARRAYS = SCALARS | {tuple, slice, str, type(None), type(Ellipsis)}


def no_arrays(options: Iterable[Any]) -> bool:
    """Whether arguments are surely no arrays, nor hold any."""
    for a in options:
        if type(a) is tuple:
            if not NO_ARRAYS.issuperset(map(type, a)) or tuple in map(type, a):
                return False
        elif type(a) not in NO_ARRAYS:
            return False
    return True


def is_array(value: Any) -> bool:
    """Whether `value` is an array, traced or not; NumPy's dtypes are classes that look like one."""
    if type(value) is TracedArray or isinstance(value, BatchedArray):
        return True
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


def holds(args: Sequence[Any]) -> bool:
    """Whether any argument stands for an array, which may be a traced one."""
    return any(isinstance(a, ArrayHolder) for a in args)


_DTYPE_KINDS: dict[tuple[type, Any], str] = {}


def dtype_kind(xp: Namespace, dtype: Any) -> str:
    """`"real"` or `"complex"` for floating-point dtypes, else `"other"`; cached, because every operation needs it."""
    key = (type(dtype), dtype)  # dtypes of different libraries may refuse to be compared
    kind = _DTYPE_KINDS.get(key)
    if kind is None:
        kinds = {"real": "real floating", "complex": "complex floating"}
        kind = next((name for name, standard in kinds.items() if xp.raw.isdtype(dtype, standard)), "other")
        _DTYPE_KINDS[key] = kind
    return kind


def differentiable(xp: Namespace, value: Any) -> bool:
    """Whether `value` is an array with a dtype that has derivatives."""
    return is_array(value) and dtype_kind(xp, value.dtype) != "other"


# Operands: which trace they belong to, and what must not be mixed


def innermost(args: Sequence[Any]) -> tuple[Trace | None, bool]:
    """The innermost trace among `args`, and whether any of them is a traced array at all."""
    top = None
    wrapped = False
    for a in args:
        if type(a) is TracedArray:
            wrapped = True
            trace = a._trace
            if trace is not None and trace.frozen:
                a = melted(a)
                trace = a._trace if type(a) is TracedArray else None
            if trace is not None and (top is None or trace.serial > top.serial):
                top = trace
    return top, wrapped


def single(xp: Namespace, args: Sequence[Any]) -> tuple[Trace, list[Any], dict[int, Any]] | None:
    """Trace, values and links in the ordinary case: one live trace over plain values; None in all others."""
    trace = None
    values: list[Any] = []
    links: dict[int, Any] = {}
    for i, a in enumerate(args):
        if type(a) is TracedArray:
            value, own = a._value, a._trace
            if a._xp is not xp or type(value) is TracedArray or (own is not None and own is not trace and trace):
                return None
            if own is not None:
                trace = own
                links[i] = a._link
            values.append(value)
        else:
            if type(a) not in NO_ARRAYS and is_array(a):
                if isinstance(a, ArrayHolder):
                    return None
                a = accepted(xp, a)
            values.append(a)
    return None if trace is None or not trace.alive else (trace, values, links)


def split(xp: Namespace, trace: Trace, args: Sequence[Any]) -> tuple[list[Any], dict[int, Any]]:
    """Unwrap arrays of `trace` and constants in `args`; return the values, and the links by position."""
    trace.require_alive()
    values: list[Any] = []
    links: dict[int, Any] = {}
    for i, a in enumerate(args):
        if type(a) is TracedArray:
            require_same(xp, a)
            a = melted(a)
        if type(a) is TracedArray:
            if a._trace is trace:
                links[i] = a._link
            values.append(a._value if a._trace is trace or a._trace is None else a)
        else:
            values.append(accepted(xp, a) if is_array(a) else a)
    return values, links


def melted(x: Any) -> Any:
    """The value of an array of a frozen trace, at the first level that is not frozen; others unchanged.

    Where one example of a level of `vmap` is computed, the value of this example.
    """
    while type(x) is TracedArray and x._trace is not None and x._trace.frozen:
        x = x._value
    return _selected(x) if HELD else x


def _selected(x: Any) -> Any:
    """`melted`, for arrays of examples."""
    value = x._value if type(x) is TracedArray and x._trace is None else x
    if not isinstance(value, BatchedArray) or value.level.example is None:
        return x
    row = chosen(value)
    if type(row) is not TracedArray and type(x) is TracedArray:
        row = TracedArray(row, None, None, x._xp)
        row._writable = False
    return melted(row)


def melted_arguments(args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Arguments, which may be lists and tuples, `melted` at every level of differentiation."""
    return _melted_each(args), {name: _melted_each((a,))[0] for name, a in kwargs.items()}


def _melted_each(args: Any) -> Any:
    return type(args)([_melted_each(a) if type(a) in (tuple, list) else melted_inside(a) for a in args])


def melted_inside(x: Any) -> Any:
    """An array, `melted` at every level."""
    if type(x) is not TracedArray:
        return melted(x)
    xp, x = x._xp, melted(x)
    if type(x) is not TracedArray:
        return lifted(xp, x)
    if x._trace is None:
        return x
    value = melted_inside(x._value)
    value = value._value if type(value) is TracedArray and value._trace is None else value
    link = tangent_value(melted_inside(x._link)) if x._trace.forward else x._link
    if x._trace.forward and (type(link) is TracedArray or isinstance(value, BatchedArray)):  # both in one namespace
        value, link = lifted(x._xp, value), lifted(x._xp, link)
    if value is x._value and link is x._link:
        return x
    out = TracedArray(value, x._trace, link, x._xp)
    out._writable = False
    return out


def require_same(xp: Namespace, other: Any) -> None:
    """Reject an operand of another library; Python scalars belong to all."""
    if type(other) in SCALARS or other is None:
        return
    library = other._xp.raw if type(other) is TracedArray else raw_namespace(other)
    if library is not xp.raw and root(library) is not root(xp.raw):
        raise TraceError(
            f"One operation got arrays of two libraries: {xp.raw.__name__} and {library.__name__}. Convert one of them "
            f"first, for example with portanet.asarray(x) for the backend in use. "
            f"Received: {type(unwrap(other)).__name__} of shape {tuple(other.shape)}"
        )


def accepted(xp: Namespace, x: Any) -> Any:
    """A plain operand: an array of the same library, or a scalar of NumPy as a number of Python."""
    if type(x) is not TracedArray:
        library = raw_namespace(x)
        if library is xp.raw or (xp.batched and library is root(xp.raw)):
            return x
    if isinstance(x, Number):  # NumPy's scalars are, arrays are not
        return x.item()  # type: ignore[attr-defined]
    require_same(xp, x)
    return x


def explained(error: Exception, values: Sequence[Any]) -> Exception:
    """The library's error, or one that names the remedy if the operands are on two devices."""
    devices = {str(device_of(raw)): None for raw in map(unwrap, values) if is_array(raw)}
    if len(devices) < 2:
        return error
    return TraceError(
        "One operation got arrays on two devices. Move one of them first, with x.to_device(device). "
        f"Received: arrays on {' and '.join(devices)} ({error})"
    )


# Results


def rebuild(like: Any, parts: list[Any]) -> Any:
    """A tuple, named tuple or list of the type of `like`."""
    return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)


def constant(xp: Namespace, value: Any) -> Any:
    """Wrap a raw array (or a tuple or list of them) as a constant of the differentiable namespace."""
    if isinstance(value, (tuple, list)):
        return rebuild(value, [constant(xp, v) for v in value])
    return TracedArray(value, None, None, xp) if is_array(value) else value


def record(xp: Namespace, trace: Trace, op: str, ans: Any, parents: Any, pull: Any) -> TracedArray:
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
    """A traced array with the same value and link, unaffected by writes to `x`."""
    return TracedArray(x._value, x._trace, x._link, x._xp)


class Parts:
    """The cotangents of a tuple of results; some may be absent."""

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

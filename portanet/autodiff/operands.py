"""The operands of an operation: which trace they belong to, and what must not be mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from portanet.autodiff.traced import Trace, TracedArray, TraceError, unwrap
from portanet.backends import device_of, raw_namespace

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace

SCALARS = frozenset({bool, int, float, complex})
NO_ARRAYS = SCALARS | {tuple, slice, str, type(None), type(Ellipsis)}


def is_array(value: Any) -> bool:
    """Whether `value` is an array, traced or not; NumPy's dtypes are classes that look like one."""
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


_DTYPE_KINDS: dict[tuple[type, Any], str] = {}


def dtype_kind(xp: Namespace, dtype: Any) -> str:
    """`"real"` or `"complex"` for floating-point dtypes, else `"other"`; kept, because every operation asks."""
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


def single(xp: Namespace, args: Sequence[Any]) -> tuple[Trace, list[Any], dict[int, Any]] | None:
    """Trace, values and links in the ordinary case: one live trace over plain values; None in every other."""
    trace = None
    values: list[Any] = []
    links: dict[int, Any] = {}
    for i, a in enumerate(args):
        if type(a) is TracedArray:
            value, its = a._value, a._trace
            if a._xp is not xp or type(value) is TracedArray or (its is not None and its is not trace and trace):
                return None
            if its is not None:
                trace = its
                links[i] = a._link
            values.append(value)
        else:
            if type(a) not in NO_ARRAYS and is_array(a):
                require_same(xp, a)
            values.append(a)
    return None if trace is None or not trace.alive else (trace, values, links)


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
            if is_array(a):
                require_same(xp, a)
            values.append(a)
    return values, links


def require_same(xp: Namespace, other: Any) -> None:
    """Refuse an operand that belongs to another library; Python scalars belong to all."""
    if type(other) in SCALARS or other is None:
        return
    theirs = other._xp.raw if type(other) is TracedArray else raw_namespace(other)
    if theirs is not xp.raw and not isinstance(other, (float, complex)):  # as NumPy's double scalars are
        raise TraceError(
            f"One operation got arrays of two libraries: {xp.raw.__name__} and {theirs.__name__}. Convert one of them "
            f"first, for example with portanet.asarray(x) for the backend in use. "
            f"Received: {type(unwrap(other)).__name__} of shape {tuple(other.shape)}"
        )


def explained(error: Exception, values: Sequence[Any]) -> Exception:
    """The error of a library, or one that names the fix where the cause is that the operands lie on two devices."""
    devices = {str(device_of(raw)): None for raw in map(unwrap, values) if is_array(raw)}
    if len(devices) < 2:
        return error
    return TraceError(
        "One operation got arrays on two devices. Move one of them first, with x.to_device(device). "
        f"Received: arrays on {' and '.join(devices)} ({error})"
    )

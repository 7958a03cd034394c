"""Functions that record themselves inside `vmap`: short paths for operands of one trace, which is inside all levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portanet.autodiff import dispatch
from portanet.autodiff.batching.array import HELD, Level
from portanet.autodiff.dispatch import Rule, broadcasting, fitted
from portanet.autodiff.traced import Trace, TracedArray
from portanet.autodiff.tracing import NO_ARRAYS, SCALARS, constant, dtype_kind, is_array, lifted, no_arrays, record
from portanet.backends import ArrayHolder, raw_namespace

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace


def general(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record a function of any number of positional operands; as `dispatch.general`."""
    fallback = dispatch.general(raw, rule, xp)
    at_level = raw.at_level  # type: ignore[attr-defined]
    array = xp.raw.array

    def op(*args: Any, **kwargs: Any) -> Any:
        operands = _operands(xp, args) if not kwargs or no_arrays(kwargs.values()) else None
        if operands is None:
            return fallback(*args, **kwargs)
        trace, values, links, level = operands
        try:
            ans = raw(*values, **kwargs) if level is None else at_level(level, *values, **kwargs)
        except Exception:
            return fallback(*args, **kwargs)  # fails again and can explain why
        if trace is None:
            return TracedArray(ans, None, None, xp) if type(ans) is array else constant(xp, ans)
        constants = _as_constants(xp, values, links) if len(values) > 1 else None
        if constants is not None:
            values, ans = constants, constant(xp, ans)
        if trace.forward and (constants is not None or TracedArray in map(type, links.values())):
            links = {i: lifted(xp, t) for i, t in links.items()}
        return dispatch.recorded(rule, xp, trace, ans, values, links, kwargs)

    return op


def _operands(
    xp: Namespace, args: Sequence[Any]
) -> tuple[Trace | None, list[Any], dict[int, Any], Level | None] | None:
    """Trace, values, links and level in the ordinary cases, None in all others: no value is traced, and levels are
    older than the trace.

    There is no trace if all arrays are constants or shared by all examples, as most are in the reverse pass. The level
    is that of all batched values, if their own are plain.
    """
    trace = level = None
    library, array = xp.raw.library, xp.raw.array
    newest = -1
    wrapped, alone = False, True
    values: list[Any] = []
    links: dict[int, Any] = {}
    for i, a in enumerate(args):
        own = None
        if type(a) is TracedArray:
            wrapped = True
            own = a._trace
            if own is not None:
                if own is not trace and trace is not None:
                    return None
                trace = own
                links[i] = a._link
            if a._xp is not xp and a._xp.raw is not library:
                return None
            a = a._value
            if type(a) is TracedArray:
                return None
        elif type(a) is not array and not no_arrays((a,)) and not _is_of(library, a):
            return None
        if type(a) is array:
            if own is None and a.level.serial > newest:
                newest = a.level.serial
            if level is None:
                level = a.level
            inside = type(a.value)
            if a.level is not level or inside is TracedArray or inside is array:
                alone = False
        values.append(a)
    if not wrapped:
        return None
    if trace is not None and (HELD or not trace.alive or trace.serial < newest):
        return None
    if not alone or level is None or not level.alive or level.example is not None:
        level = None
    return trace, values, links, level


def _as_constants(xp: Namespace, values: list[Any], links: dict[int, Any]) -> list[Any] | None:
    """The values with constants for floating-point arrays, if some are batched and some not: plain arrays of some
    libraries refuse batched ones in operators.
    """
    array = xp.raw.array
    batched = shared = False
    constants = []
    for i, v in enumerate(values):
        if i in links or (type(v) not in NO_ARRAYS and dtype_kind(xp, v.dtype) != "other"):
            if type(v) is array:
                batched = True
            else:
                shared = True
            v = TracedArray(v, None, None, xp)
        constants.append(v)
    return constants if batched and shared else None


def _is_of(library: Any, x: Any) -> bool:
    """Whether `x` is a plain array of a library."""
    return is_array(x) and not isinstance(x, ArrayHolder) and raw_namespace(x) is library


def binary(raw: Callable[..., Any], rule: Rule, xp: Namespace) -> Callable[..., Any]:
    """Record a function of two arrays that broadcast; shorter where they do so with the batch axis as they are."""
    name = rule.name
    pull_x, pull_y = rule.pulls
    fallback = general(raw, broadcasting(rule), xp)
    plain = raw.__wrapped__  # type: ignore[attr-defined]
    library, array = xp.raw.library, xp.raw.array

    def op(x: Any, y: Any, /) -> Any:
        first, second = type(x) is TracedArray, type(y) is TracedArray
        a, of_x = (x._value, x._trace) if first else (x, None)
        b, of_y = (y._value, y._trace) if second else (y, None)
        one, other = (a, b) if type(a) is array else (b, a)
        if HELD or not (first or second):
            return fallback(x, y)
        if type(one) is not array:  # shared by all examples, as the first cotangents are
            if of_x is None and of_y is None and all(type(c) in SCALARS or _is_of(library, c) for c in (a, b)):
                try:
                    return constant(xp, plain(a, b))
                except Exception:
                    pass  # fails again and can explain why
            return fallback(x, y)
        trace, level, rank = of_x or of_y, one.level, len(one.shape)
        if not level.alive or type(one.value) is TracedArray or type(one.value) is array:
            return fallback(x, y)
        if trace is not None and (
            trace.forward or not trace.alive or trace.serial < level.serial or (of_y or trace) is not trace
        ):
            return fallback(x, y)
        mixed = False
        if type(other) is array:
            if other.level is not level or len(other.shape) != rank or type(other.value) is not type(one.value):
                return fallback(x, y)
        elif type(other) not in SCALARS:
            if type(other) is not type(one.value) or len(other.shape) > rank or other.dtype != one.dtype:
                return fallback(x, y)
            mixed = True
        try:
            ans = array(plain(a.value if type(a) is array else a, b.value if type(b) is array else b), level)
        except Exception:
            return fallback(x, y)  # fails again and can explain why
        if trace is None:
            return TracedArray(ans, None, None, xp)
        operands = (lifted(xp, ans), lifted(xp, a), lifted(xp, b)) if mixed else (ans, a, b)
        if of_y is None:
            return record(xp, trace, name, ans, x._link, fitted(xp, pull_x(xp, *operands), a, ans))
        pull = fitted(xp, pull_y(xp, *operands), b, ans)
        if of_x is None:
            return record(xp, trace, name, ans, y._link, pull)
        return record(xp, trace, name, ans, (x._link, y._link), (fitted(xp, pull_x(xp, *operands), a, ans), pull))

    return op

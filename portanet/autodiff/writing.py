"""Writes inside a differentiated function, also through views.

Values are never changed, since recorded operations may hold them: a write computes a new value, by functions of the
namespace, and the traced array takes it over. NumPy, CuPy and PyTorch return views from indexing, reshape and the
like; then every array that shares memory with the written one is renewed too. The result of such a function knows its
base and how to put a new part into it, and the base knows its live views (`dispatch.viewing`), so that only writes
cost. Other libraries have no views, or the standard leaves them undefined: the arrays that would change are then
undefined, and their next use is an error that names the line of the write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from portanet.autodiff.batching.array import BatchedArray, storage, wrappers
from portanet.autodiff.conversion import current_line
from portanet.autodiff.traced import Trace, TracedArray, TraceError, unwrap
from portanet.autodiff.views import has_views, is_scalar

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace

WHOLE = (Ellipsis,)
KINDS = ("bool", "integral", "real floating", "complex floating")


class Undefined(Trace):
    """Value and trace, at once, of an array whose contents depend on whether the library has views."""

    __slots__ = ("cause", "line", "shape", "trace", "value")
    serial: float  # type: ignore[assignment]

    def __init__(self, x: TracedArray, line: str, cause: TracedArray | None) -> None:
        super().__init__()
        self.serial, self.alive = float("inf"), False  # operations ask the innermost trace whether it is alive
        self.shape, self.line, self.cause = x.shape, line, cause
        self.value, self.trace = x._value, x._trace
        if isinstance(before := x._trace, Undefined):
            self.value, self.trace = before.value, before.trace
            self.cause = cause if before.cause is cause else None

    def require_alive(self) -> None:
        raise TraceError(
            f"{self.line} wrote to an array that shares memory with this one in some libraries: the array API standard "
            "leaves the values of this one undefined. Write to a copy (xp.asarray(x, copy=True)), or index again after "
            "the write."
        )

    def __getattr__(self, name: str) -> Any:
        self.require_alive()

    def __bool__(self) -> bool:
        self.require_alive()
        return False

    __float__ = __int__ = __complex__ = __index__ = __array__ = __bool__

    def __repr__(self) -> str:
        return f"undefined since {self.line}"


def base_of(x: TracedArray) -> Any:
    """(array, view, args, kwargs) for a view, else None; see `dispatch.viewing`."""
    return x._base


def live_views(x: TracedArray) -> Iterator[TracedArray]:
    """The views of `x` that still exist."""
    for reference in list(x._views or ()):
        view = reference()
        if view is not None:
            yield view


def is_writable(x: TracedArray) -> bool:
    """Whether the library would write to `x` itself; its copies may be written to in any library."""
    if not hasattr(storage(x), "__iadd__") or is_scalar(x):  # NumPy's scalars and JAX's arrays
        return getattr(x, "_writable", False)
    while (base := base_of(x)) is not None:
        if base[1].read_only(base[0], x):
            return False
        x = base[0]
    return getattr(x, "_writable", True)


def setitem(xp: Namespace, x: TracedArray, key: Any, value: Any) -> None:
    """`x[key] = value`, for arrays that the function created, and views of them; refused for its inputs."""
    root = x
    while (base := base_of(root)) is not None:
        root = base[0]
    if not getattr(root, "_writable", True):
        part = "" if root is x else ", a view of one"
        raise TraceError(
            "An array that came from outside the function being differentiated cannot be written to: the caller's "
            "array would not change. Write to a copy (xp.asarray(x, copy=True)), or build the result with "
            f"xp.where(mask, value, x). Received: x[{key!r}] = ... with x of shape {x.shape}{part}"
        )
    key = plain_key(key)
    base = base_of(value) if type(value) is TracedArray else None
    if base is not None and base[0] is x and base[1].name == "getitem" and same_key(base[2][0], key):
        # The end of `x[key] += y`, which has written to the view x[key]
        if has_views(value):
            return
        if isinstance(undefined := x._trace, Undefined) and undefined.cause is value:
            x._value, x._trace = undefined.value, undefined.trace
    write(x, xp.assign(x, value, key), key)


def plain_key(key: Any) -> Any:
    """An index without wrappers."""
    return tuple(unwrap(k) for k in key) if type(key) is tuple else unwrap(key)


def same_key(a: Any, b: Any) -> bool:
    """Whether two indices without arrays are equal."""
    basic = not any(hasattr(k, "dtype") for k in (*as_tuple(a), *as_tuple(b)))
    return basic and as_tuple(a) == as_tuple(b)


def as_tuple(key: Any) -> tuple[Any, ...]:
    """An index as a tuple."""
    return key if type(key) is tuple else (key,)


def write(x: TracedArray, new: TracedArray, key: Any = WHOLE) -> None:
    """Give `x` the value of `new`, which differs at `key` at most, and renew all arrays that share memory with it."""
    if type(unwrap(x)) is not type(unwrap(new)) and has_views(x):
        with_layout(x, new)  # NumPy's operators return scalars for arrays of no dimension, which stay arrays here
    if x._base is None and x._views is None:
        replace(x, new)
        return
    shared = has_views(x)
    path = [x]  # from x to the array that owns the memory
    values = [new]
    while (base := base_of(path[-1])) is not None:
        parent, view, args, kwargs = base
        if view.read_only(parent, path[-1]):
            raise ValueError(
                f"The result of {view.name} is read-only: write to a copy (xp.asarray(x, copy=True)). "
                f"Received: a write to an array of shape {x.shape}"
            )
        if shared:
            values.append(view.put(parent._xp, parent, values[-1], *args, **kwargs))
        path.append(parent)
    if shared:
        with_layout(path[-1], values[-1])
        replace(path[-1], values[-1])
        renew(path, values, key)
    else:
        make_undefined(path, key, x)
        replace(x, new)


def replace(x: TracedArray, new: TracedArray) -> None:
    """Give `x` the value, trace and link of `new`; the reverse pass still needs the link of an input."""
    if getattr(x, "_writable", True) is False and x._origin is None:
        x._origin = TracedArray(x._value, x._trace, x._link, x._xp)
        x._writable = True  # it is the function's own from now on
    x._value, x._trace, x._link, x._xp = new._value, new._trace, new._link, new._xp


def renew(path: list[TracedArray], values: list[TracedArray], key: Any) -> None:
    """Renew the views of the last array in `path`, of which the one before it has changed (at `key`, if none has)."""
    parent = path[-1]
    changed = path[-2] if len(path) > 1 else None
    part = key if changed is None else key_of(changed)
    for view in live_views(parent):
        if view is changed:
            if same_layout(storage(view), storage(values[-2])):
                replace(view, values[-2])
            else:
                replay(view)
            renew(path[:-1], values[:-1], key)
        elif not disjoint(part, key_of(view), parent.shape):
            replay(view)
            renew([view], [view], WHOLE)


def replay(view: TracedArray) -> None:
    """Compute a view again from its base."""
    parent, function, args, kwargs = base_of(view)
    replace(view, function.compute(parent, *args, **kwargs))


def rebound(x: TracedArray, out: TracedArray) -> TracedArray:
    """The result of `x += y` where arrays are immutable: `out`, and the arrays that share memory with `x` undefined."""
    if x._base is None and x._views is None:
        return out
    path = [x]
    while (base := base_of(path[-1])) is not None:
        parent, view, *_ = base
        if view.read_only(parent, path[-1]):
            return out
        path.append(parent)
    make_undefined(path, WHOLE, out)
    out._base = x._base  # `parent[key] += y` ends by writing it to the parent
    return out


def make_undefined(path: list[TracedArray], key: Any, cause: TracedArray) -> None:
    """In a library without views, make all arrays undefined that would change with the first in `path`."""
    line = current_line()
    for i, parent in enumerate(path):
        if i:
            key = key_of(path[i - 1])
        for view in live_views(parent):
            if not any(view is x for x in path) and not disjoint(key, key_of(view), parent.shape):
                undefine(view, line)
    for x in path[1:]:
        x._value = x._trace = Undefined(x, line, cause)


def undefine(x: TracedArray, line: str) -> None:
    """Make `x` and its views undefined."""
    x._value = x._trace = Undefined(x, line, None)
    for view in live_views(x):
        undefine(view, line)


def key_of(view: TracedArray) -> Any:
    """The part of its base that a view shows, as an index."""
    _, function, args, _ = base_of(view)
    return args[0] if function.name == "getitem" else WHOLE


def disjoint(a: Any, b: Any, shape: tuple[int, ...]) -> bool:
    """Whether two indices select no common element, as far as integers and slices at the front say."""
    for one, other, size in zip(as_tuple(a), as_tuple(b), shape, strict=False):
        if type(one) not in (int, slice) or type(other) not in (int, slice):
            return False
        first, second = positions(one, size), positions(other, size)
        if not first or not second or max(first) < min(second) or max(second) < min(first):
            return True
    return False


def positions(key: int | slice, size: int) -> range:
    """The positions that an integer or a slice selects, in ascending order or descending."""
    if isinstance(key, slice):
        return range(*key.indices(size))
    return range(key % size, key % size + 1)


# Layout in memory, on which it depends whether reshape returns a view


def same_layout(a: Any, b: Any) -> bool:
    """Whether two plain arrays of one shape are laid out alike."""
    return bool(a.stride() == b.stride() if hasattr(a, "untyped_storage") else a.strides == b.strides)


def with_layout(x: TracedArray, new: TracedArray) -> None:
    """Lay out the value of `new` as that of `x`."""
    old, value = storage(x), storage(new)
    if old.shape != value.shape:  # the first write of batched values
        return
    if type(old) is type(value) and same_layout(old, value):
        return
    buffer = old.clone() if hasattr(old, "untyped_storage") else old.copy(order="K")
    buffer[...] = value
    *_, last = wrappers(new)
    if isinstance(last, BatchedArray):
        last.value = buffer
    else:
        last._value = buffer


# In-place operators


def in_place(name: str) -> Callable[[TracedArray, Any], Any]:
    """`x += y` and the like: every reference to `x` sees the new values where the library updates `x` in place.

    The caller's array stays unchanged if `x` is an input of the function.
    """
    operator = getattr(TracedArray, f"__{name}__")

    def method(self: TracedArray, other: Any) -> Any:
        out = operator(self, other)
        if not hasattr(storage(self), f"__i{name}__") or is_scalar(self):  # of NumPy; JAX's arrays are immutable, too
            return out if has_views(self) else rebound(self, out)
        if out.shape != self.shape:
            raise ValueError(
                f"An in-place operator cannot change the shape of its left operand, {self.shape}. "
                f"Received: a result of shape {out.shape}"
            )
        if out.dtype != self.dtype:
            out = same_kind(out, self.dtype)
        write(self, out)
        return self

    method.__name__ = f"__i{name}__"
    return method


def same_kind(x: TracedArray, dtype: Any) -> Any:
    """`x` cast to a dtype of the same kind, as in-place operators do."""
    xp = x._xp
    if not any(xp.isdtype(x.dtype, kind) and xp.isdtype(dtype, kind) for kind in KINDS):
        raise TypeError(
            "An in-place operator cannot change the kind of its left operand's dtype: write x = x + y. "
            f"Received: {dtype} on the left, and a result of dtype {x.dtype}"
        )
    return xp.astype(x, dtype)


for _name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift",
):  # fmt: skip
    setattr(TracedArray, f"__i{_name}__", in_place(_name))

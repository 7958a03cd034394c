"""Views: which results share memory with their operand. Only what a later write needs is noted, see writing.py."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from portanet.autodiff.batching.array import BatchedArray, storage, wrappers
from portanet.autodiff.traced import TracedArray, unwrap

Put: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class View:
    """A function whose result may share memory with its first operand.

    `compute` is the function, recorded; `put(xp, x, part, *args, **kwargs)` is `x` with a new value of the result in
    it.
    """

    name: str
    compute: Callable[..., Any]
    put: Put

    def read_only(self, x: Any, part: TracedArray) -> bool:
        """Whether the library forbids writing to `part`, a result for `x`."""
        torch = hasattr(storage(part), "untyped_storage")
        if self.name == "broadcast_to":
            return not torch or x.shape != part.shape
        return self.name == "linalg.diagonal" and not torch


def link_view(view: View, x: TracedArray, out: TracedArray, args: Any, kwargs: Any) -> None:
    """Note that `out`, a result of `view`, shares memory with `x`."""
    out._base = (x, view, args, kwargs)
    if x._views is None:
        x._views = [weakref.ref(out)]
    else:
        remember(x._views, out)


def remember(views: list[weakref.ref[TracedArray]], view: TracedArray) -> None:
    """Add a view to those of an array; references to views that are gone are removed each time the list has doubled."""
    count = len(views)
    if count >= 8 and not count & (count - 1):
        views[:] = [reference for reference in views if reference() is not None]
    views.append(weakref.ref(view))


def has_views(x: Any) -> bool:
    """Whether the library of an array is known to return views."""
    x = storage(x)
    return hasattr(x, "base") or hasattr(x, "untyped_storage")


def is_scalar(x: TracedArray) -> bool:
    """Whether this is a scalar of NumPy, also of each example of `vmap`: it is immutable and shares no memory."""
    if x.shape != () or x._base is not None or getattr(x, "_writable", False):
        return False
    plain = storage(x)
    if not hasattr(plain, "__array_interface__"):
        return False
    return plain is not unwrap(x) or not hasattr(plain, "__setitem__")


def new_array(x: TracedArray) -> TracedArray:
    """Mark a new array as one that may be written to, with an array of no dimension in place of a scalar of NumPy."""
    if is_scalar(x) and not hasattr(scalar := storage(x), "__setitem__"):
        *_, last = wrappers(x)
        last._value = scalar[...]
    x._writable = True
    return x


def shares_memory(view: View, x: TracedArray, out: TracedArray, args: Any, kwargs: Any) -> bool:
    """Whether `out`, a result of `view`, shares memory with its operand `x`, or would in some libraries."""
    value, whole = out._value, x._value
    wrapped = type(value) is TracedArray or type(whole) is TracedArray
    if wrapped or type(value).__base__ is BatchedArray:  # each operation asks: no calls
        key = args[0] if view.name == "getitem" else Ellipsis
        element = not any(k is Ellipsis for k in (key if type(key) is tuple else (key,)))
        if (element and is_scalar(out)) or is_scalar(x):
            return False
        value, whole = storage(value), storage(whole)
    if hasattr(value, "base"):  # of NumPy and CuPy
        base = value.base
        shared = base is not None and (base is whole or base is whole.base or owner(value) is owner(whole))
        return shared or value is whole or view.name == "linalg.diagonal"
    if hasattr(value, "untyped_storage"):  # of PyTorch
        return in_one_memory(value, whole) or view.name == "linalg.diagonal"
    if view.name in ("conj", "positive", "to_device") or kwargs.get("copy"):
        return False
    key = args[0] if view.name == "getitem" else None
    return not any(hasattr(k, "dtype") for k in (key if type(key) is tuple else (key,)))


def in_one_memory(value: Any, whole: Any) -> bool:
    """Whether two plain arrays are known to share memory."""
    if hasattr(value, "base"):  # of NumPy and CuPy
        return owner(value) is owner(whole)
    torch = hasattr(value, "untyped_storage")
    return torch and value.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()


def owner(x: Any) -> Any:
    """The array of NumPy or CuPy that owns the memory of `x`."""
    while hasattr(x.base, "base"):
        x = x.base
    return x

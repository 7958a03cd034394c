"""Arrays whose operations a tape records, and the tape."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from portanet.tree import tree_leaves, tree_map

state = threading.local()


class CaptureError(RuntimeError):
    """What a recorded step must not do."""


def forbid(what: str) -> None:
    """Fail if this thread is recording."""
    if getattr(state, "tape", None) is not None:
        raise CaptureError(f"not permitted while a step is recorded: {what}")


class Array:
    """An array of array-api-strict, whose operations are recorded."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return sys.modules["tests.recorded"]

    dtype = property(lambda self: self.inner.dtype)
    device = property(lambda self: self.inner.device)
    shape = property(lambda self: self.inner.shape)
    ndim = property(lambda self: self.inner.ndim)
    size = property(lambda self: self.inner.size)
    T = property(lambda self: call(lambda x: x.T, self))
    mT = property(lambda self: call(lambda x: x.mT, self))  # noqa: N815

    def __getitem__(self, key: Any) -> Any:
        if any(isinstance(k, Array) and "bool" in str(k.dtype) for k in (key if isinstance(key, tuple) else (key,))):
            forbid("x[mask], whose shape depends on values")
        return call(lambda x, key: x[key], self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        call(_set, self, key, value)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        forbid("to_device")
        return Array(self.inner.to_device(device))

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError("this device exports nothing")

    def __dlpack_device__(self) -> Any:
        return 2, 0

    def __repr__(self) -> str:
        return f"<recorded array of shape {self.shape}, {self.dtype}>"


def _reading(name: str) -> Callable[..., Any]:
    def method(self: Array) -> Any:
        forbid(f"{name} reads a value")
        return getattr(self.inner, name)()

    return method


for _name in ("__bool__", "__int__", "__float__", "__complex__", "__index__"):
    setattr(Array, _name, _reading(_name))


def _set(x: Any, key: Any, value: Any) -> Any:
    x[key] = value
    return x


def _memory(x: Any) -> Any:
    """The NumPy array of an array."""
    return x.inner._array


def _plain(tree: Any) -> Any:
    return tree_map(lambda leaf: leaf.inner if isinstance(leaf, Array) else leaf, tree)


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a function of arrays; if this thread is recording, the call goes on its tape."""
    tape = getattr(state, "tape", None)
    if tape is not None:
        tape.save(args)
    result = function(*_plain(args), **_plain(kwargs))
    if result is NotImplemented:
        return result
    for arg in args:  # operations in place
        if isinstance(arg, Array) and result is arg.inner:
            out: Any = arg
            break
    else:
        out = tree_map(lambda leaf: Array(leaf) if hasattr(leaf, "__array_namespace__") else leaf, result)
    if tape is not None:
        tape.calls.append((function, args, kwargs, out))
    return out


class Tape:
    """The calls of a recording."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], Any, Any, Any]] = []
        self.before: dict[int, tuple[Any, Any]] = {}

    def save(self, args: Any) -> None:
        """Note the values that arrays have before the recording, which computes nothing."""
        for leaf in tree_leaves(args):
            if isinstance(leaf, Array):
                base = _base(_memory(leaf))
                if id(base) not in self.before:
                    self.before[id(base)] = base, base.copy()

    def finish(self) -> None:
        """Undo what was computed."""
        for _, args, _, out in self.calls:
            known = [_memory(leaf) for leaf in tree_leaves(args) if isinstance(leaf, Array)]
            for leaf in tree_leaves(out):
                if isinstance(leaf, Array) and not any(np.may_share_memory(_memory(leaf), x) for x in known):
                    self.before[id(_base(_memory(leaf)))] = _base(_memory(leaf)), _garbage(_base(_memory(leaf)))
        for array, values in self.before.values():
            if array.flags.writeable:
                array[...] = values

    def replay(self) -> None:
        """Compute everything again, into the same memory."""
        for function, args, kwargs, out in self.calls:
            result = function(*_plain(args), **_plain(kwargs))
            for target, source in zip(_arrays(out), _arrays(result), strict=True):
                if target is not source and _is_written(target):
                    target[...] = source


def _arrays(tree: Any) -> Iterator[Any]:
    for leaf in tree_leaves(tree):
        if isinstance(leaf, Array):
            yield _memory(leaf)
        elif hasattr(leaf, "__array_namespace__"):
            yield leaf._array


def _is_written(x: Any) -> bool:
    """Whether a replay writes into an array: not into views by `broadcast_arrays`, which NumPy warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            return bool(x.flags.writeable)
        except FutureWarning:
            return False


def _base(x: Any) -> Any:
    """The array that owns the memory of another."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def _garbage(x: Any) -> Any:
    return np.full_like(x, np.nan if x.dtype.kind in "fc" else x.dtype.kind != "b" and 77)

"""Batched arrays: one array per example, seen by code that is written for one example.

A level is one call of `vmap`. Like a trace, it is nested inside everything that started before it; both count with the
same serial numbers, so that of the operands of an operation the innermost level or trace is known. Inside `vmap`,
arrays are traced arrays without a trace whose value is a `BatchedArray`: to the machinery of derivatives, this is an
array of one more library, whose namespace is a `BatchedNamespace`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from portanet.autodiff.conversion import current_line
from portanet.autodiff.traced import TracedArray, TraceError, next_serial
from portanet.backends import RightOperand, device_of, to_host
from portanet.tree import tree_map


class Level:
    """One batch in progress."""

    __slots__ = ("alive", "example", "serial", "size")

    def __init__(self, size: int) -> None:
        self.serial = next_serial()
        self.size = size
        self.alive = True
        self.example: int | None = None  # whose arrays all others stand for (closures.py)

    def require_alive(self) -> None:
        """Raise if the function of this level has returned."""
        if not self.alive and self.example is None:
            raise TraceError(
                "A batched array was used after its function had returned. It was created inside a function passed to "
                "vmap and outlived that call. Return it from the function instead of storing it elsewhere."
            )


HELD: list[Any] = []
"""Traces that are frozen now, and levels of which one example is computed (closures.py): few operations find any."""


class BatchedArray(RightOperand):
    """Arrays of one shape and dtype, one per example: `value` has the batch axis first, `shape` leaves it out.

    Each library has a subclass with its `namespace`, since namespaces are looked up by type.
    """

    __slots__ = ("level", "shape", "value")
    __array_priority__ = 900  # NumPy's operators defer to ours, those in place, too
    namespace: Any

    def __init__(self, value: Any, level: Level) -> None:
        self.value = value
        self.level = level
        self.shape = tuple(value.shape)[1:]

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return self.namespace

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def device(self) -> Any:
        return device_of(storage(self))

    @property
    def mT(self) -> Any:  # noqa: N802 -- the standard's name
        return self.namespace.matrix_transpose(self)

    def __getitem__(self, key: Any) -> Any:
        return self.namespace.getitem(self, key)

    def __repr__(self) -> str:
        return f"BatchedArray({self.value!r}, a batch of {self.level.size})"

    def _one(self, what: str, remedy: str) -> Any:
        """The value, if a single example is computed."""
        return self._refuse(what, remedy) if self.level.example is None else chosen(self)

    def _refuse(self, what: str, remedy: str) -> NoReturn:
        self.level.require_alive()
        raise TraceError(
            f"{what} needs one value, and this array has one per example of vmap. {remedy} "
            f"Received: an array of shape {self.shape} in a batch of {self.level.size}, at {current_line()}"
        )

    def __bool__(self) -> bool:
        return bool(
            self._one("A condition", "Write xp.where(condition, x, y) in place of `if`, `while`, `and` and `or`.")
        )

    def _number(self) -> Any:
        remedy = "Compute with the array and functions of its namespace (xp.where, xp.sin)."
        return self._one("A Python number", remedy)

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __index__(self) -> int:
        remedy = "Index with the array itself, x[i], or use xp.take."
        return operator.index(self._one("A Python index or size", remedy))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        remedy = "Compute with xp = x.__array_namespace__(), or convert what vmap returns."
        host = to_host(self._one("Conversion to NumPy", remedy))
        return host if dtype is None else host.astype(dtype)

    def _foreign(self, function: Any, args: Any, kwargs: Any) -> Any:
        self._one(f"{function.__name__} of another library", "Compute with xp = x.__array_namespace__().")
        args, kwargs = tree_map(lambda x: chosen(x) if isinstance(x, BatchedArray) else x, (args, kwargs))
        return function(*args, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._foreign(function, args, kwargs)

    def __dlpack__(self, **options: Any) -> Any:
        self._refuse("Export through DLPack", "Export what vmap returns.")

    __dlpack_device__ = __dlpack__
    __iter__ = None
    __hash__ = None  # type: ignore[assignment]


def chosen(x: BatchedArray) -> Any:
    """The array of the example that is computed."""
    return x.value[(x.level.example, ...)]


def _operator(function: str, swapped: bool) -> Callable[[BatchedArray, Any], Any]:
    def method(self: BatchedArray, other: Any) -> Any:
        if type(other) is TracedArray:
            return NotImplemented
        operands = (other, self) if swapped else (self, other)
        return getattr(self.namespace, function)(*operands)

    return method


for _name, _function in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}.items():  # fmt: skip
    setattr(BatchedArray, f"__{_name}__", _operator(_function, False))
    setattr(BatchedArray, f"__r{_name}__", _operator(_function, True))
for _name, _function in {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
}.items():  # fmt: skip
    setattr(BatchedArray, f"__{_name}__", _operator(_function, False))
for _name, _function in {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}.items():
    setattr(BatchedArray, f"__{_name}__", lambda self, function=_function: getattr(self.namespace, function)(self))


def storage(x: Any) -> Any:
    """The library's own array inside all wrappers; of an array inside `vmap`, that of all examples.

    For asking which library an array belongs to, or looking at all its values; `unwrap` leaves the shape of an example.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import storage, vmap
        >>> shapes = []
        >>> _ = vmap(lambda x: shapes.append((x.shape, storage(x).shape)) or x)(np.ones((2, 3)))
        >>> shapes
        [((3,), (2, 3))]
    """
    while True:
        if type(x) is TracedArray:
            x = x._value
        elif isinstance(x, BatchedArray):
            x = x.value
        else:
            return x


def level_of(x: Any) -> Level | None:
    """The level of a batched array, or of a traced one without a trace around it."""
    if type(x) is TracedArray and x._trace is None:
        x = x._value
    return x.level if isinstance(x, BatchedArray) else None


def innermost_level(args: Iterable[Any]) -> Level | None:
    """The innermost level among arguments, which may be lists and tuples (as keys are)."""
    top = None
    for a in args:
        level = innermost_level(a) if type(a) in (tuple, list) else level_of(a)
        if level is not None and (top is None or level.serial > top.serial):
            top = level
    return top


def batched_namespace(args: Iterable[Any]) -> Any:
    """The differentiable namespace that an operation belongs to if one of its operands is batched; else None."""
    for a in args:
        if type(a) is TracedArray:
            if isinstance(a._xp.raw, BatchedSpace):
                return a._xp
        elif isinstance(a, BatchedArray):
            return a.namespace.differentiable()
        elif type(a) in (tuple, list):
            inside = batched_namespace(a)
            if inside is not None:
                return inside
    return None


class BatchedSpace:
    """The base of batched namespaces, for what must not import the rules."""

    library: Any


def root(namespace: Any) -> Any:
    """The library's own namespace."""
    return namespace.library if isinstance(namespace, BatchedSpace) else namespace


def wrappers(x: Any) -> Iterator[Any]:
    """The traced and batched arrays around a library's own array, from the outside in."""
    while True:
        if type(x) is TracedArray:
            yield x
            x = x._value
        elif isinstance(x, BatchedArray):
            yield x
            x = x.value
        else:
            return


def depends_on(level: Level, x: Any) -> bool:
    """Whether an array has one value per example of a level, at any depth."""
    return any(w.level is level for w in wrappers(x) if isinstance(w, BatchedArray))


def is_recorded(x: Any) -> bool:
    """Whether an array belongs to a trace, at any depth."""
    return any(w._trace is not None for w in wrappers(x) if type(w) is TracedArray)


def without_gradient(x: BatchedArray) -> BatchedArray:
    """A batched array whose value is constant."""
    value = x.value
    while type(value) is TracedArray:
        value = value._value
    return type(x)(without_gradient(value) if isinstance(value, BatchedArray) else value, x.level)


def tangent_value(t: Any) -> Any:
    """A tangent without the wrapper of a constant; a batched one keeps it, beside values that may not be batched."""
    constant = type(t) is TracedArray and t._trace is None
    return t._value if constant and not isinstance(t._value, BatchedArray) else t

"""Recorded arrays: NumPy arrays that note what is computed with them, for a plan that repeats it; see `plans`.

They hold values, so a recorded call computes its results at once. Whatever would look at values (`bool`, `float`,
NumPy's own functions, masks as indices) raises `UnrecordableError`: a plan is the same for all values.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.forward import ForwardBackend
from portanet.backends.numpy import namespace, threads
from portanet.backends.numpy.backend import NumpyBackend
from portanet.backends.numpy.programs import OPERATORS
from portanet.backends.numpy.scan import rows_of_a_piece
from portanet.backends.overrides import OVERRIDABLE

if TYPE_CHECKING:
    from portanet.backends.numpy.plans import Recording


class UnrecordableError(TypeError):
    """Something does more than a list of calls can repeat."""


class _OfThread(threading.local):
    recording: Recording | None = None


here = _OfThread()


def recording() -> Recording:
    """The recording that this thread makes."""
    if here.recording is None:
        raise UnrecordableError("the recording is over")
    return here.recording


class Memory:
    """The memory of a recorded array and its views.

    Attributes:
        source: What wrote it: `"input"`, `"weight"`, or `"call"`.
        varies: Whether what is in it may differ from one run to the next.
        written: Whether it was changed in place.
    """

    __slots__ = ("source", "varies", "written")

    def __init__(self, source: str, varies: bool) -> None:
        self.source, self.varies, self.written = source, varies, False


class RecordedArray:
    """An array, and the recording that knows where it comes from."""

    __slots__ = ("memory", "number", "raw")
    __array_ufunc__ = None  # operators of plain arrays leave it to ours
    __hash__ = None  # type: ignore[assignment]
    device = "cpu"

    def __init__(self, raw: Array, memory: Memory, number: bool = False) -> None:
        self.raw, self.memory = raw, memory
        self.number = number
        """Whether NumPy gave a number, which operators in place replace rather than change."""

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return RECORDED

    dtype = property(lambda self: self.raw.dtype)
    shape = property(lambda self: self.raw.shape)
    ndim = property(lambda self: self.raw.ndim)
    size = property(lambda self: self.raw.size)
    T = property(lambda self: recording().call(lambda x: x.T, (self,)))
    mT = property(lambda self: recording().call(lambda x: x.mT, (self,)))  # noqa: N815 -- the standard's name

    def to_device(self, device: Any, /, *, stream: Any = None) -> RecordedArray:
        return self

    def __getitem__(self, key: Any) -> Any:
        return recording().call(operator.getitem, (self, _index(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        recording().write(self, operator.setitem, (self, _index(key), value))

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise UnrecordableError("a plan is the same for all values, and cannot look at them")

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __iter__ = __len__ = __contains__ = _refuse
    __array__ = __dlpack__ = __dlpack_device__ = __reduce_ex__ = __repr__ = __str__ = __format__ = _refuse


def _index(key: Any) -> Any:
    """A key, unless it chooses by values, so that the shape of the result depends on them."""
    for part in key if isinstance(key, tuple) else (key,):
        if getattr(part, "dtype", None) == np.bool_ or isinstance(part, (bool, list)):
            raise UnrecordableError("the shape of x[mask] depends on values")
    return key


def _operator(name: str, function: Callable[..., Any]) -> None:
    def forward(self: RecordedArray, *others: Any) -> Any:
        return recording().call(function, (self, *others))

    def reflected(self: RecordedArray, other: Any) -> Any:
        return recording().call(function, (other, self))

    def in_place(self: RecordedArray, other: Any) -> Any:
        if self.number:
            return recording().call(function, (self, other))
        return recording().write(self, function, (self, other))

    setattr(RecordedArray, f"__{name}__", forward)
    if name not in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert"):
        setattr(RecordedArray, f"__r{name}__", reflected)
        setattr(RecordedArray, f"__i{name}__", in_place)


for _name, _function in (*OPERATORS.items(), ("pow", operator.pow)):
    _operator(_name, _function)


UNKNOWN = frozenset(
    ("unique_all", "unique_counts", "unique_inverse", "unique_values", "nonzero", "argwhere", "repeat", "from_dlpack")
)
"""Functions whose results have shapes that depend on values, or which convert."""


class RecordedNamespace:
    """The functions of a namespace on recorded arrays."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions
        self.__name__ = "recorded"

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._functions, name)
        if name in ("linalg", "fft"):
            value = RecordedNamespace(value)
        elif name in UNKNOWN:
            raise UnrecordableError(f"the shape of a result of {name} depends on values")
        elif callable(value) and not isinstance(value, type):
            value = _recorded(value)
        setattr(self, name, value)
        return value


def _recorded(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        return recording().call(function, args, options)

    return call


RECORDED: Any = RecordedNamespace(namespace)


def scan(step: Callable[..., Any], carry: tuple[Any, ...], inputs: Sequence[Any], reverse: bool = False) -> Any:
    """The definition's loop for few examples, which NumPy's override computes in one piece."""
    batch = carry[0].shape[0]
    if not 0 < batch <= rows_of_a_piece(batch):
        raise UnrecordableError("a loop over time in pieces")
    return NotImplemented


def _opaque(name: str, override: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        definition = OVERRIDABLE[name].definition  # type: ignore[attr-defined]
        return recording().call(override, args, options, definition)

    return call


def random_words(*args: Any, **options: Any) -> Any:
    """Random bits differ from call to call."""
    raise UnrecordableError("random numbers")


class RecordedBackend(ForwardBackend):
    """NumPy's arrays while they are recorded."""

    name = "recorded"
    library = "numpy"
    least_elements = NumpyBackend.least_elements
    attends_in_blocks = NumpyBackend.attends_in_blocks
    overrides = {name: _opaque(name, override) for name, override in NumpyBackend.overrides.items()} | {
        "scan": scan,
        "random_words": random_words,
    }

    @classmethod
    def load(cls) -> Any:
        return RECORDED

    @classmethod
    def owns(cls, x: Any) -> bool:
        return isinstance(x, RecordedArray)

    @classmethod
    def device_of(cls, x: Array) -> Any:
        return "cpu"

    @classmethod
    def takes(cls, x: Array, weights: Any) -> bool:
        return False

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        raise UnrecordableError("what is computed depends on whether values can be read")

    @classmethod
    def map_elements(cls, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        raise UnrecordableError("work that is divided among threads")

    @classmethod
    def map_rows(
        cls, function: Callable[..., Any], arrays: Sequence[Array | None], size: int, total: bool = False
    ) -> Any:
        first = next(x for x in arrays if x is not None)
        if threads.row_pieces(first.shape[0], size, first.dtype.itemsize) > 1:
            raise UnrecordableError("work that is divided among threads")
        return function(*arrays)

"""Traced arrays: arrays of any backend that record, within one trace, how they were computed.

A trace is one differentiation in progress. In reverse mode each traced array links to a `Node`, which knows its parents
and how to pull a cotangent back to them; in forward mode the link is the tangent itself. The wrapped value may be a
traced array of an enclosing trace, so derivatives nest to any depth. A traced array with no trace is a constant: it
belongs to the differentiable namespace, and carries no derivative.
"""

from __future__ import annotations

import itertools
import math
import operator
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from portanet.autodiff import conversion, debugging
from portanet.autodiff.methods import PythonNumbers, method
from portanet.backends import Array, to_host
from portanet.tree import tree_leaves

if TYPE_CHECKING:
    from portanet.autodiff.namespace import Namespace
    from portanet.autodiff.views import View

COMPUTE = "Compute with xp = x.__array_namespace__(), or pass portanet.autodiff.stop_gradient(x), the value alone."
next_serial = itertools.count().__next__


class TraceError(TypeError):
    """A traced array was used in a way that would lose its derivative, or after its trace ended."""


class Trace:
    """One differentiation in progress; a later trace is always nested inside an earlier one that is still alive."""

    __slots__ = ("alive", "early", "forward", "frozen", "log", "serial")

    def __init__(self, forward: bool = False, log: list[tuple[str, TracedArray]] | None = None) -> None:
        self.serial, self.forward = next_serial(), forward
        self.alive, self.frozen = True, False  # frozen: its arrays count as their values (closures.py)
        self.early: list[Node] = []  # visited as soon as they can be
        self.log = debugging.LOG.get() if log is None else log

    def require_alive(self) -> None:
        """Raise if the function of this trace has returned."""
        if not self.alive:
            raise TraceError(
                "A traced array was used after its trace ended. It was created inside a function passed to grad, vjp, "
                "jvp or the like and outlived that call. Return it from the function (has_aux=True) instead of "
                "storing it elsewhere."
            )


class Node:
    """One recorded operation: `boundary.pulled(node, cotangent)` is the cotangent of its parent or parents."""

    __slots__ = ("op", "parents", "pull", "serial")

    def __init__(self, op: str, parents: Node | tuple[Node, ...] | None, pull: Any) -> None:
        self.serial: float = next_serial()
        self.op = op
        self.parents = parents
        self.pull = pull


class TracedArray(PythonNumbers):
    """An array of any backend as seen by a function being differentiated."""

    # For writes (writing.py): _writable is False for inputs of the function, whose first value is kept in _origin once
    # they were written to; _base is what a view was taken from, and _views are weak references to its views.
    __slots__ = ("__weakref__", "_base", "_link", "_origin", "_trace", "_value", "_views", "_writable", "_xp")
    __array_priority__ = 1000  # NumPy's operators defer to ours, those in place, too

    _value: Any
    _trace: Trace | None
    _link: Any
    _xp: Namespace
    _writable: bool
    _origin: TracedArray | None
    _base: tuple[TracedArray, View, tuple[Any, ...], dict[str, Any]] | None
    _views: list[weakref.ref[TracedArray]] | None

    def __init__(self, value: Array, trace: Trace | None, link: Any, xp: Namespace) -> None:
        self._value = value
        self._trace = trace
        self._link = link
        self._xp = xp
        self._base = self._origin = self._views = None

    @property
    def __array_namespace__(self) -> Callable[..., Namespace]:
        # array-api-compat takes every array of an unknown type to be writable: array_api_extra.at would write to
        # arguments of the function and to views of JAX's arrays, where it should make a copy.
        if sys._getframe(1).f_code.co_name == "is_writeable_array" and not self._xp.is_writable(self):
            raise AttributeError("read-only")
        return self._namespace

    def _namespace(self, *, api_version: str | None = None) -> Namespace:
        return self._xp

    # Attributes of the standard

    @property
    def dtype(self) -> Any:
        return self._value.dtype

    @property
    def shape(self) -> Any:
        return self._value.shape

    @property
    def ndim(self) -> int:
        return len(self._value.shape)

    @property
    def size(self) -> Any:
        return None if None in self._value.shape else math.prod(self._value.shape)

    @property
    def device(self) -> Any:
        return self._xp.device_of(self._value)

    @property
    def T(self) -> Any:  # noqa: N802 -- the standard's name
        if self.ndim != 2:
            raise ValueError(
                "x.T is for arrays with 2 axes; write x.mT for the last two, or xp.permute_dims(x, axes). "
                f"Received: an array of shape {tuple(self.shape)}"
            )
        return self._xp.matrix_transpose(self)

    @property
    def mT(self) -> Any:  # noqa: N802 -- the standard's name
        return self._xp.matrix_transpose(self)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        return self if stream is None and device == self.device else self._xp.to_device(self, device, stream=stream)

    if not TYPE_CHECKING:  # where all attributes are known

        def __getattr__(self, name: str) -> Any:
            return method(self, name)

    # Reading values: allowed, so that control flow can depend on them

    def __bool__(self) -> bool:
        return bool(self._value)

    def __float__(self) -> float:
        return float(self._number("float(x)"))

    def __int__(self) -> int:
        return int(self._number("int(x)"))

    def __complex__(self) -> complex:
        return complex(self._number("complex(x)"))

    def __format__(self, spec: str) -> str:
        return conversion.formatted(self, unwrap(self), spec)

    def __index__(self) -> int:
        return operator.index(self._value)

    def __len__(self) -> int:
        if not self._value.shape:
            raise TypeError("len() of a 0-d array. Received: an array of shape ()")
        return int(self._value.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self._value.shape:
            raise TypeError("Iteration over a 0-d array. Received: an array of shape ()")
        return (self[(i, ...) if len(self._value.shape) > 1 else i] for i in range(len(self)))

    def __repr__(self) -> str:
        kind = "constant" if self._trace is None else ("forward" if self._trace.forward else "reverse")
        return f"TracedArray({self._value!r}, {kind})"

    # Leaving the trace: refused where it would silently cut the derivative

    def _leave(self, what: str, remedy: str) -> Any:
        if self._trace is None or conversion.allowed():
            return unwrap(self)
        raise TraceError(
            f"{what} would cut the derivative of this traced array (shape {tuple(self.shape)}, {self.dtype}) at "
            f"{conversion.current_line()}. {remedy}"
        )

    def _number(self, what: str) -> Any:
        """The value, to be converted to a Python number."""
        if self._trace is not None and self._trace.alive and not conversion.allowed():
            if conversion.is_write(sys._getframe(2)):
                self._leave("Writing into a plain array", conversion.BUFFER.format(self._xp.raw.__name__))
            if conversion.refused():
                self._leave(what, conversion.REMEDY)
            conversion.warn(what)
        return unwrap(self)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._foreign(function, args, kwargs)

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return cls._foreign(function, args, kwargs or {})

    @classmethod
    def _foreign(cls, function: Any, args: Any, kwargs: Any) -> Any:
        """Call a library's own function with the values of constants; refuse other traced arrays.

        In an operator, PyTorch turns the error into NotImplemented, and the right operand is tried.
        """

        def values(x: Any) -> Any:
            if type(x) is cls:
                return x._leave(f"{function.__name__} of another library", COMPUTE)
            if isinstance(x, (list, tuple)):
                return type(x)(map(values, x))
            return x

        return function(*values(args), **{k: values(v) for k, v in kwargs.items()})

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        host = to_host(self._leave("Conversion to NumPy", COMPUTE))
        return host if dtype is None else host.astype(dtype)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        value = self._leave("Export through DLPack", "Export portanet.autodiff.stop_gradient(x), the value alone.")
        options = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        return value.__dlpack__(**{k: v for k, v in options.items() if v is not None})

    def __dlpack_device__(self) -> Any:
        return self._value.__dlpack_device__()

    def __reduce__(self) -> Any:
        raise TraceError(
            "A traced array cannot be pickled: it is only valid inside the function being differentiated. "
            "Return the value from the function, and pickle that."
        )

    def __deepcopy__(self, memo: Any) -> Any:
        raise TraceError(
            "A traced array cannot be deep-copied: its recorded history would be copied too. "
            "Use xp.asarray(x, copy=True) with xp = x.__array_namespace__()."
        )

    def __hash__(self) -> int:
        raise TraceError(
            "A traced array cannot be hashed (used in a set, as a dict key or as a cached argument): `==` compares "
            "elements. Use id(x), or key by name."
        )

    # Indexing

    def __getitem__(self, key: Any, /) -> Any:
        return self._xp.getitem(self, tuple([unwrap(k) for k in key]) if type(key) is tuple else unwrap(key))

    def __setitem__(self, key: Any, value: Any, /) -> None:
        self._xp.setitem(self, key, value)

    # Operators

    def __pos__(self) -> Any:
        return self._xp.positive(self)

    def __neg__(self) -> Any:
        return self._xp.negative(self)

    def __abs__(self) -> Any:
        return self._xp.abs(self)

    def __invert__(self) -> Any:
        return self._xp.bitwise_invert(self)

    def __add__(self, other: Any) -> Any:
        return self._xp.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return self._xp.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return self._xp.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._xp.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return self._xp.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._xp.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._xp.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._xp.divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._xp.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._xp.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return self._xp.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._xp.remainder(other, self)

    def __pow__(self, other: Any) -> Any:
        return self._xp.pow(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._xp.pow(other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._xp.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._xp.matmul(other, self)

    def __and__(self, other: Any) -> Any:
        return self._xp.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Any:
        return self._xp.bitwise_and(other, self)

    def __or__(self, other: Any) -> Any:
        return self._xp.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Any:
        return self._xp.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Any:
        return self._xp.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Any:
        return self._xp.bitwise_xor(other, self)

    def __lshift__(self, other: Any) -> Any:
        return self._xp.bitwise_left_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return self._xp.bitwise_left_shift(other, self)

    def __rshift__(self, other: Any) -> Any:
        return self._xp.bitwise_right_shift(self, other)

    def __rrshift__(self, other: Any) -> Any:
        return self._xp.bitwise_right_shift(other, self)

    def __lt__(self, other: Any) -> Any:
        return self._xp.less(self, other)

    def __le__(self, other: Any) -> Any:
        return self._xp.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return self._xp.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return self._xp.greater_equal(self, other)

    def __eq__(self, other: object) -> Any:
        return NotImplemented if other is None else self._xp.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return NotImplemented if other is None else self._xp.not_equal(self, other)


def is_traced(*trees: Any) -> bool:
    """Whether any array in the trees is traced; constants of the differentiable namespace count.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import is_traced, lift
        >>> is_traced(np.ones(2)), is_traced([np.ones(2), lift(np.ones(2))])
        (False, True)
    """
    return TracedArray in map(type, tree_leaves(trees))


def unwrap(x: Any) -> Any:
    """The plain array inside all wrappers; other objects unchanged.

    For inspecting values; to compute with them, use `stop_gradient`, which keeps the namespace.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import lift, unwrap
        >>> unwrap(lift(np.asarray([1.0, 2.0])))
        array([1., 2.])
    """
    while type(x) is TracedArray:
        x = x._value
    return x

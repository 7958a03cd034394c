"""The differentiable namespace over any array API namespace.

`x.__array_namespace__()` of a traced array is a `Namespace`: every function of the standard, with its name and
signature. Functions are wrapped on first access. Plain arrays in give plain arrays out; arrays that are created here,
or computed from traced arrays without a derivative (comparisons, argmax, ...), are constants of this namespace, so that
code which asks for the common namespace of its arrays gets one answer.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from portanet.autodiff import dispatch, views, writing
from portanet.autodiff.batching.array import HELD, BatchedArray, BatchedSpace, root, without_gradient
from portanet.autodiff.rules import COMPOSITES, CREATION, PASSTHROUGH, PRIMITIVES, RULES, VIEWS
from portanet.autodiff.traced import TracedArray, unwrap
from portanet.autodiff.tracing import constant, copied, is_array, melted_arguments, rebuild, require_same
from portanet.backends import Array, ArrayHolder, device_of, held, raw_namespace
from portanet.tree import tree_map

SECTIONS = ("linalg", "fft")
VIEWING = frozenset(("broadcast_arrays", "from_dlpack", "linalg.diagonal", "linalg.matrix_transpose", "unstack"))
VIEWING_HERE: dict[str, Callable[[Any, Array], Array]] = {
    "diff": lambda xp, x: xp.diff(x, n=0),
    "linalg.matrix_power": lambda xp, x: xp.linalg.matrix_power(x, 1),
    "meshgrid": lambda xp, x: xp.meshgrid(x[0, :], x[0, :])[0],
}
"""Composites whose results may be views: in every library that has views, and in those where this example is one."""
CONSTANTS = frozenset((
    "e", "inf", "nan", "newaxis", "pi", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
    "uint64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
))  # fmt: skip
_NAMESPACES: dict[int, Namespace] = {}


def differentiable_namespace(raw: Any) -> Namespace:
    """The differentiable namespace over a library's namespace; one object per library."""
    namespace = _NAMESPACES.get(id(raw))
    if namespace is None:
        namespace = _NAMESPACES[id(raw)] = Namespace(raw)
    return namespace


def array_namespace(*arrays: Array) -> Any:
    """The namespace to compute with: the library's own for plain arrays, the differentiable one if any is traced.

    Args:
        *arrays: Arrays of one library, plain or traced; other values are left out.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace
        >>> xp = array_namespace(np.ones(3))
        >>> float(xp.sum(np.ones(3)))
        3.0
    """
    for x in arrays:
        if type(x) is TracedArray:
            return x._xp
        if isinstance(x, ArrayHolder):
            return HeldNamespace(array_namespace(*map(held, arrays)))
    return raw_namespace(arrays[0])


class HeldNamespace:
    """A namespace whose functions take variables and the like for their arrays."""

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self.__name__ = xp.__name__

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._xp, name)
        if name in SECTIONS or name == "special":
            return HeldNamespace(value)
        if not callable(value) or isinstance(value, type):
            return value
        return lambda *args, **kwargs: value(*tree_map(held, args), **tree_map(held, kwargs))


def lift(x: Any) -> Any:
    """A plain array as a constant of the differentiable namespace; everything else unchanged.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad
        >>> grad(lambda x: lift(np.asarray(2.0)) * x)(np.asarray(3.0)).item()
        2.0
    """
    if type(x) is TracedArray or not is_array(x):
        return x
    out = TracedArray(x, None, None, differentiable_namespace(raw_namespace(x)))
    out._writable = False
    return out


class Section:
    """The functions of the standard, or of one of its extensions, looked up in the tables of rules on first access."""

    def __init__(self, raw: Any, prefix: str = "", whole: Namespace | None = None) -> None:
        self.raw = raw
        self.batched = isinstance(raw, BatchedSpace)
        self._prefix = prefix
        self._root: Any = whole or self
        self.__name__ = f"portanet.autodiff[{root(raw).__name__}]"

    def __repr__(self) -> str:
        # array-api-compat's error about two namespaces prints this.
        return f"<differentiable namespace over {self.raw.__name__}; portanet.autodiff.lift(x) brings in plain arrays>"

    def __dir__(self) -> list[str]:
        tables = (RULES, COMPOSITES, CREATION, PASSTHROUGH)
        names = {key.removeprefix(self._prefix) for table in tables for key in table if key.startswith(self._prefix)}
        extra = () if self._prefix else (*CONSTANTS, *SECTIONS)
        known = (n for n in (*names, *extra) if hasattr(self.raw, n))
        beyond = {"": ("special",), "linalg.": _beyond_linalg()}.get(self._prefix, ())
        return sorted({*object.__dir__(self), *known, *beyond})

    def __getattr__(self, name: str) -> Any:
        """Wrap the library's function, once."""
        value = self._wrap(name)
        setattr(self, name, value)
        return value

    def _wrap(self, name: str) -> Any:
        key = self._prefix + name
        function = self._recording(name, key, self._root)
        if self.batched and isinstance(function, FunctionType):
            function = _melting(function)
        if key in VIEWS and key not in RULES:
            return dispatch.viewing(function, views.View(key, function, VIEWS[key]))
        return function

    def _recording(self, name: str, key: str, root: Any) -> Any:
        if key in PRIMITIVES:
            raw = getattr(self.raw, name) if self.batched else functools.partial(PRIMITIVES[key], self.raw)
            op = root.recorder(raw, key)
            return _described(op, name, getattr(self.raw, name)) if hasattr(self.raw, name) else op
        if key in CONSTANTS or name.startswith("__array"):
            return getattr(self.raw, name)
        if key == "special":
            from portanet.autodiff.special.section import SpecialFunctions  # which few programs need

            return SpecialFunctions(self.raw, "special.", root)
        if key in SECTIONS:
            return Section(getattr(self.raw, name), f"{name}.", root)
        if key in RULES:
            raw = getattr(self.raw, name)
            return _described(root.recorder(raw, key), name, raw)
        if key in CREATION or key in PASSTHROUGH or key in COMPOSITES:
            raw = getattr(self.raw, name)
            plain = (_creator if key in CREATION else dispatch.passthrough)(raw, root, key)
            if key in COMPOSITES:
                join = _viewed if _returns_views(root, key) else _spread_value if key in CREATION else _composed
                plain = join(root, plain, COMPOSITES[key])
            return _described(plain, name, raw)
        if self._prefix == "linalg." and name in _beyond_linalg():
            return getattr(importlib.import_module("portanet.autodiff.linalg"), name)
        raise AttributeError(f"{self!r} has no function {key!r}: it offers the functions of the array API standard.")


def _returns_views(root: Namespace, key: str) -> bool:
    """Whether results of a composite may be views in this library; libraries differ in those of `VIEWING_HERE`."""
    if key not in VIEWING_HERE:
        return key in VIEWING
    library = root.raw.library if root.batched else root.raw
    x = library.ones((1, 1))
    out = VIEWING_HERE[key](library, x)
    if views.has_views(x):
        return views.in_one_memory(out, x)
    try:
        out[...] = 2.0
    except TypeError:  # arrays are immutable
        return False
    return float(x[0, 0]) == 2.0


def _melting(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose arguments count as their values where they belong to a frozen trace; see `melted`."""

    def op(*args: Any, **kwargs: Any) -> Any:
        if HELD:
            args, kwargs = melted_arguments(args, kwargs)
        return function(*args, **kwargs)

    return functools.update_wrapper(op, function)


class Namespace(Section):
    """Every function of the standard over one library, differentiable; see the module's docstring."""

    def __eq__(self, other: object) -> bool:
        """To array-api-compat, which compares names or namespaces, those inside `vmap` and outside are one.

        Each takes arrays of both kinds.
        """
        return isinstance(other, Namespace) and root(self.raw) is root(other.raw)

    def __hash__(self) -> int:
        return hash(id(root(self.raw)))

    def recorder(self, raw: Callable[..., Any], key: str) -> Callable[..., Any]:
        """Wrap a library's function `raw`, of which there is a rule, as a function that records itself."""
        rule, put = RULES[key], VIEWS.get(key)
        operands = 0 if rule.variadic else len(rule.pulls)
        if operands == 1 and not rule.elementwise and not self.batched:
            return dispatch.of_first(raw, rule, self, put)
        kinds: Any = dispatch
        if self.batched:  # operands may belong to a trace and to a batch inside it
            from portanet.autodiff.batching import recording as kinds
        if operands == 1 and rule.elementwise:
            op = dispatch.unary(raw, rule, self)
        elif operands == 2 and rule.elementwise:
            op = kinds.binary(raw, rule, self)
        else:
            op = kinds.general(raw, dispatch.broadcasting(rule) if rule.elementwise else rule, self)
        return op if put is None else dispatch.viewing(op, views.View(rule.name, op, put))

    def find(self, name: str) -> Any:
        """A function by its full name, such as `"sum"` or `"linalg.svd"`."""
        return functools.reduce(getattr, name.split("."), self)

    def device_of(self, x: Array) -> Any:
        """The device that `x` is on."""
        return device_of(unwrap(x))

    def constant_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of the library whose results are constants of this namespace."""
        return lambda *args, **kwargs: constant(self, function(*args, **kwargs))

    def stop_gradient(self, x: Array) -> Any:
        """The value of `x` as a constant."""
        if type(x) is not TracedArray:
            return x
        value = unwrap(x)
        if isinstance(value, BatchedArray):
            return TracedArray(without_gradient(value), None, None, x._xp)
        return TracedArray(value, None, None, self)

    # Functions that inspect their arguments first

    def asarray(self, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        """As in the standard; a traced array stays traced, also inside lists."""
        if type(obj) is not TracedArray:
            leaves = [x for x in _leaves((obj,)) if type(x) is TracedArray]
            if leaves:
                dtype = dtype or self.result_type(*leaves)
                device = device or leaves[0].device
                return writable(self.stack([self.asarray(item, dtype=dtype, device=device) for item in obj]))
            array = self.raw.asarray(obj, dtype=dtype, device=device, copy=copy)
            return writable(TracedArray(array, None, None, self))
        if obj._xp is not self and obj._xp.batched:
            return obj._xp.asarray(obj, dtype=dtype, device=device, copy=copy)
        require_same(self, obj)
        out: TracedArray = obj
        if device is not None and device != obj.device:
            out = self.to_device(out, device)
        if dtype is not None and dtype != obj.dtype:
            out = self.astype(out, dtype)
        if out is obj:
            return self._copy(obj) if copy or (copy is None and views.is_scalar(obj)) else obj
        if copy is False:
            raise ValueError(f"asarray with copy=False cannot change dtype or device. Received: {dtype=}, {device=}")
        return views.new_array(out)

    def _copy(self, x: TracedArray) -> TracedArray:
        if x._trace is None:
            return views.new_array(TracedArray(self.raw.asarray(x._value, copy=True), None, None, self))
        return views.new_array(self._cast(x, x.dtype, copy=True))

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
        """As in the standard; casts to integers or booleans have no derivative."""
        kwargs = {"copy": copy} if device is None else {"copy": copy, "device": device}
        if not copy and type(x) is TracedArray and x.dtype == dtype and device in (None, x.device):
            return x
        floating = self.isdtype(dtype, ("real floating", "complex floating"))
        return (self._cast if floating else self._cast_plain)(x, dtype, **kwargs)

    @functools.cached_property
    def _cast(self) -> Callable[..., Any]:
        return dispatch.general(self.raw.astype, RULES["astype"], self)

    @functools.cached_property
    def _cast_plain(self) -> Callable[..., Any]:
        return dispatch.passthrough(self.raw.astype, self, "astype")

    def is_writable(self, x: TracedArray) -> bool:
        """Whether `x[key] = value` is possible and leaves arrays alone that the library would not change."""
        return writing.is_writable(x)

    def setitem(self, x: TracedArray, key: Any, value: Any) -> None:
        """`x[key] = value`; see writing.py."""
        writing.setitem(self, x, key, value)


def _beyond_linalg() -> list[str]:
    """Names of the functions of `xp.linalg` that the standard lacks, which few programs need."""
    names: list[str] = importlib.import_module("portanet.autodiff.linalg").__all__
    return names


def writable(x: TracedArray) -> TracedArray:
    """Mark a new array as one that may be written to."""
    x._writable = True
    return x


def _described(op: Callable[..., Any], name: str, raw: Callable[..., Any]) -> Callable[..., Any]:
    """Give `op` the name, the documentation and the signature of the library's function."""
    op.__name__ = op.__qualname__ = name
    op.__doc__ = getattr(raw, "__doc__", None)
    op.__wrapped__ = raw  # type: ignore[attr-defined]
    return op


def _composed(xp: Namespace, plain: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """The library's function for untraced arguments, else the composite."""

    def op(*args: Any, **kwargs: Any) -> Any:
        if any(type(a) is TracedArray and a._trace is not None for a in _leaves((*args, *kwargs.values()))):
            return _fresh(function(xp, *args, **kwargs), args)
        return plain(*args, **kwargs)

    return op


def _viewed(xp: Namespace, plain: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """The composite for all arrays of this namespace: its results are views of them."""

    def op(*args: Any, **kwargs: Any) -> Any:
        if any(type(a) is TracedArray for a in args):
            return function(xp, *args, **kwargs)
        return plain(*args, **kwargs)

    return op


def _fresh(out: Any, args: Any) -> Any:
    """A result that is no view: a composite may end in a function that returns one, but the library's does not."""
    if isinstance(out, (tuple, list)):
        return rebuild(out, [_fresh(part, args) for part in out])
    view = type(out) is TracedArray and (out._base is not None or any(out is a for a in args))
    return copied(out) if view else out


def _spread_value(xp: Namespace, plain: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """A creation function that also takes arrays of this namespace where the standard has Python scalars."""

    def op(*args: Any, **kwargs: Any) -> Any:
        scalars = [*args[function.__name__.endswith("_like") :], *kwargs.values()]
        if any(type(a) is TracedArray for a in scalars):
            return _fresh(function(xp, *args, **kwargs), args)
        return plain(*args, **kwargs)

    return op


def _leaves(tree: Any) -> Iterator[Any]:
    for branch in tree:
        if isinstance(branch, (list, tuple)):
            yield from _leaves(branch)
        else:
            yield branch


def _creator(raw: Callable[..., Any], xp: Namespace, name: str) -> Callable[..., Any]:
    """A function that creates a writable array."""
    plain = dispatch.passthrough(raw, xp, name)

    def op(*args: Any, **kwargs: Any) -> Any:
        array = plain(*args, **kwargs)
        if type(array) is not TracedArray:
            if any(is_array(a) for a in args):
                return array  # `zeros_like` of a plain array stays plain; `zeros` starts a constant of this namespace
            array = TracedArray(array, None, None, xp)
        return writable(array)

    return op

"""The differentiable namespace over any array API namespace.

`x.__array_namespace__()` of a traced array is a `Namespace`: every function of the standard, under its own name and
with its own signature. Functions are wrapped when first asked for and kept. Plain arrays in give plain arrays out;
what is created here, or computed from traced arrays without a derivative (comparisons, argmax, ...), comes back as a
constant of this namespace, so that code which asks for the one namespace of all its arrays gets one answer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import array_api_extra as xpx

from portanet.autodiff import dispatch
from portanet.autodiff.rules import COMPOSITES, PASSTHROUGH, RULES
from portanet.autodiff.rules.creation import CREATION
from portanet.autodiff.traced import TracedArray, TraceError, raw_value
from portanet.backends import Array, device_of, kernel, raw_namespace

_SECTIONS = ("linalg", "fft")
_NAMESPACES: dict[int, Namespace] = {}


def differentiable_namespace(raw: Any) -> Namespace:
    """The differentiable namespace over a library's namespace; one object for each."""
    found = _NAMESPACES.get(id(raw))
    if found is None:
        found = _NAMESPACES[id(raw)] = Namespace(raw)
    return found


def array_namespace(*arrays: Array) -> Any:
    """The namespace to compute with: the library's own for plain arrays, the differentiable one if any is traced.

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
    return raw_namespace(arrays[0])


def lift(x: Any) -> Any:
    """A plain array as a constant of the differentiable namespace; everything else as it is."""
    if type(x) is TracedArray or not hasattr(x, "dtype") or not hasattr(x, "shape"):
        return x
    return TracedArray(x, None, None, differentiable_namespace(raw_namespace(x)))


class Namespace:
    """Every function of the standard over one library, differentiable; see the module's text."""

    def __init__(self, raw: Any, section: str = "", parent: Namespace | None = None) -> None:
        self.raw = raw
        self._section = section
        self._root = parent or self
        self.__name__ = f"portanet.autodiff[{raw.__name__}]"

    def __repr__(self) -> str:
        return f"<differentiable namespace over {self.raw.__name__}>"

    def __getattr__(self, name: str) -> Any:
        """Wrap the library's function, once."""
        key = self._section + name
        root = self._root
        if not self._section and name in _SECTIONS:
            value: Any = Namespace(getattr(self.raw, name), f"{name}.", self)
        elif key in RULES:
            rule = RULES[key]
            raw = _raw_function(self.raw, name)
            make = {"unary": dispatch.unary, "binary": dispatch.binary}.get(_kind(key), dispatch.general)
            value = _SIGNATURES.get(key, lambda xp, f: f)(root, make(raw, rule, root))
        elif key in COMPOSITES:
            value = _composite(root, getattr(self.raw, name), COMPOSITES[key])
        elif key in CREATION:
            value = _creation(root, getattr(self.raw, name))
        elif key in PASSTHROUGH:
            value = dispatch.passthrough(getattr(self.raw, name), root)
        elif name in _CONSTANTS or name.startswith("__array"):
            value = getattr(self.raw, name)
        else:
            raise AttributeError(
                f"{self!r} has no function {key!r}: it offers the functions of the array API standard."
            )
        setattr(self, name, value)
        return value

    def find(self, name: str) -> Any:
        """A function by its full name, such as `"sum"` or `"linalg.svd"`."""
        return functools.reduce(getattr, name.split("."), self)

    def device_of(self, x: Array) -> Any:
        """The device that `x` is on."""
        return device_of(raw_value(x))

    def stop_gradient(self, x: Array) -> Any:
        """The value of `x` as a constant."""
        return TracedArray(raw_value(x), None, None, self) if type(x) is TracedArray else x

    # Functions whose arguments need a look first

    def asarray(self, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        """As in the standard; a traced array stays traced."""
        if type(obj) is TracedArray:
            dispatch.require_same(self, obj)
            if device is not None:
                obj = self.to_device(obj, device)
            if dtype is not None and dtype != obj.dtype:
                return self.astype(obj, dtype)
            return self.positive(obj) if copy and obj._trace is not None else _copied(self, obj, copy)
        if isinstance(obj, (list, tuple)) and any(type(leaf) is TracedArray for leaf in _leaves(obj)):
            joined = self.stack([self.asarray(item, dtype=dtype, device=device) for item in obj])
            return joined
        return _owned(TracedArray(self.raw.asarray(obj, dtype=dtype, device=device, copy=copy), None, None, self))

    def astype(self, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
        """As in the standard; to an integer or boolean dtype there is no derivative."""
        kwargs = {"copy": copy} if device is None else {"copy": copy, "device": device}
        floating = self.isdtype(dtype, ("real floating", "complex floating"))
        return (self._cast if floating else self._cast_plain)(x, dtype, **kwargs)

    @functools.cached_property
    def _cast(self) -> Callable[..., Any]:
        return dispatch.general(self.raw.astype, RULES["astype"], self)

    @functools.cached_property
    def _cast_plain(self) -> Callable[..., Any]:
        return dispatch.passthrough(self.raw.astype, self)

    def setitem(self, x: TracedArray, key: Any, value: Any) -> None:
        """`x[key] = value`, for arrays that are being filled; refused where a derivative was already recorded."""
        fresh = getattr(x, "_buffer", False)
        if x._trace is not None and not fresh:
            raise TraceError(
                "A recorded array cannot be written to: what was computed from it would keep the old value. Build the "
                "new array with xp.where(mask, value, x) or xp.concat, or fill an array made by xp.zeros. "
                f"Received: x[{key!r}] = ... with x of shape {x.shape}"
            )
        key = _plain_key(key)
        if x._trace is None and not (type(value) is TracedArray and value._trace is not None):
            if not fresh:
                x._value = self.raw.asarray(x._value, copy=True)
            x._value = xpx.at(x._value, key).set(raw_value(value))
        else:
            new = self.assign(x, value, key)
            x._value, x._trace, x._link = new._value, new._trace, new._link
        x._buffer = True


_CONSTANTS = frozenset(
    "e inf nan newaxis pi bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32 float64 "
    "complex64 complex128".split()
)


def _kind(name: str) -> str:
    rule = RULES[name]
    if name in _BROADCASTING:
        return "binary"
    return "unary" if len(rule.pulls) == 1 and name in _UNARY else "general"


_BROADCASTING = frozenset(
    "add subtract multiply divide pow maximum minimum atan2 hypot logaddexp remainder copysign".split()
)
_UNARY = frozenset(
    "positive negative reciprocal square sqrt exp expm1 log log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh "
    "asinh acosh atanh abs sign real imag conj".split()
)


def _raw_function(raw: Any, name: str) -> Callable[..., Any]:
    """The library's function; for the few that the standard lacks or spells otherwise, the definition."""
    if name == "getitem":
        return lambda x, key: x[key]
    if name == "concat":
        return lambda *arrays, **kwargs: raw.concat(list(arrays), **kwargs)
    if name == "scatter":
        return functools.partial(_scatter, raw)
    if name == "assign":
        return lambda x, value, key: xpx.at(x, key).set(value, copy=True)
    if name == "index_add":
        return functools.partial(_index_add, raw)
    if name == "to_device":
        from array_api_compat import to_device

        return to_device
    function: Callable[..., Any] = getattr(raw, name)
    return function


def _scatter(raw: Any, g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    return xpx.at(raw.zeros(shape, dtype=g.dtype, device=device_of(g)), key).set(g)


def _index_add(raw: Any, rows: Any, index: Any, size: int) -> Any:
    """Sum the rows that share an index: a product with the one-hot matrix, in chunks, or the backend's kernel."""
    fast = kernel("index_add", rows)
    if fast is not None:
        return fast(rows, index, size)
    places = raw.expand_dims(raw.arange(size, dtype=index.dtype, device=device_of(rows)), axis=1)
    out = raw.zeros((size, rows.shape[1]), dtype=rows.dtype, device=device_of(rows))
    step = max(1, 4_000_000 // max(size, 1))
    for start in range(0, rows.shape[0], step):
        piece = slice(start, min(start + step, rows.shape[0]))
        out = out + raw.matmul(raw.astype(places == raw.expand_dims(index[piece], axis=0), rows.dtype), rows[piece, :])
    return out


def _plain_key(key: Any) -> Any:
    return tuple(raw_value(k) for k in key) if isinstance(key, tuple) else raw_value(key)


_SIGNATURES: dict[str, Callable[[Namespace, Any], Any]] = {
    "concat": lambda xp, f: lambda arrays, /, *, axis=0: f(*arrays, axis=axis),
    "getitem": lambda xp, f: lambda x, key: f(x, _plain_key(key)),
    "assign": lambda xp, f: lambda x, value, key: f(x, value, key),
}


def _composite(xp: Namespace, raw: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    plain = dispatch.passthrough(raw, xp)

    def op(*args: Any, **kwargs: Any) -> Any:
        if any(type(a) is TracedArray and a._trace is not None for a in _leaves((args, kwargs))):
            return function(xp, *args, **kwargs)
        return plain(*args, **kwargs)

    op.__name__ = op.__qualname__ = raw.__name__
    return op


def _leaves(tree: Any) -> Any:
    for branch in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(branch, (dict, list, tuple)):
            yield from _leaves(branch)
        else:
            yield branch


def _creation(xp: Namespace, raw: Callable[..., Any]) -> Callable[..., Any]:
    plain = dispatch.passthrough(raw, xp)

    def op(*args: Any, **kwargs: Any) -> Any:
        made = plain(*args, **kwargs)
        if type(made) is TracedArray:
            return _owned(made)
        # `zeros_like` of a plain array stays plain; `zeros` starts a constant of this namespace.
        return made if any(hasattr(a, "dtype") for a in args) else _owned(TracedArray(made, None, None, xp))

    op.__name__ = op.__qualname__ = raw.__name__
    return op


def _owned(x: TracedArray) -> TracedArray:
    x._buffer = True
    return x


def _copied(xp: Namespace, x: TracedArray, copy: bool | None) -> TracedArray:
    if not copy:
        return x
    return _owned(TracedArray(xp.raw.asarray(x._value, copy=True), None, None, xp))

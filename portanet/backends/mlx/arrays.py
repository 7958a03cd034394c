"""What the standard asks of arrays and MLX's lack; they are completed, as MLX's results are of its own class."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from portanet.backends.base import Array
from portanet.backends.holder import RightOperand
from portanet.backends.mlx.elements import remainder
from portanet.backends.mlx.indices import key_within
from portanet.backends.mlx.shapes import nonzero

KNOWN = (mx.array, bool, int, float, complex, np.ndarray, np.generic)
"""Operands that MLX's operators take."""
OPERATORS = """
    add sub mul truediv floordiv mod pow matmul and or xor lshift rshift lt le gt ge eq ne
    iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor ilshift irshift
"""


def complete() -> None:
    """Give MLX's classes of arrays and dtypes what they lack."""
    cls = mx.array
    cls.__mod__, cls.__imod__ = remainder, _in_place(remainder)
    for name in OPERATORS.split():
        setattr(cls, f"__{name}__", _deferring(getattr(cls, f"__{name}__")))
    mx.Dtype.__eq__ = _deferring(mx.Dtype.__eq__, mx.Dtype)
    copyreg.pickle(mx.Dtype, lambda dtype: (_dtype, (str(dtype).rpartition(".")[2],)))  # also for copies
    mx.Device.__hash__ = lambda device: hash(str(device))  # equal ones have several in MLX
    for name, reflected in (("and", mx.bitwise_and), ("or", mx.bitwise_or), ("xor", mx.bitwise_xor)):
        setattr(cls, f"__r{name}__", _reflected(reflected))
    for name, reflected in (("lshift", mx.left_shift), ("rshift", mx.right_shift), ("mod", remainder)):
        setattr(cls, f"__r{name}__", _reflected(reflected))
    cls.__getitem__ = _indexing(cls.__getitem__)
    cls.__setitem__ = _assignment(cls.__setitem__)
    cls.device = property(lambda x: mx.default_device())
    cls.to_device = lambda x, device, /, *, stream=None: x


def leaving(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which leaves variables and traced arrays to these.

    MLX's takes the complex number that Python can make of one without axes, whose derivative would be lost.
    """

    @functools.wraps(function)
    def left(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            if isinstance(x, RightOperand):
                return x._foreign(function, args, kwargs)
        return function(*args, **kwargs)

    return left


def _dtype(name: str) -> Any:
    return getattr(mx, "bool_" if name == "bool" else name)


def _deferring(own: Callable[..., Any], known: Any = KNOWN) -> Callable[..., Any]:
    """An operator that leaves operands which it does not know to these.

    MLX's raise errors, or find them unequal, or take what Python can make a complex number of them, such as the value
    of a traced array.
    """

    def operator(self: Any, other: Any) -> Any:
        return own(self, other) if isinstance(other, known) else NotImplemented

    return functools.wraps(own)(operator)


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    def operator(self: Array, other: Any) -> Array:
        self[...] = function(self, other)
        return self

    return operator


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: function(other, self) if isinstance(other, KNOWN) else NotImplemented


def _indexing(own: Callable[..., Any]) -> Callable[..., Any]:
    """`x[key]`, also for boolean masks, which MLX refuses since shapes would depend on values; these are read here."""

    def getitem(self: Array, key: Any) -> Any:
        keys = key if type(key) is tuple else (key,)
        if any(map(_is_mask, keys)):
            if keys[0].ndim == 0:
                return mx.expand_dims(self, 0)[: int(bool(keys[0]))]
            key = _without_masks(keys)
        return own(self, key_within(key, self.shape))

    return functools.wraps(own)(getitem)


def _assignment(own: Callable[..., Any]) -> Callable[..., Any]:
    """`x[key] = value`, which does not write beyond the array; masks among other keys, which MLX lacks, are read."""

    def setitem(self: Array, key: Any, value: Any) -> None:
        key = _without_masks(key) if type(key) is tuple and any(map(_is_mask, key)) else key
        own(self, key_within(key, self.shape), value)

    return functools.wraps(own)(leaving(setitem))


def _without_masks(keys: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(index for k in keys for index in (nonzero(k) if _is_mask(k) else (k,)))


def _is_mask(key: Any) -> bool:
    return type(key) is mx.array and key.dtype == mx.bool_

"""Objects that stand for an array in expressions, as variables do."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from portanet.backends.base import HostArray
from portanet.tree import tree_map


def held(x: Any) -> Any:
    """The array of an `ArrayHolder`; everything else unchanged.

    Example:
        >>> held(3.0)
        3.0
    """
    return x.value if isinstance(x, ArrayHolder) else x


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(self.value, self._operand(other))


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(self._operand(other), self.value)


def _unary(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda self: function(self.value)


IN_PLACE = {
    "cupy_add": operator.add,
    "cupy_subtract": operator.sub,
    "cupy_multiply": operator.mul,
    "cupy_true_divide": operator.truediv,
    "cupy_floor_divide": operator.floordiv,
    "cupy_remainder": operator.mod,
    "cupy_power": operator.pow,
    "cupy_bitwise_and": operator.and_,
    "cupy_bitwise_or": operator.or_,
    "cupy_bitwise_xor": operator.xor,
    "cupy_left_shift": operator.lshift,
    "cupy_right_shift": operator.rshift,
}
"""By CuPy's names of its functions: the operators."""


class RightOperand:
    """What operators of a library's arrays leave to their right operand: `a += b` is `a = a + b`, as NumPy has it.

    Example:
        >>> import numpy as np
        >>> from portanet import Variable
        >>> x = np.ones(2)
        >>> x += Variable([1.0, 2.0])
        >>> x.tolist()
        [2.0, 3.0]
    """

    __slots__ = ()
    _foreign: Callable[..., Any]
    """Call a library's own function, with its positional and other arguments, among which is such an object."""

    def __cupy_override_elementwise_kernel__(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """What CuPy calls in place of a function of elements, which its operators in place are."""
        operate = IN_PLACE.get(function.__name__)
        if operate is not None and len(args) == 3 and args[2] is args[0]:
            return operate(args[0], args[1])
        return self._foreign(function, args, kwargs)


class ArrayHolder(RightOperand):
    """An object that stands for an array, its `value`, in expressions and in functions of arrays.

    Example:
        >>> import numpy as np
        >>> from portanet import Variable
        >>> variable = Variable([1.0, 2.0])
        >>> isinstance(variable, ArrayHolder), held(variable).tolist()
        (True, [1.0, 2.0])
    """

    __array_priority__ = 1000  # NumPy's operators defer to these; its functions convert

    value: Any
    _value: Any
    """An array of the same library, in no wrapper."""

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.value.shape)

    @property
    def T(self) -> Any:  # noqa: N802 -- the standard's name
        """The transposed matrix."""
        return self.value.T

    @property
    def mT(self) -> Any:  # noqa: N802 -- the standard's name
        """The array with the last two axes exchanged."""
        return self.value.mT

    def _operand(self, other: Any) -> Any:
        """The other operand of an operator; NumPy arrays are converted, as functions of arrays convert them."""
        other = held(other)
        if isinstance(other, np.ndarray) and not isinstance(self._value, np.ndarray):
            return self._from_host(other)
        return other

    def _from_host(self, x: HostArray) -> Any:
        """A NumPy array as an array of the same library, on the same device."""
        raise NotImplementedError

    # What libraries call to get the array of an object

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        from portanet.backends.conversion import to_host  # which imports this module

        host = to_host(self.value)
        return host if dtype is None else host.astype(dtype)

    def __jax_array__(self) -> Any:
        return self.value

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return cls._foreign(function, args, kwargs or {})

    @classmethod
    def _foreign(cls, function: Any, args: Any, kwargs: Any) -> Any:
        return function(*tree_map(held, args), **tree_map(held, kwargs))

    # Numbers and elements

    __float__: Callable[[Any], float] = _unary(float)
    __int__: Callable[[Any], int] = _unary(int)
    __complex__: Callable[[Any], complex] = _unary(complex)
    __bool__: Callable[[Any], bool] = _unary(bool)
    __index__: Callable[[Any], int] = _unary(operator.index)

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.value, ndigits)

    def __getitem__(self, key: Any) -> Any:
        keys = tuple(map(held, key)) if isinstance(key, tuple) else (held(key),)
        if all(isinstance(k, (int, slice, type(None))) for k in keys):
            keys += (...,)  # which array-api-strict needs
        return self.value[keys if len(keys) > 1 else keys[0]]

    def __len__(self) -> int:
        if not self.value.shape:
            raise TypeError(f"A single number has no length. Received: {self!r}")
        return int(self.value.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # Operators

    __pos__ = _unary(operator.pos)
    __neg__ = _unary(operator.neg)
    __abs__ = _unary(abs)
    __invert__ = _unary(operator.invert)
    __add__, __radd__ = _binary(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _binary(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _binary(operator.mul), _reflected(operator.mul)
    __truediv__, __rtruediv__ = _binary(operator.truediv), _reflected(operator.truediv)
    __floordiv__, __rfloordiv__ = _binary(operator.floordiv), _reflected(operator.floordiv)
    __mod__, __rmod__ = _binary(operator.mod), _reflected(operator.mod)
    __pow__, __rpow__ = _binary(operator.pow), _reflected(operator.pow)
    __matmul__, __rmatmul__ = _binary(operator.matmul), _reflected(operator.matmul)
    __and__, __rand__ = _binary(operator.and_), _reflected(operator.and_)
    __or__, __ror__ = _binary(operator.or_), _reflected(operator.or_)
    __xor__, __rxor__ = _binary(operator.xor), _reflected(operator.xor)
    __lt__, __le__ = _binary(operator.lt), _binary(operator.le)
    __gt__, __ge__ = _binary(operator.gt), _binary(operator.ge)
    __eq__ = _binary(operator.eq)
    __ne__ = _binary(operator.ne)
    __hash__ = object.__hash__  # by identity: holders are keys

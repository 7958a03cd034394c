"""What every function of `portanet.ops` does with its arguments, by the decorator `operation`.

Parameters are annotated by what they take: `Array` (an array, or data that becomes one), `Operand` (the same, but a
Python number takes on the dtype of the other operands, and all operands are brought to one dtype) and
`Sequence[Array]`, `Sequence[Operand]`; `int`, `float`, `bool` and `Axes`, which are checked. All other arguments reach
the function as they are.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np

from portanet import checks
from portanet.autodiff import TraceError, array_namespace
from portanet.backends import Array, held
from portanet.ops.conversion import (
    ARRAY,
    HOST,
    NUMBER,
    RECORDS,
    TREE,
    VARIABLE,
    Operand,
    as_array,
    kind_of,
    promoted,
)
from portanet.settings import settings
from portanet.tree import KINDS, MAPPING, SEQUENCE, tree_leaves, tree_map

__all__ = [
    "OPERATIONS",
    "Axes",
    "Operand",
    "axes_of",
    "call_standard",
    "channels_are_first",
    "find_operation",
    "operation",
]

F = TypeVar("F", bound=Callable[..., Any])

Axes: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None, which means all."""

OPERATIONS: dict[str, Callable[..., Any]] = {}
"""Every function of `portanet.ops` by its name; saved graphs find functions here, and nowhere else."""


def operation(function: F) -> F:
    """Make a function of arrays a function of `portanet.ops`.

    If any argument, also inside lists, tuples and dicts, has a method `_record_operation_(function, args, kwargs)`, as
    symbolic arrays have, the call is passed to it. Otherwise variables are replaced by their values, and arguments
    that should be arrays are converted: to the library of the arrays among them, or to the backend in use if there are
    none. NumPy arrays keep their dtype; Python floats get the default dtype, Python integers int32.

    The function is registered by its name.

    Example:
        >>> from portanet import ops
        >>> ops.add([1.0, 2.0], 1)
        array([2., 3.], dtype=float32)
    """
    parameters = _Parameters(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = _unusual((*args, *kwargs.values()) if kwargs else args)
        if found is not None:
            if found is not _VARIABLES:
                return found._record_operation_(call, args, kwargs)
            args, kwargs = tree_map(held, (args, kwargs))
        return parameters.call(args, kwargs)

    OPERATIONS[function.__name__] = call
    return cast(F, call)


def find_operation(name: str) -> Callable[..., Any] | None:
    """The function of `portanet.ops` with a name, None if there is none; no other function can be reached.

    Example:
        >>> find_operation("sin").__name__, find_operation("os.system")
        ('sin', None)
    """
    importlib.import_module("portanet.ops")  # which registers all of them
    return OPERATIONS.get(name)


def array_parameters(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters of a function of `portanet.ops` that take arrays.

    Example:
        >>> from portanet import ops
        >>> array_parameters(ops.matmul)
        ['x1', 'x2']
    """
    return [p.name for p in inspect.signature(function).parameters.values() if _array_kind(p) is not None]


def call_standard(name: str, *arrays: Array) -> Array:
    """The result of a function of the standard, by its name, in the library of the arrays."""
    return getattr(array_namespace(*arrays), name)(*arrays)


def channels_are_first(data_format: str | None, of: str) -> bool:
    """Whether channels come before the spatial axes; None stands for `portanet.config.image_data_format()`.

    Args:
        data_format: The argument.
        of: Name of the function.
    """
    formats = (None, "channels_last", "channels_first")
    return (checks.choice("data_format", data_format, formats, of) or settings.image_data_format) == "channels_first"


def axes_of(axis: Axes, ndim: int, of: str, name: str = "axis") -> tuple[int, ...]:
    """Axes, counted from the start; all for None.

    Example:
        >>> axes_of(-1, 3, "sum"), axes_of((2, -3), 3, "sum"), axes_of(None, 3, "sum")
        ((2,), (2, 0), (0, 1, 2))
    """
    values = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(checks.axis(name, a, ndim, of) % ndim for a in values)


def _array_kind(parameter: inspect.Parameter) -> str | None:
    """`"Array"` or `"Operand"` for a parameter that takes arrays, or several of them."""
    kind = str(parameter.annotation).removesuffix(" | None").removeprefix("Sequence[").removesuffix("]")
    return kind if kind in ("Array", "Operand") else None


class _Slot(NamedTuple):
    """A place in a list or dict of arguments, which holds an array or what becomes one."""

    container: Any
    key: Any
    name: str
    is_operand: bool


class _Parameter(NamedTuple):
    """A parameter that takes arrays: its position (`~position` of `*args`), and what it takes."""

    position: int
    is_operand: bool
    takes_several: bool
    takes_none: bool


class _Parameters:
    """The parameters of a function that take arrays or checked options."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.of = f"ops.{function.__name__}"
        self.arrays: dict[str, _Parameter] = {}
        self.options: dict[str, tuple[int, Callable[..., Any]]] = {}
        parameters = inspect.signature(function).parameters.values()
        for i, p in enumerate(parameters):
            annotation = str(p.annotation)
            several = annotation.startswith("Sequence[")
            kind = _array_kind(p)
            if kind is not None:
                position = ~i if p.kind == p.VAR_POSITIONAL else i
                none = annotation.endswith(" | None")
                self.arrays[p.name] = _Parameter(position, kind == "Operand", several, none)
            elif annotation in _CHECKS:
                self.options[p.name] = i, _CHECKS[annotation]
        self.calls_back = any("Callable" in str(p.annotation) for p in parameters)  # errors may be a user's

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function with arrays, and checked options."""
        values = list(args)
        for name, (position, check) in self.options.items():
            if name in kwargs:
                kwargs[name] = check(name, _number_of(kwargs[name]), self.of)
            elif position < len(values):
                values[position] = check(name, _number_of(values[position]), self.of)
        self._convert([slot for name in self.arrays for slot in self._slots(name, values, kwargs)])
        try:
            return self.function(*values, **kwargs)
        except (TypeError, ValueError, ArithmeticError, LookupError, RuntimeError, AttributeError) as error:
            if self.calls_back or isinstance(error, TraceError):
                raise
            if "Received: " in str(error):
                error.add_note(f"In a call of {self.of}.")
                raise
            raise self._explained(error, values, kwargs) from error

    def _slots(self, name: str, values: list[Any], kwargs: dict[str, Any]) -> Iterator[_Slot]:
        position, operand, several, takes_none = self.arrays[name]
        container: Any = values
        keys: Iterable[Any] = range(~position, len(values)) if position < 0 else (position,)
        if name in kwargs:
            container, keys = kwargs, (name,)
        for key in keys:
            if container is values and key >= len(values):
                continue
            value = container[key]
            if several and KINDS[type(value)] == SEQUENCE:
                items = container[key] = list(value)
                yield from (_Slot(items, i, name, operand) for i in range(len(items)))
            elif value is not None or not takes_none:
                yield _Slot(container, key, name, operand)

    def _convert(self, slots: list[_Slot]) -> None:
        kinds = [kind_of(container[key]) for container, key, _, _ in slots]
        like = next((slot.container[slot.key] for slot, kind in zip(slots, kinds, strict=True) if kind == ARRAY), None)
        for (container, key, name, operand), kind in zip(slots, kinds, strict=True):
            if kind != ARRAY and not (kind == NUMBER and operand):
                container[key] = as_array(container[key], like, f"Argument `{name}` of {self.of}")
        operands = [slot for slot in slots if slot.is_operand]
        if operands:
            arrays = promoted(*(container[key] for container, key, _, _ in operands), like=like)
            for (container, key, _, _), array in zip(operands, arrays, strict=True):
                container[key] = array

    def _explained(self, error: Exception, values: Sequence[Any], kwargs: dict[str, Any]) -> Exception:
        """A library's error, with the function that was called and its arguments."""
        try:
            arguments = inspect.signature(self.function).bind(*values, **kwargs).arguments
        except TypeError:
            arguments = {**{str(i): value for i, value in enumerate(values)}, **kwargs}
        received = ", ".join(f"{name}={_brief(value)}" for name, value in arguments.items())
        kind = TypeError if isinstance(error, TypeError) else ValueError
        return kind(f"The arguments of {self.of} do not fit: {str(error).rstrip('.')}. Received: {received}")


def _brief(x: Any) -> str:
    if kind_of(x) in (ARRAY, HOST):
        return f"an array of shape {tuple(x.shape)} and dtype {x.dtype}"
    text = ", ".join(map(_brief, x)) if KINDS[type(x)] == SEQUENCE else repr(x)
    return text if len(text) <= 200 else f"{text[:197]}..."


def _number_of(x: Any) -> Any:
    """The number in a NumPy array of shape (); anything else as it is."""
    return x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x


def _axes(name: str, value: Any, of: str) -> int | tuple[int, ...]:
    if isinstance(value, (list, tuple)):
        return checks.integers(name, value, None, of) if value else ()
    return checks.integer(name, value, of)


def _number(name: str, value: Any, of: str) -> float:
    return checks.number(name, value, of=of)


def _or_none(check: Callable[..., Any]) -> Callable[..., Any]:
    return lambda name, value, of: None if value is None else check(name, value, of)


_CHECKS: dict[str, Callable[..., Any]] = {"int": checks.integer, "float": _number, "bool": checks.boolean}
_CHECKS |= {f"{kind} | None": _or_none(check) for kind, check in _CHECKS.items()} | {"Axes": _or_none(_axes)}

_VARIABLES: Any = object()


def _unusual(values: Iterable[Any]) -> Any:
    """An argument that records operations, else whether there are variables; None for neither."""
    found = None
    for value in values:
        kind = kind_of(value)
        if kind == RECORDS:
            return value
        if kind == VARIABLE:
            found = _VARIABLES
        elif kind == TREE:
            inner = _unusual(_branches(value))
            if inner is not None and inner is not _VARIABLES:
                return inner
            found = found or inner
    return found


def _branches(tree: Any) -> Iterable[Any]:
    kind = KINDS[type(tree)]
    if kind == SEQUENCE:
        return cast(Iterable[Any], tree)
    return cast(Iterable[Any], tree.values() if kind == MAPPING else tree_leaves(tree))

"""What every function of `portanet.ops` does with its arguments, by the decorator `operation`.

Parameters are annotated by what they take: `Array` (an array, or data that becomes one), `Operand` (the same, but a
Python number takes on the dtype of the other operands, and all operands are brought to one dtype) and
`Sequence[Array]`, `Sequence[Operand]`. All other arguments reach the function as they are.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np

from portanet.autodiff import TracedArray, TraceError, array_namespace, is_traced, storage
from portanet.backends import Array, Backend, backend_class_of, converted, device_of, get_backend, make_backend
from portanet.backends import use_backend as using
from portanet.tree import KINDS, LEAF, MAPPING, SEQUENCE, tree_leaves, tree_map
from portanet.variables import Variable

F = TypeVar("F", bound=Callable[..., Any])

Operand: TypeAlias = Any
"""An array of any library, a variable, lists of numbers; or a Python number, which has no dtype of its own."""

OPERATIONS: dict[str, Callable[..., Any]] = {}
"""Every function of `portanet.ops` by its name; saved graphs find functions here, and nowhere else."""

OPTION, HOST, ARRAY, NUMBER, VARIABLE, RECORDS, TREE, DATA = range(8)
_KINDS: dict[type, int] = {str: OPTION, type(None): OPTION}


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
    parameters = _parameters(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = _unusual((*args, *kwargs.values()) if kwargs else args)
        if found is not None:
            if found is not _VARIABLES:
                return found._record_operation_(call, args, kwargs)
            args, kwargs = tree_map(_value, (args, kwargs))
        return function(*args, **kwargs) if parameters is None else parameters.call(function, args, kwargs)

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


# Arguments


class _Slot(NamedTuple):
    """A place in a list or dict of arguments, which holds an array or what becomes one."""

    container: Any
    key: Any
    name: str
    is_operand: bool


class _Parameters:
    """The parameters of a function that take arrays."""

    def __init__(self, of: str, names: dict[str, tuple[int, bool, bool]], calls_back: bool) -> None:
        self.of = f"ops.{of}"
        self.names = names  # position (~position of *args), whether it is an operand, whether it takes several
        self.calls_back = calls_back  # whether errors may be those of a user's function

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function with arrays in these parameters."""
        values = list(args)
        slots = [slot for name in self.names for slot in self._slots(name, values, kwargs)]
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
        try:
            return function(*values, **kwargs)
        except (TypeError, ValueError, IndexError, OverflowError, ArithmeticError, RuntimeError, LookupError) as error:
            if self.calls_back or "Received: " in str(error) or isinstance(error, TraceError):
                raise
            raise _explained(error, self.of, inspect.signature(function), values, kwargs) from error

    def _slots(self, name: str, values: list[Any], kwargs: dict[str, Any]) -> Iterator[_Slot]:
        position, operand, several = self.names[name]
        if name in kwargs:
            container, keys = cast(Any, kwargs), cast(Iterable[Any], (name,))
        else:
            container, keys = values, range(~position, len(values)) if position < 0 else (position,)
        for key in keys:
            value = container[key] if container is kwargs or key < len(values) else None
            if several and KINDS[type(value)] == SEQUENCE:
                items = container[key] = list(cast(Any, value))
                yield from (_Slot(items, i, name, operand) for i in range(len(items)))
            elif value is not None:
                yield _Slot(container, key, name, operand)


def _parameters(function: Callable[..., Any]) -> _Parameters | None:
    names: dict[str, tuple[int, bool, bool]] = {}
    for i, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
        annotation = str(parameter.annotation).removesuffix(" | None")
        several = annotation.startswith("Sequence[") or parameter.kind == parameter.VAR_POSITIONAL
        annotation = annotation.removeprefix("Sequence[").removesuffix("]")
        if annotation in ("Array", "Operand"):
            position = ~i if parameter.kind == parameter.VAR_POSITIONAL else i
            names[name] = (position, annotation == "Operand", several)
    calls_back = any("Callable" in str(p.annotation) for p in inspect.signature(function).parameters.values())
    return _Parameters(function.__name__, names, calls_back) if names else None


def _explained(
    error: Exception, of: str, signature: inspect.Signature, values: Sequence[Any], kwargs: dict[str, Any]
) -> Exception:
    """A library's error, with the function that was called and its arguments."""
    try:
        arguments = signature.bind(*values, **kwargs).arguments
    except TypeError:
        arguments = {**{str(i): value for i, value in enumerate(values)}, **kwargs}
    received = ", ".join(f"{name}={_brief(value)}" for name, value in arguments.items())
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"The arguments of {of} do not fit: {str(error).rstrip('.')}. Received: {received}")


def _brief(x: Any) -> str:
    if kind_of(x) in (ARRAY, HOST):
        return f"an array of shape {tuple(x.shape)} and dtype {x.dtype}"
    text = ", ".join(map(_brief, x)) if KINDS[type(x)] == SEQUENCE else repr(x)
    return text if len(text) <= 200 else f"{text[:197]}..."


def kind_of(x: Any) -> int:
    """What an argument is: `ARRAY`, `HOST` (a NumPy array), `NUMBER` (of Python), `VARIABLE`, ...; by its type."""
    kind = _KINDS.get(type(x))
    if kind is None:
        kind = _KINDS[type(x)] = _find_kind(x)
    return kind


def _find_kind(x: Any) -> int:
    cls = type(x)
    if hasattr(cls, "_record_operation_"):
        return RECORDS
    if isinstance(x, Variable):
        return VARIABLE
    if isinstance(x, (np.ndarray, np.generic)):
        return HOST
    if isinstance(x, (bool, int, float, complex)):
        return NUMBER
    if cls is TracedArray or backend_class_of(x) is not None or hasattr(x, "__array_namespace__"):
        return ARRAY
    if KINDS[cls] != LEAF:
        return TREE
    return DATA


_VARIABLES: Any = object()


def _unusual(values: Iterable[Any]) -> Any:
    """An argument that records operations, else whether there are variables; None for neither."""
    found = None
    for value in values:
        kind = _KINDS.get(type(value))
        if kind is None:
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


def _value(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, Variable) else leaf


# Conversion


def as_array(x: Any, like: Array | None = None, what: str = "Data", dtype: Any = None) -> Array:
    """Data as an array: of the library and on the device of `like`, else of the backend in use.

    Args:
        x: An array (unchanged), a NumPy array (which keeps its dtype), numbers or lists of them; lists may hold arrays,
            which are stacked.
        like: An array, None for the backend in use.
        what: Name of the data, to begin errors with.
        dtype: Name of the dtype of data that is not an array; None for the default: floats get the default dtype of the
            backend, Python integers int32.
    """
    kind = kind_of(x)
    if kind == ARRAY:
        return x
    if kind == VARIABLE:
        return x.value
    if kind == TREE and any(kind_of(leaf) in (ARRAY, VARIABLE) for leaf in tree_leaves(x)):
        like = next(leaf for leaf in tree_leaves(x) if kind_of(leaf) in (ARRAY, VARIABLE)) if like is None else like
        items = promoted(*(item if kind_of(item) == NUMBER else as_array(item, like, what) for item in x))
        return array_namespace(*items).stack(items)
    backend = backend_of(like)
    if kind == HOST:
        x = np.asarray(x)
        if backend.owns(x):
            return x
        dtype = dtype or x.dtype.name
    with using(backend):
        if dtype is None:
            leaves = tree_leaves(x) if kind in (TREE, NUMBER) else ()
            if leaves and all(type(leaf) is int and -(2**31) <= leaf < 2**31 for leaf in leaves):
                dtype = "int32"
        return converted(x, dtype, what)


def backend_of(like: Array | None) -> Backend:
    """The backend of an array's library and device; the one in use for None."""
    backend = get_backend()
    if like is None:
        return backend
    plain = storage(_value(like))
    if backend.owns(plain) and device_of(plain) == backend.device:
        return backend
    owner = backend_class_of(plain)
    return backend if owner is None else make_backend(owner.name, device_of(plain), backend.dtype_name(backend.dtype))


def promoted(*operands: Operand, like: Array | None = None) -> tuple[Array, ...]:
    """Operands as arrays of one dtype, by Keras's rules.

    Floating-point arrays keep their dtype among integers, and integers among booleans; Python numbers do not change the
    dtype of an array of their kind. None stays None.

    Args:
        operands: Arrays and Python numbers.
        like: An array of the library and on the device, if all operands are numbers.

    Example:
        >>> import numpy as np
        >>> [x.dtype.name for x in promoted(np.ones(2, "float16"), np.ones(2, "int64"), 1.5)]
        ['float16', 'float16', 'float16']
    """
    arrays = [x for x in operands if x is not None and kind_of(x) != NUMBER]
    if not arrays:
        arrays = [as_array(x, like) for x in operands if x is not None]
    first = arrays[0]
    dtype = first.dtype
    numbers = [x for x in operands if kind_of(x) == NUMBER]
    if not numbers and all(x.dtype == dtype for x in arrays):
        return operands
    xp = array_namespace(*arrays)
    dtype = result_dtype(xp, [x.dtype for x in arrays], numbers)
    return tuple(
        None if x is None
        else xp.asarray(x, dtype=dtype, device=device_of(storage(first))) if kind_of(x) == NUMBER
        else x if x.dtype == dtype
        else xp.astype(x, dtype)
        for x in operands
    )  # fmt: skip


_KIND_NAMES = ("bool", "integral", "real floating", "complex floating")
_NUMBERS = {bool: 0, int: 1, float: 2, complex: 3}


def result_dtype(xp: Any, dtypes: Sequence[Any], numbers: Iterable[complex] = ()) -> Any:
    """The dtype of an operation on arrays of some dtypes, and on Python numbers."""
    ranks = [next(i for i, kind in enumerate(_KIND_NAMES) if xp.isdtype(dtype, kind)) for dtype in dtypes]
    rank = max(ranks)
    highest = [dtype for dtype, own in zip(dtypes, ranks, strict=True) if own == rank]
    dtype = highest[0] if len(highest) == 1 else xp.result_type(*highest)
    most = max((next(n for kind, n in _NUMBERS.items() if isinstance(x, kind)) for x in numbers), default=0)
    if rank == 3 and 2 in ranks:
        dtype = xp.result_type(dtype, *(d for d, own in zip(dtypes, ranks, strict=True) if own == 2))
    if most <= rank:
        return dtype
    if most == 3:
        return xp.complex128 if rank == 2 and dtype == xp.float64 else xp.complex64
    return float_dtype(xp) if most == 2 else xp.int32


def float_dtype(xp: Any) -> Any:
    """The default floating-point dtype, in a library."""
    backend = get_backend()
    return getattr(xp, backend.dtype_name(backend.dtype))


def floating(x: Array) -> Array:
    """An array of integers or booleans in the default floating-point dtype; others are unchanged.

    Example:
        >>> import numpy as np
        >>> floating(np.asarray([1, 2])).dtype, floating(np.ones(2)).dtype
        (dtype('float32'), dtype('float64'))
    """
    xp = array_namespace(x)
    if xp.isdtype(x.dtype, ("integral", "bool")):
        return xp.astype(x, float_dtype(xp))
    return x


def leaves_of(tree: Any) -> Iterator[Array]:
    """The arrays of a tree, traced ones first: for `array_namespace`."""
    yield from sorted((leaf for leaf in tree_leaves(tree) if kind_of(leaf) in (ARRAY, HOST)), key=_untraced)


def _untraced(x: Any) -> bool:
    return not is_traced(x)

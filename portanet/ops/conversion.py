"""Arguments as arrays: of which library, on which device, in which dtype."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from portanet.autodiff import TracedArray, array_namespace, storage
from portanet.backends import (
    Array,
    Backend,
    backend_class_of,
    constant,
    converted,
    device_of,
    forward_backend_of,
    get_backend,
    held,
    is_dtype,
    make_backend,
    raw_namespace,
)
from portanet.backends import use_backend as using
from portanet.ops.dtypes import result_dtype
from portanet.tree import KINDS, LEAF, tree_leaves
from portanet.variables import Variable

Operand: TypeAlias = Any
"""An array of any library, a variable, lists of numbers; or a Python number, which has no dtype of its own."""

OPTION, HOST, ARRAY, NUMBER, VARIABLE, RECORDS, TREE, DATA = range(8)
_KINDS: dict[type, int] = {str: OPTION, type(None): OPTION}


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


def as_array(x: Any, like: Array | None = None, what: str = "Data", dtype: Any = None) -> Array:
    """Data as an array: of the library and on the device of `like`, else of the backend in use.

    Args:
        x: An array (unchanged), a NumPy array (which keeps its dtype, but for float64 where the library has none),
            numbers or lists of them; lists may hold arrays, which are stacked.
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
    guest = None if like is None else forward_backend_of(storage(held(like)))
    if guest is not None:
        return guest.constant(as_array(x, None, what, dtype))
    backend = backend_of(like)
    if kind == HOST:
        x = np.asarray(x)
        if backend.owns(x):
            return x
        if dtype is None and (x.dtype != "float64" or backend.has_float64):  # else the default dtype, as in Keras
            dtype = x.dtype.name
    with using(backend):
        if dtype is None:
            leaves = tree_leaves(x) if kind in (TREE, NUMBER) else ()
            if leaves and all(type(leaf) is int and -(2**31) <= leaf < 2**31 for leaf in leaves):
                dtype = "int32"
        return converted(x, dtype, what)


def on_host(x: Any) -> bool:
    """Whether `x` is an array of numbers in NumPy.

    Example:
        >>> import numpy as np
        >>> on_host(np.zeros(2)), on_host([0.0, 0.0])
        (True, False)
    """
    return kind_of(x) == HOST and x.dtype.kind in "biufc"


def beside(x: Any, like: Array | None) -> Any:
    """An array of NumPy as one of the library and on the device of `like`, floats in its dtype; others as they are.

    Example:
        >>> import numpy as np
        >>> beside(np.zeros(2), np.zeros(2, "float32")).dtype
        dtype('float64')
    """
    if like is None or kind_of(like) == HOST or not on_host(x):
        return x
    floats = x.dtype.kind == "f" and is_dtype(raw_namespace(like), like.dtype, "real floating")
    return as_array(x, like, dtype=backend_of(like).dtype_name(like.dtype) if floats else None)


def backend_of(like: Array | None) -> Backend:
    """The backend of an array's library and device; the one in use for None."""
    backend = get_backend()
    if like is None:
        return backend
    plain = storage(held(like))
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
        else xp.asarray(constant(storage(first), x, dtype)) if kind_of(x) == NUMBER
        else x if x.dtype == dtype
        else xp.astype(x, dtype)
        for x in operands
    )  # fmt: skip

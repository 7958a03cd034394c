"""Conversions: between data and arrays, and between dtypes."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, HostArray, to_host
from portanet.ops.conversion import ARRAY, HOST, NUMBER, TREE, as_array, kind_of
from portanet.ops.dtypes import find_dtype, name_of
from portanet.ops.operation import operation


@operation
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Array:
    """Data as an array of the backend in use; arrays of any library stay there.

    Args:
        x: Numbers, lists, NumPy arrays, arrays.
        dtype: The dtype; None for that of arrays, int32 for Python integers and the default floating-point dtype for
            Python floats.
        sparse: Must not be True.
        ragged: Must not be True.

    Example:
        >>> convert_to_tensor([1, 2]), convert_to_tensor([1.0], "float16")
        (array([1, 2], dtype=int32), array([1.], dtype=float16))
    """
    if sparse or ragged:
        raise ValueError(f"convert_to_tensor makes dense arrays alone. Received: sparse={sparse}, ragged={ragged}")
    wide = None  # Python's numbers would be rounded to the default dtype on the way
    if dtype is not None and kind_of(x) in (NUMBER, TREE):
        name = name_of(find_dtype(dtype, None, "convert_to_tensor"))
        wide = name if name in ("float64", "complex128") else None
    array = as_array(x, what="Argument `x` of ops.convert_to_tensor", dtype=wide)
    return array if dtype is None else _cast(array, find_dtype(dtype, array, "convert_to_tensor"))


@operation
def array(x: Any, dtype: Any = None) -> Array:
    """Data as an array; see `convert_to_tensor`.

    Example:
        >>> array([1.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    return convert_to_tensor(x, dtype)


@operation
def convert_to_numpy(x: Array) -> HostArray:
    """The values of an array as a NumPy array.

    Example:
        >>> convert_to_numpy([1, 2])
        array([1, 2], dtype=int32)
    """
    return to_host(unwrap(x))


@operation
def is_tensor(x: Any) -> bool:
    """Whether `x` is an array, of any library, plain or traced.

    Example:
        >>> from portanet import ops
        >>> is_tensor([1.0]), is_tensor(ops.ones(1))
        (False, True)
    """
    return kind_of(x) in (ARRAY, HOST)


@operation
def cast(x: Array, dtype: Any) -> Array:
    """An array in another dtype.

    Example:
        >>> cast([1.7, -1.7], "int32")
        array([ 1, -1], dtype=int32)
    """
    return _cast(x, find_dtype(dtype, x, "cast"))


def _cast(x: Array, dtype: Any) -> Array:
    xp = array_namespace(x)
    return x if x.dtype == dtype else x != 0 if xp.isdtype(dtype, "bool") else xp.astype(x, dtype)


@operation
def saturate_cast(x: Array, dtype: Any) -> Array:
    """An array in another dtype, its values clipped to what the dtype holds.

    Example:
        >>> saturate_cast([-5, 300], "uint8")
        array([  0, 255], dtype=uint8)
    """
    found = find_dtype(dtype, x, "saturate_cast")
    xp = array_namespace(x)
    if xp.isdtype(x.dtype, "bool"):
        return _cast(x, found)
    if xp.isdtype(found, "bool"):
        return x > 0
    limits, own = (xp.finfo(d) if xp.isdtype(d, "real floating") else xp.iinfo(d) for d in (found, x.dtype))
    low, high = max(float(limits.min), float(own.min)), min(float(limits.max), float(own.max))
    if xp.isdtype(x.dtype, "integral"):
        return _cast(xp.clip(x, int(low), int(high)), found)
    return _cast(xp.clip(x, low, high), found)


@operation
def copy(x: Array) -> Array:
    """A copy of an array.

    Example:
        >>> copy([1.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    return array_namespace(x).asarray(x, copy=True)


@operation
def dtype(x: Any) -> str:
    """The name of an array's dtype.

    Example:
        >>> dtype(array([1.0]))
        'float32'
    """
    return name_of(storage(as_array(x)).dtype)


@operation
def view(x: Array, dtype: Any = None) -> Array:
    """The bytes of an array, read as another dtype; on the host.

    Example:
        >>> view(array([1.0], "float32"), "int32")
        array([1065353216], dtype=int32)
    """
    if dtype is None:
        return x
    found = find_dtype(dtype, x, "view")
    return as_array(convert_to_numpy(x).view(name_of(found)), like=x)

"""Data of any origin to arrays of the backend in use, and any array back to NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends.array_object import ArrayObject
from portanet.backends.base import DTYPES, Array, Backend, HostArray
from portanet.backends.registry import (
    backend_class_of,
    device_of,
    get_backend,
    is_dtype,
    no_dtype,
    raw_namespace,
    require_plain,
    to_device,
)

_PLAIN = frozenset({bool, int, float, complex})
OF_PYTHON: dict[Any, str] = {int: "int32", bool: "bool", complex: "complex64", "int": "int32", "complex": "complex64"}
"""The dtypes that types of Python, and words for them, mean, as in Keras; `float` is the default one."""


def asarray(x: Any, dtype: Any = None) -> ArrayObject | Any:
    """Convert data to an array of the backend in use, on its device.

    Args:
        x: A number, (nested) lists, a NumPy array, a pandas DataFrame or Series, or an array of any library that
            follows the array API standard or exports DLPack. What is right already is returned as it is.
        dtype: A name such as `"float32"`, or a dtype of the backend's library. None for the backend's default dtype
            for real floating-point data, and the data's own dtype for integers, booleans and complex numbers.

    Returns:
        An array of the backend in use.

    Raises:
        TypeError: The data is not numeric (strings, objects), or is complex and the dtype is not.
        ValueError: The data is ragged, the dtype is not known, or it does not hold the values: fractions or NaN as
            integers, integers or floating-point numbers out of range.

    Example:
        >>> import portanet
        >>> portanet.asarray([[1.0, 2.0], [3.0, 4.0]]).dtype
        dtype('float32')
        >>> portanet.asarray([1, 2, 3], dtype="int32")
        array([1, 2, 3], dtype=int32)
    """
    return converted(x, dtype)


def converted(x: Any, dtype: Any = None, what: str = "Data", send: Callable[[HostArray], Array] | None = None) -> Array:
    """As `asarray`, with errors that begin with the name of the data.

    Args:
        x: See `asarray`.
        dtype: See `asarray`.
        what: The name.
        send: What sends an array of the host to the device; None for `from_host` of the backend in use.

    Example:
        >>> converted([1.0, 2.0]).dtype
        dtype('float32')
    """
    require_plain(x, what)
    backend = get_backend()
    name: Any = None if dtype is None else backend.dtype_name(dtype)
    if _is_native(backend, x):
        if name is None and backend.xp.isdtype(x.dtype, "real floating"):
            name = backend.dtype_name(backend.dtype)
        if device_of(x) != backend.device:
            x = to_device(x, backend.device)
        if name is None or x.dtype == backend.find_dtype(name):
            return x
        require_exact(x, name, f"An array of dtype '{name}'", wait=True)
        return backend.xp.astype(x, backend.find_dtype(name))
    host = numeric(x, what)
    if name is None and host.dtype.kind == "f":
        name = backend.dtype_name(backend.dtype)
    if name == "bfloat16":  # NumPy has none
        return backend.xp.astype(backend.from_host(host.astype("float32")), backend.find_dtype(name))
    return (send or backend.from_host)(host if name is None else _cast_host(host, name))


def array_like(like: Array | None, x: Any, what: str = "Data") -> Array:
    """Nested lists or a number as an array of the library, on the device, and if real in the dtype of another.

    Args:
        like: The other array; None for an array of the backend in use.
        x: Lists or a number.
        what: What they are, for errors.

    Example:
        >>> import numpy as np
        >>> array_like(np.zeros(2, dtype="float64"), [1.0, 2.0]).dtype
        dtype('float64')
    """
    if like is None:
        return converted(x, None, what)
    host, xp = numeric(x, what), raw_namespace(like)
    real = is_dtype(xp, like.dtype, "real floating")
    dtype = (like.dtype if real else xp.float32) if host.dtype.kind == "f" else None
    return constant(like, host.tolist(), dtype)


def constant(like: Array, values: Any, dtype: Any = None) -> Array:
    """Numbers as an array of the library and on the device of another, which must not be changed.

    A step that is recorded cannot send them to a device; it takes the array of an earlier call.

    Args:
        like: The other array, in no wrapper.
        values: A number, or nested lists of numbers.
        dtype: Dtype of the library; None for what the library makes of the numbers.

    Example:
        >>> import numpy as np
        >>> constant(np.zeros(2), [1, 2], np.float32)
        array([1., 2.], dtype=float32)
    """
    library = backend_class_of(like)
    if library is None or not library.keeps_constants or library.cost_of_reading(like) == "free":
        return raw_namespace(like).asarray(values, dtype=dtype, device=device_of(like))
    from portanet.backends.recording import kept_constant

    return kept_constant(like, values, dtype)


def _cast_host(host: HostArray, name: str) -> HostArray:
    require_exact(host, name, f"An array of dtype '{name}'")
    try:
        with np.errstate(over="raise"):
            return host.astype(name, copy=False)
    except FloatingPointError:
        largest = float(np.finfo(name).max)
        raise ValueError(
            f"An array of dtype '{name}' holds numbers up to {largest:g}; choose a wider dtype, or scale the data. "
            f"Received: numbers from {np.nanmin(host):g} to {np.nanmax(host):g}"
        ) from None


def require_exact(x: Array, name: str, what: str, wait: bool = False) -> None:
    """Reject values that a cast would change beyond rounding.

    Args:
        x: An array of any library. Values that cannot be read, in a step that is being compiled, are not checked.
        name: Name of the dtype to cast to: one of integers for the values, any for the kind of `x`.
        what: What needs them, to begin the message with.
        wait: Whether to wait for a device to read integers, too; for fractions, it always does.

    Raises:
        ValueError: There are fractions, NaN, infinity, or integers out of range.
        TypeError: `x` is complex, and the dtype is not.

    Example:
        >>> import numpy as np
        >>> require_exact(np.asarray([1.0, 2.0]), "int32", "Layer 'embedding'")
    """
    xp = raw_namespace(x)
    if xp.isdtype(x.dtype, "complex floating") and not name.startswith("complex"):
        raise TypeError(f"{what} holds real numbers; pass the real and imaginary parts. Received: dtype {x.dtype}")
    if "int" not in name or 0 in x.shape or xp.isdtype(x.dtype, "bool"):
        return
    limits = np.iinfo(name)
    floating = xp.isdtype(x.dtype, "real floating")
    if not floating:
        own = xp.iinfo(x.dtype)
        if limits.min <= own.min and own.max <= limits.max:
            return
    if not readable(x, wait or floating):
        return
    if floating and not bool(xp.all(xp.isfinite(x) & (x == xp.round(x)))):
        raise ValueError(f"{what} holds integers; round the data first. Received: fractions, NaN or infinity")
    least, largest = int(xp.min(x)), int(xp.max(x))
    if least < limits.min or largest > limits.max:
        raise ValueError(
            f"{what} holds integers from {limits.min} to {limits.max}; choose a wider dtype. "
            f"Received: integers from {least} to {largest}"
        )


def readable(x: Array, wait: bool) -> bool:
    """Whether values may be looked at: never in a batch of `vmap` or a step that is being compiled; on a device only to
    `wait` for it.

    Example:
        >>> import numpy as np
        >>> readable(np.ones(2), wait=False)
        True
    """
    library = backend_class_of(x)
    if library is None:
        return not hasattr(raw_namespace(x), "wrapped_library")
    cost = library.cost_of_reading(x)
    return cost == "free" or (cost == "waits" and wait)


def _is_native(backend: Backend, x: Any) -> bool:
    """Whether `x` is an array of the backend's library, of a dtype of the standard (NumPy has many others)."""
    if not backend.owns(x) or isinstance(x, np.generic):
        return False
    backend.require_plain(x)
    try:
        backend.dtype_name(x.dtype)
    except ValueError:
        return False
    return True


def named_dtype(dtype: Any) -> Any:
    """The name of a dtype of Python or of a library; None and what is no dtype are unchanged.

    Example:
        >>> [named_dtype(dtype) for dtype in (int, float, np.float64, np.dtype("int64"), "uint8")]
        ['int32', 'float32', 'float64', 'int64', 'uint8']
    """
    if isinstance(dtype, (str, type)):  # NumPy's dtypes equal types of Python, which mean others here
        if dtype in (float, "float"):
            backend = get_backend()
            return backend.dtype_name(backend.dtype)
        dtype = OF_PYTHON.get(dtype, dtype)
    name = str(getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype)).rpartition(".")[2]
    return name if name in DTYPES and not hasattr(dtype, "__dlpack__") else dtype


def dtype_for(x: Array, name: str) -> Any:
    """The dtype of a name in the library of the array `x`.

    Raises:
        ValueError: The library has no such dtype; the message says which have.

    Example:
        >>> import numpy as np
        >>> dtype_for(np.ones(2), "float16").__name__
        'float16'
    """
    dtype = getattr(raw_namespace(x), name, None)
    if dtype is None:
        raise ValueError(no_dtype(getattr(backend_class_of(x), "name", type(x).__module__), name))
    return dtype


def to_host(x: Any) -> HostArray:
    """Copy an array of any library, on any device, to a NumPy array; bfloat16, which NumPy lacks, becomes float32.

    Example:
        >>> from portanet.backends import to_host
        >>> to_host([1, 2])
        array([1, 2])
    """
    backend = backend_class_of(x)
    if backend is not None:
        return backend.to_host(x)
    if isinstance(x, (list, tuple)) and any(type(item) not in _PLAIN for item in x):
        return np.asarray([to_host(item) for item in x])
    if hasattr(x, "dtypes") and hasattr(x, "to_numpy"):
        return _from_frame(x)
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        return np.from_dlpack(x)
    return np.asarray(x)


def _from_frame(x: Any) -> HostArray:
    """A DataFrame or Series; columns of numbers and booleans together would come as objects otherwise."""
    columns = list(x.dtypes) if np.ndim(x) == 2 else [x.dtype]
    kinds = [getattr(column, "numpy_dtype", column) for column in columns]  # pandas' nullable dtypes
    if kinds and all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in kinds):
        x = x.to_numpy(dtype=np.result_type(*kinds))
    return np.asarray(x)


def rows_to_host(x: Any, what: str = "Data") -> HostArray:
    """`to_host`, with an error that begins with the name of the data where rows are of several lengths.

    Example:
        >>> rows_to_host([[1.0], [2.0]]).shape
        (2, 1)
    """
    try:
        return to_host(x)
    except ValueError as error:
        what = checks.taken_as(x) if what == "Data" else what
        if "missing values" in str(error):  # pandas' NA, in columns of integers or booleans
            received = _columns(x) or _brief(x)
            raise ValueError(
                f"{what} holds missing values; fill them, as with x.fillna(0), or drop their rows. Received: {received}"
            ) from None
        if "inhomogeneous" not in str(error):
            raise
        raise _ragged(x, what) from None


def numeric(x: Any, what: str = "Data") -> HostArray:
    """`to_host`, in native byte order; refuses what is not numeric.

    Args:
        x: The data.
        what: Its name, to begin an error with.

    Example:
        >>> numeric([1, 2]).dtype.kind
        'i'
    """
    host = x if isinstance(x, np.ndarray) else rows_to_host(x, what)
    if host.dtype.kind in "biufc":
        return host if host.dtype.isnative else host.astype(host.dtype.newbyteorder("="))
    what = checks.taken_as(x) if what == "Data" else what
    if host.dtype.kind == "O" and host.size and np.ndim(host.flat[0]):
        raise _ragged(x, what)
    if callable(x):
        remedy = "call the function, and pass what it returns"
    elif isinstance(x, (str, bytes)):
        remedy = "pass arrays, rather than a name"
    elif (
        isinstance(x, np.ndarray) and host.dtype.kind == "O" and not any(isinstance(i, (str, bytes)) for i in host.flat)
    ):
        remedy = "replace None, and convert numbers that are objects with x.astype('float32')"
    else:
        remedy = "encode text, categories and dates as numbers first"
    raise TypeError(
        f"{what} must be numeric (floating point, integer or boolean); {remedy}. "
        f"Received: {_columns(x) or _brief(x)}, which NumPy reads as dtype {host.dtype}"
    )


def _ragged(x: Any, what: str) -> ValueError:
    return ValueError(
        f"{what} must have the same number of elements in every row; pad the short ones "
        f"(portanet.utils.pad_sequences). Received: {_brief(x)}"
    )


def _columns(x: Any) -> str:
    """The columns of a DataFrame that are not numeric."""
    names = x.columns if hasattr(x, "columns") and hasattr(x, "dtypes") else ()
    kinds = zip(names, x.dtypes, strict=True) if len(names) else ()
    wrong = [
        f"{name!r} ({kind})"
        for name, kind in kinds
        if getattr(kind, "kind", "O") not in "biufc" or kind.name == "category"
    ]
    return f"a DataFrame with the columns {', '.join(wrong[:5])}{', ...' if len(wrong) > 5 else ''}" if wrong else ""


def _brief(x: Any) -> str:
    text = " ".join(repr(x).split())
    return f"{text if len(text) <= 80 else text[:77] + '...'} (of type {type(x).__qualname__})"

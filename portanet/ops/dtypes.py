"""Dtypes of results, by Keras's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, dtype_for, get_backend, is_dtype
from portanet.backends.base import DTYPES
from portanet.backends.conversion import OF_PYTHON

_KIND_NAMES = ("bool", "integral", "real floating", "complex floating")
_NUMBERS = {bool: 0, int: 1, float: 2, complex: 3}


def result_dtype(xp: Any, dtypes: Sequence[Any], numbers: Iterable[complex] = ()) -> Any:
    """The dtype of an operation on arrays of some dtypes, and on Python numbers."""
    ranks = [next(i for i, kind in enumerate(_KIND_NAMES) if xp.isdtype(dtype, kind)) for dtype in dtypes]
    rank = max(ranks)
    highest = [dtype for dtype, own in zip(dtypes, ranks, strict=True) if own == rank]
    if len(highest) > 1 and xp.uint32 in highest and _are_signed_too(xp, highest):
        dtype = xp.int32  # none gets 64 bits that had fewer
    else:
        dtype = highest[0] if len(highest) == 1 else xp.result_type(*highest)
    most = max((next(n for kind, n in _NUMBERS.items() if isinstance(x, kind)) for x in numbers), default=0)
    if rank == 3 and 2 in ranks:
        dtype = xp.result_type(dtype, *(d for d, own in zip(dtypes, ranks, strict=True) if own == 2))
    if most <= rank:
        return dtype
    if most == 3:
        return xp.complex128 if rank == 2 and dtype == xp.float64 else xp.complex64
    return float_dtype(xp) if most == 2 else xp.int32


def _are_signed_too(xp: Any, dtypes: Sequence[Any]) -> bool:
    """Whether some of these dtypes of integers, all of 32 bits at most, are signed."""
    return any(xp.isdtype(d, "signed integer") for d in dtypes) and all(xp.iinfo(d).bits < 64 for d in dtypes)


def float_dtype(xp: Any) -> Any:
    """The default floating-point dtype, in a library."""
    backend = get_backend()
    return getattr(xp, backend.dtype_name(backend.dtype))


def find_dtype(dtype: Any, like: Array | None, of: str) -> Any:
    """The dtype object of a library for a dtype by name, of any library, or of Python.

    Args:
        dtype: Such as `"float32"`, `numpy.float32` or `float`; None and `float` for the default floating-point dtype.
        like: An array of the library; None for the backend in use.
        of: The function, for errors.

    Example:
        >>> import numpy as np
        >>> [np.dtype(find_dtype(dtype, np.ones(1), "cast")).name for dtype in ("float64", int, None)]
        ['float64', 'int32', 'float32']
    """
    xp = get_backend().xp if like is None else array_namespace(like)
    python = isinstance(dtype, (str, type))  # NumPy's dtypes equal types of Python, which mean others here
    if dtype is None or (python and dtype in (float, "float")):
        return float_dtype(xp)
    if is_dtype(xp, dtype):
        return dtype
    alias = OF_PYTHON.get(dtype) if python else None
    name = alias or (dtype if isinstance(dtype, str) else name_of(dtype))
    if name not in DTYPES:
        raise checks.invalid("dtype", dtype, f"one of {', '.join(map(repr, DTYPES))}", f"ops.{of}")
    found = getattr(xp, name, None)
    return dtype_for(like, name) if found is None and like is not None else found or get_backend().find_dtype(name)


def name_of(dtype: Any) -> str:
    """The name of a dtype of any library."""
    return str(getattr(dtype, "__name__", dtype)).rpartition(".")[2]


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


def at_least_float32(x: Array) -> Array:
    """A floating-point array in float32 if its dtype is narrower; wider ones are unchanged."""
    xp = array_namespace(x)
    return x if x.dtype in (xp.float32, xp.float64) else xp.astype(x, xp.float32)


def counted(x: Array, short: bool = False) -> Array:
    """Booleans, and with `short` also integers of less than 32 bits, as int32; other arrays are unchanged."""
    xp = array_namespace(x)
    few = xp.isdtype(x.dtype, "integral") and short and xp.iinfo(x.dtype).bits < 32
    return xp.astype(x, xp.int32) if few or xp.isdtype(x.dtype, "bool") else x

"""Functions of `keras.backend`, which older scripts import as `K`; see `portanet.config` for the settings."""

from __future__ import annotations

import gc
from typing import Any

from portanet import checks
from portanet.backends.base import DTYPES
from portanet.backends.conversion import named_dtype
from portanet.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from portanet.layers.symbolic import SymbolicArray

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]

_uids: dict[str, int] = {}


def clear_session(free_memory: bool = True) -> None:
    """Start to count names anew, and free what is not used any more; names of layers do not need it here.

    Args:
        free_memory: Whether to look for unused objects.

    Example:
        >>> clear_session()
    """
    _uids.clear()
    if free_memory:
        gc.collect()


def get_uid(prefix: str = "") -> int:
    """A number that counts up for each prefix, from 1.

    Args:
        prefix: A name.

    Example:
        >>> get_uid("pixel"), get_uid("pixel")
        (1, 2)
    """
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def is_keras_tensor(x: Any) -> bool:
    """Whether it is a symbolic array, such as an `Input`.

    Example:
        >>> from portanet import layers
        >>> is_keras_tensor(layers.Input((3,))), is_keras_tensor(3)
        (True, False)
    """
    return isinstance(x, SymbolicArray)


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype: of Python's type, of a library, a name itself, or the default for None.

    Args:
        dtype: A dtype, or its name; None for the default.

    Example:
        >>> import numpy as np
        >>> standardize_dtype(np.dtype("int8")), standardize_dtype(float), standardize_dtype(None)
        ('int8', 'float32', 'float32')
    """
    return floatx() if dtype is None else checks.choice("dtype", named_dtype(dtype), DTYPES, "standardize_dtype")


def result_type(*dtypes: Any) -> str:
    """The dtype of an operation on arrays of some dtypes; Python's `int` and `float` do not widen them.

    Floating-point dtypes come before integers, whatever their sizes. 64 bits are kept, as in NumPy.

    Args:
        *dtypes: Dtypes, or their names.

    Example:
        >>> result_type("int32", "float16"), result_type("int8", "uint8"), result_type("int64", float)
        ('float16', 'int16', 'float32')
    """
    has_int, has_float = (any(dtype is kind for dtype in dtypes) for kind in (int, float))
    names = [standardize_dtype(dtype) for dtype in dtypes if dtype is not int and dtype is not float]
    floats = [name for name in names if "float" in name]
    if floats:
        bits = [16 if name == "bfloat16" else _bits(name) for name in floats]
        return "float32" if len(set(floats)) > 1 and max(bits) == 16 else floats[bits.index(max(bits))]
    if not names or has_float:
        return floatx() if has_float or not dtypes else "int32"
    integers = [name for name in names if name != "bool"]
    if not integers:
        return "int32" if has_int else "bool"
    unsigned = max((_bits(name) for name in integers if name[0] == "u"), default=0)
    signed = max((_bits(name) for name in integers if name[0] == "i"), default=0)
    return f"uint{unsigned}" if not signed else f"int{max(signed, min(64, 2 * unsigned))}"


def _bits(name: str) -> int:
    return int("".join(filter(str.isdigit, name)))


def is_float_dtype(dtype: Any) -> bool:
    """Whether it is a real floating-point dtype.

    Args:
        dtype: A dtype, or its name.

    Example:
        >>> is_float_dtype("bfloat16"), is_float_dtype("int8")
        (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether it is a dtype of integers; booleans are not.

    Args:
        dtype: A dtype, or its name.

    Example:
        >>> is_int_dtype("uint8"), is_int_dtype("bool")
        (True, False)
    """
    return "int" in standardize_dtype(dtype)

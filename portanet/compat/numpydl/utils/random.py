"""The generator of initial weights and the dtype of the package; NumPy's global generator is never used."""

from __future__ import annotations

from typing import Any

import numpy as np

import portanet
from portanet.backends import Array, asarray

_rng: list[Any] = []
_dtype = ["float32"]


def get_rng() -> Any:
    """The package's generator, a `numpy.random.RandomState`.

    Example:
        >>> get_rng().rand(3).shape
        (3,)
    """
    if not _rng:
        _rng.append(np.random.RandomState())
    return _rng[0]


def set_rng(new_rng: Any) -> None:
    """Set the generator, a `numpy.random.RandomState`.

    Args:
        new_rng: A `numpy.random.RandomState`.

    Example:
        >>> import numpy as np
        >>> set_rng(np.random.RandomState(0))
    """
    _rng[:] = [new_rng]


def set_seed(seed: int) -> None:
    """Seed the generator and portanet's random masks.

    Args:
        seed: The seed.

    Example:
        >>> set_seed(0)
    """
    set_rng(np.random.RandomState(seed))
    portanet.random.set_seed(seed)


def get_dtype() -> str:
    """The dtype of weights and data.

    Example:
        >>> get_dtype()
        'float32'
    """
    return _dtype[0]


def set_dtype(dtype: Any) -> None:
    """Set the dtype of weights and data, such as `"float64"`.

    Args:
        dtype: Name of the dtype.

    Example:
        >>> set_dtype("float32")
        >>> get_dtype()
        'float32'
    """
    _dtype[:] = [np.dtype(dtype).name]


def generator() -> np.random.Generator:
    """A `numpy.random.Generator` seeded by the package's generator.

    Example:
        >>> generator() is not None
        True
    """
    return np.random.default_rng(get_rng().randint(2**31 - 1))


def to_array(x: Any) -> Array:
    """Data as an array of the backend in use: floats in the package's dtype, integers unchanged.

    Example:
        >>> to_array([1, 2]).shape
        (2,)
    """
    array = asarray(x)
    if portanet.get_backend().dtype_name(array.dtype) == get_dtype():
        return array
    floating = portanet.get_backend().xp.isdtype(array.dtype, "real floating")
    # Converted from the data itself: the backend's default dtype may be narrower.
    return asarray(x, get_dtype()) if floating else array


def to_float(x: Any) -> Array:
    """Data as an array of the backend in use, in the package's dtype.

    Example:
        >>> to_float([1, 2]).dtype
        dtype('float32')
    """
    array = to_array(x)
    floating = portanet.get_backend().dtype_name(array.dtype) == get_dtype()
    return array if floating else asarray(array, get_dtype())

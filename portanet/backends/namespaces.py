"""From an array to its library's array API namespace."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import array_api_compat

from portanet.backends.base import Array
from portanet.backends.registry import forward_backend_of

_NAMESPACES: dict[type, ModuleType] = {}


def raw_namespace(x: Array) -> Any:
    """The array API namespace of the library that `x` belongs to, through array-api-compat; cached by type.

    Raises:
        TypeError: `x` is not an array of a library that follows the standard.
    """
    kind = type(x)
    found = _NAMESPACES.get(kind)
    if found is None:
        try:
            found = array_api_compat.array_namespace(x, use_compat=None)
        except TypeError:
            raise TypeError(
                "Expected an array of a library that follows the array API standard; convert lists and numbers with "
                f"portanet.asarray first. Received: {x!r} (of type {kind.__module__}.{kind.__qualname__})"
            ) from None
        guest = forward_backend_of(x)
        if array_api_compat.is_numpy_namespace(found):
            from portanet.backends.numpy import namespace  # which imports nearly all of NumPy

            found = namespace
        elif guest is not None:
            found = guest.load()
        _NAMESPACES[kind] = found
    return found


def device_of(x: Array) -> Any:
    """The device that `x` is on."""
    return array_api_compat.device(x)


def to_device(x: Array, device: Any, *, stream: Any = None) -> Array:
    """`x` on another device of its library."""
    return array_api_compat.to_device(x, device, stream=stream)

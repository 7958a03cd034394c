"""Data of any origin as an array of numbers."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array, backend_class_of, is_dtype, raw_namespace, to_host


def as_numbers(x: Any, of: str) -> Array:
    """An argument `x` as an array of real numbers: arrays keep their library, lists become NumPy arrays.

    Example:
        >>> as_numbers(["a"], "unhot")
        Traceback (most recent call last):
        ValueError: Argument `x` of unhot must be an array of real numbers. Received: an array of dtype <U1
    """
    array = x if backend_class_of(x) is not None else to_host(x)
    if not is_dtype(raw_namespace(array), array.dtype, ("bool", "integral", "real floating")):
        raise ValueError(
            f"Argument `x` of {of} must be an array of real numbers. Received: an array of dtype {array.dtype}"
        )
    return array

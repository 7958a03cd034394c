"""Checks of the arguments of losses and metrics."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import unwrap
from portanet.backends import is_dtype, raw_namespace, require_plain


def require_numbers(name: str, x: Any, owner: str) -> None:
    """Reject what is no array of real numbers: lists, text, objects, complex numbers.

    Args:
        name: Name of the argument.
        x: Its value.
        owner: What takes it, such as "Loss 'huber'".

    Example:
        >>> import numpy as np
        >>> require_numbers("y_pred", np.ones(2), "Loss 'huber'")
    """
    plain = unwrap(x)
    dtype = getattr(plain, "dtype", None)
    if dtype is None or not hasattr(plain, "shape"):
        raise TypeError(
            f"Argument `{name}` of {owner} must be an array; convert lists and numbers with portanet.asarray({name}). "
            f"Received: {x!r} (of type {type(x).__name__})"
        )
    require_plain(plain, f"Argument `{name}` of {owner}")
    if not is_dtype(raw_namespace(plain), dtype, ("real floating", "integral", "bool")):
        raise TypeError(
            f"Argument `{name}` of {owner} must hold real numbers; encode text and categories as numbers, and pass the "
            f"real and imaginary parts of complex numbers. Received: an array of dtype {dtype}"
        )

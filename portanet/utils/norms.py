"""Normalization of vectors."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array, raw_namespace
from portanet.utils.numeric import as_numbers


def normalize(x: Any, axis: int = -1, order: int | float = 2) -> Array:
    """Vectors divided by their norms; as `keras.utils.normalize`. Zero vectors stay zero.

    Args:
        x: An array of any library, or nested lists.
        axis: The axis of the vectors.
        order: The norm: 1, 2, ..., or infinity for the largest magnitude.

    Returns:
        A new array of the shape and library of `x` (NumPy for lists).

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    array = as_numbers(x, "normalize")
    xp = raw_namespace(array)
    checks.axis("axis", axis, array.ndim, "normalize")
    order = checks.number("order", order, "(0, inf]", "normalize")
    if not xp.isdtype(array.dtype, "real floating"):
        array = xp.astype(array, xp.float32)
    # Scaling by the largest magnitude first prevents overflow and underflow of squares in float32.
    largest = xp.max(xp.abs(array), axis=axis, keepdims=True)
    scaled = array / xp.where(largest == 0, xp.ones_like(largest), largest)
    if order == float("inf"):
        return scaled
    total = xp.sum(xp.abs(scaled) ** order, axis=axis, keepdims=True)
    return scaled / xp.where(total == 0, xp.ones_like(total), total ** (1 / order))

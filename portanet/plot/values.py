"""Values to draw, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import checks
from portanet.autodiff import unwrap
from portanet.backends import HostArray, to_host
from portanet.tree import tree_map


def host(name: str, value: Any, of: str, expected: str, ndim: int | tuple[int, ...] = ()) -> HostArray:
    """The numbers of an array of any library, of a traced array, or of lists, in double precision.

    Args:
        name: The argument, for errors.
        value: Its value.
        of: The function that draws.
        expected: What it must be, for errors, such as "an array of shape (points, 2)".
        ndim: The numbers of axes that it may have; by default any.
    """
    try:
        array = to_host(tree_map(unwrap, value))
    except (TypeError, ValueError):
        raise checks.invalid(name, value, expected, of) from None
    if array.dtype.kind not in "biuf":
        raise checks.invalid(name, value, expected, of)
    known = (ndim,) if isinstance(ndim, int) else ndim
    if known and array.ndim not in known:
        raise ValueError(f"{checks.argument(name, of)} must be {expected}. Received: an array of shape {array.shape}")
    return np.asarray(array, dtype="float64")


def classes_of(name: str, value: Any, of: str) -> HostArray:
    """The class of each example: numbers or names, shape (count,) or (count, 1), or the place of the largest in each
    row of one-hot or probabilities. Floats must be whole numbers.
    """
    array = to_host(tree_map(unwrap, value))
    if array.dtype.kind == "O":  # of pandas, say
        array = np.asarray(array.tolist())
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{checks.argument(name, of)} must be classes. Received: an array with NaN")
    if array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind in "biuf":
        array = np.argmax(array, axis=1)
    elif array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    whole = array.dtype.kind != "f" or bool(np.all(array == np.round(array)))
    if array.ndim != 1 or array.dtype.kind not in "biufSU" or not whole:
        raise ValueError(
            f"{checks.argument(name, of)} must be classes: whole numbers, names, or one-hot rows. "
            f"Received: an array of shape {array.shape} and dtype {array.dtype}"
            + ("" if whole else ", with fractions: compare with a threshold first")
        )
    return array.astype("int64") if array.dtype.kind in "bf" else array


def limits(name: str, value: Any, of: str) -> tuple[float, float]:
    """The lowest and the highest value of an axis."""
    low, high = checks.numbers(name, value, of=of, count=2)
    if not low < high:
        raise checks.invalid(name, value, "two numbers, the lower one first", of)
    return low, high


def around(values: HostArray, margin: float = 0.1) -> tuple[float, float]:
    """Limits of an axis such that the finite values are within them; (-1, 1) if there are none."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return -1.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    room = margin * (high - low) or 1.0
    return low - room, high + room


def names_of(name: str, value: Any, of: str, count: int | None = None) -> list[str]:
    """Texts for `count` things, or any number: from a list, an array of one axis, or a string of their characters."""
    items = [str(item) for item in value] if isinstance(value, (list, tuple, str, range)) else None
    if items is None and hasattr(value, "shape"):
        array = to_host(unwrap(value))
        items = [str(item) for item in array.tolist()] if array.ndim == 1 else None
    if items is None or count not in (None, len(items)):
        raise checks.invalid(name, value, f"a list of {'' if count is None else f'{count} '}names", of)
    return items

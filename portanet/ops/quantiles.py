"""Quantiles, medians and histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, is_traced, stop_gradient, storage
from portanet.backends import Array, constant, device_of
from portanet.ops.dtypes import floating
from portanet.ops.operation import Axes, axes_of, operation

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@operation
def quantile(x: Array, q: Array, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Array:
    """Quantiles over axes.

    Args:
        x: Array.
        q: Fractions between 0 and 1, shape () or (n,).
        axis: The axes; None for all.
        method: What lies between two elements: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.
        keepdims: Whether the axes stay, with size 1.

    Returns:
        The quantiles; for n fractions, with a first axis of n.

    Example:
        >>> quantile([1.0, 2.0, 4.0, 8.0], [0.5, 1.0])
        array([3., 8.], dtype=float32)
    """
    return _quantile(x, q, axis, method, keepdims, False, "quantile")


@operation
def percentile(x: Array, q: Array, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Array:
    """Quantiles at percentages between 0 and 100; see `quantile`.

    Args:
        x: A floating-point array.
        q: Percentages.
        axis: Axis or axes; None for all.
        method: How to compute values between two elements, such as `"linear"`.
        keepdims: Whether these axes are kept, with size 1.

    Example:
        >>> float(percentile([1.0, 2.0, 4.0], 50))
        2.0
    """
    return _quantile(x, floating(q) / 100, axis, method, keepdims, False, "percentile")


@operation
def nanquantile(x: Array, q: Array, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Array:
    """Quantiles of the elements that are not NaN; see `quantile`.

    Args:
        x: A floating-point array.
        q: Fractions from 0 to 1.
        axis: Axis or axes; None for all.
        method: How to compute values between two elements, such as `"linear"`.
        keepdims: Whether these axes are kept, with size 1.

    Example:
        >>> float(nanquantile([1.0, float("nan"), 3.0], 0.5))
        2.0
    """
    return _quantile(x, q, axis, method, keepdims, True, "nanquantile")


@operation
def nanpercentile(x: Array, q: Array, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Array:
    """Quantiles at percentages of the elements that are not NaN; see `quantile`.

    Args:
        x: A floating-point array.
        q: Percentages.
        axis: Axis or axes; None for all.
        method: How to compute values between two elements, such as `"linear"`.
        keepdims: Whether these axes are kept, with size 1.

    Example:
        >>> float(nanpercentile([1.0, float("nan"), 3.0], 50))
        2.0
    """
    return _quantile(x, floating(q) / 100, axis, method, keepdims, True, "nanpercentile")


@operation
def median(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Median over axes: of an even number of elements, the mean of the two in the middle.

    Example:
        >>> median([[1.0, 5.0, 2.0, 3.0]], axis=1)
        array([2.5], dtype=float32)
    """
    return _quantile(x, None, axis, "linear", keepdims, False, "median")


@operation
def nanmedian(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """Median over axes of the elements that are not NaN.

    Example:
        >>> float(nanmedian([1.0, float("nan"), 3.0]))
        2.0
    """
    return _quantile(x, None, axis, "linear", keepdims, True, "nanmedian")


def _quantile(x: Array, q: Array | None, axis: Axes, method: str, keepdims: bool, ignore_nan: bool, of: str) -> Array:
    checks.choice("method", method, METHODS, of)
    x = floating(x)
    xp = array_namespace(x)
    shape = tuple(x.shape)
    reduced = sorted(axes_of(axis, len(shape), of))
    rest = [i for i in range(len(shape)) if i not in reduced]
    rows = xp.permute_dims(x, (*rest, *reduced))
    rows = xp.reshape(rows, (*(shape[i] for i in rest), math.prod(shape[i] for i in reduced)))
    nan = xp.isnan(rows)
    rows = xp.sort(xp.where(nan, math.inf, rows), axis=-1)
    count = xp.sum(xp.astype(~nan, x.dtype), axis=-1) if ignore_nan else rows.shape[-1]
    count = count if ignore_nan else constant(storage(x), count, x.dtype)
    last = xp.broadcast_to(count - 1, rows.shape[:-1])
    bad = xp.all(nan, axis=-1) if ignore_nan else xp.any(nan, axis=-1)
    kept = tuple(1 if i in reduced else n for i, n in enumerate(shape))
    fractions = [0.5] if q is None else [q] if len(q.shape) == 0 else [q[i] for i in range(q.shape[0])]
    results = []
    for fraction in fractions:
        position = last * (
            fraction if isinstance(fraction, float) else array_namespace(fraction).astype(fraction, x.dtype)
        )
        value = _between(rows, position, method)
        own = array_namespace(value)
        value = own.where(bad, math.nan, value)
        results.append(own.reshape(value, kept) if keepdims else value)
    return results[0] if q is None or len(q.shape) == 0 else array_namespace(*results).stack(results)


def _between(rows: Array, position: Array, method: str) -> Array:
    """Elements of sorted rows at positions between indices."""
    xp = array_namespace(rows, position)
    if method == "nearest":
        return _at(rows, xp.round(position))
    low, high = xp.floor(position), xp.ceil(position)
    if method in ("lower", "higher"):
        return _at(rows, low if method == "lower" else high)
    first, second = _at(rows, low), _at(rows, high)
    fraction = 0.5 * xp.astype(low != high, rows.dtype) if method == "midpoint" else position - low
    exact = first == second  # infinities among them
    return xp.where(exact, first, first + xp.where(exact, 0.0, second - first) * fraction)


def _at(rows: Array, index: Array) -> Array:
    index = stop_gradient(index)
    own = array_namespace(index)
    places = own.astype(own.clip(index, 0, rows.shape[-1] - 1), own.int64)
    xp = array_namespace(rows, places)
    return xp.squeeze(xp.take_along_axis(rows, places[..., None], axis=-1), axis=-1)


@operation
def histogram(x: Array, bins: int = 10, range: Sequence[float] | None = None) -> tuple[Array, Array]:
    """Number of elements in bins of equal width.

    Args:
        x: Array of any shape.
        bins: Number of bins.
        range: The ends of the first and the last bin; None for the smallest and the largest element.

    Returns:
        The counts, shape (bins,), as int32; and the edges, shape (bins + 1,).

    Example:
        >>> histogram([0.0, 1.0, 1.5, 4.0], bins=2)
        (array([3, 1], dtype=int32), array([0., 2., 4.], dtype=float32))
    """
    checks.positive_int("bins", bins, "histogram")
    x = floating(stop_gradient(x))
    xp = array_namespace(x)
    x = xp.reshape(x, (-1,))
    low: Any
    high: Any
    if range is not None:
        low, high = checks.numbers("range", list(range), of="histogram", count=2)
        if high < low:
            raise checks.invalid("range", range, "two numbers in ascending order", "histogram")
    elif is_traced(x):  # these may differ between the examples of vmap
        low, high = xp.min(x), xp.max(x)
        wider = 0.5 * xp.astype(low >= high, x.dtype)
        low, high = low - wider, high + wider
    else:
        low, high = float(xp.min(x)), float(xp.max(x))
    if not is_traced(low) and low >= high:
        low, high = low - 0.5, high + 0.5
    edges = xp.linspace(low, high, bins + 1, dtype=x.dtype, device=device_of(storage(x)))
    inside = (x >= low) & (x <= high)
    above = xp.sum(xp.astype(x[:, None] >= edges[1:-1], xp.int32), axis=1, dtype=xp.int32)
    numbers = xp.arange(bins, dtype=xp.int32, device=device_of(storage(x)))
    members = (above[:, None] == numbers) & inside[:, None]
    return xp.sum(xp.astype(members, xp.int32), axis=0, dtype=xp.int32), edges

"""Pooling over windows, with derivatives of any order.

As for convolution, pullbacks are functions of the same kind: a sum over a window is spread over it in
the backward pass, a value picked from it is put back.

At ties the first element of the window (in row-major order) is the maximum and gets the whole derivative, as in
PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from portanet.autodiff import array_namespace, is_traced, primitive, unwrap
from portanet.backends import Array, constant, raw_namespace
from portanet.fused import pooling_plain as plain
from portanet.fused.windows import Margins, Window


def average_pool(x: Array, window: Window, counted: Margins | None = None) -> Array:
    """The mean over a window at each position; padding is excluded, as in Keras.

    Args:
        x: Shape (batch, *space, channels).
        window: The window, see `portanet.fused.windows.window`.
        counted: How much of the padding counts as zeros; by default none.

    Returns:
        Shape (batch, *positions, channels).

    Example:
        >>> import numpy as np
        >>> from portanet.fused.windows import window
        >>> average_pool(np.asarray([1.0, 3.0, 5.0]).reshape(1, 3, 1), window((3,), (2,), 2, "same")).ravel()
        array([2., 5.])
    """
    total = window_sum(x, window=window)
    counted = counted or ((0, 0),) * window.rank
    if counted == window.padding:
        return total * (1 / math.prod(window.size))
    like, count = unwrap(x), None
    for axis, margins in enumerate(counted):
        counts = _counts(window.along(axis), axis, x.shape[axis + 1], margins)
        shape = (1,) * (axis + 1) + (len(counts),) + (1,) * (window.rank - axis)
        along = raw_namespace(like).reshape(constant(like, counts, like.dtype), shape)
        count = along if count is None else count * along
    return total / array_namespace(total).asarray(count)


def _counts(window: Window, axis: int, size: int, counted: tuple[int, int]) -> list[float]:
    """How many elements of a window along an axis are not beyond what counts, at each position; at least 1."""
    (before, after), stride, step = window.padding[axis], window.strides[axis], window.dilation[axis]
    inside = range(-counted[0], size + counted[1])
    starts = range(-before, size + after - window.spans[axis] + 1, stride)
    return [float(max(1, sum(start + e * step in inside for e in range(window.size[axis])))) for start in starts]


def l2_pool(x: Array, window: Window) -> Array:
    """The Euclidean norm over a window at each position; its derivative is 0 where all elements are zero.

    Example:
        >>> import numpy as np
        >>> from portanet.fused.windows import window
        >>> l2_pool(np.asarray([3.0, 4.0, 0.0, 0.0]).reshape(1, 4, 1), window((4,), (2,), 2)).ravel()
        array([5., 0.])
    """
    squares = window_sum(x * x, window=window)
    xp = array_namespace(squares)
    zero = squares == 0  # false for NaN, which stays
    return xp.where(zero, 0.0, xp.sqrt(xp.where(zero, 1.0, squares)))


def unpool(x: Array, places: Array, window: Window, space: Sequence[int]) -> Array:
    """Put each value at its index in the window, zeros elsewhere; where windows overlap, values are added.

    Args:
        x: Shape (batch, *positions, channels).
        places: Integers of the same shape: row-major indices in the window, such as those of `max_places`.
        window: The window.
        space: Size of the result on each axis.

    Returns:
        Shape (batch, *space, channels).

    Example:
        >>> import numpy as np
        >>> from portanet.fused.windows import window
        >>> x, places = np.asarray([5.0, 7.0]).reshape(1, 2, 1), np.asarray([1, 0]).reshape(1, 2, 1)
        >>> unpool(x, places, window((4,), (2,), 2), (4,)).ravel()
        array([0., 5., 7., 0.])
    """
    return put_back(x, places, window=window, space=tuple(space))


def max_places(x: Array, window: Window) -> Array:
    """Row-major index of each window's maximum, the first at ties: int32, without a derivative.

    Example:
        >>> import numpy as np
        >>> from portanet.fused.windows import window
        >>> max_places(np.asarray([5.0, 7.0, 7.0, 7.0]).reshape(1, 4, 1), window((4,), (2,), 2)).ravel()
        array([1, 0], dtype=int32)
    """
    values = unwrap(x)
    indices = plain.max_places(values, window)
    return array_namespace(x).asarray(indices) if is_traced(x) else indices


# Functions that are linear or pick from x; the pullback of each is another of them


window_sum: Callable[..., Any] = primitive(
    plain.window_sum,
    lambda out, x, *, window: lambda g: (window_spread(g, window=window, space=tuple(x.shape[1:-1])),),
    examples=[0],
)
window_spread: Callable[..., Any] = primitive(
    plain.window_spread,
    lambda out, g, *, window, space: lambda h: (window_sum(h, window=window),),
    examples=[0],
)
max_pool: Callable[..., Any] = primitive(
    plain.max_pool,
    lambda y, x, *, window: lambda g: (to_maxima(g, x, y, window=window),),
    examples=[0],
)
to_maxima: Callable[..., Any] = primitive(
    plain.to_maxima,
    lambda out, g, x, y, *, window: lambda h: (at_maxima(h, x, y, window=window), None, None),
    examples=[0, 1, 2],
)
at_maxima: Callable[..., Any] = primitive(
    plain.at_maxima,
    lambda out, h, x, y, *, window: lambda g: (to_maxima(g, x, y, window=window), None, None),
    examples=[0, 1, 2],
)
put_back: Callable[..., Any] = primitive(
    plain.put_back,
    lambda out, x, places, *, window, space: lambda h: (pick(h, places, window=window), None),
    examples=[0, 1],
)
pick: Callable[..., Any] = primitive(
    plain.pick,
    lambda out, h, places, *, window: lambda x: (put_back(x, places, window=window, space=tuple(h.shape[1:-1])), None),
    examples=[0, 1],
)


# Adaptive pooling


def adaptive_bins(size: int, count: int) -> list[tuple[int, int]]:
    """`count` bins that cover an axis: bin i goes from floor(i size / count) to ceil((i + 1) size / count).

    Example:
        >>> adaptive_bins(5, 3)
        [(0, 2), (1, 4), (3, 5)]
    """
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def adaptive_pool(x: Array, counts: Sequence[int], reduce: str) -> Array:
    """The mean or maximum over a given number of bins on each axis.

    Args:
        x: Shape (batch, *space, channels).
        counts: Number of bins on each axis.
        reduce: `"mean"` or `"max"`.

    Returns:
        Shape (batch, *counts, channels).

    Example:
        >>> import numpy as np
        >>> adaptive_pool(np.arange(5.0).reshape(1, 5, 1), (3,), "mean").ravel()
        array([0.5, 2. , 3.5])
    """
    xp = array_namespace(x)
    for axis, count in reversed(list(enumerate(counts, 1))):
        before = (slice(None),) * axis
        parts = []
        for start, stop in adaptive_bins(x.shape[axis], count):
            bin_values = x[(*before, slice(start, stop), ...)]
            parts.append(
                xp.mean(bin_values, axis=axis, keepdims=True)
                if reduce == "mean"
                else max_pool(bin_values, window=_whole(bin_values, axis))
            )
        x = xp.concat(parts, axis=axis)
    return x


def _whole(x: Array, axis: int) -> Window:
    """A window over all of one axis."""
    rank = len(x.shape) - 2
    size = tuple(x.shape[i] if i == axis else 1 for i in range(1, rank + 1))
    return Window(size, (1,) * rank, ((0, 0),) * rank, (1,) * rank)


def global_max_pool(x: Array) -> Array:
    """The maximum over all spatial axes, shape (batch, 1, ..., 1, channels); the first at ties.

    Example:
        >>> import numpy as np
        >>> global_max_pool(np.arange(8.0).reshape(1, 2, 2, 2)).ravel()
        array([6., 7.])
    """
    for axis in reversed(range(1, len(x.shape) - 1)):
        x = max_pool(x, window=_whole(x, axis))
    return x


__all__ = [
    "adaptive_bins",
    "adaptive_pool",
    "average_pool",
    "global_max_pool",
    "l2_pool",
    "max_places",
    "max_pool",
    "unpool",
    "window_spread",
    "window_sum",
]

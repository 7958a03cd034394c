"""Pooling over any number of axes of space: sums and largest elements of windows, with derivatives of any order.

Convention: where several elements of a window are the largest, the first of them (in row-major order) gets the whole
cotangent, as in PyTorch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, device_of
from portanet.ops.windows import Window, interleave, pad


def max_pool(x: Array, window: Window) -> Array:
    """The largest element of each window; padding never wins.

    Args:
        x: Shape (batch, *space, channels).
        window: The window.

    Returns:
        Shape (batch, *positions, channels).

    Example:
        >>> import numpy as np
        >>> from portanet.ops.windows import window
        >>> x = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> max_pool(x, window((4, 4), (2, 2), 2))[0, :, :, 0]
        array([[ 5.,  7.],
               [13., 15.]])
    """
    out: Array = _max_pool(x, window=window)
    return out


def sum_pool(x: Array, window: Window) -> Array:
    """The sum of each window; padding counts as zero.

    Args:
        x: Shape (batch, *space, channels).
        window: The window.

    Returns:
        Shape (batch, *positions, channels).
    """
    out: Array = _sum_pool(x, window=window)
    return out


def average_pool(x: Array, window: Window) -> Array:
    """The mean of each window over the elements of the input in it: padding does not count, as in Keras.

    Args:
        x: Shape (batch, *space, channels).
        window: The window.

    Returns:
        Shape (batch, *positions, channels).

    Example:
        >>> import numpy as np
        >>> from portanet.ops.windows import window
        >>> average_pool(np.asarray([1.0, 3.0, 5.0]).reshape(1, 3, 1), window((3,), (2,), 2, "same")).ravel()
        array([2., 5.])
    """
    total = sum_pool(x, window)
    if not any(map(any, window.padding)):
        return total * (1 / math.prod(window.size))
    ones = array_namespace(x).ones_like(x[:1, ..., :1])
    return total / _sum_pool(ones, window=window)


def l2_pool(x: Array, window: Window) -> Array:
    """The root of the sum of squares of each window; its derivative at 0 is 0.

    Args:
        x: Shape (batch, *space, channels).
        window: The window.

    Returns:
        Shape (batch, *positions, channels).
    """
    xp = array_namespace(x)
    square = sum_pool(x * x, window)
    return xp.where(square > 0, xp.sqrt(xp.where(square > 0, square, 1.0)), 0.0)


def max_places(x: Array, window: Window) -> tuple[Array, Array]:
    """The largest element of each window and where in x it was, for unpooling.

    Args:
        x: Shape (batch, *space, channels).
        window: The window, without padding.

    Returns:
        The elements, shape (batch, *positions, channels), and their numbers in the flattened space, int32.
    """
    xp = array_namespace(x)
    space, count = tuple(x.shape[1:-1]), window.places(tuple(x.shape[1:-1]))
    numbers = xp.reshape(xp.arange(math.prod(space), dtype=xp.int32, device=device_of(x)), (1, *space, 1))
    largest = where = None
    for place in itertools.product(*map(range, window.size)):
        key = window.key(place, count)
        here, number = x[key], xp.broadcast_to(numbers[key], x[key].shape)
        if largest is None:
            largest, where = here, number
        else:
            where = xp.where(here > largest, number, where)
            largest = xp.where(here > largest, here, largest)
    assert largest is not None
    assert where is not None
    return largest, where


# The ops


def _places(window: Window) -> list[tuple[int, ...]]:
    return list(itertools.product(*map(range, window.size)))


def _padded(xp: Any, x: Array, window: Window, value: float) -> Array:
    return pad(xp, x, window.padding, value) if any(map(any, window.padding)) else x


@custom_vjp
def _max_pool(x: Array, *, window: Window) -> Any:
    xp = array_namespace(x)
    space = tuple(x.shape[1:-1])
    count = window.places(space)
    padded = _padded(xp, x, window, -math.inf)
    keys = [window.key(place, count) for place in _places(window)]
    out = padded[keys[0]]
    for key in keys[1:]:
        out = xp.maximum(out, padded[key])

    def pullback(g: Array) -> tuple[Array]:
        xp = array_namespace(g, padded)
        taken, parts = None, []
        for key in keys:
            wins = padded[key] == out
            if taken is None:
                taken = wins
            else:
                wins, taken = wins & ~taken, taken | wins
            parts.append(xp.where(wins, g, 0.0))
        return (_spread(parts, window, space),)

    return out, pullback


@custom_vjp
def _sum_pool(x: Array, *, window: Window) -> Any:
    xp = array_namespace(x)
    space = tuple(x.shape[1:-1])
    count = window.places(space)
    padded = _padded(xp, x, window, 0.0)
    keys = [window.key(place, count) for place in _places(window)]
    out = padded[keys[0]]
    for key in keys[1:]:
        out = out + padded[key]
    return out, lambda g: (_spread([g] * len(keys), window, space),)


def _spread(parts: Sequence[Array], window: Window, space: tuple[int, ...]) -> Array:
    """Put part i where place i of each window was, and add what falls together: the way back of every pooling.

    Args:
        parts: One array of shape (batch, *positions, channels) for each place of the window, in row-major order.
        window: The window.
        space: Size of the input on each axis.
    """
    xp = array_namespace(*parts)
    positions = tuple(parts[0].shape[1:-1])
    length = tuple(n + before + after for n, (before, after) in zip(space, window.padding, strict=True))
    if window.size == window.strides and set(window.dilation) == {1}:
        # Windows side by side: nothing falls together.
        covered = tuple(n * k for n, k in zip(positions, window.size, strict=True))
        out = interleave(xp, parts, window.size, covered)
        return pad(xp, out, _margins(window, covered, length))
    total = None
    zeros = None
    for place, part in zip(_places(window), parts, strict=True):
        if any(s > 1 for s in window.strides):
            zeros = xp.zeros_like(part) if zeros is None else zeros
            part = interleave(
                xp, [part] + [zeros] * (math.prod(window.strides) - 1), window.strides,
                tuple((n - 1) * s + 1 for n, s in zip(positions, window.strides, strict=True)),
            )  # fmt: skip
        start = tuple(i * d for i, d in zip(place, window.dilation, strict=True))
        part = pad(xp, part, tuple((a, n - a - m) for a, n, m in zip(start, length, part.shape[1:-1], strict=True)))
        total = part if total is None else total + part
    return pad(xp, total, tuple((-before, -after) for before, after in window.padding))


def _margins(window: Window, covered: tuple[int, ...], length: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """From what the windows cover to the input: padding off, what no window reached on."""
    return tuple(
        (-before, n - c - after) for (before, after), n, c in zip(window.padding, length, covered, strict=True)
    )

"""Pooling and its adjoints, for plain arrays of any library that follows the standard.

A place of the window, at all of its positions, is a strided slice of the input; what is done with windows is done
elementwise with these slices.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from portanet.backends import Array, device_of, map_rows, raw_namespace
from portanet.ops.windows import Window, interleave, pad


def _map(piece: Callable[..., Array], arrays: list[Array], like: Array) -> Array:
    """Compute for examples apart; `like` is the largest of the arrays that have the batch first."""
    return map_rows(piece, *arrays, size=2 * math.prod(like.shape[1:]))


def _places(window: Window) -> list[tuple[int, ...]]:
    return list(itertools.product(*map(range, window.size)))


def window_sum(x: Array, *, window: Window) -> Array:
    """The sum over each position, one axis after the other."""
    xp = raw_namespace(x)
    return _map(lambda x: _along_axes(xp, pad(xp, x, window.padding), window.inside, xp.add), [x], x)


def max_pool(x: Array, *, window: Window) -> Array:
    """The maximum over each position of a window; padding never is the maximum.

    Args:
        x: Shape (batch, *space, channels).
        window: The window, see `portanet.ops.windows.window`.

    Returns:
        Shape (batch, *positions, channels).

    Example:
        >>> import numpy as np
        >>> from portanet.ops.windows import window
        >>> max_pool(np.arange(16.0).reshape(1, 4, 4, 1), window=window((4, 4), (2, 2), 2)).reshape(2, 2)
        array([[ 5.,  7.],
               [13., 15.]])
    """
    xp = raw_namespace(x)

    def piece(x: Array) -> Array:
        return _along_axes(xp, pad(xp, x, window.padding, -math.inf), window.inside, xp.maximum)

    return _map(piece, [x], x)


def _along_axes(xp: Any, x: Array, window: Window, combine: Callable[[Array, Array], Array]) -> Array:
    for axis in reversed(range(window.rank)):
        line = window.along(axis)
        count = line.places(x.shape[1:-1])
        keys = [line.key(place, count) for place in _places(line)]
        found = x[keys[0]]
        for key in keys[1:]:
            found = combine(found, x[key])
        x = found
    return x


def window_spread(g: Array, *, window: Window, space: tuple[int, ...]) -> Array:
    """The adjoint of `window_sum`, one axis after the other."""
    xp = raw_namespace(g)

    def piece(g: Array) -> Array:
        for axis in range(window.rank):
            line = window.along(axis)
            size = (*space[: axis + 1], *g.shape[axis + 2 : -1])
            g = _put(xp, [g] * line.size[axis], line, size)
        return g

    return _map(piece, [g], g)


def _put(xp: Any, parts: list[Array], window: Window, space: tuple[int, ...]) -> Array:
    """The adjoint of taking the places of a window from an input of a size: add up what belongs to each place.

    The places of the input fall into classes that meet the same places of the window; each is a sum of shifted parts,
    and the classes are woven together.
    """
    places = dict(zip(_places(window), parts, strict=True))
    first = parts[0]
    positions, counts = tuple(first.shape[1:-1]), None
    woven = []
    for classes in window.classes(space):
        counts = tuple(c.count for c in classes)
        total = None
        for taps in itertools.product(*(range(len(c.places)) for c in classes)):
            part = places[tuple(c.places[t] for c, t in zip(classes, taps, strict=True))]
            margins = tuple(c.margins_of(t, m) for c, t, m in zip(classes, taps, positions, strict=True))
            part = pad(xp, part, margins)
            total = part if total is None else total + part
        if total is None:
            shape = (first.shape[0], *counts, first.shape[-1])
            total = xp.zeros(shape, dtype=first.dtype, device=device_of(first))
        woven.append(total)
    return interleave(xp, woven, window.strides, space)


def _seen(xp: Any, x: Array, window: Window, value: float) -> list[Array]:
    """The places of the window, each at all positions."""
    count = window.places(x.shape[1:-1])
    x = pad(xp, x, window.padding, value)
    return [x[window.key(place, count)] for place in _places(window)]


def _hits(xp: Any, x: Array, y: Array, window: Window) -> list[Array]:
    """For each place of the window, where it is the first to equal y; where none before the last does, the last."""
    hits: list[Array] = []
    free: Array | None = None
    *seen, _ = _seen(xp, x, window, -math.inf)
    for values in seen:
        hit = values == y
        if free is not None:
            hit = hit & free
        hits.append(hit)
        free = ~hit if free is None else free & ~hit
    return [*hits, xp.ones_like(y, dtype=xp.bool) if free is None else free]


def to_maxima(g: Array, x: Array, y: Array, *, window: Window) -> Array:
    """Each g to the place of its window where x has its maximum y."""
    xp = raw_namespace(g)
    space = tuple(x.shape[1:-1])

    def piece(g: Array, x: Array, y: Array) -> Array:
        return _put(xp, [xp.where(hit, g, 0.0) for hit in _hits(xp, x, y, window)], window, space)

    return _map(piece, [g, x, y], x)


def at_maxima(h: Array, x: Array, y: Array, *, window: Window) -> Array:
    """From each position of the window over h, the value at the place where x has its maximum y."""
    xp = raw_namespace(h)

    def piece(h: Array, x: Array, y: Array) -> Array:
        values, hits = _seen(xp, h, window, 0.0), _hits(xp, x, y, window)
        out = values[-1]
        for value, hit in zip(values[:-1], hits[:-1], strict=True):
            out = xp.where(hit, value, out)
        return out

    return _map(piece, [h, x, y], x)


def max_places(x: Array, window: Window) -> Array:
    """The number of the place where x has its maximum."""
    xp = raw_namespace(x)
    hits = _hits(xp, x, max_pool(x, window=window), window)
    out = xp.zeros(hits[0].shape, dtype=xp.int32, device=device_of(x))
    for number, hit in enumerate(hits):
        out = out + number * xp.astype(hit, xp.int32)
    return out


def put_back(x: Array, places: Array, *, window: Window, space: tuple[int, ...]) -> Array:
    """Each x to the place of its window that is named."""
    xp = raw_namespace(x)
    parts = [xp.where(places == number, x, 0.0) for number in range(math.prod(window.size))]
    return _put(xp, parts, window, space)


def pick(h: Array, places: Array, *, window: Window) -> Array:
    """From each position of the window, the value at the place named."""
    xp = raw_namespace(h)
    out = xp.zeros(places.shape, dtype=h.dtype, device=device_of(h))
    for number, values in enumerate(_seen(xp, h, window, 0.0)):
        out = xp.where(places == number, values, out)
    return out

"""Pooling and its adjoints, for plain arrays of any library that follows the standard.

An element of the window, at all positions, is a strided slice of the input; windows are computed elementwise with
these slices.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from portanet.backends import Array, device_of, map_rows, overridable, raw_namespace
from portanet.fused.windows import Window, interleave, pad


def _map(piece: Callable[..., Array], arrays: list[Array], like: Array) -> Array:
    """Compute independent examples; `like` is the largest of the arrays."""
    return map_rows(piece, *arrays, size=2 * math.prod(like.shape[1:]))


def _elements(window: Window) -> list[tuple[int, ...]]:
    return list(itertools.product(*map(range, window.size)))


@overridable
def window_sum(x: Array, *, window: Window) -> Array:
    """The sum over the window at each position, one axis at a time."""
    xp = raw_namespace(x)
    return _map(lambda x: _along_axes(xp, pad(xp, x, window.padding), window.inside, xp.add), [x], x)


@overridable
def max_pool(x: Array, *, window: Window) -> Array:
    """The maximum over a window at each position; padding is never the maximum.

    Args:
        x: Shape (batch, *space, channels).
        window: The window, see `portanet.fused.windows.window`.

    Returns:
        Shape (batch, *positions, channels).

    Example:
        >>> import numpy as np
        >>> from portanet.fused.windows import window
        >>> max_pool(np.arange(16.0).reshape(1, 4, 4, 1), window=window((4, 4), (2, 2), 2)).reshape(2, 2)
        array([[ 5.,  7.],
               [13., 15.]])
    """
    xp = raw_namespace(x)

    def piece(x: Array) -> Array:
        return _along_axes(xp, pad(xp, x, window.padding, -math.inf), window.inside, xp.maximum)

    return _map(piece, [x], x)


def _along_axes(xp: Any, x: Array, window: Window, combine: Callable[[Array, Array], Array]) -> Array:
    for axis in range(window.rank):  # the first first: its slices are the longest runs of memory
        line = window.along(axis)
        count = line.positions(x.shape[1:-1])
        keys = [line.key(element, count) for element in _elements(line)]
        out = x[keys[0]]
        for key in keys[1:]:
            out = combine(out, x[key])
        x = out
    return x


@overridable
def window_spread(g: Array, *, window: Window, space: tuple[int, ...]) -> Array:
    """The adjoint of `window_sum`, one axis at a time."""
    xp = raw_namespace(g)

    def piece(g: Array) -> Array:
        for axis in range(window.rank):
            line = window.along(axis)
            size = (*space[: axis + 1], *g.shape[axis + 2 : -1])
            g = _put(xp, [g] * line.size[axis], line, size)
        return g

    return _map(piece, [g], g)


def _put(xp: Any, parts: list[Array], window: Window, space: tuple[int, ...]) -> Array:
    """The adjoint of slicing an input by the elements of a window: add up the parts at each position of the input.

    The positions of the input fall into classes that meet the same elements of the window; each is a sum of shifted
    parts, and the classes are interleaved.
    """
    part_of = dict(zip(_elements(window), parts, strict=True))
    first = parts[0]
    positions, counts = tuple(first.shape[1:-1]), None
    results = []
    for classes in window.classes(space):
        counts = tuple(c.count for c in classes)
        total = None
        for taps in itertools.product(*(range(len(c.elements)) for c in classes)):
            part = part_of[tuple(c.elements[t] for c, t in zip(classes, taps, strict=True))]
            margins = tuple(c.margins_of(t, m) for c, t, m in zip(classes, taps, positions, strict=True))
            part = pad(xp, part, margins)
            total = part if total is None else total + part
        if total is None:
            shape = (first.shape[0], *counts, first.shape[-1])
            total = xp.zeros(shape, dtype=first.dtype, device=device_of(first))
        results.append(total)
    return interleave(xp, results, window.strides, space)


def _values(xp: Any, x: Array, window: Window, value: float) -> list[Array]:
    """The elements of the window, each at all positions."""
    count = window.positions(x.shape[1:-1])
    x = pad(xp, x, window.padding, value)
    return [x[window.key(element, count)] for element in _elements(window)]


def _hits(xp: Any, x: Array, y: Array, window: Window) -> list[Array]:
    """For each element of the window, where it is the first to equal y; the last one where none before it does."""
    hits: list[Array] = []
    free: Array | None = None
    *candidates, _ = _values(xp, x, window, -math.inf)
    for values in candidates:
        hit = values == y
        if free is not None:
            hit = hit & free
        hits.append(hit)
        free = ~hit if free is None else free & ~hit
    return [*hits, xp.ones_like(y, dtype=xp.bool) if free is None else free]


@overridable
def to_maxima(g: Array, x: Array, y: Array, *, window: Window) -> Array:
    """Put each g where x has the maximum y of its window."""
    xp = raw_namespace(g)
    space = tuple(x.shape[1:-1])

    def piece(g: Array, x: Array, y: Array) -> Array:
        return _put(xp, [xp.where(hit, g, 0.0) for hit in _hits(xp, x, y, window)], window, space)

    return _map(piece, [g, x, y], x)


def at_maxima(h: Array, x: Array, y: Array, *, window: Window) -> Array:
    """At each position of the window, the value of h where x has its maximum y."""
    xp = raw_namespace(h)

    def piece(h: Array, x: Array, y: Array) -> Array:
        values, hits = _values(xp, h, window, 0.0), _hits(xp, x, y, window)
        out = values[-1]
        for value, hit in zip(values[:-1], hits[:-1], strict=True):
            out = xp.where(hit, value, out)
        return out

    return _map(piece, [h, x, y], x)


def max_places(x: Array, window: Window) -> Array:
    """The row-major index in the window at which x has its maximum."""
    xp = raw_namespace(x)
    hits = _hits(xp, x, max_pool(x, window=window), window)
    out = xp.zeros(hits[0].shape, dtype=xp.int32, device=device_of(x))
    for index, hit in enumerate(hits):
        out = xp.add(out, index * xp.astype(hit, xp.int32))
    return out


def put_back(x: Array, places: Array, *, window: Window, space: tuple[int, ...]) -> Array:
    """Put each x at its index in the window."""
    xp = raw_namespace(x)
    parts = [xp.where(places == index, x, 0.0) for index in range(math.prod(window.size))]
    return _put(xp, parts, window, space)


def pick(h: Array, places: Array, *, window: Window) -> Array:
    """At each position of the window, the value of h at the given index."""
    xp = raw_namespace(h)
    out = xp.zeros(places.shape, dtype=h.dtype, device=device_of(h))
    for index, values in enumerate(_values(xp, h, window, 0.0)):
        out = xp.where(places == index, values, out)
    return out

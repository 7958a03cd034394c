"""Convolution and its two adjoints, for plain arrays of any library that follows the standard.

Channels last. Only the width is unfolded, to [n, ow, H, kw*C]. In that layout the receptive field of an output row is
contiguous, so a row of outputs, for all examples of a piece, is one product of a slice with the kernel, and the height
is never copied. One axis is a height of 1; a depth goes into the channels. Pieces of the batch are computed one by
one, so that the unfolded array stays in a core's cache.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

from portanet.backends import Array, device_of, map_rows, overridable, raw_namespace
from portanet.fused.epilogues import finished
from portanet.fused.windows import Window, interleave, pad


@overridable
def convolve(
    x: Array, kernel: Array, bias: Array | None, *, window: Window, groups: int, activation: str | None = None
) -> Array:
    """The sum over the window of x times the kernel, at each position.

    Args:
        x: Shape (batch, *space, channels).
        kernel: Shape (*size, channels / groups, filters).
        bias: Shape (filters,), or None.
        window: The window, of the kernel's size.
        groups: Number of groups of channels that do not mix.
        activation: Of the result: `"relu"`, or None.

    Returns:
        Shape (batch, *positions, filters).
    """
    xp = raw_namespace(x)

    def piece(x: Array) -> Array:
        return finished(_grouped(xp, pad(xp, x, window.padding), kernel, window.inside, groups), bias, activation)

    return map_rows(piece, x, size=_size(x, window, kernel.shape[-1]))


@overridable
def convolve_input(g: Array, kernel: Array, *, window: Window, groups: int, space: tuple[int, ...]) -> Array:
    """The adjoint of `convolve` with respect to x: from cotangents of the result to an input of size `space`.

    At stride 1 it is the convolution of the padded cotangent with the flipped kernel. At stride s the inputs fall into
    s classes on each axis, each of which meets every s-th element of the kernel: a convolution at stride 1 with those
    elements. The classes are interleaved. No zero is multiplied.
    """
    xp = raw_namespace(g)
    flipped = _flipped(xp, kernel, groups)
    positions = tuple(g.shape[1:-1])
    plans = []
    for classes in window.classes(space):
        nonempty = all(len(c.elements) for c in classes)
        margins = tuple(c.margins(m) for c, m in zip(classes, positions, strict=True))
        part = flipped[(*(c.flipped(k) for c, k in zip(classes, window.size, strict=True)), ...)] if nonempty else None
        sizes, dilation = tuple(len(c.elements) for c in classes), tuple(c.spacing for c in classes)
        plans.append((margins, part, Window(sizes, (1,) * window.rank, ((0, 0),) * window.rank, dilation)))
    if set(window.strides) == {1}:
        margins, part, small = plans[0]
        return convolve(g, part, None, window=replace(small, padding=margins), groups=groups)
    counts = tuple(-(-n // s) for n, s in zip(space, window.strides, strict=True))
    channels = flipped.shape[-1]

    def piece(g: Array) -> Array:
        parts = []
        for margins, part, small in plans:
            if part is None:
                parts.append(_zeros(xp, g, (g.shape[0], *counts, channels)))
            else:
                parts.append(_grouped(xp, pad(xp, g, margins), part, small, groups))
        return interleave(xp, parts, window.strides, space)

    return map_rows(piece, g, size=_size(g, plans[0][2], channels, counts))


@overridable
def convolve_kernel(x: Array, g: Array, *, window: Window, groups: int) -> Array:
    """The adjoint of `convolve` with respect to the kernel, for an input and a cotangent of the result."""
    xp = raw_namespace(x)
    inside = window.inside

    def piece(x: Array, g: Array) -> Array:
        x = pad(xp, x, window.padding)
        if groups == 1:
            return _kernel(xp, x, g, inside)
        if groups == x.shape[-1]:
            return _depthwise_kernel(xp, x, g, inside)
        parts = zip(_split(x, groups), _split(g, groups), strict=True)
        return xp.concat([_kernel(xp, a, b, inside) for a, b in parts], axis=-1)

    return map_rows(piece, x, g, size=_size(x, window, g.shape[-1]), total=True)


# A piece of the batch, already padded


def _grouped(xp: Any, x: Array, kernel: Array, window: Window, groups: int) -> Array:
    if groups == 1:
        return _rows_of_outputs(xp, x, kernel, window)
    if groups == x.shape[-1]:
        return _depthwise(xp, x, kernel, window)
    parts = zip(_split(x, groups), _split(kernel, groups), strict=True)
    return xp.concat([_rows_of_outputs(xp, a, b, window) for a, b in parts], axis=-1)


def _split(x: Array, groups: int) -> list[Array]:
    size = x.shape[-1] // groups
    return [x[..., i * size : (i + 1) * size] for i in range(groups)]


def _rows_of_outputs(xp: Any, x: Array, kernel: Array, window: Window) -> Array:
    """The convolution of one group: one product per row of outputs."""
    batch, *space, channels = x.shape
    positions, filters = window.positions(space), kernel.shape[-1]
    if 0 in positions:
        return _zeros(xp, x, (batch, *positions, filters))
    if math.prod(window.size) == 1:  # one product over all positions
        points = x[window.key((0,) * window.rank, positions)]
        flat = xp.reshape(points, (batch * math.prod(positions), channels))
        return xp.reshape(xp.matmul(flat, xp.reshape(kernel, (channels, filters))), (batch, *positions, filters))
    x, kernel, plane = _as_plane(xp, x, kernel, window)
    batch, height, width, channels = x.shape
    (kh, kw), (oh, ow) = plane.size, plane.positions((height, width))
    # The axes must be in this order in memory before the width is unfolded: a copy of a view would keep its order.
    transposed = xp.reshape(xp.permute_dims(x, (0, 2, 1, 3)), (batch, width, height * channels))
    transposed = xp.reshape(transposed, (batch, width, height, channels))
    columns = _unfolded(xp, transposed, plane, ow)
    line = kw * channels
    columns = xp.reshape(columns, (batch * ow, height * line))
    kernel = xp.reshape(kernel, (kh * line, filters))
    rows = []
    for h in range(oh):
        start = h * plane.strides[0] * line
        if plane.dilation[0] == 1:
            field = columns[:, start : start + kh * line]
        else:
            starts = [start + i * plane.dilation[0] * line for i in range(kh)]
            field = xp.concat([columns[:, s : s + line] for s in starts], axis=1)
        rows.append(xp.reshape(xp.matmul(field, kernel), (batch, ow, filters)))
    return xp.reshape(xp.stack(rows, axis=1), (-1, *positions, filters))


def _unfolded(xp: Any, x: Array, plane: Window, count: int) -> Array:
    """The elements of the window along the width, on a new axis before the last, for x of shape (_, width, _, _)."""
    s, d = plane.strides[1], plane.dilation[1]
    return xp.stack([x[:, j * d : j * d + s * (count - 1) + 1 : s, ...] for j in range(plane.size[1])], axis=3)


def _as_plane(xp: Any, x: Array, kernel: Array | None, window: Window) -> tuple[Array, Any, Window]:
    """The same convolution over two axes: one axis gets a height of 1; a depth goes into the batch and the channels."""
    if window.rank == 2:
        return x, kernel, window
    if window.rank == 1:
        line = Window((1, *window.size), (1, *window.strides), ((0, 0), *window.padding), (1, *window.dilation))
        up = None if kernel is None else xp.expand_dims(kernel, axis=0)
        return xp.expand_dims(x, axis=1), up, line
    batch, depth, height, width, channels = x.shape
    kd, s, d = window.size[0], window.strides[0], window.dilation[0]
    count = window.positions((depth, height, width))[0]
    levels = [x[:, i * d : i * d + s * (count - 1) + 1 : s, ...] for i in range(kd)]
    x = xp.reshape(xp.stack(levels, axis=4), (batch * count, height, width, kd * channels))
    if kernel is not None:
        _, kh, kw, inputs, filters = kernel.shape
        kernel = xp.reshape(xp.permute_dims(kernel, (1, 2, 0, 3, 4)), (kh, kw, kd * inputs, filters))
    return x, kernel, Window(window.size[1:], window.strides[1:], window.padding[1:], window.dilation[1:])


def _depthwise(xp: Any, x: Array, kernel: Array, window: Window) -> Array:
    """The convolution where each channel is a group: elementwise, one element of the window at a time."""
    batch, *space, channels = x.shape
    count = window.positions(space)
    times = kernel.shape[-1] // channels
    out = _zeros(xp, x, (batch, *count, channels, times))
    for element in itertools.product(*map(range, window.size)):
        points = xp.expand_dims(x[window.key(element, count)], axis=-1)
        out += points * xp.reshape(kernel[(*element, ...)], (channels, times))
    return xp.reshape(out, (batch, *count, channels * times))


def _kernel(xp: Any, x: Array, g: Array, window: Window) -> Array:
    """The kernel's cotangent for one group: one product over all positions per row of the kernel."""
    channels, filters = x.shape[-1], g.shape[-1]
    positions = math.prod(g.shape[:-1])
    if positions == 0:
        return _zeros(xp, x, (*window.size, channels, filters))
    if math.prod(window.size) == 1:
        points = xp.reshape(x[window.key((0,) * window.rank, tuple(g.shape[1:-1]))], (positions, channels))
        out = xp.matmul(xp.matrix_transpose(points), xp.reshape(g, (positions, filters)))
        return xp.reshape(out, (*window.size, channels, filters))
    x, _, plane = _as_plane(xp, x, None, window)
    batch, height, width, inputs = x.shape
    (kh, kw), (oh, ow) = plane.size, plane.positions((height, width))
    g = xp.permute_dims(xp.reshape(g, (batch, oh, ow, filters)), (1, 0, 2, 3))
    g = xp.reshape(g, (positions, filters))
    # Rows first, so that those that a row of the kernel sees are contiguous.
    transposed = xp.reshape(xp.permute_dims(x, (1, 0, 2, 3)), (height * batch, width, 1, inputs))
    columns = xp.reshape(_unfolded(xp, transposed, plane, ow), (height, batch * ow, kw * inputs))
    s, d = plane.strides[0], plane.dilation[0]
    out = []
    for i in range(kh):
        field = columns[i * d : i * d + s * (oh - 1) + 1 : s, ...]
        out.append(xp.matmul(xp.matrix_transpose(xp.reshape(field, (positions, kw * inputs))), g))
    out = xp.reshape(xp.stack(out), (kh, kw, inputs, filters))
    if window.rank < 3:
        return xp.reshape(out, (*window.size, channels, filters))
    kd = window.size[0]
    return xp.permute_dims(xp.reshape(out, (kh, kw, kd, channels, filters)), (2, 0, 1, 3, 4))


def _depthwise_kernel(xp: Any, x: Array, g: Array, window: Window) -> Array:
    """The kernel's cotangent where each channel is a group."""
    channels, count = x.shape[-1], tuple(g.shape[1:-1])
    g = xp.reshape(g, (*g.shape[:-1], channels, g.shape[-1] // channels))
    axes = tuple(range(len(count) + 1))
    out = [
        xp.sum(xp.expand_dims(x[window.key(element, count)], axis=-1) * g, axis=axes)
        for element in itertools.product(*map(range, window.size))
    ]
    return xp.reshape(xp.stack(out), (*window.size, 1, -1))


def _flipped(xp: Any, kernel: Array, groups: int) -> Array:
    """The adjoint's kernel: spatial axes flipped, inputs and filters exchanged within each group."""
    rank = len(kernel.shape) - 2
    kernel = xp.flip(kernel, axis=tuple(range(rank)))
    size, inputs, filters = tuple(kernel.shape[:rank]), kernel.shape[-2], kernel.shape[-1] // groups
    if groups > 1:
        kernel = xp.reshape(kernel, (*size, inputs, groups, filters))
        kernel = xp.permute_dims(kernel, (*range(rank), rank + 2, rank + 1, rank))
        return xp.reshape(kernel, (*size, filters, groups * inputs))
    return xp.matrix_transpose(kernel)


def _zeros(xp: Any, like: Array, shape: tuple[int, ...]) -> Array:
    return xp.zeros(shape, dtype=like.dtype, device=device_of(like))


def _size(x: Array, window: Window, filters: int, counts: tuple[int, ...] | None = None) -> int:
    """Elements per example, unfolded and in the result."""
    counts = counts or window.positions(x.shape[1:-1])
    depth = window.size[0] * counts[0] if window.rank == 3 else 1
    height = x.shape[-3] if window.rank > 1 else 1
    unfolded = depth * height * counts[-1] * window.size[-1] * x.shape[-1]
    return int(unfolded + math.prod(counts) * filters)

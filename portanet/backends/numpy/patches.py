"""Convolution on NumPy as one product over patches: what each position of the window sees, in a row of its own.

All patches are gathered by one copy of a strided view, whatever the number of elements of the window: with long kernels
or few positions, most of the time would otherwise go to calls. The channels of each group are separate products.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.threads import map_rows

LARGEST = 2**18
"""Elements of all patches, which are gathered up to here; more leave the cache, and other plans copy fewer."""
RUNS = 2**16
"""Likewise the runs of neighbouring elements that are copied."""
LONG = 16
"""Elements of the window from which on patches along one axis are always gathered: the definition copies as much."""
CHANNELWISE = 2**13
"""Elements of the output up to which patches of one channel each are gathered: elementwise products gather nothing."""


class Patches:
    """What does not depend on values: the patches of an example of a shape (*space, channels).

    Attributes:
        positions: The number of positions of the window on each axis.
        padded: The shape of an example with its margins; None if there are none.
        seen, inside: What of an input is seen, and where it is in a padded one.
    """

    def __init__(self, shape: tuple[int, ...], window: Any, groups: int) -> None:
        *space, channels = shape
        self.channels: int = channels
        self.window, self.groups = window, groups
        self.positions: tuple[int, ...] = window.positions(space)
        self.count: int = math.prod(self.positions)
        self.taps: int = math.prod(window.size)
        each = channels // groups
        self.size = self.count * self.taps * self.channels
        margins = window.padding
        padded = [max(0, n + a + b) for n, (a, b) in zip(space, margins, strict=True)]
        self.padded = (*padded, self.channels) if any(map(any, margins)) else None
        axes = list(zip(space, padded, margins, strict=True))
        self.seen = (slice(None), *(slice(max(0, -a), n - max(0, -b)) for n, _, (a, b) in axes))
        self.inside = (slice(None), *(slice(max(0, a), n - max(0, b)) for _, n, (a, b) in axes))
        steps = [self.channels * math.prod(padded[i:]) for i in range(1, len(padded) + 1)]
        self._example = self.channels * math.prod(padded)
        by_position = (n * s for n, s in zip(steps, window.strides, strict=True))
        by_element = (n * d for n, d in zip(steps, window.dilation, strict=True))
        self._shape = (*self.positions, *window.size, groups, each)
        self._strides = (*by_position, *by_element, each, 1)
        self._run: int = window.size[-1] * each if window.dilation[-1] == 1 else each

    def suit(self, batch: int, filters: int) -> bool:
        """Whether they are the faster plan for a convolution and for the gradient of its kernel.

        Measured on grids of shapes, with one to three axes.
        """
        size = batch * self.size
        if not size:
            return False
        if self.groups == self.channels > 1:
            return filters > self.groups or batch * self.count * self.channels < CHANNELWISE
        if size < LARGEST:
            return size < RUNS * self._run
        return len(self.positions) == self.groups == 1 and self.taps >= LONG

    def suit_input(self, batch: int, filters: int) -> bool:
        """Whether they are the faster plan for the gradient of the input.

        The definition computes inputs class by class, as many as the product of the strides; for the one class of
        stride 1 it flips the kernel, which may be larger than all else.
        """
        window = self.window
        classes: int = math.prod(window.strides)
        if min(before for before, _ in window.padding) < 0 or not self.suit(batch, filters):
            return False
        if classes == 1:
            return batch * self.count < filters
        axes = zip(window.size, window.strides, window.dilation, strict=True)
        blocks: int = math.prod(-(-k // s) if d == 1 else k for k, s, d in axes)
        return blocks <= 8 * classes and (batch * self.size < LARGEST or self.channels <= filters)

    def of(self, x: Array) -> Array:
        """Shape (groups, batch * positions, elements of the window * channels of a group)."""
        batch = x.shape[0]
        if self.padded is None:
            x = np.ascontiguousarray(x)
        else:
            x, inner = np.zeros((batch, *self.padded), dtype=x.dtype), x[self.seen]
            x[self.inside] = inner
        view = self.view(x)
        if self.groups > 1:
            view = np.moveaxis(view, -2, 0)
        return view.reshape(self.groups, batch * self.count, -1)

    def view(self, x: Array) -> Array:
        """The patches of contiguous, padded inputs, shape (batch, *positions, *size, groups, channels of a group)."""
        strides = tuple([n * x.itemsize for n in (self._example, *self._strides)])
        return np.ndarray((x.shape[0], *self._shape), x.dtype, x, 0, strides)


@functools.lru_cache(maxsize=1024)
def patches_of(shape: tuple[int, ...], window: Any, groups: int) -> Patches:
    """The `Patches` of an example."""
    return Patches(shape, window, groups)


def convolve(x: Array, kernel: Array, bias: Array | None, patches: Patches, activation: str | None = None) -> Array:
    """The convolution."""
    groups, filters = patches.groups, kernel.shape[-1]
    matrices = _by_group(kernel, groups)

    def piece(x: Array) -> Array:
        out = np.matmul(patches.of(x), matrices)
        out = (out if groups == 1 else out.swapaxes(0, 1)).reshape(x.shape[0], *patches.positions, filters)
        if bias is not None:
            out += bias
        if activation is not None:
            np.maximum(out, 0.0, out=out)
        return out

    return map_rows(piece, (x,), patches.size + patches.count * filters)


def convolve_kernel(x: Array, g: Array, patches: Patches) -> Array:
    """The adjoint with respect to the kernel."""
    groups, filters = patches.groups, g.shape[-1]

    def piece(x: Array, g: Array) -> Array:
        g = g.reshape(-1, groups, filters // groups).swapaxes(0, 1)
        out = np.matmul(patches.of(x).swapaxes(1, 2), g)
        return out.swapaxes(0, 1).reshape(*patches.window.size, -1, filters)

    return map_rows(piece, (x, g), patches.size, total=True)


def convolve_input(g: Array, kernel: Array, patches: Patches, space: tuple[int, ...]) -> Array:
    """The adjoint with respect to the input: the cotangents of patches, summed where these overlap."""
    groups, filters, window = patches.groups, g.shape[-1], patches.window
    matrices = _by_group(kernel, groups).swapaxes(1, 2)
    axes = [
        _Axis(*sizes)
        for sizes in zip(
            space, window.size, window.strides, window.dilation, window.padding, patches.positions, strict=True
        )
    ]
    rank, channels = len(axes), patches.channels
    order = (0, *itertools.chain.from_iterable((1 + i, 1 + rank + i) for i in range(rank)), 1 + 2 * rank)
    kept = (slice(None), *(slice(axis.before, axis.before + axis.size) for axis in axes))

    def piece(g: Array) -> Array:
        rows = g.reshape(-1, groups, filters // groups).swapaxes(0, 1)
        seen = np.matmul(rows, matrices)
        if groups > 1:
            seen = seen.reshape(groups, rows.shape[1], patches.taps, -1).transpose(1, 2, 0, 3)
        seen = seen.reshape(g.shape[0], *patches.positions, *window.size, channels).transpose(order)
        out = np.zeros((g.shape[0], *(n for a in axes for n in (a.steps, a.stride)), channels), dtype=seen.dtype)
        for blocks in itertools.product(*(axis.blocks for axis in axes)):
            to = (slice(None), *(part for block in blocks for part in block[:2]))
            out[to] += seen[(slice(None), *(part for block in blocks for part in (slice(None), block[2])))]
        return out.reshape(g.shape[0], *(axis.steps * axis.stride for axis in axes), channels)[kept]

    return map_rows(piece, (g,), patches.size)


class _Axis:
    """An axis of the input, seen as (steps, stride), to which elements of the window are added in blocks.

    Attributes:
        blocks: Per block the slices of steps and within a stride, and that of the elements added there.
    """

    def __init__(
        self, size: int, elements: int, stride: int, dilation: int, margins: tuple[int, int], positions: int
    ) -> None:
        self.size, self.stride, self.before = size, stride, margins[0]
        self.steps = max(-(-(self.before + size) // stride), positions + (elements - 1) * dilation // stride)
        self.blocks = []
        length = stride if dilation == 1 else 1
        for first in range(0, elements, length):
            step, offset = divmod(first * dilation, stride)
            last = min(first + length, elements)
            within = slice(offset, offset + last - first)
            self.blocks.append((slice(step, step + positions), within, slice(first, last)))


def _by_group(kernel: Array, groups: int) -> Array:
    """The kernel as matrices (groups, elements of the window * channels of a group, filters of a group)."""
    filters = kernel.shape[-1]
    if groups == 1:
        return kernel.reshape(1, -1, filters)
    return kernel.reshape(-1, groups, filters // groups).swapaxes(0, 1)

"""What a convolution of images on NumPy sees, piece by piece: geometry, copies of rows, and views of columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from portanet.backends.base import Array
from portanet.backends.numpy import winograd
from portanet.backends.numpy.memory import aligned
from portanet.backends.numpy.threads import multiplies_directly, slices

PIECE = 2**22
"""Bytes of a piece: what it sees, side by side, and its results."""
FEW_CHANNELS = 8
"""Channels of the input below which products are too small for fewer of them to pay."""
LARGE = 2**15
"""Numbers of a matrix that few rows are not multiplied by column after column: they are joined, by a copy."""
DIRECT = 10**6
"""Multiplications of a product up to which OpenBLAS reads its operands where they are, if it does so at all: faster by
half than after copies of them.
"""
FEW_ROWS = 8
"""Rows of outputs below which a product is not worth a call."""
NARROW = 16
"""Columns of outputs that are not divided among pieces: those on the border are seen by both neighbours."""


@dataclass(frozen=True)
class Plane:
    """A convolution of images (batch, height, width, channels), with the width not dilated."""

    space: tuple[int, int, int]
    filters: int
    size: tuple[int, int]
    strides: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: int
    positions: tuple[int, int]
    dtype: np.dtype[Any]

    @property
    def in_pairs(self) -> bool:
        """Whether two rows of outputs are computed at once; in half precision, sums of rows lose too much."""
        suits = self.size[0] == 3 and self.strides[0] == self.dilation == 1 < self.positions[0]
        return suits and self.space[2] >= FEW_CHANNELS and self.dtype.kind == "f" and self.dtype.itemsize > 2

    def pieces(self, batch: int, multiplied: bool) -> list[tuple[slice, slice]]:
        """Examples and columns of outputs of each piece, some four of them in small batches.

        Args:
            batch: The number of examples.
            multiplied: Whether what they see is multiplied by matrices.
        """
        (_, width, channels), (oh, ow) = self.space, self.positions
        seen, results = oh * width * channels, oh * ow * self.filters
        each = (3 * (seen + results) if self.in_pairs else seen * self.size[0] + results) * self.dtype.itemsize
        size = min(PIECE, max(PIECE // 4, each * batch // 4)) // each
        rows = winograd.pairs(oh) if self.in_pairs else oh
        if multiplied and self._directly(rows):
            size = min(size, DIRECT // (rows * self._line * self.filters))
        examples = _even(batch, -(-batch // max(1, size)))
        columns = _even(ow, 1 if size else min(-(-each // PIECE), max(1, ow // NARROW)))
        return [(part, area) for part in examples for area in columns]

    def in_sums(self, x: Array, columns: slice) -> Array:
        """The sums of rows that pairs of rows of outputs see, see `winograd`: (4, examples, n, width * channels)."""
        before, inside, width = self._columns_seen(columns)
        x = x[:, :, inside]
        out = aligned((4, len(x), winograd.pairs(self.positions[0]), width, x.shape[3]), x.dtype)
        after = before + x.shape[2]
        out[..., :before, :] = 0
        out[..., after:, :] = 0
        winograd.of_inputs(x, self.padding[0][0], out[..., before:after, :])
        return out.reshape(*out.shape[:3], -1)

    def side_by_side(self, x: Array, columns: slice) -> Array:
        """What each row of outputs of a piece sees: (examples, rows, width * rows of the kernel * channels)."""
        batch, height, _, channels = x.shape
        (kh, _), stride, (oh, _) = self.size, self.strides[0], self.positions
        before, inside, width = self._columns_seen(columns)
        x = x[:, :, inside]
        out = np.empty((batch, oh, width, kh, channels), dtype=x.dtype)
        for i in range(kh):
            first = i * self.dilation - self.padding[0][0]  # the row of x that the first row of outputs sees
            low = min(oh, max(0, -(first // stride)))
            high = max(low, min(oh, (height - 1 - first) // stride + 1))
            out[:, :low, :, i] = 0
            out[:, high:, :, i] = 0
            if low < high:
                rows = x[:, first + low * stride : first + (high - 1) * stride + 1 : stride]
                _fill(out[:, low:high, :, i], before, rows)
        return out.reshape(batch, oh, -1)

    def columns(self, seen: Array) -> Array:
        """What each column of outputs sees in each row, a view (k, columns, rows, kernel elements * channels)."""
        groups, rows = seen.shape[0], seen.shape[1] * seen.shape[2]
        seen = seen.reshape(groups, rows, -1)
        group, row, one = seen.strides
        step = self._line // self.size[1] * self.strides[1]
        count = (seen.shape[2] - self._line) // step + 1
        return as_strided(seen, (groups, count, rows, self._line), (group, step * one, row, one), writeable=False)

    def products(self, seen: Array, matrices: Array, out: Array) -> None:
        """Columns times matrices, for each of k of them, to a view (k, examples, rows, columns * filters)."""
        columns = self.columns(seen)
        groups, count, rows = columns.shape[:3]
        shape = (groups, count, rows, self.filters)
        strides = (out.strides[0], self.filters * out.itemsize, out.strides[2], out.itemsize)
        target = as_strided(out, shape, strides)
        if self._joins(rows) and not self._directly(rows):
            target[...] = np.matmul(_joined(columns), matrices[:, 0]).reshape(shape)
        else:
            np.matmul(columns, matrices, out=target)

    def sums(self, seen: Array, gs: Array) -> Array:
        """The adjoint of `products` with respect to the matrices: (k, kernel elements * channels, filters)."""
        columns = self.columns(seen)
        groups, count, rows = columns.shape[:3]
        gs = gs.reshape(groups, rows, count, self.filters).swapaxes(1, 2)
        if self._joins(rows):
            return np.matmul(_joined(columns).swapaxes(1, 2), _joined(gs))
        return np.matmul(columns.swapaxes(2, 3), gs).sum(axis=1)

    @property
    def _line(self) -> int:
        """Numbers that an output is the product of."""
        return self.size[1] * self.space[2] * (1 if self.in_pairs else self.size[0])

    def _joins(self, rows: int) -> bool:
        """Whether all columns are multiplied at once, of so many rows each."""
        return rows < self.space[2] and self._line * self.filters > LARGE

    def _directly(self, rows: int) -> bool:
        """Whether columns of so many rows are multiplied where they are, however large the matrix."""
        return rows >= FEW_ROWS and rows * self._line * self.filters <= DIRECT and multiplies_directly()

    def _columns_seen(self, columns: slice) -> tuple[int, slice, int]:
        """Of columns of outputs: margin before what they see, what they see of the input, and the number of all."""
        left, stride = self.padding[1][0], self.strides[1]
        first = columns.start * stride - left
        width = (columns.stop - columns.start - 1) * stride + self.size[1]
        return max(0, -first), slice(max(0, first), max(0, first + width)), width


def as_plane(
    x: Array, other: Array, filters: int, window: Any, groups: int, positions: tuple[int, ...]
) -> Plane | None:
    """The convolution of x, by or with another array, as one of images, if it is one that this layout suits."""
    if window.rank > 2 or groups > 1 or max(window.size) == 1 or 0 in x.shape or 0 in positions:
        return None
    line = (1,) * (2 - window.rank)  # one axis is the height of an image
    (oh, ow), padding, dilation = positions + line, window.padding + ((0, 0),) * len(line), window.dilation + line
    if dilation[1] > 1 or min(map(min, padding)) < 0 or 4 * oh < ow:  # short columns make small products
        return None
    space, size, strides = x.shape[1:-1] + line + x.shape[-1:], window.size + line, window.strides + line
    return Plane(space, filters, size, strides, padding, dilation[0], (oh, ow), np.result_type(x, other))


def _joined(columns: Array) -> Array:
    """All columns as one, a copy."""
    return columns.reshape(columns.shape[0], -1, columns.shape[3])


def _even(count: int, parts: int) -> list[slice]:
    """Slices of nearly the same size."""
    return slices(count, -(-count // parts))


def _fill(out: Array, before: int, x: Array) -> None:
    """Write x to columns of `out`, and zeros around."""
    out[:, :, :before] = 0
    out[:, :, before : before + x.shape[2]] = x
    out[:, :, before + x.shape[2] :] = 0

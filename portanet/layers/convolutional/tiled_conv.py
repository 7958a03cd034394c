"""Convolutions with several kernels that alternate from position to position."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.convolution import conv_nd
from portanet.fused.windows import interleave, pad
from portanet.layers.convolutional.conv import Conv


class _TiledConv(Conv):
    def __init__(self, filters: int, kernel_size: int | Sequence[int], tiles: int | Sequence[int], **options: Any):
        super().__init__(filters, kernel_size, **options)
        self.tiles = checks.integers("tiles", tiles, self.rank, self, least=1)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.kernel = self.add_weight(
            shape=(*self.tiles, *self.kernel_size, channels // self.groups, self.filters),
            initializer=self._initialize,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias((*self.tiles, self.filters))

    def _initialize(self, shape: tuple[int, ...], generator: Any) -> Any:
        """Draw the initial values of all kernels."""
        single = shape[self.rank :]
        kernels = self.kernel_initializer((*single[:-1], single[-1] * math.prod(self.tiles)), generator)
        kernels = kernels.reshape(*single[:-1], *self.tiles, single[-1])
        last = len(kernels.shape) - 1
        first = last - self.rank
        return kernels.transpose(*range(first, last), *range(first), last)

    def call(self, x: Array) -> Array:
        kernels = self.kernel.value
        x, windows = self.padded(self.channels_last_input(x, kernels))
        xp = array_namespace(x, kernels)
        counts = windows.positions(x.shape[1:-1])
        # Every kernel moves by as many strides as there are kernels; the last ones may extend beyond the end.
        tile_counts = tuple(-(-n // t) for n, t in zip(counts, self.tiles, strict=True))
        strides = tuple(s * t for s, t in zip(self.strides, self.tiles, strict=True))
        missing = [
            max(0, (n * t - 1) * s + span - (size + before + after))
            for n, t, s, span, size, (before, after) in zip(
                tile_counts, self.tiles, self.strides, windows.spans, x.shape[1:-1], windows.padding, strict=True
            )
        ]
        padding = tuple((b, a + extra) for (b, a), extra in zip(windows.padding, missing, strict=True))
        padded = pad(xp, x, padding)
        parts = []
        for tile in itertools.product(*map(range, self.tiles)):
            starts = [i * s for i, s in zip(tile, self.strides, strict=True)]
            stops = [
                start + (n - 1) * s + span
                for start, n, s, span in zip(starts, tile_counts, strides, windows.spans, strict=True)
            ]
            part = padded[(slice(None), *map(slice, starts, stops), ...)]
            bias = self.bias.value[(*tile, ...)] if self.use_bias else None
            parts.append(conv_nd(part, kernels[(*tile, ...)], bias, strides, "valid", self.dilation_rate, self.groups))
        return self.activated_output(interleave(array_namespace(*parts), parts, self.tiles, counts))


class TiledConv1D(_TiledConv):
    """Like `Conv1D` with several kernels that alternate from step to step (Gregor and LeCun 2010; Le et al. 2010).

    Args:
        filters: Channels of the output.
        kernel_size: Length of each kernel.
        tiles: Number of kernels; position i has kernel `i % tiles`. One per position makes it locally connected.
        **options: The other arguments of `Conv1D`, by name.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.TiledConv1D(4, 3, tiles=2)(np.ones((2, 10, 3), dtype="float32")).shape
        (2, 8, 4)
    """

    rank = 1


class TiledConv2D(_TiledConv):
    """Like `Conv2D` with several kernels that alternate from position to position (Gregor and LeCun 2010).

    Args:
        filters: Channels of the output.
        kernel_size: Height and width of each kernel, or one number for both.
        tiles: Number of kernels on each axis; position (i, j) has kernel `(i % tiles[0], j % tiles[1])`.
        **options: The other arguments of `Conv2D`, by name.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.TiledConv2D(4, 3, tiles=(2, 1))(np.ones((2, 5, 6, 3), dtype="float32")).shape
        (2, 3, 4, 4)
    """

    rank = 2

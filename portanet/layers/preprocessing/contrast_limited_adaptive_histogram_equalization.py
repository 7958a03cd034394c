"""Equalization of histograms by parts of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, stop_gradient, storage
from portanet.backends import Array, array_like, device_of
from portanet.layers.preprocessing.color_augmentation import BYTES, scaled, value_range_of
from portanet.layers.preprocessing.equalization import counted
from portanet.layers.preprocessing.image_layer import ImageLayer

BINS = 256


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalize the histogram of each channel by tiles; as `keras.layers.ContrastLimitedAdaptiveHistogramEqualization`.

    In training and at inference. Source: K. Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems
    IV, 1994.

    Args:
        value_range: Smallest and largest value of pixels.
        clip_limit: How often a value may count, in multiples of the mean; what is beyond is spread over all values. 0
            for no limit.
        tile_grid_size: Number of tiles along the height and the width.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point; without derivative.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0, tile_grid_size=(1, 1))
        >>> layer(np.asarray([[[[10.0], [11.0], [13.0]]]])).ravel()
        array([ 85., 170., 255.])
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(data_format, **options)
        self.value_range = value_range_of(value_range, self)
        self.clip_limit = checks.non_negative("clip_limit", clip_limit, self)
        self.tile_grid_size = checks.integers("tile_grid_size", tile_grid_size, 2, self, least=1)

    def transformed(self, x: Array, transformation: Any) -> Array:
        xp = array_namespace(x)
        values = xp.clip(scaled(stop_gradient(x), self.value_range, BYTES), 0.0, 255.0)
        for axis, parts in ((1, self.tile_grid_size[0]), (2, self.tile_grid_size[1])):
            values = _mirrored(values, axis, -values.shape[axis] % parts)
        bins = xp.astype(values, xp.int32)
        result = self._interpolated(bins, self._tables(bins))[:, : x.shape[1], : x.shape[2], :]
        return scaled(xp.astype(result, x.dtype, copy=False), BYTES, self.value_range)

    def at_inference(self, x: Array) -> Array:
        return self.transformed(x, None)

    def _tables(self, bins: Array) -> Array:
        """New values by tile, shape (batch, rows, columns, channels, 256)."""
        xp = array_namespace(bins)
        batch, h, w, channels = bins.shape
        rows, columns = self.tile_grid_size
        size = (h // rows) * (w // columns)
        tiles = xp.reshape(bins, (batch, rows, h // rows, columns, w // columns, channels))
        tiles = xp.reshape(xp.permute_dims(tiles, (0, 1, 3, 5, 2, 4)), (batch * rows * columns * channels, size))
        number = xp.arange(tiles.shape[0], dtype=bins.dtype, device=device_of(storage(bins)))
        ordered = xp.sort(xp.reshape(tiles + number[:, None] * BINS, (-1,)))
        below = xp.reshape(counted(ordered, tiles.shape[0] * BINS), (tiles.shape[0], BINS))
        below = below - xp.astype(number, xp.float32)[:, None] * size
        if self.clip_limit > 0:
            counts = below - xp.concat([xp.zeros_like(below[:, :1]), below[:, :-1]], axis=1)
            clipped = xp.clip(counts, 0.0, self.clip_limit * size / BINS)
            below = xp.cumulative_sum(clipped + xp.mean(counts - clipped, axis=1, keepdims=True), axis=1)
        low = below[:, :1]
        rest = size - low
        tables = xp.clip((below - low) * 255.0 / xp.where(rest == 0, 1.0, rest), 0.0, 255.0)
        return xp.reshape(tables, (batch, rows, columns, channels, BINS))

    def _interpolated(self, bins: Array, tables: Array) -> Array:
        """The new values of pixels, between those of the four tiles whose centers are next to them."""
        xp = array_namespace(bins)
        plain = {"dtype": bins.dtype, "device": device_of(storage(bins))}
        batch, h, w, channels = bins.shape
        rows, columns = self.tile_grid_size
        corners = []
        for size, parts in ((h, rows), (w, columns)):
            tile = size // parts
            place = (xp.astype(xp.arange(size, **plain), xp.float32) - tile / 2) / tile
            low = xp.floor(place)
            ends = [xp.astype(xp.clip(low + i, 0.0, parts - 1.0), bins.dtype) for i in (0.0, 1.0)]
            corners.append((ends, (1.0 - (place - low), place - low)))
        examples = xp.reshape(xp.arange(batch, **plain), (-1, 1, 1, 1))
        channel = xp.arange(channels, **plain)
        flat, total = xp.reshape(tables, (-1,)), None
        for row, down in zip(*corners[0], strict=True):
            for column, across in zip(*corners[1], strict=True):
                place = (examples * rows + row[:, None, None]) * columns + column[:, None]
                place = (place * channels + channel) * BINS + bins
                value = xp.reshape(xp.take(flat, xp.reshape(place, (-1,))), place.shape)
                value = value * (down[:, None, None] * across[:, None])
                total = value if total is None else total + value
        return total


def _mirrored(x: Array, axis: int, count: int) -> Array:
    """An array with elements added at the end of an axis: the last ones in reverse, as often as necessary."""
    xp = array_namespace(x)
    size = x.shape[axis]
    places = [i if i < size else 2 * size - 1 - i for i in (j % (2 * size) for j in range(size + count))]
    return xp.take(x, array_like(storage(x), places), axis=axis) if count else x

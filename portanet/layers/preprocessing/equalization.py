"""Equalization of the histograms of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, stop_gradient, storage
from portanet.backends import Array, device_of
from portanet.distribution.share import over_batch
from portanet.layers.preprocessing.color_augmentation import BYTES, scaled, value_range_of
from portanet.layers.preprocessing.image_layer import ImageLayer


class Equalization(ImageLayer):
    """In training, map the values of each channel so that all are about as frequent; as `keras.layers.Equalization`.

    As in Keras, a channel's histogram is that of the whole batch.

    Args:
        value_range: Smallest and largest value of pixels.
        bins: Number of the histogram's bins.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point; without derivative.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Equalization()(np.asarray([[[[10.0], [11.0], [13.0]]]]), training=True).ravel()
        array([  0., 128., 255.])
    """

    def __init__(
        self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(data_format, **options)
        self.value_range = value_range_of(value_range, self)
        self.bins = checks.positive_int("bins", bins, self)

    def transformed(self, x: Array, transformation: Any) -> Array:
        xp = array_namespace(x)
        channels = [self._equalized(x[..., i]) for i in range(x.shape[-1])]
        return xp.stack(channels, axis=-1)

    def _equalized(self, channel: Array) -> Array:
        x = scaled(stop_gradient(channel), self.value_range, BYTES)
        xp = array_namespace(x)
        bins = xp.astype(xp.clip(x / 255.0 * (self.bins - 1), 0.0, self.bins - 1.0), xp.int32)
        flat = xp.reshape(bins, (-1,))
        counts = over_batch(counted(xp.sort(flat), self.bins))
        first = xp.min(xp.where(counts > 0, counts, counts[-1]))  # the number of values in the lowest bin in use
        rest = counts[-1] - first
        table = xp.round((counts - first) * 255.0 / xp.where(rest > 0, rest, 1.0))
        equalized = xp.reshape(xp.take(xp.clip(table, 0.0, 255.0), flat), x.shape)
        return scaled(xp.where(rest > 0, xp.astype(equalized, x.dtype, copy=False), x), BYTES, self.value_range)


def counted(ordered: Array, bins: int) -> Array:
    """How many of some integers, in ascending order, are at most 0, 1, 2, ..., `bins` - 1; in float32."""
    xp = array_namespace(ordered)
    steps = xp.arange(bins, dtype=ordered.dtype, device=device_of(storage(ordered)))
    return xp.astype(xp.searchsorted(ordered, steps, side="right"), xp.float32)

"""Images stretched to the whole range of values."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import UNIT, scaled, value_range_of
from portanet.layers.preprocessing.image_layer import ImageLayer


class AutoContrast(ImageLayer):
    """Stretch each channel of each image to the whole range of values; as `keras.layers.AutoContrast`.

    In training and at inference. Channels of one value remain.

    Args:
        value_range: Smallest and largest value of pixels.
        **options: `data_format` (`"channels_last"` by default); `name`, `trainable`, `dtype`, `activity_regularizer` of
            `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AutoContrast()(np.asarray([[[[20.0], [21.0], [30.0]]]])).ravel()
        array([  0. ,  25.5, 255. ])
    """

    def __init__(self, value_range: Any = (0, 255), **options: Any) -> None:
        super().__init__(**options)
        self.value_range = value_range_of(value_range, self)

    def transformed(self, x: Array, transformation: Any) -> Array:
        xp = array_namespace(x)
        low, high = xp.min(x, axis=(1, 2), keepdims=True), xp.max(x, axis=(1, 2), keepdims=True)
        flat = high == low
        stretched = (x - low) / xp.where(flat, 1.0, high - low)
        return xp.where(flat, x, scaled(stretched, UNIT, self.value_range))

    def at_inference(self, x: Array) -> Array:
        return self.transformed(x, None)

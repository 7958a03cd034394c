"""Centres of images."""

from __future__ import annotations

from portanet.backends import Array
from portanet.layers.preprocessing.sized_image_layer import SizedImageLayer, central


class CenterCrop(SizedImageLayer):
    """Crop images to their centre, also at inference; as `keras.layers.CenterCrop`.

    Of an image that is smaller than the output, the largest window with the aspect ratio of the output is resized.

    Args:
        height: Height of the output.
        width: Width of the output.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, rows, columns, channels), or one image (rows, columns, channels); any dtype. Output: shape
    (batch, height, width, channels) or (height, width, channels), floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.CenterCrop(2, 1)(np.arange(12.0).reshape(1, 4, 3, 1)).ravel()
        array([4., 7.])
    """

    def of_size(self, x: Array, interpolation: str) -> Array:
        return central(x, self.height, self.width, interpolation)

"""Random crops of images."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation
from portanet.layers.preprocessing.sized_image_layer import SizedImageLayer, central, fits


class RandomCrop(ImageAugmentation, SizedImageLayer):
    """In training, crop a window at a random position of each image; at inference, at the centre.

    As `keras.layers.RandomCrop`, but with a position per example. Smaller images are resized: the largest window of the
    same aspect ratio, from the centre.

    Args:
        height: Height of the window.
        width: Width of the window.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, rows, columns, channels). Output: shape (batch, height, width, channels), floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomCrop(2, 1)(np.arange(12.0).reshape(1, 4, 3, 1), training=False).ravel()
        array([4., 7.])
    """

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, height=height, width=width, **options)

    def of_size(self, x: Array, interpolation: str) -> Array:
        return central(x, self.height, self.width, interpolation)

    def transformation(self, x: Array) -> Any:
        if not fits(x, self.height, self.width):
            return None
        starts = []
        for margin in (x.shape[1] - self.height, x.shape[2] - self.width):
            first = self.uniform(x, (x.shape[0], 1, 1), 0.0, margin + 1.0)
            xp = array_namespace(first)
            starts.append(xp.minimum(xp.floor(first), float(margin)))  # the product may have been rounded up
        return {"starts": starts}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self._cropped(x, transformation, self.interpolation)

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        return self._cropped(x, transformation, "nearest")

    def _cropped(self, x: Array, transformation: Any, interpolation: str) -> Array:
        if transformation is None:
            return self.of_size(x, interpolation)
        from portanet.ops.sampling import grid, sampled_images

        top, left = transformation["starts"]
        rows, columns = grid(x, top.dtype, (self.height, self.width))
        xp = array_namespace(rows, top)
        return sampled_images(x, xp.add(rows, top), xp.add(columns, left), "nearest", "nearest", 0.0)

"""Random crops of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import unwrap
from portanet.backends import Array, device_of, raw_namespace
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation
from portanet.layers.preprocessing.resampling import pixels


class RandomCrop(ImageAugmentation):
    """In training, crop a window at a random position of each image; at inference, at the centre.

    As `keras.layers.RandomCrop`, but with a position per example; images smaller than the window are rejected.

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
        >>> layers.RandomCrop(2, 1)(np.arange(12.0).reshape(1, 4, 3, 1)).ravel()
        array([4., 7.])
    """

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.height = checks.positive_int("height", height, self)
        self.width = checks.positive_int("width", width, self)

    def _margins(self, x: Array) -> tuple[int, int]:
        """How far the window can move."""
        margins = x.shape[1] - self.height, x.shape[2] - self.width
        if min(margins) < 0:
            raise ValueError(
                f"Layer '{self.name}' needs images of at least {self.height} x {self.width}. "
                f"Received: {x.shape[1]} x {x.shape[2]}"
            )
        return margins

    def augmented(self, x: Array) -> Array:
        plain = unwrap(x)
        xp, device = raw_namespace(plain), device_of(plain)
        indices = []
        for axis, (size, margin) in enumerate(zip((self.height, self.width), self._margins(x), strict=True)):
            shape = (x.shape[0], 1, 1)
            first = xp.floor(self.uniform(x, shape, 0.0, margin + 1.0))
            first = xp.astype(xp.minimum(first, float(margin)), xp.int32)  # the product may have been rounded up
            offsets = xp.arange(size, dtype=xp.int32, device=device)
            indices.append(first + xp.reshape(offsets, (1, size, 1) if axis == 0 else (1, 1, size)))
        return pixels(x, *indices)

    def at_inference(self, x: Array) -> Array:
        top, left = (margin // 2 for margin in self._margins(x))
        return x[:, top : top + self.height, left : left + self.width, :]

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.data_format == "channels_last":
            return (input_shape[0], self.height, self.width, input_shape[3])
        return (*input_shape[:2], self.height, self.width)

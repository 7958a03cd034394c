"""Random brightness of images."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation


class RandomBrightness(ColorAugmentation):
    """In training, add a random number to all pixels of an image; as `keras.layers.RandomBrightness`.

    Args:
        factor: Range of the number, as a fraction of the range of values: a pair (low, high) within [-1, 1], or a
            number for a range from its negative to itself.
        value_range: Smallest and largest value of pixels, beyond which results are clipped.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `data_format` (`"channels_last"` by default); `name`, `trainable`, `dtype`, `activity_regularizer` of
            `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomBrightness((0.5, 0.5), (0, 1))(np.full((1, 1, 2, 1), 0.2), training=True).ravel()
        array([0.7, 0.7])
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **options: Any) -> None:
        super().__init__(value_range, seed, **options)
        self.factor = self.factor_range(self, "factor", factor)

    @staticmethod
    def factor_range(layer: ImageAugmentation, name: str, factor: Any) -> Any:
        """The ends of the range that an argument of a layer is for."""
        return layer.require_fractions(name, factor, symmetric=True)

    def transformation(self, x: Array) -> Any:
        low, high = self.value_range
        return {"rgb_delta": self.draw(x, *self.factor) * (high - low)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self.clipped(x + transformation["rgb_delta"])

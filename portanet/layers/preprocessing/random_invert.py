"""Images inverted at random."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation


class RandomInvert(ColorAugmentation):
    """In training, subtract some images from the largest value; as `keras.layers.RandomInvert`.

    Args:
        factor: Range of the probability, a pair (low, high) within [0, 1], or a number for a range from 0.
        value_range: Smallest and largest value of pixels.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `data_format` (`"channels_last"` by default); `name`, `trainable`, `dtype`, `activity_regularizer` of
            `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomInvert((1.0, 1.0))(np.asarray([[[[0.0], [55.0]]]]), training=True).ravel()
        array([255., 200.])
    """

    def __init__(self, factor: Any = 1.0, value_range: Any = (0, 255), seed: int | None = None, **options: Any) -> None:
        super().__init__(value_range, seed, **options)
        self.factor = self.require_fractions("factor", factor)

    def transformation(self, x: Array) -> Any:
        probability = self.draw(x, *self.factor)
        return {"inverted": self.draw(x, 0.0, 1.0) < probability}

    def transformed(self, x: Array, transformation: Any) -> Array:
        xp = array_namespace(x, transformation["inverted"])
        return xp.where(transformation["inverted"], self.value_range[1] - x, x)

"""Images with duller colours."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.random_grayscale import brightness


class RandomColorDegeneration(ColorAugmentation):
    """In training, mix each image with its gray version; as `keras.layers.RandomColorDegeneration` is documented.

    Args:
        factor: Range of the gray version's part: a pair (low, high) within [0, 1], or a number for a range from 0.
        value_range: Smallest and largest value of pixels, beyond which results are clipped.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, 3). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomColorDegeneration((0.5, 0.5))
        >>> layer(np.asarray([[[[100.0, 0.0, 0.0]]]]), training=True).ravel()
        array([64.945, 14.945, 14.945])
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **options)
        self.factor = self.require_fractions("factor", factor, signed=True)  # files of Keras have negative ones

    def transformation(self, x: Array) -> Any:
        return {"factor": self.draw(x, *self.factor)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self.clipped(x + transformation["factor"] * (brightness(x, self) - x))

"""Random saturation of images."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import UNIT, ColorAugmentation, scaled
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation


class RandomSaturation(ColorAugmentation):
    """In training, multiply the saturation of each image by f / (1 - f), where f is drawn.

    As `keras.layers.RandomSaturation`, but the saturation never exceeds 1; in Keras it does for values from 0 to 255.

    Args:
        factor: Range of f: a pair (low, high) within [0, 1], or a number for a range from 0. 0 is gray, 0.5 leaves the
            image as it is, 1 is full saturation.
        value_range: Smallest and largest value of pixels.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, 3). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomSaturation((1.0, 1.0), (0, 1))
        >>> layer(np.asarray([[[[0.8, 0.6, 0.4]]]]), training=True).ravel().round(4)
        array([0.8, 0.4, 0. ])
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
        self.factor = self.factor_range(self, "factor", factor)

    @staticmethod
    def factor_range(layer: ImageAugmentation, name: str, factor: Any) -> Any:
        """The ends of the range that an argument of a layer is for."""
        return layer.require_fractions(name, factor, signed=True)  # files of Keras have negative ones

    def transformation(self, x: Array) -> Any:
        factor = self.draw(x, *self.factor)
        return {"factor": factor / (1.0 - factor + 1e-7)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        from portanet.ops.image import hsv_to_rgb, rgb_to_hsv

        hsv = rgb_to_hsv(scaled(x, self.value_range, UNIT), "channels_last")
        factor = transformation["factor"]
        xp = array_namespace(hsv, factor)
        saturation = xp.clip(xp.multiply(hsv[..., 1:2], xp.reshape(factor, (-1, 1, 1, 1))), 0.0, 1.0)
        rgb = hsv_to_rgb(xp.concat([hsv[..., :1], saturation, hsv[..., 2:]], axis=-1), "channels_last")
        return scaled(rgb, UNIT, self.value_range)

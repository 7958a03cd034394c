"""Random hue of images."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import UNIT, ColorAugmentation, scaled
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation


class RandomHue(ColorAugmentation):
    """In training, turn the hue of each image by a random part of the circle of colours; as `keras.layers.RandomHue`.

    Args:
        factor: Range of the distance, in half circles: a pair (low, high) within [0, 1], or a number for a range from
            0. The direction is random.
        value_range: Smallest and largest value of pixels.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, 3). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomHue((1.0, 1.0), (0, 1))(np.asarray([[[[1.0, 0.0, 0.0]]]]), training=True).ravel().round(6)
        array([0., 1., 1.])
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
        return layer.require_fractions(name, factor)

    def transformation(self, x: Array) -> Any:
        positive = self.draw(x, 0.0, 1.0) <= 0.5
        turn = 0.5 * self.draw(x, *self.factor)
        return {"factor": array_namespace(turn).where(positive, turn, -turn)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        from portanet.ops.image import hsv_to_rgb, rgb_to_hsv

        hsv = rgb_to_hsv(scaled(x, self.value_range, UNIT), "channels_last")
        turn = transformation["factor"]
        xp = array_namespace(hsv, turn)
        hue = xp.add(hsv[..., :1], xp.reshape(turn, (-1, 1, 1, 1)))
        hue = hue - xp.floor(hue)
        rgb = hsv_to_rgb(xp.concat([hue, hsv[..., 1:]], axis=-1), "channels_last")
        return scaled(xp.clip(rgb, 0.0, 1.0), UNIT, self.value_range)

"""Random sharpness of images."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation


class RandomSharpness(ColorAugmentation):
    """In training, sharpen or smooth each image by a random factor; as `keras.layers.RandomSharpness`.

    Args:
        factor: Range of the factor: a pair (low, high) within [0, 1], or a number for a range from 0. 0 smooths, 0.5
            leaves the image as it is, 1 sharpens.
        value_range: Smallest and largest value of pixels, beyond which results are clipped.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomSharpness((0.0, 0.0))(np.asarray([[[[0.0], [13.0], [0.0]]]]), training=True).ravel()
        array([1., 5., 1.])
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
        self.factor = self.require_fractions("factor", factor)

    def transformation(self, x: Array) -> Any:
        return {"factor": self.draw(x, *self.factor)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        from portanet.ops.filters import smoothed

        factor = transformation["factor"]
        factor = array_namespace(factor).reshape(factor, (-1, 1, 1, 1))
        return self.clipped(x + (1.0 - 2.0 * factor) * (smoothed(x) - x))

"""Random contrast of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation


class RandomContrast(ColorAugmentation):
    """In training, multiply the distances of pixels to the mean of their image and channel by a random factor.

    As `keras.layers.RandomContrast` is documented: the factor is in [1 - lower, 1 + upper).

    Args:
        factor: The pair (lower, upper), both in [0, 1]; or a number for both.
        value_range: Smallest and largest value of pixels, beyond which results are clipped.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `data_format` (`"channels_last"` by default); `name`, `trainable`, `dtype`, `activity_regularizer` of
            `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomContrast(0.0)(np.asarray([[[[1.0], [3.0]]]]), training=True).ravel()
        array([1., 3.])
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **options: Any) -> None:
        super().__init__(value_range, seed, **options)
        self.factor = self.factor_range(self, "factor", factor)

    @staticmethod
    def factor_range(layer: ImageAugmentation, name: str, factor: Any) -> Any:
        """The ends of the range that an argument of a layer is for."""
        both = factor if isinstance(factor, (list, tuple)) else [factor, factor]
        return checks.numbers(name, both, "[0, 1]", layer, 2)

    def transformation(self, x: Array) -> Any:
        lower, upper = self.factor
        return {"contrast_factor": self.draw(x, 1.0 - lower, 1.0 + upper)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        mean = array_namespace(x).mean(x, axis=(1, 2), keepdims=True)
        return self.clipped((x - mean) * transformation["contrast_factor"] + mean)

"""Random flips of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.image_augmentation import FLIPS, ImageAugmentation


class RandomFlip(ImageAugmentation):
    """In training, flip each image with probability 1/2; as `keras.layers.RandomFlip`.

    Args:
        mode: `"horizontal"` (left and right are swapped), `"vertical"`, or `"horizontal_and_vertical"` (each of the
            two with probability 1/2).
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.asarray([[[[1.0], [2.0]]]] * 4, dtype="float32")
        >>> layers.RandomFlip("horizontal", seed=1)(x, training=True)[:, 0, :, 0].sum(axis=1)
        array([3., 3., 3., 3.], dtype=float32)
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.mode = checks.choice("mode", mode, FLIPS, self)

    def augmented(self, x: Array) -> Array:
        xp = array_namespace(x)
        for axis in FLIPS[self.mode]:
            x = xp.where(self.bernoulli(0.5, (x.shape[0], 1, 1, 1)), xp.flip(x, axis=axis), x)
        return x

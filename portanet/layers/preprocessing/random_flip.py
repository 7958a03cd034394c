"""Random flips of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation

FLIPS = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (2, 1)}


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

    def transformation(self, x: Array) -> Any:
        return {"flips": [self.bernoulli(0.5, (x.shape[0], 1, 1, 1)) for _ in FLIPS[self.mode]]}

    def transformed(self, x: Array, transformation: Any) -> Array:
        for axis, flips in zip(FLIPS[self.mode], transformation["flips"], strict=True):
            xp = array_namespace(x, flips)
            x = xp.where(flips, xp.flip(x, axis=axis), x)
        return x

    masks_transformed = transformed

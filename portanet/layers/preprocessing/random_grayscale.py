"""Images that lose their colours at random."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, constant
from portanet.layers.base import Layer
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation

WEIGHTS = (0.2989, 0.5870, 0.1140)
"""Parts of red, green and blue in the brightness (ITU-R BT.601)."""


class RandomGrayscale(ImageAugmentation):
    """In training, replace all channels of some images by their brightness; as `keras.layers.RandomGrayscale`.

    Args:
        factor: Fraction of the images, in [0, 1].
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, 3). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomGrayscale(1.0)(np.asarray([[[[1.0, 0.0, 0.0]]]]), training=True).ravel()
        array([0.2989, 0.2989, 0.2989])
    """

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.factor = checks.number("factor", factor, "[0, 1]", self)

    def transformation(self, x: Array) -> Any:
        return {"gray": self.uniform(x, (x.shape[0], 1, 1, 1)) < self.factor}

    def transformed(self, x: Array, transformation: Any) -> Array:
        xp = array_namespace(x, transformation["gray"])
        return xp.where(transformation["gray"], brightness(x, self), x)


def brightness(x: Array, layer: Layer) -> Array:
    """The brightness of colours, shape (batch, height, width, 1)."""
    if x.shape[-1] != 3:
        raise ValueError(f"Layer '{layer.name}' needs images of 3 channels. Received: {x.shape[-1]}")
    xp = array_namespace(x)
    weights = constant(storage(x), WEIGHTS, x.dtype)
    return xp.sum(x * weights, axis=-1, keepdims=True)

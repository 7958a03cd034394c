"""The base class of augmentation that changes the values of pixels."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation


class ColorAugmentation(ImageAugmentation):
    """A layer that changes the values of pixels in training, by random factors per image.

    Args:
        value_range: Smallest and largest value of pixels.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    def __init__(
        self, value_range: Any = (0, 255), seed: int | None = None, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.value_range = value_range_of(value_range, self)

    def draw(self, x: Array, low: float, high: float) -> Array:
        """A number per image, in the dtype of `x`, shape (batch, 1, 1, 1)."""
        return array_namespace(x).astype(self.uniform(x, (x.shape[0], 1, 1, 1), low, high), x.dtype, copy=False)

    def clipped(self, x: Array) -> Array:
        """Values beyond the range as its ends."""
        return array_namespace(x).clip(x, *self.value_range)


def value_range_of(value: Any, layer: Layer) -> tuple[float, float]:
    """The argument `value_range` of a layer: two different numbers, in ascending order."""
    low, high = sorted(checks.numbers("value_range", value, of=layer, count=2))
    if low == high:
        raise checks.invalid("value_range", value, "a pair of different numbers", layer)
    return low, high


def scaled(x: Array, source: tuple[float, float], target: tuple[float, float]) -> Array:
    """Values of one range, scaled to another.

    Example:
        >>> scaled(0.5, (0.0, 1.0), (0.0, 255.0))
        127.5
    """
    if source == target:
        return x
    return (x - source[0]) * ((target[1] - target[0]) / (source[1] - source[0])) + target[0]


UNIT, BYTES = (0.0, 1.0), (0.0, 255.0)

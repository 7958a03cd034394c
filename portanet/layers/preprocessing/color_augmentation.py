"""The base class of augmentation that changes the values of pixels."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation


class ColorAugmentation(ImageAugmentation):
    """A layer that changes the values of pixels in training, by random factors per image.

    Args:
        value_range: Smallest and largest value of pixels.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    keeps_shape = True

    def __init__(
        self, value_range: Any = (0, 255), seed: int | None = None, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, **options)
        low, high = sorted(checks.numbers("value_range", value_range, of=self, count=2))
        if low == high:
            raise checks.invalid("value_range", value_range, "a pair of different numbers", self)
        self.value_range = low, high

    def draw(self, x: Array, low: float, high: float) -> Array:
        """A number per image, in the dtype of `x`, shape (batch, 1, 1, 1)."""
        return array_namespace(x).astype(self.uniform(x, (x.shape[0], 1, 1, 1), low, high), x.dtype, copy=False)

    def clipped(self, x: Array) -> Array:
        """Values beyond the range as its ends."""
        return array_namespace(x).clip(x, *self.value_range)

    def as_bytes(self, x: Array) -> Array:
        """The values scaled to the range of bytes, 0 to 255, but not rounded."""
        low, high = self.value_range
        return x if self.value_range == (0.0, 255.0) else (x - low) * (255.0 / (high - low))

    def from_bytes(self, x: Array) -> Array:
        """Values from 0 to 255 scaled to the range of the images."""
        low, high = self.value_range
        return x if self.value_range == (0.0, 255.0) else x * ((high - low) / 255.0) + low

    def require_fractions(self, name: str, value: Any, symmetric: bool = False) -> tuple[float, float]:
        """Check a factor: a number in [0, 1], for a range from 0 (or its negative) to itself, or both ends."""
        if isinstance(value, (list, tuple)):
            low, high = sorted(checks.numbers(name, value, "[-1, 1]" if symmetric else "[0, 1]", self, 2))
            return low, high
        size = checks.number(name, value, "[-1, 1]" if symmetric else "[0, 1]", self)
        return (-abs(size), abs(size)) if symmetric else (0.0, size)

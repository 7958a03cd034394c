"""Images with fewer bits per channel."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import BYTES, ColorAugmentation, scaled


class RandomPosterization(ColorAugmentation):
    """In training, keep only the highest bits of the bytes of an image; as `keras.layers.RandomPosterization`.

    Args:
        factor: Number of bits, from 1 to 8; or a pair (low, high) for a random number of at least `low` and less than
            `high`.
        value_range: Smallest and largest value of pixels.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `data_format` (`"channels_last"` by default); `name`, `trainable`, `dtype`, `activity_regularizer` of
            `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomPosterization((1, 1))(np.asarray([[[[100.0], [200.0]]]]), training=True).ravel()
        array([  0., 128.])
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
        several = isinstance(factor, (list, tuple))
        bits = sorted(checks.integers("factor", factor, 2 if several else 1, self, least=1))
        if bits[-1] > 8:
            raise checks.invalid("factor", factor, "at most 8 bits", self)
        self.factor = (bits[0], bits[-1]) if several else (1, bits[0])

    def transformation(self, x: Array) -> Any:
        low, high = self.factor
        xp = array_namespace(x)
        bits = xp.floor(self.draw(x, low, max(high, low + 1)))
        return {"shift_factor": 8.0 - xp.minimum(bits, float(max(low, high - 1)))}

    def transformed(self, x: Array, transformation: Any) -> Array:
        step = 2.0 ** transformation["shift_factor"]
        x = scaled(x, self.value_range, BYTES)
        xp = array_namespace(x, step)
        return scaled(xp.floor(xp.floor(x) / step) * step, BYTES, self.value_range)

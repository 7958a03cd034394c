"""Images whose bright values are inverted."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import BYTES, ColorAugmentation, scaled


class Solarization(ColorAugmentation):
    """In training, add a random number, then invert values of at least a random threshold; as
    `keras.layers.Solarization`.

    Args:
        addition_factor: Range of what is added, as a fraction of the range of values: a pair (low, high) within [0, 1],
            or a number for a range from 0.
        threshold_factor: Range of the threshold, likewise.
        value_range: Smallest and largest value of pixels.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `data_format` (`"channels_last"` by default); `name`, `trainable`, `dtype`, `activity_regularizer` of
            `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.Solarization(threshold_factor=(0.5, 0.5))
        >>> layer(np.asarray([[[[100.0], [200.0]]]]), training=True).ravel()
        array([100.,  55.])
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, seed, **options)
        self.addition_factor = self.require_fractions("addition_factor", addition_factor)
        self.threshold_factor = self.require_fractions("threshold_factor", threshold_factor)

    def transformation(self, x: Array) -> Any:
        additions = 255.0 * self.draw(x, *self.addition_factor)
        return {"additions": additions, "thresholds": 255.0 * self.draw(x, *self.threshold_factor)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        additions, thresholds = transformation["additions"], transformation["thresholds"]
        xp = array_namespace(x, additions, thresholds)
        brighter = xp.clip(scaled(x, self.value_range, BYTES) + additions, 0.0, 255.0)
        return scaled(xp.where(brighter < thresholds, brighter, 255.0 - brighter), BYTES, self.value_range)

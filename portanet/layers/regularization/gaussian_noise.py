"""Additive normal noise."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.random_layer import RandomLayer


class GaussianNoise(RandomLayer):
    """In training, add normal noise of mean 0; as `keras.layers.GaussianNoise`.

    Args:
        stddev: Standard deviation of the noise.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer, x = layers.GaussianNoise(0.1, seed=1), np.zeros((100, 100), dtype="float32")
        >>> float(layer(x).std()), round(float(layer(x, training=True).std()), 2)
        (0.0, 0.1)
    """

    built_at_once = True
    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed, **options)
        self.stddev = checks.non_negative("stddev", stddev, self)

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.stddev == 0:
            return x
        return x + self.normal(x, 0.0, self.stddev)

"""Multiplicative normal noise."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.random_layer import RandomLayer


class GaussianDropout(RandomLayer):
    """In training, multiply by normal noise of mean 1 and variance rate / (1 - rate) (Srivastava et al. 2014, 10).

    Args:
        rate: Rate of a dropout with the same variance, in [0, 1).
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.GaussianDropout(0.5, seed=1)
        >>> round(float(layer(np.ones((100, 100), dtype="float32"), training=True).std()), 1)
        1.0
    """

    built_at_once = True
    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed, **options)
        self.rate = checks.rate("rate", rate, self)

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        return x * self.normal(x, 1.0, math.sqrt(self.rate / (1 - self.rate)))

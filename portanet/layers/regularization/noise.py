"""Layers that disturb their input in training, and what every layer with random numbers of its own needs."""

from __future__ import annotations

import math
from typing import Any

from portanet import random
from portanet.autodiff.traced import raw_value
from portanet.backends import Array, device_of, raw_namespace
from portanet.layers.base import Layer
from portanet.layers.calling import elements_before


class RandomLayer(Layer):
    """A layer that draws random numbers in training.

    They depend on the seed, the layer's path and how often it drew: the same on every backend.

    Args:
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    keeps_shape = True

    def __init__(self, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        if seed is not None and (not isinstance(seed, int) or seed < 0):
            raise ValueError(
                f"Argument `seed` of layer '{self.name}' must be a non-negative integer or None. "
                f"Received: seed={seed!r}"
            )
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        self.counter = self.add_counter()
        self.key = random.stream_key(random.get_seed() if self.seed is None else self.seed, self._path())

    def bernoulli(self, x: Array, shape: tuple[int, ...], p: float) -> Array:
        """A fresh mask, True with probability `p`, beside `x`."""
        # Drawn in the plain namespace: random numbers have no derivative.
        plain = raw_value(x)
        before = elements_before(shape)
        return random.bernoulli(raw_namespace(plain), shape, p, self.key, self._next(), device_of(plain), before)

    def normal(self, x: Array, mean: float, stddev: float) -> Array:
        """Fresh normal numbers of the shape and dtype of `x`."""
        plain = raw_value(x)
        shape = tuple(plain.shape)
        xp, device = raw_namespace(plain), device_of(plain)
        return random.normal(xp, shape, self.key, self._next(), device, plain.dtype, mean, stddev)

    def _next(self) -> Array:
        step = raw_value(self.counter.value)  # a constant of a trace where the state is an argument of what is traced
        self.counter.assign(step + 1)
        return step

    def require_rate(self, rate: Any) -> float:
        """Check a rate of loss."""
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ValueError(
                f"Argument `rate` of layer '{self.name}' must be a number in [0, 1). Received: rate={rate!r}"
            )
        return float(rate)


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

    by_example = False  # normal numbers are drawn for a whole batch

    def __init__(self, stddev: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed, **options)
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float)) or not 0 <= stddev < math.inf:
            raise ValueError(
                f"Argument `stddev` of layer '{self.name}' must be a non-negative number. Received: stddev={stddev!r}"
            )
        self.stddev = float(stddev)

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.stddev == 0:
            return x
        return x + self.normal(x, 0.0, self.stddev)


class GaussianDropout(RandomLayer):
    """In training, multiply by normal noise of mean 1 and variance rate / (1 - rate) (Srivastava et al. 2014, 10).

    Args:
        rate: The rate of the dropout that has the same variance, in [0, 1).
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.GaussianDropout(0.5, seed=1)
        >>> round(float(layer(np.ones((100, 100), dtype="float32"), training=True).std()), 1)
        1.0
    """

    by_example = False

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed, **options)
        self.rate = self.require_rate(rate)

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        return x * self.normal(x, 1.0, math.sqrt(self.rate / (1 - self.rate)))

"""Layers that drop or disturb their input in training."""

from __future__ import annotations

from typing import Any

from portanet import random
from portanet.autodiff import array_namespace
from portanet.autodiff.traced import raw_value
from portanet.backends import Array, device_of, raw_namespace
from portanet.layers.base import Layer


class Dropout(Layer):
    """In training, set a fraction `rate` of the inputs to 0 and scale the rest by 1 / (1 - rate) (Srivastava 2014).

    Which inputs are dropped depends on the seed, the layer's path and how often it was called in training: the same on
    every backend.

    Args:
        rate: Fraction to drop, in [0, 1).
        noise_shape: Shape of the mask, with 1 (or None for the input's size) where it is shared along an axis.
        seed: Seed of the mask; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.ones((2, 3), dtype="float32")
        >>> bool((layers.Dropout(0.5)(x) == x).all())
        True
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ValueError(
                f"Argument `rate` of layer '{self.name}' must be a number in [0, 1). Received: rate={rate!r}"
            )
        self.rate = float(rate)
        self.noise_shape = noise_shape
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        self.counter = self.add_counter()
        self.key = random.stream_key(random.get_seed() if self.seed is None else self.seed, self._path())

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        xp = array_namespace(x)
        plain = raw_value(x)
        step = self.counter.value
        self.counter.assign(step + 1)
        shape = self.mask_shape(tuple(x.shape))
        # Drawn in the plain namespace: a mask has no derivative.
        keep = random.bernoulli(raw_namespace(plain), shape, 1 - self.rate, self.key, step, device_of(plain))
        return xp.where(keep, x * (1 / (1 - self.rate)), 0.0)

    def mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the mask for inputs of a shape."""
        if self.noise_shape is None:
            return shape
        return tuple(n if m is None else m for n, m in zip(shape, self.noise_shape, strict=True))

"""What every layer with random numbers of its own needs."""

from __future__ import annotations

from typing import Any

from portanet import random
from portanet.autodiff import unwrap
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.calling import elements_before
from portanet.random import streams


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

    def bernoulli(self, p: float, shape: tuple[int, ...]) -> Array:
        """A fresh mask, True with probability `p`."""
        return streams.part_of_bernoulli(self.key, self._next(), p, shape, elements_before(shape))

    def normal(self, x: Array, mean: float, stddev: float) -> Array:
        """Fresh normal numbers of the shape and dtype of `x`."""
        return streams.normal(self.key, self._next(), tuple(x.shape), x.dtype, mean, stddev)

    def _next(self) -> Array:
        step = unwrap(self.counter.value)  # a constant of a trace where the state is an argument of what is traced
        self.counter.assign(step + 1)
        return step

    def require_rate(self, rate: Any) -> float:
        """Check a rate of loss."""
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ValueError(
                f"Argument `rate` of layer '{self.name}' must be a number in [0, 1). Received: rate={rate!r}"
            )
        return float(rate)

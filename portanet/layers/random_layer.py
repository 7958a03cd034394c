"""What every layer with random numbers of its own needs."""

from __future__ import annotations

from typing import Any

from portanet import checks, random
from portanet.autodiff import unwrap
from portanet.backends import Array
from portanet.layers.base import Layer
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
        self.seed = None if seed is None else checks.integer("seed", seed, self, least=0)

    def build(self, input_shape: Any) -> None:
        self.counter = self.add_counter()
        self.key = random.stream_key(random.get_seed() if self.seed is None else self.seed, self._path())

    def bernoulli(self, p: float, shape: tuple[int, ...]) -> Array:
        """A fresh mask, True with probability `p`."""
        return streams.bernoulli(self.key, self._next(), p, shape)

    def normal(self, x: Array, mean: float, stddev: float) -> Array:
        """Fresh normal numbers of the shape and dtype of `x`."""
        return streams.normal(self.key, self._next(), tuple(x.shape), x.dtype, mean, stddev)

    def _next(self) -> Array:
        step = unwrap(self.counter.value)  # a constant of a trace where the state is an argument of what is traced
        self.counter.assign(step + 1)
        return step

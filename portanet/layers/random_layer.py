"""The base class of layers that draw random numbers."""

from __future__ import annotations

from typing import Any

from portanet import checks, random
from portanet.autodiff import array_namespace, lift, unwrap
from portanet.backends import Array, raw_namespace
from portanet.distribution.share import drawn
from portanet.layers.base import Layer
from portanet.random import streams


class RandomLayer(Layer):
    """A layer that draws random numbers in training.

    The numbers depend on the seed, the layer's path and the number of draws so far: the same on every backend.

    Args:
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> from portanet.layers import Dropout
        >>> issubclass(Dropout, RandomLayer)
        True
    """

    keeps_shape = True
    casts_integers = True

    def __init__(self, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.seed = None if seed is None else checks.integer("seed", seed, self, least=0)

    def build(self, input_shape: Any) -> None:
        self.counter = self.add_counter()
        self.key = random.stream_key(random.get_seed() if self.seed is None else self.seed, self._path())

    def bernoulli(self, p: float, shape: tuple[int, ...]) -> Array:
        """Draw a mask that is True with probability `p`."""
        step = self._next()
        return streams.bernoulli(self.key, step, p, shape)

    def normal(self, x: Array, mean: float, stddev: float) -> Array:
        """Draw normal values of the shape and dtype of `x`."""
        step = self._next()
        return drawn(lambda shape: streams.normal(self.key, step, shape, x.dtype, mean, stddev), tuple(x.shape))

    def with_state(self, x: Array) -> Array:
        """`x`, with one value per example of `vmap` where the state alone has them: draws then differ between them."""
        state = self.counter.value
        if not hasattr(raw_namespace(unwrap(state)), "wrapped_library"):  # that of batched arrays has one
            return x
        xp = array_namespace(lift(state))
        return xp.add(x, xp.astype(state * 0, x.dtype))

    def _next(self) -> Array:
        if not self._built:  # where `call` is called directly
            self.build(None)
        step = unwrap(self.counter.value)  # has no derivative, even where the state is traced
        self.counter.assign(step + 1)
        return step

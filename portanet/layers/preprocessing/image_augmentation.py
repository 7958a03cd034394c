"""The base class of image augmentation."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, lift
from portanet.backends import Array, raw_namespace
from portanet.distribution.share import drawn, share
from portanet.layers.preprocessing.image_layer import ImageLayer
from portanet.layers.random_layer import RandomLayer
from portanet.random import streams
from portanet.tree import tree_map


class ImageAugmentation(RandomLayer, ImageLayer):
    """A layer that changes images at random in training and leaves them unchanged at inference.

    Subclasses implement `transformation(x)`, which draws, and `transformed(x, transformation)`, for batches with
    channels last.

    Args:
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` for images of shape (batch, height, width, channels), `"channels_first"` for
            (batch, channels, height, width). By default `"channels_last"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    autocast = ImageLayer.autocast

    def __init__(self, seed: int | None = None, data_format: str | None = None, **options: Any) -> None:
        super().__init__(seed, data_format=data_format, **options)

    def build(self, input_shape: Any) -> None:
        ImageLayer.build(self, input_shape)
        RandomLayer.build(self, input_shape)

    def call(self, x: Any, training: bool = True) -> Any:
        return super().call(tree_map(self.with_state, x) if training else x, training)

    def uniform(self, x: Array, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Array:
        """Draw uniform values in [low, high) in float64 if `x` is, else float32."""
        step, dtype = self._next(), self._drawn_in(x)
        return usable(drawn(lambda each: streams.uniform(self.key, step, each, dtype, low, high), shape))

    def normal_values(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Draw normal values, in float64 if `x` is, else float32."""
        step, dtype = self._next(), self._drawn_in(x)
        return usable(drawn(lambda each: streams.normal(self.key, step, each, dtype), shape))

    def bernoulli(self, p: float, shape: tuple[int, ...]) -> Array:
        return usable(super().bernoulli(p, shape))

    def integers(self, shape: tuple[int, ...], high: int) -> Array:
        """Draw integers from 0 to `high - 1`."""
        step = self._next()
        return usable(drawn(lambda each: streams.integers(self.key, step, each, 0, high), shape))

    def permutation(self, n: int) -> Array:
        """Draw an order of the integers below `n`, examples of a batch."""
        if share() is not None:
            raise ValueError(
                f"Layer '{self.name}' mixes the examples of a batch, of which this process has a part. Apply it to the "
                "data before fit, or train in one process."
            )
        return streams.permutation(self.key, self._next(), n)

    def gamma(self, x: Array, shape: tuple[int, ...], alpha: float) -> Array:
        """Draw values of a gamma distribution of scale 1."""
        from portanet.autodiff import special  # few layers need it

        u = self._between(x, shape)
        return special.gammaincinv(array_namespace(u).full_like(u, alpha), u)

    def beta(self, x: Array, shape: tuple[int, ...], alpha: Any) -> Array:
        """Draw values of a symmetric beta distribution, with a number or an array of shape () as both parameters."""
        from portanet.autodiff import special

        u = self._between(x, shape)
        xp = array_namespace(u)
        both = xp.multiply(xp.ones_like(u), alpha) if hasattr(alpha, "dtype") else xp.full_like(u, alpha)
        return special.betaincinv(both, both, u)

    def chosen(self, x: Array, factor: tuple[float, float]) -> Array:
        """Draw which images change, shape (batch,): each with a probability that is drawn from a range."""
        probability = self.uniform(x, (x.shape[0],), *factor)
        return self.uniform(x, (x.shape[0],)) < probability

    def require_range(self, name: str, value: Any, limit: float = math.inf) -> tuple[float, float]:
        """Check a factor: a number, for a range from its negative to itself, or both ends of a range."""
        within = "(-inf, inf)" if limit == math.inf else f"[-{limit:g}, {limit:g}]"
        if not isinstance(value, (list, tuple)):
            size = abs(checks.number(name, value, within, self))
            return -size, size
        ends = sorted(checks.number(name, end, within, self) for end in value)
        if len(ends) != 2:
            raise checks.invalid(name, value, "a number or a pair (low, high)", self)
        return ends[0], ends[1]

    def require_fractions(
        self, name: str, value: Any, symmetric: bool = False, signed: bool = False
    ) -> tuple[float, float]:
        """Check a factor: a number in [0, 1], for a range from 0 to itself, or both ends of a range.

        Args:
            name: Name of the argument.
            value: Its value.
            symmetric: Whether ends may be negative, and a number is for a range from its negative to itself.
            signed: Whether ends may be negative.
        """
        if isinstance(value, (list, tuple)):
            low, high = sorted(checks.numbers(name, value, "[-1, 1]" if symmetric or signed else "[0, 1]", self, 2))
            return low, high
        size = checks.number(name, value, "[-1, 1]" if symmetric else "[0, 1]", self)
        return (-abs(size), abs(size)) if symmetric else (0.0, size)

    def _between(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Draw uniform values in (0, 1), without the ends."""
        return self.uniform(x, shape) * (1.0 - 2.0**-24) + 2.0**-25

    def _drawn_in(self, x: Array) -> Any:
        xp = array_namespace(x)
        return xp.float64 if x.dtype == xp.float64 else xp.float32


def where_chosen(chosen: Array, changed: Array, x: Array) -> Array:
    """The changed images where they were chosen, an array of shape (batch,), else the images."""
    return array_namespace(changed, x, chosen).where(chosen[:, None, None, None], changed, x)


def usable(drawn: Array) -> Array:
    """A draw; where it has values per example of `vmap`, with the functions that combine those with plain arrays."""
    return lift(drawn) if hasattr(raw_namespace(drawn), "wrapped_library") else drawn

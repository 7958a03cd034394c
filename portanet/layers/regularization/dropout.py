"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, elementwise
from portanet.layers.random_layer import RandomLayer


class Dropout(RandomLayer):
    """In training, set a fraction `rate` of the inputs to 0 and scale the rest by 1 / (1 - rate) (Srivastava 2014).

    The mask depends on the seed, the layer's path and the number of its calls in training: the same on every backend.

    Args:
        rate: Fraction to drop, in [0, 1).
        noise_shape: Shape of the mask: 1 on axes along which it is shared, None for the input's size.
        seed: Seed of the mask; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.ones((2, 3), dtype="float32")
        >>> bool((layers.Dropout(0.5)(x) == x).all())
        True
    """

    built_at_once = True
    independent_examples = True
    supports_masking = True

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(seed, **options)
        self.rate = checks.rate("rate", rate, self)
        self.noise_shape = None if noise_shape is None else checks.sizes("noise_shape", noise_shape, self, least=1)
        # With another size of the batch axis, the masks for a part of the batch are unknown.
        first = self.noise_shape[0] if self.noise_shape else None
        self.independent_examples = type(self).independent_examples and first in (None, 1)

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        x = self.with_state(x)
        keep = self.bernoulli(1 - self.rate, self.mask_shape(tuple(x.shape)))
        return kept(x, keep, 1 / (1 - self.rate))

    def mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the mask for an input shape."""
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape) or any(
            m not in (None, 1, n) for m, n in zip(self.noise_shape, shape, strict=False)
        ):
            raise ValueError(
                f"Layer '{self.name}' has noise_shape={self.noise_shape!r}: it must have an entry for each axis of the "
                f"input, its size, 1 or None. Received: an input of shape {shape}"
            )
        return tuple(n if m is None else m for n, m in zip(shape, self.noise_shape, strict=True))


@elementwise
def kept(x: Array, keep: Array, factor: float) -> Array:
    """`x * factor` where `keep` is True, else 0."""
    return array_namespace(x, keep).where(keep, x * factor, 0.0)

"""Elliot's activation."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.backends import Array
from portanet.layers.base import Layer


class Elliot(Layer):
    """`activations.elliot`, or `symmetric_elliot`, with its steepness (D. L. Elliot 1993).

    Args:
        steepness: Slope at 0, times 2 unless symmetric.
        symmetric: Whether outputs range from -1 to 1 instead of 0 to 1.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Elliot(steepness=3.0)(np.asarray([-1.0, 0.0, 1.0]))
        array([0.125, 0.5  , 0.875])
    """

    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(self, steepness: float = 1.0, symmetric: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.steepness = checks.positive("steepness", steepness, self)
        self.symmetric = checks.boolean("symmetric", symmetric, self)

    def call(self, x: Array) -> Array:
        function = activations.symmetric_elliot if self.symmetric else activations.elliot
        return function(x, steepness=self.steepness)

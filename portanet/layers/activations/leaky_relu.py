"""The rectifier with a slope below 0."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.backends import Array
from portanet.layers.base import Layer


class LeakyReLU(Layer):
    """x where positive, else `negative_slope * x`; as `keras.layers.LeakyReLU`.

    Args:
        negative_slope: Slope for negative inputs.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.LeakyReLU(0.5)(np.asarray([-1.0, 2.0]))
        array([-0.5,  2. ])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(self, negative_slope: float = 0.3, **options: Any) -> None:
        super().__init__(**options)
        self.negative_slope = checks.non_negative("negative_slope", negative_slope, self)

    def call(self, x: Array) -> Array:
        return activations.leaky_relu(x, negative_slope=self.negative_slope)

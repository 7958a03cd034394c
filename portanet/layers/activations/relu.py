"""The rectifier."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.backends import Array
from portanet.layers.base import Layer


class ReLU(Layer):
    """`activations.relu` with its parameters; as `keras.layers.ReLU`.

    Args:
        max_value: Maximum output; None for no limit.
        negative_slope: Slope below the threshold.
        threshold: Inputs above it are unchanged.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ReLU(max_value=1.0)(np.asarray([-1.0, 0.5, 2.0]))
        array([0. , 0.5, 1. ])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.max_value = None if max_value is None else checks.non_negative("max_value", max_value, self)
        self.negative_slope = checks.non_negative("negative_slope", negative_slope, self)
        self.threshold = checks.non_negative("threshold", threshold, self)

    def call(self, x: Array) -> Array:
        return activations.relu(
            x, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )

"""Activations as layers."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.activations.attribute import HasActivation
from portanet.layers.base import Layer


class Activation(HasActivation, Layer):
    """Apply an activation function.

    Args:
        activation: Name or function.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Activation("relu")(np.asarray([-1.0, 2.0]))
        array([0., 2.])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(self, activation: Any, **options: Any) -> None:
        super().__init__(**options)
        self.activation = activation

    def call(self, x: Array) -> Array:
        return self.activation(x)

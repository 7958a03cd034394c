"""Penalties on activations."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.regularizers import L1L2


class ActivityRegularization(Layer):
    """Returns its input and adds `(l1 * sum(|x|) + l2 * sum(x^2)) / examples` to the loss.

    Args:
        l1: Factor of the sum of absolute values; it makes codes sparse.
        l2: Factor of the sum of squares.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> from portanet.variables import collect_losses
        >>> with collect_losses() as losses:
        ...     _ = layers.ActivityRegularization(l2=0.5)(np.ones((2, 3)))
        >>> float(losses[0])
        1.5
    """

    keeps_shape = True
    supports_masking = True
    keeps_values = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1, l2), **options)
        self.l1 = l1
        self.l2 = l2

    def call(self, x: Array) -> Array:
        return x

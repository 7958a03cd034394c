"""A learned factor per feature."""

from __future__ import annotations

from typing import Any

from portanet import checks, initializers
from portanet.backends import Array
from portanet.layers.base import Layer


class LayerScale(Layer):
    """`x * gamma`, with a factor per feature that is learned from a small value on (Touvron et al. 2021,
    arXiv:2103.17239); as in Keras's ConvNeXt.

    Args:
        init_values: Initial value of the factors.
        projection_dim: Number of features.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, ..., projection_dim). Output: the same shape.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.LayerScale(0.5, 2)(np.asarray([[2.0, 4.0]], dtype="float32"))
        array([[1., 2.]], dtype=float32)
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(self, init_values: float, projection_dim: int, **options: Any) -> None:
        super().__init__(**options)
        self.init_values = checks.number("init_values", init_values, of=self)
        self.projection_dim = checks.positive_int("projection_dim", projection_dim, self)

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight(
            shape=(self.projection_dim,), initializer=initializers.Constant(self.init_values), name="gamma"
        )

    def call(self, x: Array) -> Array:
        self.require_axis(x, -1, self.projection_dim)
        return x * self.gamma.value

"""Additive attention."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.attention.attention import Attention, sums_of_tanh, weighted_values
from portanet.layers.random_layer import RandomLayer


class AdditiveAttention(Attention):
    """Additive attention (Bahdanau et al. 2015): the score is sum(scale * tanh(query + key)).

    As `keras.layers.AdditiveAttention`.

    Args:
        use_scale: Whether to scale each feature by a trained factor.
        dropout: In training, the fraction of the weights to drop.
        **options: `seed`; `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input, output and call arguments: as `Attention`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.ones((2, 3, 4), dtype="float32")
        >>> layers.AdditiveAttention()([x, x]).shape
        (2, 3, 4)
    """

    independent_examples = True

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **options: Any) -> None:
        super().__init__(use_scale, dropout=dropout, **options)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        if self.dropout:
            RandomLayer.build(self, input_shape)
        if self.use_scale:
            self.scale = self.add_weight(shape=(input_shape[0][-1],), initializer="glorot_uniform", name="scale")

    def _attend(self, query: Array, key: Array, value: Array, mask: Array | None, keep: Array | None) -> Any:
        scale = self.scale.value if self.use_scale else None
        if scale is not None:
            self.require_axis(query, -1, scale.shape[0])
        return weighted_values(sums_of_tanh(query, key, None, scale, mask), value, mask, keep)

"""Grouped-query attention."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.layers.attention.multi_head_attention import MultiHeadAttention


class GroupQueryAttention(MultiHeadAttention):
    """Attention in which several query heads share one key and value head (Ainslie et al. 2023).

    As `keras.layers.GroupQueryAttention`.

    Args:
        head_dim: Size of each head.
        num_query_heads: Number of query heads.
        num_key_value_heads: Number of key and value heads, a divisor of `num_query_heads`.
        dropout: In training, the fraction of the attention weights to drop.
        use_bias: Whether the projections have biases.
        **options: Initializers, regularizers, constraints and `seed` as `MultiHeadAttention`; `name`, `trainable`,
            `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.GroupQueryAttention(8, 4, 2)
        >>> layer(np.ones((4, 5, 16), dtype="float32")).shape
        (4, 5, 16)
    """

    independent_examples = True

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(num_query_heads, head_dim, dropout=dropout, use_bias=use_bias, **options)
        self.num_key_value_heads = checks.positive_int("num_key_value_heads", num_key_value_heads, self)
        if num_query_heads % num_key_value_heads:
            expected = f"a multiple of num_key_value_heads={num_key_value_heads}"
            raise checks.invalid("num_query_heads", num_query_heads, expected, self)

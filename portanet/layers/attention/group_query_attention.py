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
        sliding_window: As `MultiHeadAttention`; likewise the arguments below.
        flash_attention: See above.
        kernel_initializer: See above.
        bias_initializer: See above.
        kernel_regularizer: See above.
        bias_regularizer: See above.
        activity_regularizer: See above.
        kernel_constraint: See above.
        bias_constraint: See above.
        use_gate: See above.
        seed: See above.
        **options: `name`, `trainable`, `dtype` of `Layer`.

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
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            num_query_heads,
            head_dim,
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **options,
        )
        self.num_key_value_heads = checks.positive_int("num_key_value_heads", num_key_value_heads, self)
        if num_query_heads % num_key_value_heads:
            expected = f"a multiple of num_key_value_heads={num_key_value_heads}"
            raise checks.invalid("num_query_heads", num_query_heads, expected, self)
        self.activity_regularizer = self._activities  # on the output once more, as in Keras
        self.head_dim, self.num_query_heads = self.key_dim, self.num_heads
        self.num_repeats = self.num_query_heads // self.num_key_value_heads

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.feature_dim = self.query_kernel.shape[0]

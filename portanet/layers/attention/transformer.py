"""Transformer blocks."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks, initializers
from portanet.backends import Array
from portanet.layers.attention.multi_head_attention import MultiHeadAttention
from portanet.layers.base import Layer
from portanet.layers.core.dense import Dense
from portanet.layers.normalization.layer_normalization import LayerNormalization
from portanet.layers.regularization.dropout import Dropout
from portanet.layers.several_inputs import Several
from portanet.masks import masks_of


class TransformerEncoder(Layer):
    """Self-attention and a feed-forward network, each with a residual connection and layer normalisation.

    As `keras_hub.layers.TransformerEncoder`: normalised after each part (Vaswani et al. 2017), or before it with
    `normalize_first` (Xiong et al. 2020).

    Args:
        intermediate_dim: Units of the feed-forward network's inner layer.
        num_heads: Number of heads, a divisor of the number of features.
        dropout: Fraction of the attention weights and of each part's output to drop in training.
        activation: Activation of the feed-forward network.
        layer_norm_epsilon: Epsilon of the normalisation.
        kernel_initializer: Initial values of the kernels.
        bias_initializer: Initial values of the biases.
        normalize_first: Whether to normalise before each part.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, time, features). Output: the same shape. `mask` (batch, time) is False for padding.

    Call arguments: `attention_mask` (batch, time, time) and `use_causal_mask`, as `MultiHeadAttention`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.TransformerEncoder(32, 2)(np.ones((4, 5, 16), dtype="float32")).shape
        (4, 5, 16)
    """

    independent_examples = True
    supports_masking = True
    attends_to_encoder = False
    casts_integers = True

    def __init__(
        self,
        intermediate_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        activation: Any = "relu",
        layer_norm_epsilon: float = 1e-5,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        normalize_first: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.intermediate_dim = checks.positive_int("intermediate_dim", intermediate_dim, self)
        self.num_heads = checks.positive_int("num_heads", num_heads, self)
        self.rate = checks.rate("dropout", dropout, self)
        self.activation = activations.get(activation, "activation", self)
        self.epsilon = checks.non_negative("layer_norm_epsilon", layer_norm_epsilon, self)
        self.initializers = {
            "kernel_initializer": initializers.get(kernel_initializer, "kernel_initializer", self),
            "bias_initializer": initializers.get(bias_initializer, "bias_initializer", self),
        }
        self.normalize_first = checks.boolean("normalize_first", normalize_first, self)

    def build(self, input_shape: Any) -> None:
        self._build_parts(input_shape, input_shape)

    def _build_parts(self, shape: Any, memory: Any) -> None:
        self.require_rank(shape, 3, "(batch, time, features)")
        features = shape[-1]
        if features % self.num_heads:
            raise ValueError(
                f"Layer '{self.name}' needs a number of features that its {self.num_heads} heads can share. "
                f"Received: shape {tuple(shape)}"
            )
        shared: dict[str, Any] = {"dtype": self._policy, **self.initializers}
        parts = ["self_attention", *(["cross_attention"] if self.attends_to_encoder else []), "feedforward"]
        self.norms = [
            LayerNormalization(epsilon=self.epsilon, name=f"{part}_layer_norm", dtype=self._policy) for part in parts
        ]
        self.dropouts = [Dropout(self.rate, name=f"{part}_dropout", dtype=self._policy) for part in parts]
        self.attentions = [
            MultiHeadAttention(self.num_heads, features // self.num_heads, dropout=self.rate, name=part, **shared)
            for part in parts[:-1]
        ]
        self.inner = Dense(self.intermediate_dim, self.activation, name="feedforward_intermediate_dense", **shared)
        self.outer = Dense(features, name="feedforward_output_dense", **shared)
        self._place(self._path())
        for norm in self.norms:
            norm.build(shape)
        for attention, source in zip(self.attentions, (shape, memory), strict=False):
            attention.build([shape, source])
        self.inner.build(shape)
        self.outer.build((*shape[:-1], self.intermediate_dim))
        for dropout in self.dropouts:
            dropout.build(shape)

    def call(
        self,
        x: Array,
        training: bool = False,
        mask: Array | None = None,
        attention_mask: Array | None = None,
        use_causal_mask: bool = False,
    ) -> Array:
        attend, (first, last) = self.attentions[0], (0, len(self.norms) - 1)
        x = self._residual(
            first, x, lambda x: attend(x, mask=mask, attention_mask=attention_mask, use_causal_mask=use_causal_mask)
        )
        return self._residual(last, x, lambda x: self.outer(self.inner(x)))

    def _residual(self, part: int, x: Array, function: Any) -> Array:
        """`x` plus a function of it, normalised before or after."""
        norm, dropout = self.norms[part], self.dropouts[part]
        if self.normalize_first:
            return x + dropout(function(norm(x)))
        out: Array = norm(x + dropout(function(x)))
        return out

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class TransformerDecoder(TransformerEncoder):
    """Causal self-attention, attention to an encoder's output, and a feed-forward network.

    As `keras_hub.layers.TransformerDecoder`. Called with one input, it has self-attention alone.

    Args:
        intermediate_dim: Units of the feed-forward network's inner layer.
        num_heads: Number of heads, a divisor of the number of features.
        **options: As `TransformerEncoder`.

    Input: `layer(decoder_sequence, encoder_sequence)` or a list of the two: shapes (batch, time, features) and (batch,
    source, features). `mask` is the mask of the decoder's sequence, or a list of both masks.
    Output: the shape of the decoder's sequence.

    Call arguments: `use_causal_mask`: whether each position attends only to itself and earlier ones (the default).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x, encoded = np.ones((4, 5, 16), dtype="float32"), np.ones((4, 7, 16), dtype="float32")
        >>> layers.TransformerDecoder(32, 2)(x, encoded).shape
        (4, 5, 16)
    """

    independent_examples = True
    several_inputs: Several = Several("decoder_sequence", optional=("encoder_sequence",))

    def __init__(self, intermediate_dim: int, num_heads: int, **options: Any) -> None:
        super().__init__(intermediate_dim, num_heads, **options)

    def build(self, input_shape: Any) -> None:
        shapes = self.several_inputs.entries(self, input_shape)
        self.attends_to_encoder = len(shapes) == 2
        self._build_parts(shapes[0], shapes[-1])

    def call(
        self,
        x: Any,
        training: bool = False,
        mask: Any = None,
        attention_mask: Array | None = None,
        use_causal_mask: bool = True,
    ) -> Array:
        encoded = x[1] if len(x) == 2 else None
        x = x[0]
        if (encoded is not None) != self.attends_to_encoder:
            raise ValueError(
                f"Layer '{self.name}' was built {'with' if self.attends_to_encoder else 'without'} an encoder's "
                f"sequence. Received: {'one' if encoded is None else 'two'} inputs"
            )
        own_mask, encoded_mask = masks_of(mask, 2)
        if encoded is None:
            return super().call(x, training, own_mask, attention_mask, use_causal_mask)
        attend, cross = self.attentions
        x = self._residual(
            0, x, lambda x: attend(x, mask=own_mask, attention_mask=attention_mask, use_causal_mask=use_causal_mask)
        )
        x = self._residual(1, x, lambda x: cross(x, encoded, mask=[own_mask, encoded_mask]))
        return self._residual(2, x, lambda x: self.outer(self.inner(x)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.several_inputs.entries(self, input_shape)[0]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return masks_of(mask, 1)[0]

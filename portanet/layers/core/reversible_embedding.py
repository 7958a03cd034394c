"""Embeddings that project back to scores of the integers."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, dtype_for, raw_namespace
from portanet.layers.core.embedding import Embedding
from portanet.masks import remember


class ReversibleEmbedding(Embedding):
    """An `Embedding` that can be called in reverse, for the scores of all integers: the head of a language model.

    As `keras.layers.ReversibleEmbedding`; with tied weights, Press and Wolf 2017.

    Args:
        input_dim: Number of vectors: the largest integer plus 1.
        output_dim: Size of a vector.
        tie_weights: Whether the reverse projection is the transpose of the embeddings, or has weights of its own.
        embeddings_initializer: Initial values, shape (input_dim, output_dim).
        embeddings_regularizer: Penalty on them, added to the loss.
        embeddings_constraint: Function applied to them after each update.
        mask_zero: Whether 0 is padding, which later layers skip.
        reverse_dtype: Name of the dtype of the reverse projection; by default the compute dtype.
        logit_soft_cap: If given, scores are limited to this size, by `cap * tanh(scores / cap)`.
        **options: `weights` of `Embedding`; `name`, `trainable`, `dtype` of `Layer`.

    Call arguments: `reverse`: whether to project vectors, shape (batch, ..., output_dim), to scores, shape
    (batch, ..., input_dim), instead of embedding integers.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.ReversibleEmbedding(5, 3)
        >>> layer(layer(np.asarray([[2, 0]])), reverse=True).shape
        (1, 2, 5)
    """

    independent_examples = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **options,
        )
        self.tie_weights = checks.boolean("tie_weights", tie_weights, self)
        self.reverse_dtype = None if reverse_dtype is None else checks.choice(
            "reverse_dtype", reverse_dtype, ("bfloat16", "float16", "float32", "float64"), self
        )  # fmt: skip
        self.logit_soft_cap = logit_soft_cap
        if logit_soft_cap is not None:
            self.logit_soft_cap = checks.positive("logit_soft_cap", logit_soft_cap, self)

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def call(  # type: ignore[override]
        self, x: Array, reverse: bool = False, training: bool = False, return_mask: bool = False
    ) -> Any:
        backwards = checks.boolean("reverse", reverse, self)
        out = self._scores(x) if backwards else super().call(x, training)
        mask = None if backwards else self.compute_mask(x)
        if return_mask:
            return out, mask
        if mask is not None:
            remember(out, mask)
        return out

    def _scores(self, x: Array) -> Array:
        self.require_axis(x, -1, self.output_dim)
        x = self.in_compute_dtype(x, integers=True)
        kernel = self.embeddings.value if self.tie_weights else self.reverse_embeddings.value
        xp = array_namespace(x, kernel)
        kernel = xp.matrix_transpose(kernel) if self.tie_weights else kernel
        if self.reverse_dtype is not None:
            dtype = dtype_for(unwrap(x), self.reverse_dtype)
            x, kernel = xp.astype(x, dtype), xp.astype(kernel, dtype)
        scores = xp.matmul(x, kernel)
        return scores if self.logit_soft_cap is None else xp.tanh(scores / self.logit_soft_cap) * self.logit_soft_cap

    def check_data(self, x: Array) -> None:
        if raw_namespace(x).isdtype(x.dtype, "integral"):  # others may be for a call in reverse
            super().check_data(x)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        return (*input_shape[:-1], self.input_dim) if reverse else super().compute_output_shape(input_shape)

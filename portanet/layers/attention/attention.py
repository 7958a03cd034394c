"""Dot-product attention without projections."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array
from portanet.fused.attention import attention, softmax, with_causal
from portanet.fused.hidden import hides_from_some, known_finite, weighted_sum
from portanet.layers.base import Layer
from portanet.layers.random_layer import RandomLayer
from portanet.layers.several_inputs import Several
from portanet.masks import masks_of


class Attention(RandomLayer):
    """Dot-product attention (Luong et al. 2015); as `keras.layers.Attention`.

    Args:
        use_scale: Whether to scale the scores by a trained factor.
        score_mode: `"dot"`: the product of query and key; `"concat"`: the sum of tanh(query + key), with a trained
            factor.
        dropout: In training, the fraction of the weights to drop.
        seed: Seed of dropout; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: a list of query (batch, target, size), value (batch, source, value size) and, if it is not the value, key
    (batch, source, size). `mask` is a list of boolean masks of query (outputs are 0 where False) and value.
    Output: shape (batch, target, value size). Further axes after the batch are taken one by one: an image's rows.

    Call arguments: `use_causal_mask`: whether each position attends only to itself and earlier ones;
    `return_attention_scores`: whether to return the weights (batch, target, source), after dropout, as well.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.ones((2, 3, 4), dtype="float32")
        >>> layers.Attention()([x, x]).shape
        (2, 3, 4)
    """

    independent_examples = True
    several_inputs: Several = Several("query", "value", optional=("key",))
    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed, **options)
        self.use_scale = checks.boolean("use_scale", use_scale, self)
        self.score_mode = checks.choice("score_mode", score_mode, ("dot", "concat"), self)
        self.dropout = checks.rate("dropout", dropout, self)
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        if self.dropout:
            super().build(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(shape=(), initializer="ones", name="concat_score_weight")

    def call(
        self,
        x: Any,
        training: bool = False,
        mask: Any = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
    ) -> Any:
        query, value, *rest = x
        key = rest[0] if rest else value
        query_mask, value_mask = (None if m is None else unwrap(m) for m in masks_of(mask, 2))
        self.compute_output_shape([tuple(query.shape), tuple(value.shape), tuple(key.shape)])
        for x, m in ((query, query_mask), (value, value_mask)):
            require_mask(self, m, x)
        allowed = None
        query = without_masked(query, query_mask)
        if value_mask is not None:
            shared, value = key is value, without_masked(value, value_mask)
            key = value if shared else without_masked(key, value_mask)
            allowed = array_namespace(value_mask).expand_dims(value_mask, axis=-2)
        if checks.boolean("use_causal_mask", use_causal_mask, self):
            allowed = with_causal(allowed, unwrap(query), key.shape[-2])
        keep = None
        if training and self.dropout:
            kept = self.bernoulli(1 - self.dropout, (*query.shape[:-1], key.shape[-2]))
            keep = array_namespace(kept).astype(kept, query.dtype) * (1 / (1 - self.dropout))
        out, weights = self._attend(query, key, value, allowed, keep)
        out = without_masked(out, query_mask)
        if not checks.boolean("return_attention_scores", return_attention_scores, self):
            return out
        return out, weights if keep is None else weights * keep  # as in Keras, those that count

    def _attend(self, query: Array, key: Array, value: Array, mask: Array | None, keep: Array | None) -> Any:
        if self.score_mode == "dot":
            if self.use_scale:
                query = query * self.scale.value
            return attention(query, key, value, scale=1.0, mask=mask, keep=keep)
        factor = self.scale.value if self.use_scale else None
        scores = sums_of_tanh(query, key, factor, None, mask) * self.concat_score_weight.value
        return weighted_values(scores, value, mask, keep)

    def compute_output_shape(self, input_shape: Any) -> Any:
        query, value, *rest = self.several_inputs.entries(self, input_shape)
        require_shapes(self, query, value, rest[0] if rest else value, same_size=True)
        return (*query[:-1], value[-1])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return masks_of(mask, 1)[0]


def require_shapes(layer: Layer, query: Any, value: Any, key: Any, same_size: bool) -> None:
    """Reject shapes that the computation would broadcast, or cannot use; sizes that are None fit.

    Args:
        layer: The layer of attention.
        query: Shape of the query.
        value: Shape of the value.
        key: Shape of the key.
        same_size: Whether query and key must have the same number of features.
    """
    received = f"Received: shapes {tuple(query)} of query, {tuple(value)} of value, {tuple(key)} of key"
    ranks = {len(query), len(value), len(key)}
    if len(ranks) > 1 or max(ranks) < 3:
        raise ValueError(f"Layer '{layer.name}' needs inputs of shape (batch, time, features). {received}")
    if any(_differ(*sizes) for other in (value, key) for sizes in zip(query[1:-2], other[1:-2], strict=True)):
        raise ValueError(f"Layer '{layer.name}' needs inputs that differ in their last two axes alone. {received}")
    if _differ(key[-2], value[-2]):
        raise ValueError(
            f"Layer '{layer.name}' needs key and value of the same length, axis {len(key) - 2}. {received}"
        )
    if same_size and _differ(query[-1], key[-1]):
        raise ValueError(f"Layer '{layer.name}' needs query and key of the same size, axis {len(key) - 1}. {received}")


def _differ(size: int | None, other: int | None) -> bool:
    return size is not None and other is not None and size != other


def require_mask(layer: Layer, mask: Any, x: Array) -> None:
    """Reject a mask that is not one of the time steps of an array."""
    if mask is not None and tuple(getattr(mask, "shape", ())) != tuple(x.shape[:-1]):
        received = tuple(mask.shape) if hasattr(mask, "shape") else type(mask).__name__
        raise ValueError(
            f"A mask of layer '{layer.name}' must be an array of shape (batch, time), here {tuple(x.shape[:-1])}. "
            f"Received: {received}"
        )


def without_masked(x: Array, mask: Array | None) -> Array:
    """An array of shape (batch, time, features) with zeros where a mask, (batch, time) or (1, time), is False."""
    return x if mask is None else array_namespace(x).where(array_namespace(mask).expand_dims(mask, axis=-1), x, 0.0)


def weighted_values(scores: Array, value: Array, mask: Array | None, keep: Array | None) -> tuple[Array, Array]:
    """Values weighted by the softmax of scores, and the weights."""
    xp = array_namespace(scores, value)
    weights = softmax(xp, scores, mask)
    kept = weights if keep is None else weights * keep
    plain = mask is None or not hides_from_some(mask) or known_finite(value)
    return xp.matmul(kept, value) if plain else weighted_sum(kept, value, mask), weights


def sums_of_tanh(
    query: Array, key: Array, inner: Array | None, outer: Array | None, mask: Array | None = None
) -> Array:
    """`sum(outer * tanh(inner * (query + key)))` over the features, for all pairs of positions that a mask shows."""
    xp = array_namespace(query, key, *(x for x in (inner, outer) if x is not None))
    total = xp.expand_dims(query, axis=-2) + xp.expand_dims(key, axis=-3)
    if mask is not None and hides_from_some(mask) and not known_finite(query, key):
        total = xp.where(array_namespace(mask).expand_dims(mask, axis=-1), total, 0.0)
    activated = xp.tanh(total if inner is None else total * inner)
    return xp.sum(activated if outer is None else activated * outer, axis=-1)

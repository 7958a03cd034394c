"""Scaled dot-product attention with Keras's arguments."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused import attention
from portanet.ops.comparisons import truth
from portanet.ops.dtypes import floating
from portanet.ops.operation import Operand, operation


@operation
def dot_product_attention(
    query: Operand,
    key: Operand,
    value: Operand,
    bias: Operand | None = None,
    mask: Array | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Array:
    """`softmax(scale * query @ key.T + bias) @ value` for several heads (Vaswani et al. 2017).

    Args:
        query: Shape (batch, target length, heads, size).
        key: Shape (batch, source length, key heads, size); key heads divide the heads.
        value: Shape (batch, source length, key heads, size).
        bias: Added to the products, broadcasting to (batch, heads, target length, source length).
        mask: Likewise: False where attention is masked; a row masked altogether gives zeros.
        scale: Factor of the products; None for `size ** -0.5`.
        is_causal: Whether position t attends to positions up to t only.
        flash_attention: Ignored: long sequences are always computed in blocks, unless there is a bias or a cap.
        attn_logits_soft_cap: Products are limited to this number by tanh.

    Returns:
        Shape (batch, target length, heads, size).

    Example:
        >>> from portanet import ops
        >>> q = ops.ones((1, 3, 2, 4))
        >>> ops.shape(dot_product_attention(q, q, q, is_causal=True))
        (1, 3, 2, 4)
    """
    if any(len(x.shape) != 4 for x in (query, key, value)):
        shapes = ", ".join(str(tuple(x.shape)) for x in (query, key, value))
        raise ValueError(f"dot_product_attention takes arrays of four axes. Received: shapes {shapes}")
    xp = array_namespace(query, key, value)
    query, key, value = (xp.permute_dims(floating(x), (0, 2, 1, 3)) for x in (query, key, value))
    heads, groups = query.shape[1], key.shape[1]
    if heads % groups:
        raise checks.invalid("key", tuple(key.shape), f"an array whose heads divide {heads}", "dot_product_attention")
    if heads > groups:
        key, value = (xp.repeat(x, heads // groups, axis=1) for x in (key, value))
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    allowed = None if mask is None else truth(mask)
    if bias is None and attn_logits_soft_cap is None:
        result = attention.dot_product_attention(query, key, value, factor, mask=allowed, causal=is_causal)
    else:
        result = _with_bias(xp, query * factor, key, value, bias, allowed, is_causal, attn_logits_soft_cap)
    return array_namespace(result).permute_dims(result, (0, 2, 1, 3))


def _with_bias(
    xp: Any,
    query: Array,
    key: Array,
    value: Array,
    bias: Array | None,
    mask: Array | None,
    causal: bool,
    cap: float | None,
) -> Array:
    scores = xp.matmul(query, xp.matrix_transpose(key))
    scores = scores if cap is None else cap * xp.tanh(scores / cap)
    scores = scores if bias is None else array_namespace(scores, bias).add(scores, bias)
    if causal:
        mask = attention.with_causal(mask, query, key.shape[-2])
    weights = attention.softmax(array_namespace(scores), scores, mask)
    return array_namespace(weights, value).matmul(weights, value)

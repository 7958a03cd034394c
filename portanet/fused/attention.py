"""Scaled dot-product attention, fused; in blocks where all weights at once would take too much memory."""

from __future__ import annotations

import functools
import math
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp, stop_gradient, storage, unwrap
from portanet.backends import Array, backend_class_of, device_of, map_rows, overridable, readable
from portanet.fused.attention_blocks import attention_in_blocks
from portanet.fused.hidden import hides_from_some, known_finite, only_finite, weighted_sum

LONG = 1024
"""With more than LONG * LONG pairs of query and key, attention is computed in blocks."""


def dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    scale: float,
    mask: Array | None = None,
    causal: bool = False,
    keep: Array | None = None,
) -> Array:
    """`softmax(scale * query @ key.T) @ value` (Vaswani et al. 2017).

    For long sequences the weights are never all in memory: they are computed block by block, and again in the backward
    pass (see `attention_in_blocks`).

    Args:
        query: Shape (..., target length, size).
        key: Shape (..., source length, size), with the same leading axes.
        value: Shape (..., source length, value size).
        scale: Factor of the products, usually `size ** -0.5`.
        mask: Boolean array that broadcasts to (..., target length, source length): False where attention is masked.
            A fully masked row gives zeros.
        causal: Whether position t attends to positions up to t only.
        keep: Factor of the weights (dropout), broadcasting to their shape.

    Returns:
        Shape (..., target length, value size).

    Example:
        >>> import numpy as np
        >>> q, v = np.zeros((1, 3, 2)), np.asarray([[[1.0], [2.0], [6.0]]])
        >>> dot_product_attention(q, q, v, 1.0, causal=True).ravel()
        array([1. , 1.5, 3. ])
    """
    mask = None if mask is None else unwrap(mask)
    if query.shape[-2] * key.shape[-2] > LONG * LONG or _attends_in_blocks(query):
        out: Array = attention_in_blocks(query, key, value, scale=scale, mask=mask, causal=causal, keep=keep)[0]
        return out
    if causal:
        mask = with_causal(mask, unwrap(query), key.shape[-2])
    out = attention(query, key, value, scale=scale, mask=mask, keep=keep)[0]
    return out


def _attends_in_blocks(query: Array) -> bool:
    backend = backend_class_of(storage(query))
    return backend is not None and backend.attends_in_blocks


def with_causal(mask: Array | None, query: Array, length: int) -> Array:
    """`mask` combined with the causal mask."""
    xp = array_namespace(query)
    device = device_of(query)
    rows = xp.reshape(xp.arange(query.shape[-2], device=device), (query.shape[-2], 1))
    visible = xp.arange(length, device=device) <= rows
    return visible if mask is None else mask & visible


@custom_vjp
@overridable
def attention(
    query: Array, key: Array, value: Array, *, scale: float, mask: Array | None = None, keep: Array | None = None
) -> Any:
    """As `dot_product_attention`; returns `(result, weights)`, the weights before `keep`.

    Example:
        >>> import numpy as np
        >>> x = np.asarray([[0.0], [1.0]])
        >>> attention(x, x, x, scale=1.0)[1].round(4)
        array([[0.5   , 0.5   ],
               [0.2689, 0.7311]])
    """
    mask, keep = (None if a is None else _by_example(a, query) for a in (mask, keep))
    size = math.prod(query.shape[1:-1]) * (4 * key.shape[-2] + 4 * query.shape[-1])
    hides = hides_from_some(mask)
    careful = hides and not readable(storage(query), wait=False)
    forward = functools.partial(_forward, scale=scale, careful=careful)
    result, weights = map_rows(forward, query, key, value, mask, keep, size=size)
    if hides and not careful and not known_finite(result, key):
        careful, forward = True, functools.partial(_forward, scale=scale, careful=True)
        result, weights = map_rows(forward, query, key, value, mask, keep, size=size)

    def pullback(cotangents: tuple[Array | None, Array | None]) -> Any:
        g, g_weights = cotangents
        backward = functools.partial(_backward, scale=scale)
        arrays = weights, query, key, value
        if careful:
            arrays = tuple(map(only_finite, arrays))
        grads = map_rows(backward, g, g_weights, *arrays, keep, size=size)
        return grads if len(grads) == 3 else (*grads, None)

    return (result, weights), pullback


def _by_example(x: Array, query: Array) -> Array:
    """A mask or dropout factor, broadcast to have the batch as its first axis."""
    xp = array_namespace(x)
    shape = (1,) * (query.ndim - len(x.shape)) + tuple(x.shape)
    return xp.broadcast_to(xp.reshape(x, shape), (query.shape[0], *shape[1:]))


def _forward(
    query: Array, key: Array, value: Array, mask: Array | None, keep: Array | None, scale: float, careful: bool
) -> tuple[Array, Array]:
    """The result and the weights; if `careful`, values that the mask hides need not be finite."""
    xp = array_namespace(query, key, value)
    # Scaling the query is cheaper than scaling the products.
    weights = softmax(xp, xp.matmul(query * scale, xp.matrix_transpose(key)), mask)
    kept = weights if keep is None else weights * keep
    return (weighted_sum(kept, value, mask) if careful else xp.matmul(kept, value)), weights


def _backward(
    g: Array | None,
    g_weights: Array | None,
    weights: Array,
    query: Array,
    key: Array,
    value: Array,
    keep: Array | None,
    scale: float,
) -> tuple[Array, ...]:
    """Cotangents of query, key and, if `g` is given, value."""
    xp = array_namespace(*(c for c in (g, g_weights) if c is not None), query, key, value)
    by_value, ds = None, g_weights
    if g is not None:
        by_value = xp.matmul(xp.matrix_transpose(weights if keep is None else weights * keep), g)
        ds = xp.matmul(g, xp.matrix_transpose(value))
        if keep is not None:
            ds *= keep
        if g_weights is not None:
            ds += g_weights
        ds *= weights
    else:
        assert g_weights is not None
        ds = g_weights * weights
    # Of a softmax p: dp * p - p * sum(dp * p).
    ds -= xp.sum(ds, axis=-1, keepdims=True) * weights
    by_query = xp.matmul(ds, key * scale)
    by_key = xp.matmul(xp.matrix_transpose(ds), query * scale)
    return (by_query, by_key) if by_value is None else (by_query, by_key, by_value)


def softmax(xp: Any, scores: Array, mask: Array | None) -> Array:
    """Softmax over the last axis where the mask is True; `scores` may be overwritten."""
    if mask is not None:
        scores = xp.where(mask, scores, float(xp.finfo(scores.dtype).min))
    scores -= xp.max(stop_gradient(scores), axis=-1, keepdims=True)  # which changes nothing in the result
    weights = xp.exp(scores)
    total = xp.sum(weights, axis=-1, keepdims=True)
    if mask is not None:
        # A fully masked row would get equal weights.
        weights = xp.where(mask, weights, 0.0)
    weights /= total
    return weights

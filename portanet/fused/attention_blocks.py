"""Attention block by block, with a running softmax: memory grows with the length, not with its square."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp, unwrap
from portanet.backends import Array, device_of, overridable
from portanet.fused.hidden import known_finite, only_finite, weighted_sum


@custom_vjp
@overridable
def attention_in_blocks(
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float,
    mask: Array | None = None,
    causal: bool = False,
    keep: Array | None = None,
    block: int = 256,
) -> Any:
    """As `dot_product_attention`, computed for `block` queries and `block` keys at a time (Rabe and Staats 2021).

    The running maximum and sum of the softmax are corrected with every block (Milakov and Gimelshein 2018). The
    backward pass recomputes the weights (Dao et al. 2022). Blocks that a causal mask hides are skipped.

    Returns:
        `(result, log_sum)`: the result, and the logarithm of each row's sum of exponentials.

    Example:
        >>> import numpy as np
        >>> x = np.asarray([[0.0], [1.0], [2.0]])
        >>> attention_in_blocks(x, x, x, scale=1.0, block=2)[0].ravel().round(4)
        array([1.    , 1.5752, 1.8509])
    """
    xp = array_namespace(query, key, value)
    lowest = float(xp.finfo(query.dtype).min)
    hidden = (causal or mask is not None) and not known_finite(query, key, value)
    results, sums = [], []
    for rows in _blocks(query.shape[-2], block):
        q = query[..., rows, :] * scale
        top: Any = None
        total: Any = None
        out: Any = None
        for columns in _visible_blocks(rows, key.shape[-2], block, causal):
            allowed = _allowed(xp, query, mask, causal, rows, columns)
            scores = xp.matmul(q, xp.matrix_transpose(key[..., columns, :]))
            if allowed is not None:
                scores = xp.where(allowed, scores, lowest)
            new_top = xp.max(scores, axis=-1, keepdims=True)
            if top is not None:
                new_top = xp.maximum(top, new_top)
            weights = xp.exp(scores - new_top)
            if allowed is not None:
                weights = xp.where(allowed, weights, 0.0)
            part_sum = xp.sum(weights, axis=-1, keepdims=True)
            kept = weights if keep is None else weights * _block_of(keep, rows, columns)
            values = value[..., columns, :]
            careful = hidden and allowed is not None
            part = weighted_sum(kept, values, allowed) if careful else xp.matmul(kept, values)
            if top is not None:
                shrink = xp.exp(top - new_top)
                part, part_sum = part + out * shrink, part_sum + total * shrink
            top, total, out = new_top, part_sum, part
        total = xp.where(total > 0, total, 1.0)  # a fully masked row
        results.append(out / total)
        sums.append(top + xp.log(total))
    result, log_sum = xp.concat(results, axis=-2), xp.concat(sums, axis=-2)

    def pullback(cotangents: tuple[Array | None, Array | None]) -> Any:
        g, g_sum = cotangents
        xp = array_namespace(*(c for c in cotangents if c is not None), query, key, value)
        queries, keys, values, log_sums = query, key, value, log_sum
        if hidden:
            queries, keys, values, log_sums = map(only_finite, (query, key, value, log_sum))
        if g is None:
            g = xp.zeros_like(result)
        # The softmax subtracts each row's mean slope; the slope of log_sum is the softmax.
        inner = xp.sum(g * (only_finite(result) if hidden else result), axis=-1, keepdims=True)
        if g_sum is not None:
            inner = inner - g_sum
        by_query = []
        key_blocks = list(_blocks(key.shape[-2], block))
        by_key: list[Any] = [None] * len(key_blocks)
        by_value: list[Any] = [None] * len(key_blocks)
        for rows in _blocks(query.shape[-2], block):
            q, g_rows = queries[..., rows, :] * scale, g[..., rows, :]
            dq: Any = None
            for n, columns in enumerate(_visible_blocks(rows, key.shape[-2], block, causal)):
                k = keys[..., columns, :]
                allowed = _allowed(xp, query, mask, causal, rows, columns)
                scores = xp.matmul(q, xp.matrix_transpose(k))
                if allowed is not None:
                    scores = xp.where(allowed, scores, lowest)
                weights = xp.exp(scores - log_sums[..., rows, :])
                if allowed is not None:
                    weights = xp.where(allowed, weights, 0.0)
                ds, kept = xp.matmul(g_rows, xp.matrix_transpose(values[..., columns, :])), weights
                if keep is not None:
                    factor = _block_of(keep, rows, columns)
                    ds, kept = ds * factor, weights * factor
                ds = (ds - inner[..., rows, :]) * weights
                dq = _plus(dq, xp.matmul(ds, k))
                by_key[n] = _plus(by_key[n], xp.matmul(xp.matrix_transpose(ds), q))
                by_value[n] = _plus(by_value[n], xp.matmul(xp.matrix_transpose(kept), g_rows))
            by_query.append(dq * scale)
        for n, columns in enumerate(key_blocks):
            if by_key[n] is None:  # hidden from all queries
                by_key[n] = xp.zeros_like(key[..., columns, :])
                by_value[n] = xp.zeros_like(value[..., columns, :])
        return xp.concat(by_query, axis=-2), xp.concat(by_key, axis=-2), xp.concat(by_value, axis=-2)

    return (result, log_sum), pullback


def _plus(total: Array | None, part: Array) -> Array:
    return part if total is None else total + part


def _blocks(length: int, block: int) -> Iterator[slice]:
    return (slice(start, min(start + block, length)) for start in range(0, length, block))


def _visible_blocks(rows: slice, length: int, block: int, causal: bool) -> Iterator[slice]:
    """The blocks of keys that these queries attend to."""
    return (columns for columns in _blocks(length, block) if not causal or columns.start < rows.stop)


def _block_of(x: Array, rows: slice, columns: slice) -> Array:
    """A block of a mask or of factors; an axis of size 1 is shared."""
    chosen = columns if x.shape[-1] > 1 else slice(None)
    return x[..., chosen] if x.ndim == 1 else x[..., rows if x.shape[-2] > 1 else slice(None), chosen]


def _allowed(xp: Any, query: Array, mask: Array | None, causal: bool, rows: slice, columns: slice) -> Array | None:
    """The mask of one block."""
    allowed = None if mask is None else _block_of(mask, rows, columns)
    if causal and columns.stop > rows.start + 1:
        raw = array_namespace(unwrap(query))
        device = device_of(unwrap(query))
        positions = raw.reshape(raw.arange(rows.start, rows.stop, device=device), (rows.stop - rows.start, 1))
        visible = raw.arange(columns.start, columns.stop, device=device) <= positions
        allowed = visible if allowed is None else allowed & visible
    return allowed

"""Attention on NumPy arrays: all that some queries see at once, in pieces that stay in a core's cache."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.namespace import SMALL, matmul, where
from portanet.backends.numpy.threads import map_pieces, slices

WEIGHTS = 2**18
"""Approximate number of weights of a piece."""
ROWS = 64
"""Least number of queries of a piece, if later ones see more."""
KEPT = 2**20
"""With more pairs of query and key, weights are not kept for the backward pass, but computed again."""
NEAR = 60.0
"""Scores up to this size need no shift: neither their exponentials nor sums of these leave the range of float32."""


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
    """As the op of that name; which keys are seen at once follows from the shapes, not from `block`."""
    if not (query.ndim > 2 and query.dtype == key.dtype == value.dtype and query.dtype.char in "fd"):
        return NotImplemented
    if not (query.size and key.size and value.size):
        return NotImplemented
    hides = causal or mask is not None
    if hides and not all(np.isfinite(x).all() for x in (query, key, value)):
        return NotImplemented
    blocks = _Blocks(query, key, mask, causal, keep)
    lead, targets, size = query.shape[:-2], query.shape[-2], value.shape[-1]
    result = np.empty_like(query, shape=(*lead, targets, size))
    log_sum = np.empty((*lead, targets, 1), dtype=query.dtype)
    keeps = targets * key.shape[-2] <= KEPT

    def forward(part: slice) -> list[Array]:
        weights, keys = [], _transposed(key[part])
        for rows, columns in blocks.of_rows:
            p, log_sum[part][..., rows, :] = blocks.weights(part, rows, columns, keys, scale)
            factor = blocks.factor(part, rows, columns)
            kept = p if factor is None else p * factor
            np.matmul(kept, value[part][..., columns, :], out=result[part][..., rows, :])
            if keeps:
                weights.append(p)
        return weights

    known = map_pieces(forward, blocks.parts)

    def pullback(cotangents: tuple[Array | None, Array | None]) -> Any:
        g, g_sum = cotangents
        g = np.zeros_like(result) if g is None else g
        grads = [np.empty_like(x) for x in (query, key, value)]
        backward = functools.partial(_backward, blocks, g, g_sum, value, result, log_sum, grads, scale)
        map_pieces(lambda i: backward(blocks.parts[i], known[i]), range(len(known)))
        return tuple(grads)

    return (result, log_sum), pullback


def _backward(
    blocks: _Blocks,
    g: Array,
    g_sum: Array | None,
    value: Array,
    result: Array,
    log_sum: Array,
    grads: list[Array],
    scale: float,
    part: slice,
    known: list[Array],
) -> None:
    """Write the cotangents of query, key and value of some examples, whose weights may be known."""
    key, value, g = blocks.key[part], value[part], g[part]
    # The softmax subtracts each row's mean slope; the slope of log_sum is the softmax.
    inner = np.vecdot(g, result[part])[..., None]
    if g_sum is not None:
        inner -= g_sum[part]
    by_query, by_key, by_value = (x[part] for x in grads)
    values, keys = _transposed(value), None if known else _transposed(key)
    scaled = key * scale
    # The last queries see most keys, and so their cotangents are written first.
    seen = blocks.of_rows[-1][1].stop
    for total in (by_key, by_value):
        total[..., seen:, :] = 0.0
    first = len(blocks.of_rows) - 1
    for i in range(first, -1, -1):
        rows, columns = blocks.of_rows[i]
        g_rows = g[..., rows, :]
        p = known[i] if known else blocks.weights(part, rows, columns, keys, scale, log_sum[part][..., rows, :])[0]
        ds, kept, factor = matmul(g_rows, values[..., columns]), p, blocks.factor(part, rows, columns)
        if factor is not None:
            ds *= factor
            kept = p * factor
        ds -= inner[..., rows, :]
        ds *= p
        np.matmul(ds, scaled[..., columns, :], out=by_query[..., rows, :])
        q = blocks.query[part][..., rows, :] * scale
        for total, left, right in ((by_key, ds, q), (by_value, kept, g_rows)):
            if i == first:
                np.matmul(left.swapaxes(-1, -2), right, out=total[..., columns, :])
            else:
                total[..., columns, :] += np.matmul(left.swapaxes(-1, -2), right)


def in_one_piece(query: Array, key: Array, value: Array) -> bool:
    """Whether attention without a mask to few keys is one piece, with one block and products that are not divided."""
    alike = query.ndim > 2 and query.dtype == key.dtype == value.dtype and query.dtype.char in "fd"
    if not (alike and query.size and key.size and value.size and query.shape[-1] > 1 and key.shape[-2] > 1):
        return False
    blocks = _Blocks(query, key, None, False, None)
    products = 2 * query.size * key.shape[-2] < SMALL
    return products and len(blocks.parts) == len(blocks.of_rows) == 1


class _Blocks:
    """What attention is divided into: examples, and queries with the keys that they may see.

    Attributes:
        parts: The examples of each part.
        of_rows: For each block of queries, these and the keys.
    """

    def __init__(self, query: Array, key: Array, mask: Array | None, causal: bool, keep: Array | None) -> None:
        self.query, self.key, self.mask, self.causal, self.keep = query, key, mask, causal, keep
        examples, *others, targets, _ = query.shape
        sources, matrices = key.shape[-2], int(np.prod(others))
        rows = max(ROWS, targets // 8) if causal else targets
        rows = max(1, min(rows, WEIGHTS // sources))
        self.of_rows = [
            (chosen, slice(0, min(sources, chosen.stop) if causal else sources)) for chosen in slices(targets, rows)
        ]
        self.parts = slices(examples, max(1, WEIGHTS // (matrices * rows * sources)))

    def weights(
        self, part: slice, rows: slice, columns: slice, keys: Array, scale: float, log_sum: Array | None = None
    ) -> tuple[Array, Array]:
        """The weights of a block, and the logarithms of the sums of exponentials; those, if they are known.

        `keys` are those of the part, transposed.
        """
        scores = matmul(self.query[part][..., rows, :] * scale, keys[..., columns])
        mask = None if self.mask is None else self._block_of(self.mask, part, rows, columns)
        near = log_sum is None and scores.min() >= -NEAR and scores.max() <= NEAR
        allowed = None if near else self._allowed(mask, rows, columns)
        shift = log_sum
        if not near:
            if allowed is not None:
                scores = np.where(allowed, scores, np.finfo(scores.dtype).min)
            shift = np.max(scores, axis=-1, keepdims=True) if shift is None else shift
            scores -= shift
        weights = np.exp(scores, out=scores)
        if allowed is not None or mask is not None:
            weights = where(mask if allowed is None else allowed, weights, 0.0)
        if near and self.causal:
            width = max(0, columns.stop - rows.start)
            weights[..., columns.stop - width :] *= _triangle(rows.stop - rows.start, width, weights.dtype.char)
        if log_sum is not None:
            return weights, log_sum
        total = np.matmul(weights, np.ones((weights.shape[-1], 1), dtype=weights.dtype))
        empty = None
        if mask is not None:
            empty = total == 0  # fully masked rows
            total[empty] = 1.0
        weights /= total
        log_sum = np.log(total, out=total)
        if shift is not None:
            log_sum += shift
        elif empty is not None:
            log_sum[empty] = np.finfo(weights.dtype).min
        return weights, log_sum

    def factor(self, part: slice, rows: slice, columns: slice) -> Array | None:
        """The factor of a block's weights, if any."""
        return None if self.keep is None else self._block_of(self.keep, part, rows, columns)

    def _block_of(self, x: Array, part: slice, rows: slice, columns: slice) -> Array:
        """A block of a mask or of factors, of which axes of size 1 are shared."""
        x = np.atleast_2d(x)
        if x.ndim == self.query.ndim and x.shape[0] > 1:
            x = x[part]
        x = x[..., rows if x.shape[-2] > 1 else slice(None), :]
        return x[..., columns] if x.shape[-1] > 1 else x

    def _allowed(self, mask: Array | None, rows: slice, columns: slice) -> Array | None:
        """The same with what the order of queries and keys hides."""
        if not self.causal:
            return mask
        visible = np.arange(columns.start, columns.stop) <= np.arange(rows.start, rows.stop)[:, None]
        return visible if mask is None else mask & visible


def _transposed(x: Array) -> Array:
    """Contiguous: products with it take half the time."""
    return np.ascontiguousarray(x.swapaxes(-1, -2))


@functools.lru_cache(maxsize=64)
def _triangle(rows: int, columns: int, kind: str) -> Array:
    """1 where a query sees a key, of blocks that begin at the same place; else 0."""
    return np.tri(rows, columns, dtype=kind)

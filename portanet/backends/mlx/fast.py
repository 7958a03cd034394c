"""MLX's fast functions as overrides of `portanet.fused.normalization` and `portanet.fused.attention`.

MLX has kernels of these for GPUs. On the CPU it composes them: forward as fast as the definitions, forward and backward
8 to 31% slower (CPU of two cores, mlx 0.32). There the definitions are used.

Results next to the main one (mean and variance, weights) are computed only if they are used, as everything in MLX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from portanet.backends.base import Array

ON_CPU = False
"""Whether they are used on the CPU, too: for tests."""


def _fast(x: Array) -> bool:
    import mlx.core as mx

    return (ON_CPU or mx.default_device() != mx.Device(mx.cpu, 0)) and x.size > 0 and bool(x.dtype != mx.float64)


# Normalisation, over the last axis


def normalize(
    x: Array, *affine: Array, axes: tuple[int, ...], epsilon: float, scale: bool = False, offset: bool = False
) -> Any:
    """By `layer_norm`."""
    import mlx.core as mx

    if not _normalizes(x, affine, axes):
        return NotImplemented
    mean = mx.mean(x, -1, keepdims=True)

    def result(x: Array, *affine: Array) -> Array:
        vectors = [v.reshape(-1) for v in affine]
        return mx.fast.layer_norm(x, vectors[0] if scale else None, vectors[-1] if offset else None, epsilon)

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g, g_mean, g_variance = cotangents
        dx, *rest = (None, *(None for _ in affine)) if g is None else mx.vjp(result, [x, *affine], [g])[1]
        size = x.shape[-1]
        return _plus(
            dx,
            None if g_mean is None else mx.broadcast_to(g_mean / size, x.shape),
            None if g_variance is None else g_variance * (2 / size) * (x - mean),
        ), *rest

    return (result(x, *affine), mean, mx.var(x, -1, keepdims=True)), pullback


def rms_normalize(x: Array, *affine: Array, axes: tuple[int, ...], epsilon: float) -> Any:
    """By `rms_norm`."""
    import mlx.core as mx

    if not _normalizes(x, affine, axes):
        return NotImplemented

    def result(x: Array, *affine: Array) -> Array:
        return mx.fast.rms_norm(x, affine[0].reshape(-1) if affine else None, epsilon)

    return result(x, *affine), lambda g: tuple(mx.vjp(result, [x, *affine], [g])[1])


def _normalizes(x: Array, affine: Sequence[Array], axes: tuple[int, ...]) -> bool:
    return _fast(x) and axes == (x.ndim - 1,) and all(v.size == v.shape[-1] == x.shape[-1] for v in affine)


# Attention


def attention(
    query: Array, key: Array, value: Array, *, scale: float, mask: Array | None = None, keep: Array | None = None
) -> Any:
    """By `scaled_dot_product_attention`, without dropout."""
    import mlx.core as mx

    if keep is not None:
        return NotImplemented

    def weights(scores: Array) -> Array:
        out = mx.softmax(scores, -1)
        return out if mask is None else mx.where(mask, out, 0)

    return _attended(query, key, value, scale, mask, weights)


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
    """By `scaled_dot_product_attention`, without dropout."""
    import mlx.core as mx

    if causal or keep is not None:
        return NotImplemented
    return _attended(query, key, value, scale, mask, lambda scores: mx.logsumexp(scores, -1, keepdims=True))


def _attended(
    query: Array, key: Array, value: Array, scale: float, mask: Array | None, second: Callable[[Array], Array]
) -> Any:
    """The result, and a function of the scores. Not if some queries see what others do not: this need not be finite."""
    import mlx.core as mx

    if not _fast(query) or query.ndim != 4 or (mask is not None and mask.ndim > 1 and mask.shape[-2] > 1):
        return NotImplemented
    sees = None if mask is None else mx.any(mask, -1, keepdims=True)

    def result(query: Array, key: Array, value: Array) -> Array:
        out = mx.fast.scaled_dot_product_attention(query, key, value, scale=scale, mask=mask)
        return out if sees is None else mx.where(sees, out, 0)

    def further(query: Array, key: Array) -> Array:
        scores = mx.matmul(query * scale, mx.swapaxes(key, -1, -2))
        return second(scores if mask is None else mx.where(mask, scores, mx.finfo(scores.dtype).min))

    def pullback(cotangents: tuple[Array | None, Array | None]) -> Any:
        g, g_further = cotangents
        grads = (None, None, None) if g is None else mx.vjp(result, [query, key, value], [g])[1]
        if g_further is None:
            return tuple(grads)
        by_query, by_key = mx.vjp(further, [query, key], [g_further])[1]
        return _plus(grads[0], by_query), _plus(grads[1], by_key), grads[2]

    return (result(query, key, value), further(query, key)), pullback


def _plus(*terms: Array | None) -> Array | None:
    """The sum of those that are not None, if any."""
    first, *others = [term for term in terms if term is not None] or [None]
    return sum(others, first)


OVERRIDES: dict[str, Callable[..., Any]] = {
    "attention": attention,
    "attention_in_blocks": attention_in_blocks,
    "normalize": normalize,
    "rms_normalize": rms_normalize,
}

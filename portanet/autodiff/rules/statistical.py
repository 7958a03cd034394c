"""Sums, means, extrema and products over axes."""

from __future__ import annotations

import math
from types import MethodType
from typing import Any

from portanet.autodiff.dispatch import LinearMap, fit
from portanet.autodiff.rules.declare import composite, linear, rule


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in axis) if isinstance(axis, tuple) else (axis % ndim,)


def _kept(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape of a reduction with the reduced axes kept as 1."""
    axes = _axes(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _spread(xp: Any, x: Any, axis: Any) -> LinearMap:
    """From the cotangent of a sum to that of each summand."""
    return MethodType(_spread_along, (xp, x.shape, x.dtype, axis))


def _spread_along(target: tuple[Any, tuple[int, ...], Any, Any], g: Any) -> Any:
    xp, shape, dtype, axis = target
    if axis is not None:  # else the cotangent is 0-d, and broadcasts as it is
        g = xp.reshape(g, _kept(shape, axis))
    return fit(xp, g, shape, dtype)


linear("sum", lambda xp, ans, x, /, *, axis=None, dtype=None, keepdims=False: _spread(xp, x, axis))


def _mean_back(xp: Any, ans: Any, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> LinearMap:
    spread, count = _spread(xp, x, axis), math.prod(x.shape[a] for a in _axes(axis, x.ndim))
    return lambda g: spread(g / max(count, 1))


linear("mean", _mean_back)


@composite("var")
def _var(xp: Any, x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    count = math.prod(x.shape[a] for a in _axes(axis, x.ndim))
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    squared = xp.real(centred * xp.conj(centred)) if xp.isdtype(x.dtype, "complex floating") else centred * centred
    return xp.sum(squared, axis=axis, keepdims=keepdims) / (count - correction)


@composite("std")
def _std(xp: Any, x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """Like a norm: where all elements are equal, it and its derivative are 0."""
    var = xp.var(x, axis=axis, correction=correction, keepdims=keepdims)
    return xp.where(var == 0, 0.0, xp.sqrt(xp.where(var == 0, 1.0, var)))


# Extrema: at a tie, the equal elements share the cotangent evenly.


def _winners(xp: Any, ans: Any, x: Any, axis: Any) -> Any:
    wins = xp.astype(x == xp.reshape(ans, _kept(x.shape, axis)), x.dtype)
    return wins / xp.sum(wins, axis=axis, keepdims=True)


def _extreme_pull(xp: Any, ans: Any, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> LinearMap:
    share, kept = _winners(xp, ans, x, axis), _kept(x.shape, axis)
    return lambda g: xp.reshape(g, kept) * share


def _extreme_push(xp: Any, ans: Any, x: Any, /, *, axis: Any = None, keepdims: bool = False) -> LinearMap:
    share = _winners(xp, ans, x, axis)
    return lambda t: xp.sum(t * share, axis=axis, keepdims=keepdims)


rule("max", (_extreme_pull,), (_extreme_push,))
rule("min", (_extreme_pull,), (_extreme_push,))


@composite("prod")
def _prod(xp: Any, x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """Multiply halves until one element is left: no division, so zeros have the right derivative to any order."""
    if dtype is not None:
        x = xp.astype(x, dtype)
    axes = _axes(axis, x.ndim)
    kept = _kept(x.shape, axis)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    rows = xp.reshape(
        xp.permute_dims(x, (*axes, *rest)), (math.prod(x.shape[a] for a in axes), *(x.shape[i] for i in rest))
    )
    if rows.shape[0] == 0:
        return xp.prod(xp.stop_gradient(x), axis=axis, keepdims=keepdims)
    while rows.shape[0] > 1:
        half = rows.shape[0] // 2
        odd = rows[2 * half :, ...]
        rows = xp.concat([rows[:half, ...] * rows[half : 2 * half, ...], odd], axis=0)
    return xp.reshape(rows, kept if keepdims else tuple(x.shape[i] for i in rest))


def _cumulative_sum_back(
    xp: Any, ans: Any, x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> LinearMap:
    axis = 0 if axis is None else axis % x.ndim
    shape, own = x.shape, x.dtype
    tail = (slice(None),) * axis + (slice(1, None), ...)

    def pull(g: Any) -> Any:
        if include_initial:
            g = g[tail]
        return fit(xp, xp.flip(xp.cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis), shape, own)

    return pull


linear("cumulative_sum", _cumulative_sum_back)


@composite("cumulative_prod")
def _cumulative_prod(
    xp: Any, x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Multiply by the array shifted by 1, 2, 4, ... (Hillis and Steele 1986): no division, zeros are right."""
    axis = 0 if axis is None else axis % x.ndim
    before = (slice(None),) * axis
    if dtype is not None:
        x = xp.astype(x, dtype)
    shift = 1
    while shift < x.shape[axis]:
        head, tail = x[(*before, slice(None, shift), ...)], x[(*before, slice(shift, None), ...)]
        x = xp.concat([head, tail * x[(*before, slice(None, -shift), ...)]], axis=axis)
        shift *= 2
    if include_initial:
        one = xp.ones((*x.shape[:axis], 1, *x.shape[axis + 1 :]), dtype=x.dtype, device=xp.device_of(x))
        x = xp.concat([one, x], axis=axis)
    return x

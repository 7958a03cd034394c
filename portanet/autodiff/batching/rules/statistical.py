"""Sums, means, extrema and the like."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.batching.declare import Call, flattened, moved, moved_all, unary


@unary("all", "any", "count_nonzero", "max", "mean", "min", "prod", "std", "sum", "var")
def _reduce(c: Call, x: Any, /, *, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    if x.ndim == 1:
        moved_all(axis, 0)
        return c(c.xp.expand_dims(x, axis=1), axis=1, **options)
    axes = moved_all(axis, x.ndim - 1)
    return c(x, axis=axes[0] if len(axes) == 1 else axes, keepdims=keepdims, **options)


@unary("cumulative_prod", "cumulative_sum")
def _cumulative(c: Call, x: Any, /, *, axis: int | None = None, **options: Any) -> Any:
    if axis is None:
        if x.ndim > 2:
            raise ValueError(f"{c.name} needs an axis for arrays with several. Received: axis=None, {x.ndim - 1} axes")
        return c(flattened(c.xp, x), axis=1, **options)
    return c(x, axis=moved(axis, x.ndim - 1), **options)

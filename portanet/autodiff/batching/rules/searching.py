"""Sorting, searching and sets; where the size of a result depends on values, examples differ in shape."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.batching.declare import Call, moved, one_of, rule, unary


@unary("argsort", "sort")
def _sort(c: Call, x: Any, /, *, axis: int = -1, **options: Any) -> Any:
    return c(x, axis=moved(axis, x.ndim - 1), **options)


@unary("argmax", "argmin")
def _argmax(c: Call, x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    value, along = one_of(c.xp, x, axis)
    out = c(value, axis=along, keepdims=keepdims and axis is not None)
    return c.xp.reshape(out, (x.shape[0], *(1,) * (x.ndim - 1))) if keepdims and axis is None else out


@rule("searchsorted")
def _searchsorted(c: Call, x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """By the number of elements before each value."""
    xp = c.xp
    if not c.batched(x1) and not c.batched(sorter):
        return c(x1, x2.value, side=side, sorter=sorter)
    edges = c.value(x1)
    if sorter is not None:
        order = c.each(sorter)
        edges = xp.take_along_axis(xp.broadcast_to(edges, order.shape), order)
    rank = len(getattr(x2, "shape", ()))
    edges = xp.reshape(edges, (edges.shape[0], *(1,) * rank, edges.shape[1]))
    values = xp.expand_dims(c.value(x2), axis=-1) if hasattr(x2, "shape") else x2
    before = edges < values if side == "left" else edges <= values
    return xp.count_nonzero(before, axis=-1)


@rule("nonzero")
def _nonzero(c: Call, x: Any, /) -> Any:
    c.refuse(
        "the number of positions differs between examples. Use xp.where(condition, x, y), or xp.count_nonzero and "
        "xp.argsort for a fixed number"
    )


@rule("unique_all", "unique_counts", "unique_inverse", "unique_values")
def _unique(c: Call, x: Any, /) -> Any:
    c.refuse("the number of distinct values differs between examples. Use xp.sort, and compare neighbours")

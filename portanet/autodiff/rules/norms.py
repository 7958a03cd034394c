"""Norms of vectors and matrices. Each is 0 at the origin, as is its derivative."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.rules.declare import composite


def _root_of_squares(xp: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The square root of the sum of squares; its derivative at the origin is 0."""
    squared = xp.real(x * xp.conj(x)) if xp.isdtype(x.dtype, "complex floating") else x * x
    squares = xp.sum(squared, axis=axis, keepdims=keepdims)
    return xp.where(squares == 0, 0.0, xp.sqrt(xp.where(squares == 0, 1.0, squares)))


@composite("linalg.vector_norm")
def _vector_norm(xp: Any, x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:  # noqa: A002
    if ord == 2:
        return _root_of_squares(xp, x, axis, keepdims)
    size = xp.abs(x)
    if ord == math.inf:
        return xp.max(size, axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return xp.min(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return xp.sum(xp.astype(size != 0, size.dtype), axis=axis, keepdims=keepdims)
    if ord == 1:
        return xp.sum(size, axis=axis, keepdims=keepdims)
    # x^p has no finite derivative at 0 for p < 1: zeros are left out.
    zero = size == 0
    total = xp.sum(xp.where(zero, _power_of_zero(ord), xp.where(zero, 1.0, size) ** ord), axis=axis, keepdims=keepdims)
    none = total == 0
    return xp.where(none, 0.0, xp.where(none, 1.0, total) ** (1 / ord))


def _power_of_zero(ord: float) -> float:  # noqa: A002 -- the standard's name
    return 0.0 if ord > 0 else math.inf


@composite("linalg.matrix_norm")
def _matrix_norm(xp: Any, x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:  # noqa: A002
    if ord == "fro":
        return _root_of_squares(xp, x, (-2, -1), keepdims)
    if ord in ("nuc", 2, -2):
        if ord == "nuc":
            out = xp.find("nuclear_norm")(x)
        else:
            out = (xp.max if ord == 2 else xp.min)(xp.linalg.svdvals(x), axis=-1)
        return xp.reshape(out, (*out.shape, 1, 1)) if keepdims else out
    across, along = (-2, -1) if abs(ord) == 1 else (-1, -2)
    sums = xp.sum(xp.abs(x), axis=across, keepdims=True)
    out = (xp.max if ord > 0 else xp.min)(sums, axis=along, keepdims=True)
    return out if keepdims else xp.squeeze(out, axis=(-2, -1))

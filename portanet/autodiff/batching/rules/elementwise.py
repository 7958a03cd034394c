"""Elementwise functions: the batch axis is one more axis to broadcast."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.batching.declare import Call, flattened, rule
from portanet.autodiff.tracing import is_array

UNARY = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "bitwise_invert", "ceil", "conj", "cos", "cosh", "exp",
    "expm1", "floor", "imag", "isfinite", "isinf", "isnan", "log", "log10", "log1p", "log2", "logical_not", "negative",
    "positive", "real", "reciprocal", "round", "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh",
    "trunc",
)  # fmt: skip
SEVERAL = (
    "add", "atan2", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "copysign", "divide", "equal", "floor_divide", "greater", "greater_equal", "hypot", "less", "less_equal",
    "logaddexp", "logical_and", "logical_or", "logical_xor", "maximum", "minimum", "multiply", "nextafter",
    "not_equal", "pow", "remainder", "subtract", "undetermined", "where",
)  # fmt: skip


@rule(*UNARY, elementwise=True)
def _unary(c: Call, x: Any, /) -> Any:
    return c(x.value)


@rule(*SEVERAL, elementwise=True)
def _several(c: Call, *arrays: Any) -> Any:
    return c(*c.aligned(*arrays))


@rule("clip")
def _clip(c: Call, x: Any, /, min: Any = None, max: Any = None) -> Any:  # noqa: A002 -- the standard's names
    value, *bounds = c.aligned(x, *(b for b in (min, max) if b is not None))
    if not c.batched(x):
        value = c.each(x)
    low = bounds.pop(0) if min is not None else None
    return c(value, low, bounds[0] if bounds else None)


@rule("isin")
def _isin(c: Call, x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    if not c.batched(x2):
        return c(x1.value, x2, invert=invert)
    xp = c.xp
    allowed = flattened(xp, x2.value)
    if not is_array(x1):
        hit = xp.any(xp.equal(allowed, x1), axis=-1)
    else:
        allowed = xp.reshape(allowed, (c.level.size, *(1,) * len(x1.shape), allowed.shape[1]))
        hit = xp.any(xp.equal(xp.expand_dims(c.aligned(x1)[0], axis=-1), allowed), axis=-1)
    return xp.logical_not(hit) if invert else hit

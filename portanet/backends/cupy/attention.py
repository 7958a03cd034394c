"""Attention as products and one kernel each way, in place of the scores, as an override of
`portanet.fused.attention`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array
from portanet.backends.cupy import products
from portanet.backends.cupy.rows import ACCUMULATED, contiguous, launch, row_kernel, typed_kernel


def attention(
    query: Array, key: Array, value: Array, *, scale: float, mask: Array | None = None, keep: Array | None = None
) -> Any:
    """As the op of that name."""
    import cupy

    if not _takes(query, key, value, mask):
        return NotImplemented
    dtype, (targets, sources) = query.dtype, (query.shape[-2], key.shape[-2])
    rows = math.prod(query.shape[:-1])
    careful = mask is not None and mask.ndim > 1 and mask.shape[-2] > 1
    factor = scale
    with query.device:
        if dtype == "float16":  # in which products of what is not scaled may overflow
            scores, factor = products.matmul(query * dtype.type(scale), key.swapaxes(-1, -2)), 1.0
        else:
            scores = products.matmul(query, key.swapaxes(-1, -2))
        given: list[Any] = [factor]
        outputs, weights = [scores], scores
        if mask is not None:
            given += [*_by_strides(mask, query), targets, float(cupy.finfo(dtype).min)]
        if keep is not None:
            (keep,) = contiguous(cupy.broadcast_to(keep, scores.shape).astype(dtype, copy=False))
            weights = cupy.empty_like(scores)
            given.append(keep)
            outputs.append(weights)
        if careful:
            value, unusable = _usable_rows(value)
            sees = cupy.empty(query.shape[:-1], dtype=bool)
            given.append(unusable)
            outputs.append(sees)
        launch(_softmax(mask is not None, keep is not None, careful), dtype, rows, sources, *given, *outputs)
        out = products.matmul(weights, value)
        if careful:
            _unknown(dtype.name)(sees[..., None], math.nan, out)

    def pullback(cotangents: tuple[Array | None, Array | None]) -> Any:
        g, g_weights = cotangents
        with query.device:
            arrays = [query, key, scores, *([] if weights is scores else [weights])]
            if careful:
                arrays = [_finite(dtype.name)(x) for x in arrays]
            by_value, more = None, []
            if g is None:
                assert g_weights is not None
                ds = cupy.array(g_weights, order="C")
            else:
                by_value = products.matmul(arrays[-1].swapaxes(-1, -2), g)
                ds = products.matmul(g, value.swapaxes(-1, -2))
                more = [] if keep is None else [keep]
                more += [] if g_weights is None else contiguous(g_weights)
            kernel = _slope(g is not None and keep is not None, g is not None and g_weights is not None)
            launch(kernel, dtype, rows, sources, scale, arrays[2], *more, ds)
            return products.matmul(ds, arrays[1]), products.matmul(ds.swapaxes(-1, -2), arrays[0]), by_value

    return (out, scores), pullback


OVERRIDES: dict[str, Callable[..., Any]] = {"attention": attention}


def _takes(query: Array, key: Array, value: Array, mask: Array | None) -> bool:
    fits = query.dtype == key.dtype == value.dtype and query.ndim in (3, 4) and query.dtype.name in ACCUMULATED
    return fits and query.size > 0 and key.size > 0 and value.size > 0 and (mask is None or mask.dtype.kind == "b")


def _by_strides(mask: Array, query: Array) -> list[Any]:
    """A mask, the number of heads, and the distances of its elements along examples, heads, targets and sources."""
    (mask,) = contiguous(mask)
    shape = [*(1,) * (query.ndim - mask.ndim), *mask.shape]
    if query.ndim == 3:
        shape.insert(1, 1)
    strides, distance = [], 1
    for n in reversed(shape):
        strides.append(distance if n > 1 else 0)
        distance *= n
    return [mask, query.shape[1] if query.ndim == 4 else 1, *reversed(strides)]


def _usable_rows(value: Array) -> tuple[Array, Array]:
    """The array with 0 in place of NaN and infinities, and which rows have had any."""
    import cupy

    (value,) = contiguous(value)
    usable, flags = cupy.empty_like(value), cupy.empty(value.shape[:-1], dtype=bool)
    launch(_usable, value.dtype, flags.size, value.shape[-1], value, usable, flags)
    return usable, flags


@functools.cache
def _softmax(masked: bool, with_keep: bool, careful: bool) -> Any:
    """Weights in place of scores; those times `keep`; whether a row sees a source that is not usable."""
    mask = "raw bool mask, int64 heads, int64 by_example, int64 by_head, int64 by_target, int64 by_source, "
    mask += "int64 targets, W lowest, "
    unmasked = """
    #define SHOWN(c) true
    #define SCORE(c) ((A)scores[at + (c)] * (A)scale)
    """
    shown = """
    const long long pair = row / targets;
    const long long shift = pair / heads * by_example + pair % heads * by_head + row % targets * by_target;
    #define SHOWN(c) mask[shift + (c) * by_source]
    #define SCORE(c) (SHOWN(c) ? (A)scores[at + (c)] * (A)scale : (A)lowest)
    """
    look = """
    A seen = 0;
    EACH(c) seen += SHOWN(c) && unusable[pair * columns + c] ? 1 : 0;
    seen = total(seen);
    if (threadIdx.x == 0) sees[row] = seen > 0;
    """
    inputs = f"W scale, {mask * masked}{'raw T keep, ' * with_keep}{'raw bool unusable, ' * careful}"
    return row_kernel(
        f"attention_{masked:d}{with_keep:d}{careful:d}",
        inputs.rstrip(", "),
        f"raw T scores{', raw T kept' * with_keep}{', raw bool sees' * careful}",
        f"""
        {shown if masked else unmasked}
        A top = SCORE(0), sum = 0;
        EACH(c) top = greater_of(top, SCORE(c));
        top = largest(top);
        EACH(c) sum += exp(SCORE(c) - top);
        sum = total(sum);
        {look * careful}
        EACH(c) {{
            const A weight = SHOWN(c) ? exp(SCORE(c) - top) / sum : A(0);
            scores[at + c] = (T)weight;
            {"kept[at + c] = (T)(weight * (A)keep[at + c]);" * with_keep}
        }}
        """,
    )


@functools.cache
def _slope(with_keep: bool, with_more: bool) -> Any:
    """The cotangent of unscaled scores, in place of that of weights."""
    value = f"((A)ds[at + c]{' * (A)keep[at + c]' * with_keep}{' + (A)more[at + c]' * with_more})"
    return row_kernel(
        f"attention_slope_{with_keep:d}{with_more:d}",
        f"W scale, raw T weights{', raw T keep' * with_keep}{', raw T more' * with_more}",
        "raw T ds",
        f"""
        A sum = 0;
        EACH(c) sum += {value} * (A)weights[at + c];
        sum = total(sum);
        EACH(c) ds[at + c] = (T)(({value} - sum) * (A)weights[at + c] * (A)scale);
        """,
    )


_usable = row_kernel(
    "usable",
    "raw T x",
    "raw T y, raw bool flags",
    """
    A found = 0;
    EACH(c) {
        const A v = x[at + c];
        const bool usable = v - v == 0;
        if (!usable) found += 1;
        y[at + c] = (T)(usable ? v : A(0));
    }
    found = total(found);
    if (threadIdx.x == 0) flags[row] = found > 0;
    """,
)
_finite = typed_kernel("finite", "T x", "T y", "const A v = x; y = (T)(v - v == 0 ? v : A(0));")
_unknown = typed_kernel("unknown", "bool sees, W nan", "T out", "if (sees) out = (T)(A)nan;")

"""Overrides as calls of a plan: what does not depend on values is done once, and results are written in place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet.backends.numpy.attention import NEAR, attention_in_blocks, in_one_piece
from portanet.backends.numpy.convolution import convolve
from portanet.backends.numpy.patches import Patches, patches_of
from portanet.backends.numpy.recorded import RecordedArray
from portanet.backends.numpy.threads import row_pieces

if TYPE_CHECKING:
    from portanet.backends.numpy.plans import Recording


def _convolve(
    recording: Recording,
    x: RecordedArray,
    kernel: RecordedArray,
    bias: RecordedArray | None,
    *,
    window: Any,
    groups: int,
    activation: str | None = None,
) -> Any:
    """A convolution by patches: what does not depend on values is done once."""
    patches: Patches = patches_of(x.shape[1:], window, groups)
    given = [array for array in (x, kernel, bias) if array is not None]
    batch, filters = x.shape[0], kernel.shape[-1]
    alike = all(type(array) is RecordedArray and array.dtype == x.dtype for array in given)
    divided = row_pieces(batch, patches.size + patches.count * filters, x.dtype.itemsize) > 1
    if groups != 1 or not alike or divided or not patches.suit(batch, filters):
        return NotImplemented
    seen = x
    if patches.padded is not None or not x.raw.flags.c_contiguous:
        shape = x.shape if patches.padded is None else (batch, *patches.padded)
        whole = np.zeros(shape, dtype=x.dtype)
        inside, outside = (whole, x.raw) if patches.padded is None else (whole[patches.inside], x.raw[patches.seen])
        seen = recording.step(functools.partial(np.copyto, inside, outside), [x], whole)
    view = patches.view(seen.raw)
    rows = view.reshape(1, batch * patches.count, -1)
    if np.may_share_memory(rows, seen.raw):
        matrix = RecordedArray(rows, seen.memory)
    else:
        matrix = recording.step(functools.partial(np.copyto, rows.reshape(view.shape), view), [seen], rows)
    matrices = kernel.raw.reshape(1, -1, filters)
    if not np.may_share_memory(matrices, kernel.raw):
        return NotImplemented
    out = np.empty((1, batch * patches.count, filters), dtype=x.dtype)
    product = recording.step(functools.partial(np.matmul, matrix.raw, matrices, out), [matrix, kernel], out)
    result = RecordedArray(out.reshape(batch, *patches.positions, filters), product.memory)
    if bias is not None:
        recording.write(result, np.add, (result, bias))
    return result if activation is None else recording.write(result, np.maximum, (result, 0.0))


def _attention(
    recording: Recording,
    query: RecordedArray,
    key: RecordedArray,
    value: RecordedArray,
    *,
    scale: float,
    mask: Any = None,
    causal: bool = False,
    keep: Any = None,
    block: int = 256,
) -> Any:
    """Attention without a mask in one piece."""
    given = (query, key, value)
    plain = mask is None and keep is None and not causal and all(type(x) is RecordedArray for x in given)
    if not plain or not in_one_piece(*(x.raw for x in given)):
        return NotImplemented
    raw, keys, values = (x.raw for x in given)
    result = np.empty_like(raw, shape=(*raw.shape[:-1], values.shape[-1]))
    scaled, transposed = np.empty_like(raw), np.empty_like(keys.swapaxes(-1, -2), order="C")
    weights = np.empty((*raw.shape[:-1], keys.shape[-2]), dtype=raw.dtype)
    total = np.empty((*raw.shape[:-1], 1), dtype=raw.dtype)
    ones = np.ones((keys.shape[-2], 1), dtype=raw.dtype)

    def run() -> None:
        np.multiply(raw, scale, scaled)
        np.copyto(transposed, keys.swapaxes(-1, -2))
        np.matmul(scaled, transposed, weights)
        near = np.minimum.reduce(weights, None) >= -NEAR and np.maximum.reduce(weights, None) <= NEAR
        if not near:
            np.subtract(weights, np.maximum.reduce(weights, axis=-1, keepdims=True), weights)
        np.exp(weights, weights)
        np.matmul(weights, ones, total)
        np.divide(weights, total, weights)
        np.matmul(weights, values, result)

    out = recording.step(run, given, result)
    return (out, None), None


PREPARED: dict[Any, Callable[..., Any]] = {convolve: _convolve, attention_in_blocks: _attention}

"""Slopes of maxima on NumPy, as overrides of `portanet.fused`, which defines them: written where they belong, once."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.namespace import INTEGERS
from portanet.backends.numpy.threads import run_pieces, slices

PIECE = 2**19
"""Elements of a piece of the input of a pooling."""


def have_bits(*arrays: Array) -> bool:
    """Whether arrays are of one float dtype whose bits there are integers for."""
    dtype = arrays[0].dtype
    return dtype.kind == "f" and dtype.itemsize in INTEGERS and all(x.dtype == dtype for x in arrays)


def write_where_positive(out: Array, g: Array, y: Array) -> Array:
    """Write the elements of g where y is positive, else 0, for arrays of one shape and such a dtype."""
    integer = INTEGERS[g.dtype.itemsize]
    np.multiply(y > 0, g.view(integer), out=out.view(integer))  # of bits: whatever g is, 0 times it is 0
    return out


def to_maxima(g: Array, x: Array, y: Array, *, window: Any) -> Any:
    """Each g where x has the maximum y of its window; for windows that lie side by side."""
    size, space = window.size, x.shape[1:-1]
    covered = tuple(n * k for n, k in zip(g.shape[1:-1], size, strict=True))
    beside = size == window.strides and max(window.dilation) == 1 and not any(map(any, window.padding))
    if not beside or not x.size or not have_bits(g, x, y):
        return NotImplemented
    integer = INTEGERS[g.dtype.itemsize]
    out = (np.empty if covered == space else np.zeros)(x.shape, dtype=x.dtype)
    parts = slices(x.shape[0], max(1, PIECE // math.prod(x.shape[1:])))
    within = (slice(None), *map(slice, covered))
    split = (-1, *itertools.chain.from_iterable((n, k) for n, k in zip(g.shape[1:-1], size, strict=True)), x.shape[-1])

    def run(i: int) -> None:
        bits, maxima = g[parts[i]].view(integer), y[parts[i]]
        values, target = (a[parts[i]][within].reshape(split) for a in (x, out.view(integer)))
        free = np.True_
        *others, last = itertools.product(*map(range, size))
        for element in (*others, last):
            key: tuple[Any, ...] = (slice(None), *itertools.chain.from_iterable((slice(None), k) for k in element))
            hit = free if element is last else (values[key] == maxima) & free
            free = free ^ hit
            np.multiply(hit.astype(integer), bits, out=target[key])

    run_pieces(run, len(parts))
    return out

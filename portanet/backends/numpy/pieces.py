"""Arrays in pieces that stay in a core's cache, on all available cores: independent rows, and elementwise work.

Pieces are of a size that follows from shapes, never from the number of threads, and sums are taken in their order: so
results do not depend on it either.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.threads import in_a_piece, in_a_step_of_products, run_pieces

ROWS = 2**22
"""Bytes of a piece of rows, with what is computed of them."""
ELEMENTS = 2**17
"""Elements of a piece of elementwise work: with fewer, threads wait for each other, since each call takes the
interpreter."""


def slices(count: int, size: int) -> list[slice]:
    """Consecutive slices of a size, the last of what is left."""
    return [slice(i, min(i + size, count)) for i in range(0, count, size)]


def map_pieces(function: Callable[[Any], Any], pieces: Sequence[Any]) -> list[Any]:
    """What `function` gives for each of the pieces."""
    results: list[Any] = [None] * len(pieces)

    def run(i: int) -> None:
        results[i] = function(pieces[i])

    run_pieces(run, len(pieces))
    return results


def map_rows(function: Callable[..., Any], arrays: Sequence[Array | None], size: int, total: bool = False) -> Any:
    """`Backend.map_rows` for NumPy."""
    first = next(x for x in arrays if x is not None)
    count, each = first.shape[0], max(1, size) * first.itemsize
    pieces = min(count, -(-count * each // ROWS))
    if pieces < 2 or in_a_piece():
        return function(*arrays)
    parts = slices(count, -(-count // pieces))
    if total:
        sums = map_pieces(lambda part: function(*[None if x is None else x[part] for x in arrays]), parts)
        if not isinstance(sums[0], tuple):
            return functools.reduce(np.add, sums)
        return tuple(functools.reduce(np.add, column) for column in zip(*sums, strict=True))
    return _joined(function, arrays, [True] * len(arrays), count, parts)


def map_elements(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """`Backend.map_elements` for NumPy: in pieces along the first axis."""
    arrays = [x for x in args if isinstance(x, np.ndarray)]
    shape, count = args[0].shape, args[0].size
    if len(shape) > 1 and all(x.shape == shape and x.flags.c_contiguous for x in arrays):
        flat = [x.reshape(-1) if isinstance(x, np.ndarray) else x for x in args]
        results = map_elements(function, flat)
        return tuple(x.reshape(shape) for x in results) if isinstance(results, tuple) else results.reshape(shape)
    if any(x.ndim > len(shape) for x in arrays):
        return function(*args)
    rows = max(1, ELEMENTS * shape[0] // count)
    divided = [isinstance(x, np.ndarray) and x.ndim == len(shape) and x.shape[0] == shape[0] for x in args]
    in_turn = in_a_piece() or in_a_step_of_products()  # the cores are others', but not their caches
    return _joined(function, args, divided, shape[0], slices(shape[0], rows), in_turn)


def _joined(
    function: Callable[..., Any],
    args: Sequence[Any],
    divided: Sequence[bool],
    count: int,
    parts: Sequence[slice],
    in_turn: bool = False,
) -> Any:
    """Results for the parts, in arrays for all of them; what was changed in place is there already."""
    results: list[Array] = []
    several: list[bool] = []
    lock = threading.Lock()

    def run(i: int) -> None:
        part = parts[i]
        seen = [x[part] if cut and x is not None else x for x, cut in zip(args, divided, strict=True)]
        given = function(*seen)
        pieces = given if isinstance(given, tuple) else (given,)
        with lock:
            if not several:
                several.append(isinstance(given, tuple))
                for piece in pieces:
                    same = next((x for x, y in zip(args, seen, strict=True) if y is piece), None)
                    results.append(np.empty((count, *piece.shape[1:]), piece.dtype) if same is None else same)
        for whole, piece in zip(results, pieces, strict=True):
            target = whole[part]
            if not np.may_share_memory(target, piece):
                target[...] = piece

    if in_turn:
        for i in range(len(parts)):
            run(i)
    else:
        run_pieces(run, len(parts))
    return tuple(results) if several[0] else results[0]

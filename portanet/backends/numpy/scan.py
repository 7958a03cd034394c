"""The loop over time on NumPy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.threads import run_pieces


def rows_of_a_piece(batch: int) -> int:
    """Enough examples for a product of matrices to be fast, few enough for two pieces in small batches."""
    return 32 if batch > 32 else 16


def scan(step: Callable[..., Any], carry: tuple[Array, ...], inputs: Sequence[Any], reverse: bool = False) -> Any:
    """The loop of `portanet.fused.recurrent_scan.scan`, over pieces of the batch on all available cores.

    A thread that has a piece of the batch meets the others at the end of the loop only, where products shared among
    threads would have them meet in every time step. What is collected is written into one array as it comes.
    """
    count, batch = len(inputs[0]), carry[0].shape[0]
    if not batch:
        return NotImplemented  # the collected arrays are not known
    times = range(count - 1, -1, -1) if reverse else range(count)
    size = rows_of_a_piece(batch)
    if count == 1 and batch <= size:  # a step that there is no loop around, as of a cell
        carry, outputs = step(carry, *[each[0] for each in inputs])
        return carry, tuple([x[None].copy() for x in outputs])
    lock = threading.Lock()
    collected: list[Array] = []
    last = [np.empty(c.shape, dtype=c.dtype) for c in carry]

    def run(piece: int) -> None:
        rows = slice(piece * size, min((piece + 1) * size, batch))
        state = tuple(c[rows] for c in carry)
        pieces = [each[:, rows] for each in inputs]
        views: list[Array] = []
        for t in times:
            state, outputs = step(state, *[each[t] for each in pieces])
            if not views:
                with lock:
                    if not collected:
                        collected.extend(np.empty((count, batch, *x.shape[1:]), dtype=x.dtype) for x in outputs)
                views = [whole[:, rows] for whole in collected]
            for view, x in zip(views, outputs, strict=True):
                view[t] = x
        for whole, x in zip(last, state, strict=True):
            whole[rows] = x

    run_pieces(run, -(-batch // size))
    return tuple(last), tuple(collected)

"""Batches cut from arrays: those that fit the device go there as a whole, mapped files are read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from portanet.backends import Array, Backend, HostArray
from portanet.training.data.sources import Batch, Numbered, Order
from portanet.tree import tree_leaves, tree_map


class Rows:
    """Examples that are read when they are asked for: a memory map, an HDF5 data set, `datasets.NpyShards`.

    Args:
        data: Anything with `shape` and indexing by slices and by increasing integer arrays.
        start: Its first example that counts.
        stop: The end of those that count.
    """

    def __init__(self, data: Any, start: int = 0, stop: int | None = None) -> None:
        self.data = data
        self.start = start
        self.shape = ((data.shape[0] if stop is None else stop) - start, *data.shape[1:])

    def __getitem__(self, chosen: slice | HostArray) -> HostArray:
        if isinstance(chosen, slice):
            return np.array(self.data[self.start + chosen.start : self.start + chosen.stop])
        if isinstance(self.data, np.ndarray):
            return np.asarray(self.data[chosen + self.start])
        # Each row once and in increasing order, which is all that HDF5 can do.
        rows, back = np.unique(chosen, return_inverse=True)
        found: HostArray = np.asarray(self.data[rows + self.start])[back]
        return found

    def part(self, start: int, stop: int) -> Rows:
        """Some of the examples."""
        return Rows(self.data, self.start + start, self.start + stop)


class Examples(Numbered):
    """Batches of examples, shuffled by the seed.

    Args:
        data: Inputs, targets and weights: trees of arrays of the backend, or of `Rows`.
        backend: The backend in use.
        size: Examples in a batch.
        shuffle: See `Numbered`.
        steps: See `Numbered`.
    """

    def __init__(self, data: Batch, backend: Backend, size: int, shuffle: Order, steps: int | None) -> None:
        leaf = tree_leaves(data)[0]
        super().__init__(int(leaf.shape[0]), size, shuffle, steps)
        self.data = data
        self.backend = backend
        self.resident = not isinstance(leaf, Rows)

    def first(self) -> Batch:
        found: Batch = tree_map(lambda leaf: _cut(leaf, 0, 1), self.data)
        return found

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        xp, moved = self.backend.xp, None
        for order, start, stop in self.pieces(epoch, first):
            if order is None:
                yield tree_map(lambda leaf, a=start, b=stop: _cut(leaf, a, b), self.data)
                continue
            if not self.resident:
                yield tree_map(lambda leaf, chosen=order[start:stop]: leaf[chosen], self.data)
                continue
            if moved is None or moved[0] is not order:
                moved = order, self.backend.from_host(order)
            chosen = moved[1][start:stop]
            yield tree_map(lambda leaf, chosen=chosen: xp.take(leaf, chosen, axis=0), self.data)

    def split(self, fraction: float, size: int | None, steps: int | None) -> tuple[Examples, Examples]:
        """Take the last examples off for validation, as Keras does.

        Args:
            fraction: How much of the examples.
            size: Examples in a batch of validation; None for the same as here.
            steps: Batches in a validation; None for all.
        """
        if not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
            raise ValueError(f"Argument `validation_split` must be in (0, 1). Received: validation_split={fraction!r}")
        kept = int(self.count * (1 - fraction))
        if kept in (0, self.count):
            raise ValueError(
                f"Argument `validation_split` leaves no examples on one side. Received: {fraction} of {self.count} "
                "examples"
            )
        head = tree_map(lambda leaf: _part(leaf, 0, kept), self.data)
        tail = tree_map(lambda leaf: _part(leaf, kept, self.count), self.data)
        return (
            Examples(head, self.backend, self.size, self.shuffle, self.asked),
            Examples(tail, self.backend, size or self.size, False, steps),
        )


def _cut(leaf: Any, start: int, stop: int) -> Array:
    return leaf[start:stop] if isinstance(leaf, Rows) else leaf[start:stop, ...]


def _part(leaf: Any, start: int, stop: int) -> Any:
    return leaf.part(start, stop) if isinstance(leaf, Rows) else leaf[start:stop, ...]

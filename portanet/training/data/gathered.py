"""Batches that recorded steps gather themselves from all examples, which are on the device."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from portanet.backends import Array, HostArray, get_backend
from portanet.training.data.sources import Examples
from portanet.training.data.streams import Batch
from portanet.tree import tree_map


class Gathering:
    """All examples, their order in an epoch and the position of the next batch in it, in arrays that stay in place.

    Args:
        source: The examples.
        arrange: What brings targets and weights into the form that a step takes.
        place: The position, an array of shape (); None for a new one.
        order: An array for the order.
    """

    def __init__(self, source: Examples, arrange: Any, place: Array | None = None, order: Array | None = None) -> None:
        self.source = source
        x, y, weight = source.data
        self.data = x, arrange(y), arrange(weight, "sample_weight")
        self.place = get_backend().from_host(np.zeros((), source.dtype)) if place is None else place
        self.spare_order = order
        self.order: Array | None = None
        """The order; None for that of the data."""
        self._known_order: HostArray | None = None
        self._known_place: int | None = None

    def batches(self, epoch: int, first: int = 0) -> Iterator[Gathered]:
        """The batches of an epoch, from number `first` on, to be used one after the other."""
        for order, start, stop in self.source.pieces(epoch, first):
            if order is not self._known_order:
                self._follow(order)
            yield Gathered(self, start, stop)

    def _follow(self, order: HostArray | None) -> None:
        self._known_order, self.order = order, None
        if order is None:
            return
        backend = get_backend()
        size = max(self.source.count, len(order))
        if self.spare_order is None or self.spare_order.shape[0] != size:
            self.spare_order = backend.from_host(np.zeros(size, order.dtype))
        self.order = self.spare_order
        self.order[: len(order)] = backend.from_host(order)

    def begin(self, start: int) -> None:
        """Let the next step, which moves the position, begin at one."""
        if self._known_place != start:
            self.place[...] = start
        self._known_place = None

    def end(self, stop: int) -> None:
        """Note where that step has ended; one that fails leaves the position unknown."""
        self._known_place = stop


class Gathered:
    """A batch of a `Gathering`.

    Args:
        gathering: Where the examples are.
        start: Position of the first one.
        stop: The end.
    """

    def __init__(self, gathering: Gathering, start: int, stop: int) -> None:
        self.gathering = gathering
        self.start = start
        self.stop = stop

    def take(self) -> Batch:
        """The batch, as an ordinary step would get it."""
        return self.gathering.source.cut(self.gathering.order, self.start, self.stop)

    def outline(self) -> Batch:
        """The batch, of which nothing is known but shapes and dtypes."""
        count = self.stop - self.start

        def like(leaf: Array) -> SimpleNamespace:
            return SimpleNamespace(shape=(count, *leaf.shape[1:]), dtype=leaf.dtype)

        outline: Batch = tree_map(like, self.gathering.source.data)
        return outline

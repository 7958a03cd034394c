"""Where batches come from: one interface for arrays, mapped files, data sets that give batches, and iterators."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from portanet import random
from portanet.backends import HostArray

Batch = tuple[Any, Any, Any]
"""Inputs, targets and weights; None where there are none."""

Order = bool | Callable[[int, int], Any]
"""Whether to shuffle, or a function `(epoch, count) -> numbers of the examples`, in the order in which they come."""


class Source:
    """Gives the batches of an epoch, as the user's arrays or already on the device.

    Attributes:
        steps: Batches in an epoch; None if that is not known.
        resident: Whether the batches are arrays of the backend in use, which were looked at as a whole.
    """

    steps: int | None = None
    resident = False

    def first(self) -> Batch:
        """A batch to look at before the first epoch; it comes again in its place."""
        raise NotImplementedError

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number `first` on."""
        raise NotImplementedError


class Numbered(Source):
    """A source of parts that have numbers, examples or batches, so that their order is a function of the epoch.

    With `steps`, epochs follow each other through the data, which begins again (newly shuffled) when it ends.

    Args:
        count: Number of parts.
        size: Parts in a batch.
        shuffle: Whether to shuffle them by the seed, or a function that gives their order.
        steps: Batches in an epoch; None for as many as there are.
    """

    def __init__(self, count: int, size: int, shuffle: Order, steps: int | None) -> None:
        self.count = count
        self.size = size
        self.shuffle = shuffle
        self.asked = steps
        known = None if callable(shuffle) else math.ceil(count / size)
        self.steps = known if steps is None else steps

    def order(self, sweep: int) -> HostArray | None:
        """Numbers of the parts in the order of a sweep through the data; None for their own order."""
        if callable(self.shuffle):
            chosen = np.asarray(self.shuffle(sweep, self.count))
            if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or chosen.size == 0:
                raise ValueError(
                    "A function given as `shuffle` must return the numbers of examples, a non-empty list of integers. "
                    f"Received: an array of shape {chosen.shape} and dtype {chosen.dtype}"
                )
            if chosen.min() < 0 or chosen.max() >= self.count:
                raise IndexError(
                    f"A function given as `shuffle` must return numbers from 0 to {self.count - 1}. "
                    f"Received: numbers from {chosen.min()} to {chosen.max()}"
                )
        elif self.shuffle:
            chosen = random.host_generator("shuffle", sweep).permutation(self.count)
        else:
            return None
        return chosen.astype(np.int64 if self.count > 2**31 else np.int32)

    def pieces(self, epoch: int, first: int) -> Iterator[tuple[HostArray | None, int, int]]:
        """For each batch of the epoch: the order of its sweep, and from where to where in it the batch goes."""
        if self.asked is None or callable(self.shuffle):
            order = self.order(epoch)
            count = self.count if order is None else len(order)
            sweep = math.ceil(count / self.size)
            for number in range(first, self.asked or sweep):
                start = number % sweep * self.size
                yield order, start, min(start + self.size, count)
            return
        sweep = math.ceil(self.count / self.size)
        current = -1
        for number in range(epoch * self.asked + first, (epoch + 1) * self.asked):
            if number // sweep != current:
                current = number // sweep
                order = self.order(current)
            start = number % sweep * self.size
            yield order, start, min(start + self.size, self.count)

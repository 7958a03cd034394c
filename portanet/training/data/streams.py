"""What a source of batches is, and the simplest one: an iterable of the user's that gives them in turn."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from portanet.backends import get_backend

Batch = tuple[Any, Any, Any]
"""Inputs, targets and weights; None where there are none."""

_END = object()


class Names(NamedTuple):
    """What a function calls its data: the argument with all of it, the parts, and the number of batches."""

    data: str = "x"
    parts: tuple[str, str, str] = ("x", "y", "sample_weight")
    steps: str = "steps"


class Source:
    """Gives the batches of an epoch, as the user's arrays or already on the device.

    Attributes:
        data: What holds or makes the batches.
        steps: Batches in an epoch; None if that is not known.
        resident: Whether `data` is arrays of the backend in use, which were looked at as a whole.
    """

    data: Any
    steps: int | None = None
    resident = False
    names = Names()
    together = 1
    """Batches in an execution, of which the last may have fewer."""
    divided = True
    """Whether the processes of a job each compute a part of a batch, rather than all of it."""
    occasion = "epoch 1"
    """What the latest batches are for."""

    def warn_of_end(self, given: int, asked: int) -> None:
        """Warn that the data ended before `asked` batches were complete, by an execution at least."""
        if given > asked - self.together:
            return
        warnings.warn(
            f"Argument `{self.names.data}` gave {given} batches of {self.names.steps}={asked} in {self.occasion}, "
            "which ends there.",
            stacklevel=3,
        )

    def unpacked(self, item: Any) -> Batch:
        """What an object gave for a batch, as `(x, y, weight)`."""
        return unpacked(item, f"Argument `{self.names.data}`")

    def first(self) -> Batch:
        """A batch to look at before the first epoch; it comes again in its place."""
        raise NotImplementedError

    def outline(self) -> Batch | None:
        """All data, for its shapes, if it is known."""
        return None

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number `first` on."""
        raise NotImplementedError

    def split(self, fraction: float, size: int | None, steps: int | None) -> tuple[Source, Source]:
        """Take the last examples off for validation, as Keras does.

        Args:
            fraction: How much of the examples.
            size: Examples in a batch of validation; None for the same as here.
            steps: Batches in a validation; None for all.
        """
        raise ValueError(
            "Argument `validation_split` needs arrays; pass `validation_data` beside what gives batches. "
            f"Received: x of type {type(self.data).__name__}"
        )


class Stream(Source):
    """The batches of an iterable: a generator, a `torch.utils.data.DataLoader`, anything that gives batches in turn.

    Without `steps`, an epoch is one pass. With `steps`, epochs go on where the last one ended. Where the data ends, so
    does the epoch, as in Keras; the next begins anew, if the iterable can. Validations begin anew each time; iterators,
    which cannot, have `Validations`.

    Args:
        data: The iterable.
        steps: Batches in an epoch; None for all.
    """

    def __init__(self, data: Any, steps: int | None) -> None:
        self.data = data
        self.asked = steps
        known = _length(data)
        self.steps = known if steps is None else min(steps, known or steps)
        self.once = isinstance(data, Iterator)
        self.iterator: Iterator[Any] | None = None
        self.waiting: list[Any] = []

    def first(self) -> Batch:
        if not self.waiting:
            self.iterator = iter(self.data)
            item = next(self.iterator, _END)
            if item is _END:
                raise ValueError(f"Argument `{self.names.data}` gave no batches. Received: {self.data!r}")
            get_backend().start(item)  # in the thread that asked for it
            self.waiting = [item]
        return self.unpacked(self.waiting[0])

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        again = self.asked is None or (epoch == 0 and not self.once)  # epoch 0: the first, or a validation
        if again and not self.waiting:
            self.iterator = None
        given, fresh = 0, self.once
        while self.asked is None or given < self.asked:
            if self.iterator is None:
                self.iterator, fresh = iter(self.data), True
            item = self.waiting.pop() if self.waiting else next(self.iterator, _END)
            if item is not _END:
                given += 1
                if given > first:
                    yield self.unpacked(item)
                continue
            self.iterator = None
            if given or fresh:  # the last epoch may have ended exactly where the data does
                break
        if given == 0:
            raise ValueError(
                f"Argument `{self.names.data}` gave no batches for {self.occasion}: an iterator can be passed through "
                "once. Pass an object that can be iterated again, such as a portanet.utils.PyDataset, an iterator that "
                f"does not end with {self.names.steps}, or epochs=1. Received: {self.data!r}"
            )
        if self.asked is not None and given < self.asked:
            self.warn_of_end(given, self.asked)


class Validations(Source):
    """The batches of an iterator, for validations: each begins with the first two again, and goes on, as in Keras.

    Args:
        data: The iterator.
        steps: Batches in a validation; None for all that it still gives.
    """

    def __init__(self, data: Iterator[Any], steps: int | None) -> None:
        self.data = data
        self.asked = self.steps = steps
        self.known: list[Any] = []
        self.passed = False

    def first(self) -> Batch:
        if not self.known:
            self.known = list(itertools.islice(self.data, 2))
        if not self.known:
            raise ValueError(f"Argument `{self.names.data}` gave no batches. Received: {self.data!r}")
        return self.unpacked(self.known[0])

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        self.first()
        given = 0
        for item in itertools.islice(itertools.chain(self.known, self.data), self.asked):
            given += 1
            if given > first:
                yield self.unpacked(item)
        if self.asked is not None and given < self.asked:
            self.warn_of_end(given, self.asked)
        elif self.asked is None and self.passed:
            warnings.warn(
                f"Argument `{self.names.data}` is an iterator that has ended, so that {self.occasion} has its first "
                f"{given} batches alone, as in Keras. Pass an object that can be iterated again.",
                stacklevel=3,
            )
        self.passed = True


def unpacked(item: Any, what: str = "Data") -> Batch:
    """What an object gave for a batch, as `(x, y, weight)`.

    Args:
        item: The batch.
        what: Name of the object, to begin an error with.

    Example:
        >>> unpacked([1.0, 2.0])
        (1.0, 2.0, None)
    """
    parts = tuple(item) if isinstance(item, (list, tuple)) else (item,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            f"{what} must give batches (x,), (x, y) or (x, y, sample_weight); put several inputs into a dict as x. "
            f"Received: {type(item).__name__} of {len(parts)} parts"
        )
    x, y, weight = (*parts, None, None)[:3]
    return x, y, weight


def _length(data: Any) -> int | None:
    """Batches that the iterable says it has."""
    try:
        return len(data)
    except (TypeError, NotImplementedError):  # a DataLoader of an IterableDataset has __len__ and does not know
        return None

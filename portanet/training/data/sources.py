"""Where batches come from: arrays, mapped files, data sets with numbered batches, iterables."""

from __future__ import annotations

import contextlib
import math
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import Array, HostArray, backend_class_of, get_backend, to_host
from portanet.settings import settings
from portanet.training.data.intake import VALIDATION, Intake, gives_batches, require_one_batch
from portanet.training.data.parts import as_part, share_of
from portanet.training.data.streams import Batch, Source, Stream, Validations
from portanet.training.data.workers import batch_of, fetched
from portanet.tree import tree_leaves, tree_map

DEFAULT_SIZE = 32
"""Examples in a batch, where nobody says how many."""

Order = bool | Callable[[int, int], Any]
"""Whether to shuffle, or a function `(epoch, count) -> numbers of the examples`, in the order in which they come."""


def find_source(
    intake: Intake, x: Any, y: Any, weight: Any, batch_size: int | None, shuffle: Order, steps: int | None
) -> Source:
    """The source of batches that the user's data amounts to.

    Args:
        intake: What arrays are taken in by.
        x: Arrays, mapped files, an object with numbered batches, or an iterable of batches.
        y: Targets, for arrays and mapped files.
        weight: Weights of the examples, likewise.
        batch_size: Examples in a batch; None for the size that `Examples` chooses, or where `x` gives batches.
        shuffle: See `Numbered`.
        steps: Batches in an epoch.
    """
    batch_size = None if batch_size is None else checks.positive_int("batch_size", batch_size)
    steps = None if steps is None else checks.positive_int(intake.names.steps, steps)
    together = checks.positive_int("steps_per_execution", intake.model.steps_per_execution, "compile")
    limit = limited_steps(intake.names.steps, steps, together)
    shuffle = checks.function("shuffle", shuffle) if callable(shuffle) else checks.boolean("shuffle", shuffle)
    if gives_batches(x):
        for name, value in (("y", y), ("sample_weight", weight)):  # a batch size does not matter, as in Keras
            if value is not None:
                raise ValueError(
                    f"Argument `{intake.names.data}` gives whole batches, so that `{name}` must be left out. "
                    f"Received: {intake.names.data} of type {type(x).__name__}, {name} of type {type(value).__name__}"
                )
        numbered = hasattr(x, "__getitem__") and getattr(x, "num_batches", 0) is not None
        once = intake.names is VALIDATION and isinstance(x, Iterator)
        source = Numbers(x, shuffle, limit) if numbered else Validations(x, limit) if once else Stream(x, limit)
        source.names, source.together = intake.names, together
        return source
    data = intake.structured((x, y, weight))
    if y is None and not intake.only_inputs and intake.model.wants_targets():
        _, name, _ = intake.names.parts
        hint = "; inputs and targets are two arguments" if isinstance(x, (list, tuple)) else ""
        raise checks.invalid(name, None, f"the targets, an array for each output that has a loss or a metric{hint}")
    if intake.on_host is not None or intake.strings or any(_is_mapped(leaf) for leaf in tree_leaves(data)):
        data = tree_map(lambda leaf: Rows(leaf if _is_mapped(leaf) else to_host(leaf)), data)
    else:
        data = intake.convert(data, whole=True)
    intake.require_alike(data)
    examples = Examples(data, batch_size, shuffle, steps, limit)
    examples.names, examples.together = intake.names, together
    return examples


def limited(name: str, number: int | None, limit: int | None) -> int | None:
    """The number of steps or epochs, at most the limit of `portanet.config`, if there is one."""
    if limit is None or (number is not None and number <= limit):
        return number
    warnings.warn(
        f"Limiting `{name}` to {limit}, the limit of portanet.config. Received: {name}={number}", stacklevel=2
    )
    return limit


def limited_steps(name: str, steps: int | None, together: int) -> int | None:
    """The number of batches in an epoch, which has whole executions of `together` batches, as in Keras."""
    steps = limited(name, steps, settings.max_steps_per_epoch)
    return None if steps is None else math.ceil(steps / together) * together


def validation_parts(given: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights for validation; what gives batches takes the place of the inputs."""
    if gives_batches(given):
        return given, None, None
    if not isinstance(given, (list, tuple)) or len(given) not in (2, 3):
        kind = type(given).__name__
        received = f"{kind} of {len(given)} entries" if isinstance(given, (list, tuple)) else kind
        raise ValueError(
            "Argument `validation_data` of fit must be (x, y) or (x, y, sample_weight), or give batches of that form; "
            f"to hold out a part of the training data, pass validation_split. Received: {received}"
        )
    x, y, weight = (*given, None)[:3]
    return x, y, weight


def whole_batch(x: Any) -> int:
    """A size of batches with which the user's data is one."""
    require_one_batch(x)
    return sys.maxsize


def _is_mapped(x: Any) -> bool:
    """Whether an array is not in memory: a memory map, or a file's object that is indexed like an array."""
    if isinstance(x, np.memmap):
        return True
    known = backend_class_of(x) is not None or hasattr(x, "__dlpack__") or hasattr(x, "iloc")
    return not known and all(hasattr(x, name) for name in ("shape", "dtype", "__getitem__"))


class Numbered(Source):
    """A source of parts that have numbers, examples or batches, so that their order is a function of the epoch.

    With `steps`, epochs follow each other through the data. Where it ends, so does the epoch, as in Keras; the next
    begins with the first of the (newly shuffled) parts.

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
        self.steps = steps if known is None else min(known, steps or known)

    @property
    def dtype(self) -> Any:
        """Dtype of the numbers of parts."""
        return np.int64 if self.count > 2**31 else np.int32

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
        return chosen.astype(self.dtype)

    def pieces(self, epoch: int, first: int) -> Iterator[tuple[HostArray | None, int, int]]:
        """For each batch of the epoch: the order of its sweep, and from where to where in it the batch goes."""
        epochs = 1  # in a sweep through the data
        if self.asked is not None and not callable(self.shuffle):
            epochs = math.ceil(math.ceil(self.count / self.size) / self.asked)
        order = self.order(epoch // epochs)
        count = self.count if order is None else len(order)
        begin, end = 0, math.ceil(count / self.size)
        if self.asked is not None:
            begin = epoch % epochs * self.asked
            if end - begin < self.asked:
                self.warn_of_end(end - begin, self.asked)
            end = min(end, begin + self.asked)
        for number in range(begin + first, end):
            yield order, number * self.size, min((number + 1) * self.size, count)


class Numbers(Numbered):
    """The batches of an object with `__len__` (batches) and `__getitem__(number)`, as `portanet.utils.PyDataset`.

    Args:
        data: The object; its `on_epoch_begin` and `on_epoch_end` are called, if it has them.
        shuffle: Whether to shuffle the batches by the seed, or a function that gives their order.
        steps: Batches in an epoch; None for all.
    """

    def __init__(self, data: Any, shuffle: Order, steps: int | None) -> None:
        count = getattr(data, "num_batches", None)
        super().__init__(len(data) if count is None else count, 1, shuffle, steps)
        if self.count == 0:
            raise ValueError(f"The data set has no batches: its len() is 0. Received: {data!r}")
        self.data = data

    def first(self) -> Batch:
        return self.unpacked(batch_of(self.data, 0))

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        self._call("on_epoch_begin")
        pieces = self.pieces(epoch, first)
        with contextlib.closing(
            self._items((start if order is None else int(order[start]) for order, start, _ in pieces), epoch)
        ) as items:
            for item in items:
                yield self.unpacked(item)
        self._call("on_epoch_end")

    def _items(self, numbers: Iterator[int], epoch: int) -> Generator[Any, None, None]:
        workers, processes = getattr(self.data, "workers", 1), getattr(self.data, "use_multiprocessing", False)
        if workers > 1 or (workers and processes):
            ahead = max(workers, getattr(self.data, "max_queue_size", 10))
            yield from fetched(self.data, numbers, workers, processes, ahead, epoch)
        else:
            for number in numbers:
                yield batch_of(self.data, number)

    def _call(self, hook: str) -> None:
        function = getattr(self.data, hook, None)
        if function is not None:
            function()


class Rows:
    """Examples that are read on request: a memory map, an HDF5 data set, `datasets.NpyShards`.

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
        chosen_rows: HostArray = np.asarray(self.data[rows + self.start])[back]
        return chosen_rows

    def part(self, start: int, stop: int) -> Rows:
        """Some of the examples."""
        return Rows(self.data, self.start + start, self.start + stop)


class Examples(Numbered):
    """Batches of examples, cut from arrays on the device or from mapped files.

    Args:
        data: Inputs, targets and weights: trees of arrays of the backend in use, or of `Rows`.
        size: Examples in a batch; None for as many as make `steps` batches of the data, 32 without `steps`.
        shuffle: See `Numbered`.
        steps: Batches that are requested.
        limit: Batches in an epoch; see `limited`.
    """

    def __init__(self, data: Batch, size: int | None, shuffle: Order, steps: int | None, limit: int | None) -> None:
        leaf = tree_leaves(data)[0]
        count = int(leaf.shape[0])
        chosen = size or (math.ceil(count / steps) if steps else DEFAULT_SIZE)
        super().__init__(count, chosen, shuffle, limit)
        self.asked_size, self.asked_steps = size, steps
        self.data = data
        self.resident = not isinstance(leaf, Rows)

    def first(self) -> Batch:
        return self._cut(0, 1)

    def outline(self) -> Batch:
        x, y, weight = self.data
        return x, y, weight

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        known, moved = None, None
        for order, start, end in self.pieces(epoch, first):
            share = share_of(end - start) if self.divided else None
            start, stop = (start, end) if share is None else (start + share.start, start + share.stop)
            if order is not None and not self.resident:
                yield as_part(tree_map(lambda leaf, chosen=order[start:stop]: leaf[chosen], self.data), share)
                continue
            if order is not None and order is not known:  # that of the whole epoch
                known, moved = order, get_backend().from_host(order)
            yield as_part(self.cut(moved, start, stop), share)

    def cut(self, order: Array | None, start: int, stop: int) -> Batch:
        """The batch from one position to another of an order, which is on the device as the data is; None for none."""
        if order is None:
            return self._cut(start, stop)
        take, chosen = get_backend().xp.take, order[start:stop]
        batch: Batch = tree_map(lambda leaf: take(leaf, chosen, axis=0), self.data)
        return batch

    def _cut(self, start: int, stop: int) -> Batch:
        cut: Batch = tree_map(
            lambda leaf: leaf[start:stop] if isinstance(leaf, Rows) else leaf[start:stop, ...], self.data
        )
        return cut

    def split(self, fraction: float, size: int | None, steps: int | None) -> tuple[Source, Source]:
        fraction = checks.number("validation_split", fraction, "(0, 1)", "fit")
        kept = int(self.count * (1 - fraction))
        if kept in (0, self.count):
            raise ValueError(
                f"Argument `validation_split` leaves no examples on one side. Received: {fraction} of {self.count} "
                "examples"
            )
        head = tree_map(lambda leaf: _part(leaf, 0, kept), self.data)
        tail = tree_map(lambda leaf: _part(leaf, kept, self.count), self.data)
        size = self.asked_size if size is None else checks.positive_int("validation_batch_size", size, "fit")
        kept_source = Examples(head, self.asked_size, self.shuffle, self.asked_steps, self.asked)
        limit = limited_steps("validation_steps", steps, self.together)
        held_out = Examples(tail, size, False, steps, limit)
        kept_source.names, held_out.names = self.names, VALIDATION
        kept_source.together = held_out.together = self.together
        return kept_source, held_out


def _part(leaf: Any, start: int, stop: int) -> Any:
    return leaf.part(start, stop) if isinstance(leaf, Rows) else leaf[start:stop, ...]

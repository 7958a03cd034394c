"""The base class of datasets of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portanet import checks


class PyDataset:
    """Base class of a dataset of indexed batches for `fit`, `evaluate` and `predict`; as `keras.utils.PyDataset`.

    Subclasses implement `__len__`, the number of batches, and `__getitem__(index)`, which returns a batch as `(x, y)`
    or `(x, y, sample_weight)`. `fit` shuffles the order of batches with its seed. Any object with these two methods
    works, including Keras's. A subclass may implement `num_batches` in place of `__len__`, None for no end (then `fit`
    needs `steps_per_epoch`).

    Args:
        workers: Number of threads or processes that call `__getitem__`; 1 for the prefetching thread. Batches come in
            the same order whatever it is.
        use_multiprocessing: Whether the workers are processes. Each has a copy of the data set, made at the start of
            an epoch; in it, NumPy's and Python's global generators are seeded for each batch. They start as Python's
            `multiprocessing.set_start_method` says; a fork cannot copy JAX's threads: choose "forkserver" there.
        max_queue_size: Number of batches that workers may make in advance.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> class Lines(portanet.utils.PyDataset):
        ...     def __len__(self):
        ...         return 5
        ...     def __getitem__(self, index):
        ...         x = np.linspace(index, index + 1, 8).reshape(8, 1)
        ...         return x, 2 * x + 1
        >>> model = portanet.Sequential([portanet.layers.Input((1,)), portanet.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> model.fit(Lines(), epochs=2, verbose=0).params["steps"]
        5
    """

    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = checks.integer("workers", workers, type(self), least=0)
        self.use_multiprocessing = checks.boolean("use_multiprocessing", use_multiprocessing, type(self))
        self.max_queue_size = checks.integer("max_queue_size", max_queue_size, type(self), least=0)

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not implement __len__(), its number of batches.")

    @property
    def num_batches(self) -> int | None:
        """Number of batches; None if there is no end."""
        return len(self)

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} does not implement __getitem__(index), which returns a batch."
        )

    def __iter__(self) -> Iterator[Any]:
        """The batches in order."""
        from portanet.training.data.workers import batch_of

        number = 0
        while (count := self.num_batches) is None or number < count:
            yield batch_of(self, number)
            number += 1

    def on_epoch_begin(self) -> None:
        """Called before the first batch of an epoch is created."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of an epoch is created."""

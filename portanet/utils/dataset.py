"""The base class of datasets of batches."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """Base class of a dataset of indexed batches for `fit`, `evaluate` and `predict`; as `keras.utils.PyDataset`.

    Subclasses implement `__len__`, the number of batches, and `__getitem__(index)`, which returns a batch as `(x, y)`
    or `(x, y, sample_weight)` and is called in the prefetching thread. `fit` shuffles the order of batches with its
    seed. Any object with these two methods works, including Keras's.

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

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not implement __len__(), its number of batches.")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} does not implement __getitem__(index), which returns a batch."
        )

    def on_epoch_begin(self) -> None:
        """Called before the first batch of an epoch is created."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of an epoch is created."""

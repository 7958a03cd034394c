"""Batches of numbered examples."""

from __future__ import annotations

from typing import Any

from portanet.backends import HostArray
from portanet.utils.dataset import PyDataset


class Examples(PyDataset):
    """Batches `(x, y)`, or `x` without targets, of examples in an order that may be shuffled after each epoch.

    Args:
        order: The numbers of the examples, in their order.
        targets: The targets, by these numbers; None for none.
        batch_size: Number of examples in a batch; None for single examples.
        generator: Shuffles the order after each epoch; None to leave it.
    """

    def __init__(self, order: HostArray, targets: Any, batch_size: int | None, generator: Any) -> None:
        super().__init__()
        self._order, self._targets, self._batch_size, self._generator = order, targets, batch_size, generator

    def _inputs(self, chosen: HostArray) -> Any:
        """The inputs of the examples of these numbers."""
        raise NotImplementedError(f"{type(self).__name__} does not implement _inputs(chosen).")

    def __len__(self) -> int:
        return -(-len(self._order) // (self._batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"The data set has {len(self)} batches. Received: index {index}")
        size = self._batch_size or 1
        chosen = self._order[index * size : (index + 1) * size]
        x = self._inputs(chosen)
        y = None if self._targets is None else self._targets[chosen]
        if self._batch_size is None:
            return x[0] if y is None else (x[0], y[0])
        return x if y is None else (x, y)

    def on_epoch_end(self) -> None:
        """Shuffle the examples."""
        if self._generator is not None:
            self._generator.shuffle(self._order)

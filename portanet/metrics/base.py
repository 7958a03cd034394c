"""What a metric is: sums over examples, which add up over batches of any size, and what they amount to."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array, raw_namespace
from portanet.configurable import Configurable
from portanet.lookup import snake_case


class Metric(Configurable):
    """A figure of merit over a whole data set.

    Subclasses implement `statistics(y_true, y_pred, sample_weight)`, a tuple of arrays that add up over batches, and
    `from_statistics(*totals)`, what the totals amount to. Both are pure, so totals can stay on the device and be
    compiled; `update_state`, `result` and `reset_state` are Keras's view of the same.

    Args:
        name: Name shown in logs.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self._totals: tuple[Array, ...] | None = None

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        """Sums over the examples of a batch."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement statistics(y_true, y_pred).")

    def from_statistics(self, *totals: Array) -> Any:
        """The figure that the totals amount to."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement from_statistics(...).")

    def update_state(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> None:
        """Add a batch."""
        new = self.statistics(y_true, y_pred, sample_weight)
        self._totals = new if self._totals is None else tuple(a + b for a, b in zip(self._totals, new, strict=True))

    def result(self) -> Any:
        """The figure over all batches since the last reset."""
        if self._totals is None:
            raise ValueError(f"Metric '{self.name}' has seen no data; call update_state(y_true, y_pred) first.")
        return self.from_statistics(*self._totals)

    def reset_state(self) -> None:
        """Forget all batches."""
        self._totals = None

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> Any:
        """Add a batch and give the figure over all batches."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


class MeanMetric(Metric):
    """The weighted mean of a value for each example, which subclasses give by `values(y_true, y_pred)`."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """One value for each example."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement values(y_true, y_pred).")

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        values = self.values(y_true, y_pred)
        xp = array_namespace(values)
        if sample_weight is None:
            return xp.sum(values), xp.full_like(xp.sum(values), float(math.prod(values.shape)))
        weight = xp.astype(sample_weight, values.dtype)
        weight = xp.broadcast_to(
            xp.reshape(weight, tuple(weight.shape) + (1,) * (values.ndim - weight.ndim)), values.shape
        )
        return xp.sum(values * weight), xp.sum(weight)

    def from_statistics(self, *totals: Array) -> Array:
        total, count = totals
        xp = raw_namespace(count)
        return total / xp.maximum(count, 1e-30)

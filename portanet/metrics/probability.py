"""Probabilistic and margin losses as metrics."""

from __future__ import annotations

from typing import Any

from portanet import losses
from portanet.backends import Array, raw_namespace
from portanet.losses.base import DType
from portanet.metrics.base import LossMetric
from portanet.metrics.ratios import ratio


def _of_loss(name: str) -> Any:
    """A property of a metric that reads this attribute of its loss."""
    return property(lambda metric: getattr(metric.loss, name), doc=f"`{name}` of the loss.")


class BinaryCrossentropy(LossMetric):
    """The mean of `losses.BinaryCrossentropy`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.
        from_logits: Whether `y_pred` are logits rather than probabilities.
        label_smoothing: In [0, 1].

    Example:
        >>> round(float(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])), 4)
        0.6931
    """

    from_logits, label_smoothing = _of_loss("from_logits"), _of_loss("label_smoothing")

    def __init__(
        self, name: str | None = None, dtype: DType = None, from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name, dtype)
        self.loss = losses.BinaryCrossentropy(from_logits, label_smoothing)


class CategoricalCrossentropy(LossMetric):
    """The mean of `losses.CategoricalCrossentropy`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.
        from_logits: Whether `y_pred` are logits rather than probabilities.
        label_smoothing: In [0, 1].
        axis: The axis of the classes.

    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    from_logits, label_smoothing, axis = _of_loss("from_logits"), _of_loss("label_smoothing"), _of_loss("axis")

    def __init__(
        self,
        name: str | None = None,
        dtype: DType = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self.loss = losses.CategoricalCrossentropy(from_logits, label_smoothing, axis)


class SparseCategoricalCrossentropy(LossMetric):
    """The mean of `losses.SparseCategoricalCrossentropy`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.
        from_logits: Whether `y_pred` are logits rather than probabilities.
        ignore_class: Class number of examples to ignore.
        axis: The axis of the classes in `y_pred`.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931
    """

    from_logits, ignore_class, axis = _of_loss("from_logits"), _of_loss("ignore_class"), _of_loss("axis")

    def __init__(
        self,
        name: str | None = None,
        dtype: DType = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self.loss = losses.SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis)


class Perplexity(SparseCategoricalCrossentropy):
    """The exponential of the mean cross-entropy over all batches: the effective number of equally likely classes.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities.
        ignore_class: Class number of examples to ignore, such as padding.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> float(Perplexity(from_logits=True)(np.asarray([0, 1]), np.zeros((2, 4))).round(6))
        4.0
    """

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, name: str | None = None, dtype: DType = None
    ) -> None:
        super().__init__(name, dtype, from_logits, ignore_class)

    def from_statistics(self, *totals: Array) -> Array:
        return raw_namespace(totals[0]).exp(ratio(*totals))


class KLDivergence(LossMetric):
    """The mean of `losses.KLDivergence`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
        0.0
    """

    loss = losses.KLDivergence()


class Poisson(LossMetric):
    """The mean of `losses.Poisson`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> round(float(Poisson()([1.0, 2.0], [1.0, 1.0])), 4)
        1.0
    """

    loss = losses.Poisson()


class Hinge(LossMetric):
    """The mean of `losses.Hinge`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(Hinge()([[1.0], [-1.0]], [[0.5], [0.5]]))
        1.0
    """

    loss = losses.Hinge()


class SquaredHinge(LossMetric):
    """The mean of `losses.SquaredHinge`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(SquaredHinge()([[1.0], [-1.0]], [[0.5], [0.5]]))
        1.25
    """

    loss = losses.SquaredHinge()


class CategoricalHinge(LossMetric):
    """The mean of `losses.CategoricalHinge`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.25]]))
        1.25
    """

    loss = losses.CategoricalHinge()

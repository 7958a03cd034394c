"""Accuracy metrics."""

from __future__ import annotations

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.fused import one_hot
from portanet.losses.base import DType, by_value, require_classes, require_range
from portanet.metrics.base import MeanMetric
from portanet.metrics.ratios import known
from portanet.mixed_precision import at_least_float32


class Accuracy(MeanMetric):
    """How often predictions equal targets.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> float(Accuracy()(np.asarray([[1.0], [2.0]]), np.asarray([[1.0], [3.0]])))
        0.5
    """

    direction = "max"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        if y_true.dtype != y_pred.dtype:
            y_true, y_pred = (at_least_float32(y, integers=True) for y in (y_true, y_pred))
        return _indicator(self.alike(y_true, y_pred) == y_pred, y_pred)


class BinaryAccuracy(MeanMetric):
    """How often `y_pred > threshold` equals the target.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.
        threshold: Predictions above it are 1; 0 for logits.

    Example:
        >>> import numpy as np
        >>> float(BinaryAccuracy()(np.asarray([[1.0], [0.0]]), np.asarray([[0.7], [0.6]])))
        0.5
    """

    direction = "max"

    def __init__(self, name: str | None = None, dtype: DType = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = checks.number("threshold", threshold, of=type(self))

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Metric '{self.name}'", y, 0, 1, "values")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        y_pred = at_least_float32(y_pred, integers=True)
        return _indicator((y_pred > self.threshold) == (self.alike(y_true, y_pred) > 0.5), y_pred)


class CategoricalAccuracy(MeanMetric):
    """How often the largest prediction is where the largest target is.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> float(CategoricalAccuracy()(np.asarray([[0.0, 1.0]]), np.asarray([[0.3, 0.7]])))
        1.0
    """

    direction = "max"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        _require_same_shape(self, y_true, y_pred)
        y_true, y_pred = (at_least_float32(y, integers=True) for y in (y_true, y_pred))
        xp = array_namespace(y_true, y_pred)
        return _indicator(xp.argmax(y_true, axis=-1) == xp.argmax(y_pred, axis=-1), y_pred)


class SparseCategoricalAccuracy(MeanMetric):
    """How often the largest prediction is at the target class number.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> float(SparseCategoricalAccuracy()(np.asarray([1]), np.asarray([[0.3, 0.7]])))
        1.0
    """

    direction = "max"

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_classes(f"Metric '{self.name}'", y, classes)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        y_pred = at_least_float32(y_pred, integers=True)
        best = array_namespace(y_true, y_pred).argmax(y_pred, axis=-1)
        return _indicator(class_numbers(self, y_true, y_pred, best.dtype) == best, y_pred)


class FittingAccuracy(MeanMetric):
    """The accuracy for class numbers or for one-hot targets, as they come; "accuracy" where no loss says which."""

    direction = "max"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        numbers = y_true.ndim < y_pred.ndim or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1)
        chosen = SparseCategoricalAccuracy if numbers else CategoricalAccuracy
        return chosen(self.name).values(y_true, y_pred)


class SparseTopKCategoricalAccuracy(MeanMetric):
    """How often the target class number is among the k largest predictions (ties included).

    Args:
        k: Number of predictions to consider.
        name: Name shown in logs.
        dtype: See `Metric`.
        from_sorted_ids: Whether `y_pred` holds class numbers, the most likely first, rather than scores.

    Example:
        >>> import numpy as np
        >>> float(SparseTopKCategoricalAccuracy(k=2)(np.asarray([0, 0]), np.asarray([[2.0, 9, 1], [0, 1, 2]])))
        0.5
    """

    direction = "max"

    def __init__(self, k: int = 5, name: str | None = None, dtype: DType = None, from_sorted_ids: bool = False) -> None:
        super().__init__(name, dtype)
        self.k = checks.positive_int("k", k, type(self))
        self.from_sorted_ids = checks.boolean("from_sorted_ids", from_sorted_ids, type(self))

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_classes(f"Metric '{self.name}'", y, None if self.from_sorted_ids else classes)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        y_pred = at_least_float32(y_pred, integers=True)
        if self.from_sorted_ids:
            numbers = class_numbers(self, y_true, y_pred, y_pred.dtype)
            first = y_pred[..., : self.k]
            return _indicator(xp.any(first == xp.expand_dims(numbers, axis=-1), axis=-1), y_pred)
        targets = one_hot(class_numbers(self, y_true, y_pred, xp.int32), y_pred.shape[-1], xp.int32) > 0
        score = xp.sum(xp.where(targets, y_pred, 0.0), axis=-1, keepdims=True)
        better = xp.sum(_indicator(y_pred > score, y_pred), axis=-1)
        # A class number out of range is never right.
        return _indicator((better < self.k) & xp.any(targets, axis=-1), y_pred)


class TopKCategoricalAccuracy(SparseTopKCategoricalAccuracy):
    """How often the largest target is among the k largest predictions.

    Args:
        k: Number of predictions to consider.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> float(TopKCategoricalAccuracy(k=2)(np.asarray([[1.0, 0, 0]]), np.asarray([[2.0, 9, 1]])))
        1.0
    """

    def __init__(self, k: int = 5, name: str | None = None, dtype: DType = None) -> None:
        super().__init__(k, name, dtype)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        """One-hot targets, of which the largest counts, may be any numbers."""

    def values(self, y_true: Array, y_pred: Array) -> Array:
        _require_same_shape(self, y_true, y_pred)
        y_true = at_least_float32(y_true, integers=True)
        return super().values(array_namespace(y_true).argmax(y_true, axis=-1), y_pred)


def class_numbers(metric: MeanMetric, y_true: Array, y_pred: Array, dtype: object) -> Array:
    """Targets of shape (...) or (..., 1) for predictions (..., classes), as integers of shape (...)."""
    true, rows = tuple(y_true.shape), tuple(y_pred.shape[:-1])
    if y_pred.ndim == 0 or true not in (rows, (*rows, 1)):
        raise ValueError(
            f"Metric '{metric.name}' needs one class number per row of predictions. "
            f"Received: y_true of shape {true}, y_pred of shape {tuple(y_pred.shape)}"
        )
    xp = array_namespace(y_true)
    return xp.astype(y_true if true == rows else xp.reshape(y_true, rows), dtype)


def _require_same_shape(metric: MeanMetric, y_true: Array, y_pred: Array) -> None:
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"Metric '{metric.name}' needs one-hot targets of the shape of the predictions; for class numbers use "
            f"'sparse_{metric.name}'. Received: y_true of shape {tuple(y_true.shape)}, y_pred of shape "
            f"{tuple(y_pred.shape)}"
        )


def _indicator(condition: Array, y_pred: Array) -> Array:
    """1 where the condition is True, else 0; NaN where predictions are NaN, which are right or wrong by chance."""
    xp = array_namespace(condition)
    dtype = y_pred.dtype if xp.isdtype(y_pred.dtype, "real floating") else xp.float32
    return known(xp.astype(condition, dtype), y_pred)

"""Metrics as functions, which return one value per example, as in Keras; their classes say what they compute."""

from __future__ import annotations

from portanet.backends import Array
from portanet.losses.base import as_arrays
from portanet.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from portanet.metrics.base import MeanMetric
from portanet.metrics.correlation import ConcordanceCorrelation, PearsonCorrelation


def binary_accuracy(y_true: Array, y_pred: Array, threshold: float = 0.5) -> Array:
    """1 where a prediction is right, 0 where not; see `BinaryAccuracy`.

    Args:
        y_true: Targets, 0 or 1.
        y_pred: Predictions.
        threshold: Predictions above it count as 1.

    Example:
        >>> binary_accuracy([[1.0], [0.0]], [[0.7], [0.6]])
        array([[1.],
               [0.]], dtype=float32)
    """
    return _values(BinaryAccuracy(threshold=threshold), y_true, y_pred)


def categorical_accuracy(y_true: Array, y_pred: Array) -> Array:
    """1 for each example whose prediction is right, 0 for others; see `CategoricalAccuracy`.

    Example:
        >>> categorical_accuracy([[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.8], [0.4, 0.6]])
        array([1., 0.], dtype=float32)
    """
    return _values(CategoricalAccuracy(), y_true, y_pred)


def sparse_categorical_accuracy(y_true: Array, y_pred: Array) -> Array:
    """1 for each example whose prediction is right, 0 for others; see `SparseCategoricalAccuracy`.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]])
        array([1., 0.], dtype=float32)
    """
    return _values(SparseCategoricalAccuracy(), y_true, y_pred)


def top_k_categorical_accuracy(y_true: Array, y_pred: Array, k: int = 5) -> Array:
    """1 for each example whose target is among the k largest predictions; see `TopKCategoricalAccuracy`.

    Args:
        y_true: Targets, shape (..., classes), one-hot.
        y_pred: Predictions, likewise.
        k: How many of the largest predictions count.

    Example:
        >>> top_k_categorical_accuracy([[0, 0, 1], [1, 0, 0]], [[0.2, 0.5, 0.3], [0.1, 0.6, 0.3]], k=2)
        array([1., 0.], dtype=float32)
    """
    return _values(TopKCategoricalAccuracy(k), y_true, y_pred)


def sparse_top_k_categorical_accuracy(y_true: Array, y_pred: Array, k: int = 5, from_sorted_ids: bool = False) -> Array:
    """1 for each example whose target is among the k largest predictions; see `SparseTopKCategoricalAccuracy`.

    Args:
        y_true: Numbers of classes.
        y_pred: Predictions, shape (..., classes).
        k: How many of the largest predictions count.
        from_sorted_ids: Whether `y_pred` has the numbers of classes in descending order of their predictions.

    Example:
        >>> sparse_top_k_categorical_accuracy([2, 0], [[0.2, 0.5, 0.3], [0.1, 0.6, 0.3]], k=2)
        array([1., 0.], dtype=float32)
    """
    return _values(SparseTopKCategoricalAccuracy(k, from_sorted_ids=from_sorted_ids), y_true, y_pred)


def pearson_correlation(y_true: Array, y_pred: Array, axis: int = -1) -> Array:
    """The value of each example; see `PearsonCorrelation`.

    Example:
        >>> round(float(pearson_correlation([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])), 4)
        1.0
    """
    return _values(PearsonCorrelation(axis=axis), y_true, y_pred)


def concordance_correlation(y_true: Array, y_pred: Array, axis: int = -1) -> Array:
    """The value of each example; see `ConcordanceCorrelation`.

    Example:
        >>> round(float(concordance_correlation([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])), 4)
        1.0
    """
    return _values(ConcordanceCorrelation(axis=axis), y_true, y_pred)


def _values(metric: MeanMetric, y_true: Array, y_pred: Array) -> Array:
    return metric.values(*as_arrays(f"metric '{metric.name}'", y_true=y_true, y_pred=y_pred))

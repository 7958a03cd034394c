"""Multi-class metrics: the confusion matrix, intersection over union and F-scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray, raw_namespace
from portanet.fused import one_hot
from portanet.losses.base import DType, by_value, require_classes, require_range
from portanet.metrics.base import Metric
from portanet.metrics.ratios import known_weights, ratio, total
from portanet.mixed_precision import at_least_float32


class ConfusionMatrix(Metric):
    """Number of examples by true class (rows) and predicted class (columns).

    Args:
        num_classes: Number of classes.
        ignore_class: Class number of examples to ignore; None for none.
        name: Name shown in logs.
        dtype: See `Metric`.

    Shapes: `y_true` and `y_pred` (...), class numbers; or scores (..., classes) for either. Targets may be (..., 1).

    Example:
        >>> import numpy as np
        >>> ConfusionMatrix(2)(np.asarray([0, 0, 1]), np.asarray([0, 1, 1]))
        array([[1., 1.],
               [0., 1.]])
    """

    total_names: ClassVar[dict[str, int]] = {"total_confusion_matrix": 0}

    def __init__(
        self, num_classes: int, ignore_class: int | None = None, name: str | None = None, dtype: DType = None
    ) -> None:
        super().__init__(dtype, name)
        self.num_classes = checks.integer("num_classes", num_classes, type(self), least=2)
        self.ignore_class = None if ignore_class is None else checks.integer("ignore_class", ignore_class, type(self))
        self.total_shapes = ((self.num_classes, self.num_classes),)

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        xp = array_namespace(y_true, y_pred)
        true, pred = self._labels(y_true, y_pred)
        if tuple(true.shape) == (*pred.shape, 1):
            true = xp.reshape(true, tuple(pred.shape))
        if tuple(true.shape) != tuple(pred.shape):
            raise ValueError(
                f"Metric '{self.name}' needs class numbers of the same shape, or rows of {self.num_classes} scores. "
                f"Received: y_true of shape {tuple(y_true.shape)}, y_pred of shape {tuple(y_pred.shape)}"
            )
        floating = y_pred.dtype if xp.isdtype(y_pred.dtype, "real floating") else xp.float32
        weight = known_weights(self.weights(sample_weight, xp.astype(true, floating)), y_pred)
        if self.ignore_class is not None:
            weight = xp.where(true == self.ignore_class, 0.0, weight)
        rows, columns = (
            xp.reshape(one_hot(y, self.num_classes, floating), (-1, self.num_classes)) for y in (true, pred)
        )
        return (xp.matmul(xp.matrix_transpose(rows), columns * xp.reshape(weight, (-1, 1))),)

    @by_value("bool", "integral")
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        if not self._holds_scores(y):
            require_classes(f"Metric '{self.name}'", y, self.num_classes, self.ignore_class)

    def check_predictions(self, y: HostArray) -> None:
        if not self._holds_scores(y):
            require_classes(f"Metric '{self.name}', of the predictions too,", y, self.num_classes)

    def _holds_scores(self, y: Array) -> bool:
        xp = array_namespace(y)
        return bool(xp.isdtype(y.dtype, "real floating") and y.ndim > 1 and y.shape[-1] == self.num_classes)

    def _labels(self, *arrays: Array) -> Iterator[Array]:
        """Targets and predictions as class numbers."""
        for y in arrays:
            xp = array_namespace(y)
            yield xp.astype(xp.argmax(y, axis=-1) if self._holds_scores(y) else y, xp.int32)

    def from_statistics(self, *totals: Array) -> Any:
        return totals[0]


class IoU(ConfusionMatrix):
    """Intersection over union of true and predicted regions, averaged over selected classes.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes to average over.
        name: Name shown in logs.
        dtype: See `Metric`.
        ignore_class: Class number of examples to ignore; None for none.
        sparse_y_true: False for targets that are one-hot along `axis`.
        sparse_y_pred: False for predictions that are scores along `axis`.
        axis: The axis of the classes in such targets and predictions.

    Shapes: As for `ConfusionMatrix`; targets and predictions of the same shape are class numbers.

    Example:
        >>> import numpy as np
        >>> float(IoU(2, [0])(np.asarray([0, 0, 1, 1]), np.asarray([0, 1, 0, 1])).round(6))
        0.333333
    """

    direction = "max"

    @property
    def total_cm(self) -> Any:
        """The variable that holds the confusion matrix."""
        return self.total_confusion_matrix

    def __init__(
        self,
        num_classes: int,
        target_class_ids: list[int] | tuple[int, ...],
        name: str | None = None,
        dtype: DType = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, ignore_class, name, dtype)
        self.sparse_y_true = checks.boolean("sparse_y_true", sparse_y_true, type(self))
        self.sparse_y_pred = checks.boolean("sparse_y_pred", sparse_y_pred, type(self))
        self.axis = checks.integer("axis", axis, type(self))
        self.target_class_ids = list(checks.integers("target_class_ids", target_class_ids, of=type(self), least=0))
        if not isinstance(target_class_ids, (list, tuple)) or max(self.target_class_ids) >= self.num_classes:
            expected = f"a list of classes from 0 to {self.num_classes - 1}"
            raise checks.invalid("target_class_ids", target_class_ids, expected, type(self))

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        y_true = y_true if self.sparse_y_true else self._numbers("y_true", y_true)
        y_pred = y_pred if self.sparse_y_pred else self._numbers("y_pred", y_pred)
        return super().statistics(y_true, y_pred, sample_weight)

    def _labels(self, *arrays: Array) -> Iterator[Array]:
        same = len({tuple(y.shape) for y in arrays}) == 1
        if same:  # both are class numbers, as in Keras, be they floats and as many in a row as there are classes
            return (array_namespace(y).astype(y, array_namespace(y).int32) for y in arrays)
        return super()._labels(*arrays)

    def _numbers(self, name: str, y: Array) -> Array:
        """The class numbers of one-hot rows or scores."""
        axis = checks.axis("axis", self.axis, y.ndim, f"metric '{self.name}'")
        if y.shape[axis] != self.num_classes:
            raise ValueError(
                f"Metric '{self.name}' needs `{name}` with {self.num_classes} classes on axis {self.axis}. "
                f"Received: shape {tuple(y.shape)}"
            )
        xp = array_namespace(y)
        return xp.argmax(xp.astype(y, xp.int32) if xp.isdtype(y.dtype, "bool") else y, axis=axis)

    @by_value("bool", "integral")
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        if self.sparse_y_true:
            super().check_targets(y, classes)

    def check_predictions(self, y: HostArray) -> None:
        if self.sparse_y_pred:
            super().check_predictions(y)

    def from_statistics(self, *totals: Array) -> Any:
        (matrix,) = totals
        xp = raw_namespace(matrix)
        intersection = xp.sum(xp.tril(xp.triu(matrix)), axis=0)  # the diagonal
        union = xp.sum(matrix, axis=0) + xp.sum(matrix, axis=1) - intersection
        unions = xp.stack([union[i] for i in self.target_class_ids])
        scores = xp.stack([ratio(intersection, union)[i] for i in self.target_class_ids])
        # Classes that occur neither in targets nor in predictions are excluded from the mean.
        return ratio(xp.sum(scores), xp.sum(xp.astype(unions > 0, matrix.dtype)))


class MeanIoU(IoU):
    """Intersection over union, averaged over all classes that occur.

    Args:
        num_classes: Number of classes.
        name: Name shown in logs.
        dtype: See `Metric`.
        ignore_class: Class number of examples to ignore; None for none.
        sparse_y_true: As for `IoU`.
        sparse_y_pred: As for `IoU`.
        axis: As for `IoU`.

    Example:
        >>> import numpy as np
        >>> float(MeanIoU(2)(np.asarray([0, 0, 1, 1]), np.asarray([0, 1, 0, 1])).round(6))
        0.333333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DType = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        ids = list(range(checks.integer("num_classes", num_classes, type(self), least=2)))
        name = "mean_io_u" if name is None else name
        super().__init__(num_classes, ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class FBetaScore(Metric):
    """`(1 + beta^2) precision recall / (beta^2 precision + recall)` of each class, or their average.

    Args:
        average: None for one score per class, `"micro"` (from the counts over all classes), `"macro"` (the mean over
            classes) or `"weighted"` (weighted by the number of examples of each class).
        beta: Weight of recall relative to precision.
        threshold: Predictions above it are 1; None: the largest of each row is 1 (ties included), unless it is 0.
        name: Name shown in logs.
        dtype: See `Metric`.

    Shapes: `y_true` (one-hot or multi-hot; above 0.5 is 1) and `y_pred` (batch, classes).

    Example:
        >>> import numpy as np
        >>> y, p = np.eye(2)[[0, 0, 1]], np.asarray([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
        >>> FBetaScore()(y, p).round(6)
        array([0.666667, 0.666667])
    """

    direction = "max"
    total_names: ClassVar[dict[str, int]] = {"true_positives": 0, "false_positives": 1, "false_negatives": 2}

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(dtype, "fbeta_score" if name is None else name)
        self.average = checks.choice("average", average, (None, "micro", "macro", "weighted"), type(self))
        self.beta = checks.positive("beta", beta, type(self))
        self.threshold = None if threshold is None else checks.number("threshold", threshold, "(0, 1]", type(self))

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Metric '{self.name}'", y, 0, 1, "values")

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        if y_pred.ndim != 2 or tuple(y_true.shape) != tuple(y_pred.shape):
            raise ValueError(
                f"Metric '{self.name}' needs targets and predictions of shape (batch, classes). "
                f"Received: y_true of shape {tuple(y_true.shape)}, y_pred of shape {tuple(y_pred.shape)}"
            )
        y_pred = at_least_float32(y_pred, integers=True)
        xp = array_namespace(y_true, y_pred)
        if self.threshold is None:
            decisive = xp.max(y_pred, axis=-1, keepdims=True)  # NaN if one of the row is
            pred = (y_pred == decisive) & (xp.abs(y_pred) > 1e-9)
        else:
            decisive = y_pred
            pred = y_pred > self.threshold
        true = at_least_float32(y_true, integers=True) > 0.5
        weight = known_weights(self.weights(sample_weight, y_pred), decisive)
        return total(pred & true, weight), total(pred & ~true, weight), total(~pred & true, weight)

    def from_statistics(self, *totals: Array) -> Any:
        tp, fp, fn = totals
        xp = raw_namespace(tp)
        support = tp + fn
        if self.average == "micro":
            tp, fp, fn = xp.sum(tp), xp.sum(fp), xp.sum(fn)
        square = self.beta**2
        scores = ratio((1 + square) * tp, (1 + square) * tp + square * fn + fp)
        if self.average == "macro":
            return xp.mean(scores)
        return ratio(xp.sum(scores * support), xp.sum(support)) if self.average == "weighted" else scores


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall of each class, or their average.

    Args:
        average: As for `FBetaScore`.
        threshold: As for `FBetaScore`.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> F1Score()([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.8]])
        array([1., 1.])
    """

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = None, dtype: DType = None
    ) -> None:
        super().__init__(average, 1.0, threshold, "f1_score" if name is None else name, dtype)

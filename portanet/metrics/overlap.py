"""Intersection over union of regions that are given otherwise than by class numbers."""

from __future__ import annotations

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.losses.base import DType
from portanet.metrics.classes import IoU
from portanet.mixed_precision import at_least_float32


class BinaryIoU(IoU):
    """Intersection over union for predictions that are compared with a threshold; as `keras.metrics.BinaryIoU`.

    Args:
        target_class_ids: The classes to average over, of 0 (below the threshold) and 1.
        threshold: Predictions of at least this are class 1.
        name: Name shown in logs.
        dtype: See `Metric`.

    Shapes: `y_true` (...), 0 or 1; `y_pred` (...), numbers.

    Example:
        >>> import numpy as np
        >>> metric = BinaryIoU([0, 1], threshold=0.3)
        >>> float(metric(np.asarray([0, 1, 0, 1]), np.asarray([0.1, 0.2, 0.4, 0.7])).round(6))
        0.333333
    """

    def __init__(
        self,
        target_class_ids: list[int] | tuple[int, ...] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = checks.number("threshold", threshold, of=type(self))

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        xp = array_namespace(y_pred)
        y_pred = at_least_float32(y_pred, integers=True)
        classes = xp.where(y_pred != y_pred, y_pred, xp.astype(y_pred >= self.threshold, y_pred.dtype))
        return super().statistics(y_true, classes, sample_weight)

    def check_predictions(self, y: HostArray) -> None:
        """Any number is a prediction."""

    def _holds_scores(self, y: Array) -> bool:
        return False


class OneHotIoU(IoU):
    """Intersection over union for one-hot targets and scores; as `keras.metrics.OneHotIoU`.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes to average over.
        name: Name shown in logs.
        dtype: See `Metric`.
        ignore_class: Class number of examples to ignore; None for none.
        sparse_y_pred: Whether predictions are class numbers, not scores.
        axis: The axis of the classes.

    Shapes: `y_true` (..., classes); `y_pred` likewise, or (...) with `sparse_y_pred`.

    Example:
        >>> import numpy as np
        >>> scores = np.asarray([[0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
        >>> OneHotIoU(2, [1])(np.asarray([[0, 1], [1, 0], [1, 0]]), scores).item()
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: list[int] | tuple[int, ...],
        name: str | None = None,
        dtype: DType = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def _holds_scores(self, y: Array) -> bool:
        return False


class OneHotMeanIoU(OneHotIoU):
    """Intersection over union for one-hot targets and scores, averaged over all classes; as
    `keras.metrics.OneHotMeanIoU`.

    Args:
        num_classes: Number of classes.
        name: Name shown in logs.
        dtype: See `Metric`.
        ignore_class: Class number of examples to ignore; None for none.
        sparse_y_pred: Whether predictions are class numbers, not scores.
        axis: The axis of the classes.

    Example:
        >>> import numpy as np
        >>> scores = np.asarray([[0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
        >>> OneHotMeanIoU(2)(np.asarray([[0, 1], [1, 0], [1, 0]]), scores).item()
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DType = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        num_classes = checks.integer("num_classes", num_classes, type(self), least=2)
        super().__init__(num_classes, list(range(num_classes)), name, dtype, ignore_class, sparse_y_pred, axis)

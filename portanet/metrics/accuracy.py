"""How often the prediction is right."""

from __future__ import annotations

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.metrics.base import MeanMetric


class BinaryAccuracy(MeanMetric):
    """How often `y_pred > threshold` equals the target.

    Args:
        name: Name shown in logs.
        threshold: Where 1 begins.

    Example:
        >>> import numpy as np
        >>> float(BinaryAccuracy()(np.asarray([[1.0], [0.0]]), np.asarray([[0.7], [0.6]])))
        0.5
    """

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = threshold

    def values(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        right = (y_pred > self.threshold) == (xp.reshape(y_true, y_pred.shape) > 0.5)
        return xp.astype(right, y_pred.dtype)


class CategoricalAccuracy(MeanMetric):
    """How often the largest prediction is where the largest target is.

    Example:
        >>> import numpy as np
        >>> float(CategoricalAccuracy()(np.asarray([[0.0, 1.0]]), np.asarray([[0.3, 0.7]])))
        1.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        return xp.astype(xp.argmax(y_true, axis=-1) == xp.argmax(y_pred, axis=-1), y_pred.dtype)


class SparseCategoricalAccuracy(MeanMetric):
    """How often the largest prediction is at the target class number.

    Example:
        >>> import numpy as np
        >>> float(SparseCategoricalAccuracy()(np.asarray([1]), np.asarray([[0.3, 0.7]])))
        1.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        best = xp.argmax(y_pred, axis=-1)
        labels = xp.astype(xp.reshape(y_true, best.shape), best.dtype)
        return xp.astype(best == labels, y_pred.dtype)

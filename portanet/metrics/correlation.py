"""Correlations of targets and predictions."""

from __future__ import annotations

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.losses.base import DType
from portanet.metrics.base import MeanMetric
from portanet.mixed_precision import at_least_float32

EPSILON = 1e-7


class PearsonCorrelation(MeanMetric):
    """The mean Pearson correlation of `y_true` and `y_pred` along an axis; as `keras.metrics.PearsonCorrelation`.

    It is NaN for values that are all equal.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.
        axis: The axis of the values that are correlated.

    Example:
        >>> import numpy as np
        >>> metric = PearsonCorrelation()
        >>> float(metric(np.asarray([[0.0, 1.0, 0.5]]), np.asarray([[0.1, 0.9, 0.5]])).round(6))
        1.0
    """

    direction = "max"

    def __init__(self, name: str | None = None, dtype: DType = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = checks.integer("axis", axis, type(self))

    def values(self, y_true: Array, y_pred: Array) -> Array:
        y_pred = at_least_float32(y_pred, integers=True)
        y_true = self.alike(y_true, y_pred)
        checks.axis("axis", self.axis, y_pred.ndim, f"metric '{self.name}'")
        xp = array_namespace(y_true, y_pred)
        y_true, y_pred = (xp.moveaxis(y, self.axis, -1) for y in (y_true, y_pred))
        means = [xp.mean(y, axis=-1, keepdims=True) for y in (y_true, y_pred)]
        true, pred = y_true - means[0], y_pred - means[1]
        covariance, true_spread, pred_spread = (xp.mean(p, axis=-1) for p in (true * pred, true**2, pred**2))
        return self.figure(covariance, true_spread, pred_spread, xp.mean(means[0] - means[1], axis=-1))

    def figure(self, covariance: Array, true_spread: Array, pred_spread: Array, difference: Array) -> Array:
        """The correlation, from the covariance, both variances and the difference of the means."""
        xp = array_namespace(covariance)
        spread = xp.sqrt(true_spread * pred_spread)
        return xp.where(spread == 0, xp.nan, covariance / xp.where(spread == 0, 1.0, spread))


class ConcordanceCorrelation(PearsonCorrelation):
    """The mean concordance correlation of `y_true` and `y_pred` along an axis (L. Lin 1989); as
    `keras.metrics.ConcordanceCorrelation`.

    It is 1 for equal values only, where the Pearson correlation is 1 for any that increase linearly.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.
        axis: The axis of the values that are correlated.

    Example:
        >>> import numpy as np
        >>> metric = ConcordanceCorrelation()
        >>> float(metric(np.asarray([[0.0, 1.0, 0.5]]), np.asarray([[0.1, 0.9, 0.5]])).round(6))
        0.975609
    """

    def figure(self, covariance: Array, true_spread: Array, pred_spread: Array, difference: Array) -> Array:
        return 2 * covariance / (true_spread + pred_spread + difference**2 + EPSILON)

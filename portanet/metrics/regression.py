"""Regression metrics."""

from __future__ import annotations

from typing import ClassVar

from portanet import checks, losses
from portanet.autodiff import array_namespace
from portanet.backends import Array, raw_namespace
from portanet.losses.base import DType
from portanet.losses.regression import cosine
from portanet.metrics.base import LossMetric, MeanMetric, Metric
from portanet.metrics.ratios import ratio
from portanet.mixed_precision import at_least_float32


class MeanSquaredError(LossMetric):
    """The mean of `(y_true - y_pred)^2`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(MeanSquaredError()([0.0, 1.0], [2.0, 1.0]))
        2.0
    """

    loss = losses.MeanSquaredError()


class MeanAbsoluteError(LossMetric):
    """The mean of `|y_true - y_pred|`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(MeanAbsoluteError()([0.0, 1.0], [2.0, 1.0]))
        1.0
    """

    loss = losses.MeanAbsoluteError()


class MeanAbsolutePercentageError(LossMetric):
    """The mean of `100 |y_true - y_pred| / |y_true|`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(MeanAbsolutePercentageError()([2.0, 4.0], [1.0, 5.0]))
        37.5
    """

    loss = losses.MeanAbsolutePercentageError()


class MeanSquaredLogarithmicError(LossMetric):
    """The mean of `(log(1 + y_true) - log(1 + y_pred))^2`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(MeanSquaredLogarithmicError()([0.0, 1.0], [0.0, 1.0]))
        0.0
    """

    loss = losses.MeanSquaredLogarithmicError()


class LogCoshError(LossMetric):
    """The mean of the logarithm of the hyperbolic cosine of the error.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> float(LogCoshError()([[0.0]], [[0.0]]))
        0.0
    """

    loss = losses.LogCosh()

    def __init__(self, name: str | None = None, dtype: DType = None) -> None:
        super().__init__("logcosh" if name is None else name, dtype)


class RootMeanSquaredError(MeanSquaredError):
    """The square root of the mean of `(y_true - y_pred)^2` over all batches.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> float(RootMeanSquaredError()(np.asarray([[0.0, 0.0]]), np.asarray([[3.0, 4.0]])).round(6))
        3.535534
    """

    def from_statistics(self, *totals: Array) -> Array:
        return raw_namespace(totals[0]).sqrt(ratio(*totals))


class CosineSimilarity(MeanMetric):
    """The mean cosine similarity of `y_true` and `y_pred` along an axis.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.
        axis: The axis of the vectors.

    Example:
        >>> import numpy as np
        >>> float(CosineSimilarity()(np.asarray([[0.0, 2.0]]), np.asarray([[3.0, 4.0]])).round(6))
        0.8
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
        return cosine(xp.moveaxis(y_true, self.axis, -1), xp.moveaxis(y_pred, self.axis, -1))


class R2Score(Metric):
    """The fraction of the targets' variance explained by the predictions (coefficient of determination).

    Sums are in double precision where supported, because they cancel. The score of targets that are all equal is 0.

    Args:
        class_aggregation: For several outputs: `"uniform_average"`, `"variance_weighted_average"`, or None for one
            value each.
        num_regressors: Number of independent variables, for the adjusted score (if there are more targets); 0 for the
            usual one.
        name: Name shown in logs.
        dtype: See `Metric`.

    Shapes: `y_true` and `y_pred` (batch,) or (batch, outputs).

    Keras 3.15 counts the elements rather than the targets for the adjusted score; later versions do not.

    Example:
        >>> import numpy as np
        >>> float(R2Score()(np.asarray([[1.0], [2.0], [3.0]]), np.asarray([[1.0], [2.0], [4.0]])))
        0.5
    """

    direction = "max"
    total_names: ClassVar[dict[str, int]] = {
        "num_samples": 4, "squared_sum": 2, "sum": 1, "residual": 3, "count": 0,
    }  # fmt: skip

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(dtype, name)
        self.num_regressors = checks.integer("num_regressors", num_regressors, type(self), least=0)
        known = ("uniform_average", "variance_weighted_average", None)
        self.class_aggregation = checks.choice("class_aggregation", class_aggregation, known, type(self))

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        y_pred = at_least_float32(y_pred, integers=True)
        y_true = self.alike(y_true, y_pred)
        xp = array_namespace(y_true, y_pred)
        if y_pred.ndim not in (1, 2):
            raise ValueError(
                f"Metric '{self.name}' needs targets and predictions of shape (batch,) or (batch, outputs). "
                f"Received: y_pred of shape {tuple(y_pred.shape)}"
            )
        if y_pred.ndim == 1:
            y_true, y_pred = xp.expand_dims(y_true, axis=1), xp.expand_dims(y_pred, axis=1)
        weight = self.weights(sample_weight, y_pred)
        if "float64" in xp.__array_namespace_info__().dtypes(device=None, kind="real floating"):
            y_true, y_pred, weight = (xp.astype(a, xp.float64) for a in (y_true, y_pred, weight))
        error = xp.where(weight == 0, weight, weight * xp.square(y_true - y_pred))
        sums = weight, weight * y_true, weight * xp.square(y_true), error
        count = xp.full_like(xp.sum(error), float(error.shape[0]))
        return *(xp.sum(s, axis=0) for s in sums), count

    def from_statistics(self, *totals: Array) -> Array:
        weight, first, second, error, count = totals
        xp = raw_namespace(weight)
        spread = second - first * ratio(first, weight)
        scores = xp.where(spread > 0, 1 - ratio(error, spread), 0.0 * error)
        if self.class_aggregation == "uniform_average":
            scores = xp.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = ratio(xp.sum(scores * spread), xp.sum(spread))
        left = float(count) - self.num_regressors - 1
        return scores if self.num_regressors == 0 or left <= 0 else 1 - (1 - scores) * (float(count) - 1) / left

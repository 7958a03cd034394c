"""The metrics."""

from __future__ import annotations

from typing import Any

from portanet import losses
from portanet.lookup import lookup, names
from portanet.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    FittingAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from portanet.metrics.base import FunctionMetric, MeanMetric, Metric
from portanet.metrics.classes import ConfusionMatrix, F1Score, FBetaScore, IoU, MeanIoU
from portanet.metrics.counts import (
    AUC,
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from portanet.metrics.probability import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Perplexity,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from portanet.metrics.reduction import Mean, Sum
from portanet.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    R2Score,
    RootMeanSquaredError,
)

METRICS = names(
    AUC, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, CategoricalHinge,
    CosineSimilarity, F1Score, FBetaScore, FalseNegatives, FalsePositives, Hinge, KLDivergence, LogCoshError,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Perplexity, Poisson,
    Precision, R2Score, Recall, RootMeanSquaredError, SparseCategoricalAccuracy, SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy, SquaredHinge, TopKCategoricalAccuracy, TrueNegatives, TruePositives,
)  # fmt: skip
for _alias, _metric in {
    "bce": BinaryCrossentropy, "kld": KLDivergence, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError, "msle": MeanSquaredLogarithmicError, "rmse": RootMeanSquaredError,
}.items():  # fmt: skip
    METRICS |= {_alias: _metric, _alias.upper(): _metric}
METRICS |= {"fbeta_score": FBetaScore, "logcosh": LogCoshError}


def get(
    identifier: Any,
    loss: Any = None,
    y_pred_shape: tuple[int | None, ...] = (),
    name: str = "identifier",
    of: Any = "",
) -> Metric:
    """A metric by name, the given object, or the mean of a function `(y_true, y_pred) -> value of each example`.

    Args:
        identifier: Name, object or function; "accuracy" is the one that fits the loss and the predictions.
        loss: The loss in use.
        y_pred_shape: Shape of the predictions.
        name: Name of the argument that holds the identifier, for errors.
        of: The function or object that takes it.

    Example:
        >>> from portanet import losses, metrics
        >>> type(metrics.get("accuracy", losses.SparseCategoricalCrossentropy())).__name__
        'SparseCategoricalAccuracy'
    """
    if isinstance(identifier, str) and identifier in ("accuracy", "acc"):
        if getattr(loss, "integer_targets", False):
            accuracy: type[Metric] = SparseCategoricalAccuracy
        elif len(y_pred_shape) > 1 and y_pred_shape[-1] != 1 and not isinstance(loss, losses.BinaryCrossentropy):
            accuracy = CategoricalAccuracy if loss is not None else FittingAccuracy
        else:
            accuracy = BinaryAccuracy
        return accuracy(name=identifier)
    metric = lookup("metric", identifier, {**METRICS, "accuracy": BinaryAccuracy}, name, of)  # for its suggestions
    return metric if isinstance(metric, Metric) else FunctionMetric(metric)


__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConfusionMatrix",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "FunctionMetric",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetric",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Perplexity",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "get",
]

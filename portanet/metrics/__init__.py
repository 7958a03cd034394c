"""The metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet import losses
from portanet.lookup import created, described, lookup, names, no_attribute
from portanet.losses.fitting import FittingCrossentropy
from portanet.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from portanet.metrics import functions
from portanet.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    FittingAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from portanet.metrics.auc import AUC
from portanet.metrics.base import MeanMetric, Metric
from portanet.metrics.classes import ConfusionMatrix, F1Score, FBetaScore, IoU, MeanIoU
from portanet.metrics.correlation import ConcordanceCorrelation, PearsonCorrelation
from portanet.metrics.counts import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from portanet.metrics.functions import (
    binary_accuracy,
    categorical_accuracy,
    concordance_correlation,
    pearson_correlation,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from portanet.metrics.overlap import BinaryIoU, OneHotIoU, OneHotMeanIoU
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
from portanet.metrics.reduction import FunctionMetric, Mean, MeanMetricWrapper, Sum
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
from portanet.metrics.trade_offs import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)

METRICS = names(
    ConcordanceCorrelation, PearsonCorrelation, BinaryIoU,
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
WITH_CONFIG = METRICS | names(
    ConfusionMatrix, IoU, Mean, MeanIoU, MeanMetricWrapper, OneHotIoU, OneHotMeanIoU, PrecisionAtRecall,
    RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity, Sum,
)  # fmt: skip
"""Those that descriptions name: also those that need arguments."""


def get(
    identifier: Any,
    loss: Any = None,
    y_pred_shape: tuple[int | None, ...] = (),
    name: str = "identifier",
    of: Any = "",
) -> Any:
    """A metric by name, the given object, or the mean of a function `(y_true, y_pred) -> value of each example`; None
    for None.

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
    if identifier is None and not of:
        return None
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        if getattr(loss, "integer_targets", False):
            accuracy: type[Metric] = SparseCategoricalAccuracy
        elif len(y_pred_shape) > 1 and y_pred_shape[-1] != 1 and not isinstance(loss, losses.BinaryCrossentropy):
            told = loss is not None and not isinstance(loss, FittingCrossentropy)
            accuracy = CategoricalAccuracy if told else FittingAccuracy
        else:
            accuracy = BinaryAccuracy
        return accuracy(name=identifier)
    if getattr(identifier, "__module__", None) in (functions.__name__, losses.functions.__name__):
        identifier = METRICS.get(identifier.__name__, identifier)  # with its checks of targets
    known = WITH_CONFIG if isinstance(identifier, Mapping) else {**METRICS, "accuracy": BinaryAccuracy}
    metric = lookup("metric", identifier, known, name, of)  # "accuracy" for its suggestions
    return metric if isinstance(metric, Metric) else FunctionMetric(metric)


def serialize(metric: Any) -> Any:
    """The description of a metric that Keras would write, for `deserialize`.

    Args:
        metric: The metric.

    Example:
        >>> from portanet import metrics
        >>> metrics.deserialize(metrics.serialize(metrics.MeanIoU(3))).num_classes
        3
    """
    return described(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of a description by `serialize` or Keras's own, or of its name.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> deserialize({"class_name": "Mean", "config": {"name": "loss"}}).name
        'loss'
    """
    return created("metric", config, WITH_CONFIG, custom_objects)


__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
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
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Perplexity",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)

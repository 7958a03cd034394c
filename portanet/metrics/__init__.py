"""The metrics."""

from typing import Any

from portanet.lookup import lookup, names
from portanet.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from portanet.metrics.base import MeanMetric, Metric

METRICS = names(BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy)


def get(identifier: Any, loss: Any = None, y_pred_shape: tuple[int, ...] = ()) -> Any:
    """A metric by name, or the object given; "accuracy" is the one that fits the loss and the predictions."""
    if identifier in ("accuracy", "acc"):
        if getattr(loss, "integer_targets", False):
            chosen: type[Metric] = SparseCategoricalAccuracy
        elif len(y_pred_shape) > 1 and y_pred_shape[-1] > 1 and getattr(loss, "name", "") != "binary_crossentropy":
            chosen = CategoricalAccuracy
        else:
            chosen = BinaryAccuracy
        return chosen(name=identifier)
    return lookup("metric", identifier, METRICS)


__all__ = [
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "MeanMetric",
    "Metric",
    "SparseCategoricalAccuracy",
    "get",
]

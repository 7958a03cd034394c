"""True and false positives and negatives at thresholds, and metrics computed from them."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.activations import sigmoid
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray, device_of, raw_namespace
from portanet.losses.base import DType, by_value, require_range
from portanet.metrics.base import Metric, known_weights, ratio, total
from portanet.mixed_precision import at_least_float32

Thresholds = float | list[float] | tuple[float, ...] | None


class Counts(Metric):
    """Weighted numbers of true positives, false positives, true negatives and false negatives at thresholds.

    Targets above 0.5 are positive.

    Args:
        thresholds: Predictions above it are 1: a number in [0, 1], or several, with one result each; None for 0.5.
        class_id: Column of the targets and predictions to use; None for all.
        top_k: If given, only the k largest predictions of a row can be 1.
        name: Name shown in logs.
        dtype: See `Metric`.
    """

    def __init__(
        self,
        thresholds: Thresholds = None,
        name: str | None = None,
        dtype: DType = None,
        class_id: int | None = None,
        top_k: int | None = None,
    ) -> None:
        super().__init__(dtype, name)
        self.class_id = None if class_id is None else checks.integer("class_id", class_id, type(self), least=0)
        self.top_k = None if top_k is None else checks.positive_int("top_k", top_k, type(self))
        self.single = not isinstance(thresholds, (list, tuple))
        if thresholds is None:
            self.limits = [0.5 if top_k is None else -float("inf")]
        else:
            values = [thresholds] if self.single else thresholds
            self.limits = checks.numbers("thresholds", values, "[0, 1]", type(self))

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        y_pred = at_least_float32(y_pred, integers=True)
        y_true = self.alike(y_true, y_pred)
        xp = array_namespace(y_true, y_pred)
        weight = known_weights(self.weights(sample_weight, y_pred), y_pred)
        if self.top_k is not None:
            rank = xp.argsort(xp.argsort(y_pred, axis=-1, descending=True), axis=-1)
            y_pred = xp.where(rank < self.top_k, y_pred, -float("inf"))
        if self.class_id is not None:
            if y_pred.ndim < 2 or self.class_id >= y_pred.shape[-1]:
                raise ValueError(
                    f"Argument `class_id` of metric '{self.name}' is not a column of the predictions. "
                    f"Received: class_id={self.class_id} and y_pred of shape {tuple(y_pred.shape)}"
                )
            y_true, y_pred, weight = (a[..., self.class_id] for a in (y_true, y_pred, weight))
        return counts(y_true, y_pred, weight, self.limits)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Metric '{self.name}'", y, 0, 1, "values")

    def from_statistics(self, *totals: Array) -> Any:
        values = self.figures(*totals)
        return values[0] if self.single else values

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """One value per threshold."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement figures(tp, fp, tn, fn).")


def counts(y_true: Array, y_pred: Array, weight: Array, thresholds: list[float]) -> tuple[Array, ...]:
    """True positives, false positives, true negatives and false negatives, each of shape (thresholds,)."""
    xp = array_namespace(y_true, y_pred)
    positive, y_pred, weight = (xp.reshape(a, (-1, 1)) for a in (y_true > 0.5, y_pred, weight))
    limits = xp.asarray(thresholds, dtype=y_pred.dtype, device=device_of(y_pred))
    above = y_pred > xp.reshape(limits, (1, -1))
    outcomes = (above & positive, above & ~positive, ~above & ~positive, ~above & positive)
    return tuple(total(outcome, weight) for outcome in outcomes)


class TruePositives(Counts):
    """Number of true positives; arguments as for `Counts`."""

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return tp


class FalsePositives(Counts):
    """Number of false positives; arguments as for `Counts`."""

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return fp


class TrueNegatives(Counts):
    """Number of true negatives; arguments as for `Counts`."""

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return tn


class FalseNegatives(Counts):
    """Number of false negatives; arguments as for `Counts`."""

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return fn


class Precision(Counts):
    """`tp / (tp + fp)`, 0 if no prediction is positive; arguments as for `Counts`.

    Example:
        >>> import numpy as np
        >>> float(Precision()(np.asarray([0.0, 1.0, 1.0]), np.asarray([0.9, 0.8, 0.1])))
        0.5
    """

    direction = "max"

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(thresholds, name, dtype, class_id, top_k)

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return ratio(tp, tp + fp)


class Recall(Precision):
    """`tp / (tp + fn)`, 0 if no target is positive; arguments as for `Counts`.

    Example:
        >>> import numpy as np
        >>> float(Recall()(np.asarray([0.0, 1.0, 1.0]), np.asarray([0.9, 0.8, 0.1])))
        0.5
    """

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return ratio(tp, tp + fn)


class AUC(Metric):
    """The area under the ROC curve (recall over false-positive rate) or under the precision-recall curve.

    Args:
        num_thresholds: Number of thresholds, evenly spaced in [0, 1].
        curve: `"ROC"` or `"PR"`.
        summation_method: `"interpolation"` (trapezoids; for PR as Davis and Goadrich 2006), `"minoring"` or
            `"majoring"` (rectangles below or above).
        name: Name shown in logs.
        dtype: See `Metric`.
        thresholds: The inner thresholds, in [0, 1], instead of `num_thresholds`.
        from_logits: Whether `y_pred` are logits rather than probabilities.

    Example:
        >>> import numpy as np
        >>> float(AUC()(np.asarray([0.0, 0.0, 1.0, 1.0]), np.asarray([0.0, 0.5, 0.3, 0.9])).round(6))
        0.75
    """

    direction = "max"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: DType = None,
        thresholds: list[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, "auc" if name is None else name)
        of = type(self)
        self.curve = checks.choice("curve", curve, ("ROC", "PR"), of)
        methods = ("interpolation", "minoring", "majoring")
        self.summation_method = checks.choice("summation_method", summation_method, methods, of)
        self.from_logits = checks.boolean("from_logits", from_logits, type(self))
        steps = checks.integer("num_thresholds", num_thresholds, of, least=2) - 1
        inner = (
            [i / steps for i in range(1, steps)]
            if thresholds is None
            else checks.numbers("thresholds", thresholds, "[0, 1]", of)
        )
        # The ends lie outside [0, 1], so that all predictions, or none, are above.
        self.limits = [-1e-7, *sorted(inner), 1 + 1e-7]

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        y_pred = at_least_float32(y_pred, integers=True)
        y_true = self.alike(y_true, y_pred)
        xp = array_namespace(y_pred)
        y_pred = sigmoid(y_pred) if self.from_logits else y_pred
        weight = known_weights(self.weights(sample_weight, y_pred), y_pred)
        weight = xp.where((weight != 0) & ((y_pred < 0) | (y_pred > 1)), math.nan, weight)  # a step cannot refuse them
        return counts(y_true, y_pred, weight, self.limits)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Metric '{self.name}'", y, 0, 1, "values")

    def check_predictions(self, y: HostArray) -> None:
        if not self.from_logits and y.size and (y.min() < 0 or y.max() > 1):
            raise ValueError(
                f"Metric '{self.name}' needs predictions from 0 to 1; for logits, pass from_logits=True. "
                f"Received: y_pred from {y.min()} to {y.max()}"
            )

    def from_statistics(self, *totals: Array) -> Array:
        tp, fp, tn, fn = totals
        xp = raw_namespace(tp)
        recall = ratio(tp, tp + fn)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated(tp, fp, fn)
        x, y = (ratio(fp, fp + tn), recall) if self.curve == "ROC" else (recall, ratio(tp, tp + fp))
        low, high = xp.minimum(y[:-1], y[1:]), xp.maximum(y[:-1], y[1:])
        height = {"interpolation": 0.5 * (low + high), "minoring": low, "majoring": high}[self.summation_method]
        return xp.sum((x[:-1] - x[1:]) * height)

    def _interpolated(self, tp: Array, fp: Array, fn: Array) -> Array:
        """Between two thresholds, true positives are linear in positives: `slope * positives + intercept`."""
        xp = raw_namespace(tp)
        positives = tp + fp
        steps = tp[:-1] - tp[1:]
        slope = ratio(steps, positives[:-1] - positives[1:])
        intercept = tp[1:] - slope * positives[1:]
        valid = (positives[:-1] > 0) & (positives[1:] > 0)
        growth = xp.where(valid, ratio(positives[:-1], positives[1:]), 0.0 * slope + 1)
        return xp.sum(ratio(slope * (steps + intercept * xp.log(growth)), tp[1:] + fn[1:]))

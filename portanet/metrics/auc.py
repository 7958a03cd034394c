"""The area under curves of counts over thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from portanet import checks
from portanet.activations import sigmoid
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, HostArray, constant, raw_namespace
from portanet.losses.base import DType, by_value, require_range
from portanet.metrics.base import Metric
from portanet.metrics.counts import FOUR_COUNTS, counts
from portanet.metrics.ratios import known_weights, ratio
from portanet.mixed_precision import at_least_float32

METHODS = ("interpolation", "minoring", "majoring")


class AUC(Metric):
    """The area under the ROC curve (recall over false-positive rate), the precision-recall curve or the curve of their
    gains.

    Args:
        num_thresholds: Number of thresholds, evenly spaced in [0, 1].
        curve: `"ROC"`, `"PR"` or `"PRGAIN"`.
        summation_method: `"interpolation"` (trapezoids; for PR as Davis and Goadrich 2006), `"minoring"` or
            `"majoring"` (rectangles below or above).
        name: Name shown in logs.
        dtype: See `Metric`.
        thresholds: The inner thresholds, in [0, 1], instead of `num_thresholds`.
        multi_label: Whether to average the areas of each label, the columns of `y_pred`, rather than to take all
            columns together.
        num_labels: Number of labels, for `multi_label`; by default that of the data.
        label_weights: One weight per label: of its area, or without `multi_label` of its values.
        from_logits: Whether `y_pred` are logits rather than probabilities.

    Source: P. Flach, M. Kull, Precision-recall-gain curves: PR analysis done right, 2015, for PRGAIN.

    Shapes: `y_true` and `y_pred` (...), or (batch, labels) with `multi_label`.

    Example:
        >>> import numpy as np
        >>> float(AUC()(np.asarray([0.0, 0.0, 1.0, 1.0]), np.asarray([0.0, 0.5, 0.3, 0.9])).round(6))
        0.75
    """

    direction = "max"
    total_names: ClassVar[dict[str, int]] = FOUR_COUNTS

    def __init__(
        self,
        num_thresholds: int | None = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: DType = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, "auc" if name is None else name)
        of = type(self)
        curve = curve.upper() if isinstance(curve, str) else curve
        self.curve = checks.choice("curve", curve, ("ROC", "PR", "PRGAIN"), of)
        self.summation_method = checks.choice("summation_method", summation_method, METHODS, of)
        self.multi_label = checks.boolean("multi_label", multi_label, of)
        self.from_logits = checks.boolean("from_logits", from_logits, of)
        self.label_weights = (
            None if label_weights is None else checks.numbers("label_weights", label_weights, "[0, inf)", of)
        )
        if thresholds is None:
            steps = checks.integer("num_thresholds", num_thresholds, of, least=2) - 1
            inner = [i / steps for i in range(1, steps)]
        else:
            inner = sorted(checks.numbers("thresholds", thresholds, "[0, 1]", of))
        # The ends lie outside [0, 1], so that all predictions, or none, are above.
        self.thresholds = [-1e-7, *inner, 1 + 1e-7]
        self.num_thresholds = len(self.thresholds)
        self.num_labels = None if num_labels is None else checks.positive_int("num_labels", num_labels, of)
        if self.num_labels is not None and not self.multi_label:
            raise checks.invalid("num_labels", num_labels, "None without multi_label=True", of)
        if not self.multi_label:
            self.total_shapes = ((self.num_thresholds,),) * 4
        elif self.num_labels is not None:
            self.total_shapes = ((self.num_thresholds, self.num_labels),) * 4

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        y_pred = at_least_float32(y_pred, integers=True)
        y_true = self.alike(y_true, y_pred)
        self._check_labels(y_pred)
        xp = array_namespace(y_pred)
        y_pred = sigmoid(y_pred) if self.from_logits else y_pred
        weight = known_weights(self.weights(sample_weight, y_pred), y_pred)
        weight = xp.where((weight != 0) & ((y_pred < 0) | (y_pred > 1)), math.nan, weight)  # a step cannot refuse them
        if self.label_weights is not None and not self.multi_label:
            weight = weight * constant(storage(weight), self.label_weights, weight.dtype)
        return counts(y_true, y_pred, weight, self.thresholds, self.multi_label)

    def _check_labels(self, y_pred: Array) -> None:
        labels = self.num_labels if self.label_weights is None else len(self.label_weights)
        shape = tuple(y_pred.shape)
        if (self.multi_label and len(shape) != 2) or (labels is not None and shape[-1:] != (labels,)):
            raise ValueError(
                f"Metric '{self.name}' needs predictions of shape (batch, {'labels' if labels is None else labels}). "
                f"Received: y_pred of shape {shape}"
            )

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
        return self._total(self._areas(*totals))

    def interpolate_pr_auc(self) -> Array:
        """The area under the curve of precision over recall, whatever `curve` is, by interpolation of the counts."""
        counts = (self.true_positives, self.false_positives, self.false_negatives)
        return self._total(self._interpolated(*(count.value for count in counts)))

    def _total(self, areas: Array) -> Array:
        xp = raw_namespace(areas)
        areas = xp.sum(areas, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return xp.mean(areas)
        weights = constant(storage(areas), self.label_weights, areas.dtype)
        return ratio(xp.sum(areas * weights), xp.sum(weights))

    def _areas(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """The areas between two thresholds each."""
        xp = raw_namespace(tp)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated(tp, fp, fn)
        x, y = self._curve(tp, fp, tn, fn)
        low, high = xp.minimum(y[:-1, ...], y[1:, ...]), xp.maximum(y[:-1, ...], y[1:, ...])
        height = {"interpolation": 0.5 * (low + high), "minoring": low, "majoring": high}[self.summation_method]
        return (x[:-1, ...] - x[1:, ...]) * height

    def _curve(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        """The coordinates at each threshold."""
        if self.curve == "ROC":
            return ratio(fp, fp + tn), ratio(tp, tp + fn)
        if self.curve == "PR":
            return ratio(tp, tp + fn), ratio(tp, tp + fp)
        xp, odds = raw_namespace(tp), ratio(tp + fn, fp + tn)
        recall_gain, precision_gain = (1 - odds * ratio(wrong, tp) for wrong in (fn, fp))
        # Without a true positive, precision is 1; a recall below that of chance has no gain.
        return xp.where(tp > 0, xp.maximum(recall_gain, 0.0 * tp), 0.0 * tp), precision_gain

    def _interpolated(self, tp: Array, fp: Array, fn: Array) -> Array:
        """Between two thresholds, true positives are linear in positives: `slope * positives + intercept`."""
        xp = raw_namespace(tp)
        positives = tp + fp
        above, below = positives[:-1, ...], positives[1:, ...]
        steps, tp, fn = tp[:-1, ...] - tp[1:, ...], tp[1:, ...], fn[1:, ...]
        slope = ratio(steps, above - below)
        intercept = tp - slope * below
        growth = xp.where(below > 0, ratio(above, below), 0.0 * slope + 1)
        return ratio(slope * (steps + intercept * xp.log(growth)), tp + fn)

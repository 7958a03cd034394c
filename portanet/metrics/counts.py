"""True and false positives and negatives at thresholds, and metrics computed from them."""

from __future__ import annotations

from typing import Any, ClassVar

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, HostArray, constant
from portanet.losses.base import DType, by_value, require_range
from portanet.metrics.base import Metric
from portanet.metrics.ratios import known_weights, ratio, total
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
        self.init_thresholds = thresholds
        self.single = not isinstance(thresholds, (list, tuple))
        if thresholds is None:
            self.thresholds = [0.5 if top_k is None else -float("inf")]
        else:
            values = [thresholds] if self.single else thresholds
            self.thresholds = checks.numbers("thresholds", values, "[0, 1]", type(self))
        self.total_shapes = ((len(self.thresholds),),) * 4

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
        return counts(y_true, y_pred, weight, self.thresholds)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Metric '{self.name}'", y, 0, 1, "values")

    def from_statistics(self, *totals: Array) -> Any:
        values = self.figures(*totals)
        return values[0] if self.single else values

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        """One value per threshold."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement figures(tp, fp, tn, fn).")


FOUR_COUNTS = {"true_positives": 0, "false_positives": 1, "true_negatives": 2, "false_negatives": 3}


def counts(
    y_true: Array, y_pred: Array, weight: Array, thresholds: list[float], per_label: bool = False
) -> tuple[Array, ...]:
    """True positives, false positives, true negatives and false negatives: each of shape (thresholds,), or
    (thresholds, labels) with one row of `y_pred` per example.
    """
    xp = array_namespace(y_true, y_pred)
    labels = (y_pred.shape[-1],) if per_label else ()
    positive, y_pred, weight = (xp.reshape(a, (-1, 1, *labels)) for a in (y_true > 0.5, y_pred, weight))
    limits = constant(storage(y_pred), thresholds, y_pred.dtype)
    above = y_pred > xp.reshape(limits, (1, -1, *(1 for _ in labels)))
    outcomes = (above & positive, above & ~positive, ~above & ~positive, ~above & positive)
    return tuple(total(outcome, weight) for outcome in outcomes)


class TruePositives(Counts):
    """Number of true positives.

    Args:
        thresholds: See `Precision`, as for the others.
        name: Likewise.
        dtype: Likewise.
        class_id: Likewise.
        top_k: Likewise.

    Example:
        >>> float(TruePositives()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]))
        1.0
    """

    total_names: ClassVar[dict[str, int]] = {"accumulator": 0}

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return tp


class FalsePositives(Counts):
    """Number of false positives.

    Args:
        thresholds: See `Precision`, as for the others.
        name: Likewise.
        dtype: Likewise.
        class_id: Likewise.
        top_k: Likewise.

    Example:
        >>> float(FalsePositives()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]))
        1.0
    """

    total_names: ClassVar[dict[str, int]] = {"accumulator": 1}

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return fp


class TrueNegatives(Counts):
    """Number of true negatives.

    Args:
        thresholds: See `Precision`, as for the others.
        name: Likewise.
        dtype: Likewise.
        class_id: Likewise.
        top_k: Likewise.

    Example:
        >>> float(TrueNegatives()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]))
        1.0
    """

    total_names: ClassVar[dict[str, int]] = {"accumulator": 2}

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return tn


class FalseNegatives(Counts):
    """Number of false negatives.

    Args:
        thresholds: See `Precision`, as for the others.
        name: Likewise.
        dtype: Likewise.
        class_id: Likewise.
        top_k: Likewise.

    Example:
        >>> float(FalseNegatives()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]))
        1.0
    """

    total_names: ClassVar[dict[str, int]] = {"accumulator": 3}

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return fn


class Precision(Counts):
    """`tp / (tp + fp)`, 0 if no prediction is positive.

    Args:
        thresholds: Predictions above it are positive; a number, or several for as many results.
        top_k: Only the largest predictions of each example are positive; None for all.
        class_id: The class to count; None for all.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> float(Precision()(np.asarray([0.0, 1.0, 1.0]), np.asarray([0.9, 0.8, 0.1])))
        0.5
    """

    direction = "max"
    total_names: ClassVar[dict[str, int]] = {"true_positives": 0, "false_positives": 1}

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
    """`tp / (tp + fn)`, 0 if no target is positive.

    Args:
        thresholds: See `Precision`, as for the others.
        top_k: Likewise.
        class_id: Likewise.
        name: Likewise.
        dtype: Likewise.

    Example:
        >>> import numpy as np
        >>> float(Recall()(np.asarray([0.0, 1.0, 1.0]), np.asarray([0.9, 0.8, 0.1])))
        0.5
    """

    total_names: ClassVar[dict[str, int]] = {"true_positives": 0, "false_negatives": 3}

    def figures(self, tp: Array, fp: Array, tn: Array, fn: Array) -> Array:
        return ratio(tp, tp + fn)

"""The best of one figure where another is good enough, over thresholds: recall at a precision, and the like."""

from __future__ import annotations

from typing import ClassVar

from portanet import checks
from portanet.backends import Array, raw_namespace
from portanet.losses.base import DType
from portanet.metrics.counts import FOUR_COUNTS, Counts
from portanet.metrics.ratios import ratio

# Parts of the four counts: true positives, false positives, true negatives, false negatives.
PRECISION, RECALL, SPECIFICITY = (0, 1), (0, 3), (2, 1)


class TradeOff(Counts):
    """The largest value of one figure over the thresholds at which another is at least a given value; 0 if none is.

    Args:
        value: The least value of the other figure, in [0, 1].
        num_thresholds: Number of thresholds, evenly spaced in [0, 1]; 1 for 0.5 alone.
        class_id: Column of the targets and predictions to use; None for all.
        name: Name shown in logs.
        dtype: See `Metric`.
    """

    best: ClassVar[tuple[int, int]]
    """The figure that is returned, as the numbers of its counts: a / (a + b)."""
    bounded: ClassVar[tuple[int, int]]
    """The figure that has to be at least `value`."""
    argument: ClassVar[str]
    """Name of the argument for `value`."""
    direction = "max"
    total_names: ClassVar[dict[str, int]] = FOUR_COUNTS

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: DType) -> None:
        self.num_thresholds = checks.positive_int("num_thresholds", num_thresholds, type(self))
        steps = self.num_thresholds - 1
        super().__init__([i / steps for i in range(steps + 1)] if steps else [0.5], name, dtype, class_id)
        self.value = checks.number(self.argument, value, "[0, 1]", type(self))
        setattr(self, self.argument, self.value)

    def from_statistics(self, *totals: Array) -> Array:
        xp = raw_namespace(totals[0])
        best, bounded = (ratio(totals[a], totals[a] + totals[b]) for a, b in (self.best, self.bounded))
        return xp.max(xp.where(bounded >= self.value, best, 0.0 * best))


class PrecisionAtRecall(TradeOff):
    """The best precision where recall is at least a given value; as `keras.metrics.PrecisionAtRecall`.

    Args:
        recall: Least recall, in [0, 1].
        num_thresholds: Number of thresholds, evenly spaced in [0, 1].
        class_id: Column of the targets and predictions to use; None for all.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> metric = PrecisionAtRecall(0.5)
        >>> float(metric(np.asarray([0, 0, 0, 1, 1]), np.asarray([0, 0.3, 0.8, 0.3, 0.8])))
        0.5
    """

    best, bounded, argument = PRECISION, RECALL, "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(TradeOff):
    """The best recall where precision is at least a given value; as `keras.metrics.RecallAtPrecision`.

    Args:
        precision: Least precision, in [0, 1].
        num_thresholds: Number of thresholds, evenly spaced in [0, 1].
        class_id: Column of the targets and predictions to use; None for all.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> metric = RecallAtPrecision(0.8)
        >>> float(metric(np.asarray([0, 0, 1, 1]), np.asarray([0, 0.5, 0.3, 0.9])))
        0.5
    """

    best, bounded, argument = RECALL, PRECISION, "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)


class SensitivityAtSpecificity(TradeOff):
    """The best sensitivity (recall) where specificity is at least a given value; as
    `keras.metrics.SensitivityAtSpecificity`.

    Args:
        specificity: Least specificity (the share of negatives that are recognised), in [0, 1].
        num_thresholds: Number of thresholds, evenly spaced in [0, 1].
        class_id: Column of the targets and predictions to use; None for all.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> metric = SensitivityAtSpecificity(0.5)
        >>> float(metric(np.asarray([0, 0, 0, 1, 1]), np.asarray([0, 0.3, 0.8, 0.3, 0.8])))
        0.5
    """

    best, bounded, argument = RECALL, SPECIFICITY, "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(TradeOff):
    """The best specificity where sensitivity (recall) is at least a given value; as
    `keras.metrics.SpecificityAtSensitivity`.

    Args:
        sensitivity: Least sensitivity, in [0, 1].
        num_thresholds: Number of thresholds, evenly spaced in [0, 1].
        class_id: Column of the targets and predictions to use; None for all.
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> metric = SpecificityAtSensitivity(0.5)
        >>> float(metric(np.asarray([0, 0, 0, 1, 1]), np.asarray([0, 0.3, 0.8, 0.3, 0.8])).round(6))
        0.666667
    """

    best, bounded, argument = SPECIFICITY, RECALL, "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

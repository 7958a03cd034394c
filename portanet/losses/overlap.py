"""Losses of the overlap of predicted and true regions."""

from __future__ import annotations

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.losses.base import BuiltInLoss, DType, by_value, require_range
from portanet.settings import EPSILON

Axis = int | list[int] | tuple[int, ...] | None


class Dice(BuiltInLoss):
    """`1 - 2 sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))` (Milletari et al., V-Net, 2016).

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.
        axis: Axes to sum over; None for all, the batch included, as in Keras: the loss then takes no sample weights.

    Example:
        >>> import numpy as np
        >>> float(Dice()(np.asarray([[1.0, 1.0, 0.0]]), np.asarray([[1.0, 0.0, 0.0]])).round(6))
        0.333333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Axis = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = None if axis is None else checks.integers("axis", axis, of=type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp, axis = array_namespace(y_true, y_pred), self._axes(y_pred)
        overlap = xp.sum(y_true * y_pred, axis=axis)
        return 1 - 2 * overlap / (xp.sum(y_true, axis=axis) + xp.sum(y_pred, axis=axis) + EPSILON)

    def _axes(self, y_pred: Array) -> Axis:
        """The axes to sum over, which predictions must have."""
        if self.axis is not None:
            checks.axes("axis", self.axis, y_pred.ndim, f"loss '{self.name}'")
        return self.axis

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, 1, "memberships")


class Tversky(Dice):
    """`1 - tp / (tp + alpha * a + beta * b)` (Salehi et al. 2017).

    `tp` is `sum(y_true * y_pred)`, `a` is `sum(y_true * (1 - y_pred))` and `b` is `sum((1 - y_true) * y_pred)`: alpha
    weights false negatives and beta false positives, as in Keras.

    Args:
        alpha: See above.
        beta: See above.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.
        axis: As for `Dice`.

    Example:
        >>> import numpy as np
        >>> float(Tversky()(np.asarray([[1.0, 1.0, 0.0]]), np.asarray([[1.0, 0.0, 0.0]])).round(6))
        0.333333
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Axis = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, axis, dtype)
        self.alpha = checks.non_negative("alpha", alpha, type(self))
        self.beta = checks.non_negative("beta", beta, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp, axis = array_namespace(y_true, y_pred), self._axes(y_pred)
        overlap = xp.sum(y_true * y_pred, axis=axis)
        false_negatives = xp.sum(y_true * (1 - y_pred), axis=axis)
        false_positives = xp.sum((1 - y_true) * y_pred, axis=axis)
        return 1 - overlap / (overlap + self.alpha * false_negatives + self.beta * false_positives + EPSILON)

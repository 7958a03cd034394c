"""What a loss is: one value for each example, and how they are averaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.autodiff import array_namespace
from portanet.autodiff.traced import raw_value
from portanet.backends import Array, HostArray, raw_namespace
from portanet.configurable import Configurable
from portanet.lookup import snake_case


class Loss(Configurable):
    """How far predictions are from the truth.

    Subclasses implement `call(y_true, y_pred)`, which gives one value for each example (all axes but the last, for
    losses that reduce the last).

    Args:
        reduction: `"sum_over_batch_size"` (the mean), `"sum"`, or None for one value each.
        name: Name shown in logs.
    """

    integer_targets = False
    """Whether the targets are class numbers rather than numbers to compare with."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None) -> None:
        if reduction not in ("sum_over_batch_size", "mean", "sum", None):
            raise ValueError(
                f"Argument `reduction` must be 'sum_over_batch_size', 'sum' or None. Received: reduction={reduction!r}"
            )
        self.reduction = reduction
        self.name = name or snake_case(type(self).__name__)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """The loss of each example."""
        raise NotImplementedError(f"Loss '{self.name}' does not implement call(y_true, y_pred).")

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        """Refuse targets that do not belong to the predictions; nothing is ever broadcast."""
        if tuple(y_true.shape) != tuple(y_pred.shape):
            raise ValueError(
                f"Loss '{self.name}' compares targets and predictions of the same shape."
                f"{self._advice(tuple(y_true.shape), tuple(y_pred.shape))} "
                f"Received: y_true of shape {tuple(y_true.shape)}, y_pred of shape {tuple(y_pred.shape)}"
            )

    def _advice(self, true: tuple[int, ...], pred: tuple[int, ...]) -> str:
        if (*true, 1) == pred:
            return " Give the targets a last axis of size 1: y[:, None]."
        if true == pred[:-1]:
            return " For integer class numbers use the sparse loss, or one-hot targets."
        return ""

    def check_targets(self, y: HostArray, classes: int | None) -> None:
        """Refuse targets out of range; on the host, once before training, since the device should not be asked."""

    def prepare(self, y_true: Array, y_pred: Array) -> Array:
        """Targets in the dtype of the predictions."""
        xp = array_namespace(y_true)
        return y_true if y_true.dtype == y_pred.dtype else xp.astype(y_true, y_pred.dtype)

    def per_example(self, y_true: Array, y_pred: Array) -> Array:
        """The loss of each example, shapes checked."""
        self.check_shapes(y_true, y_pred)
        return self.call(self.prepare(y_true, y_pred), y_pred)

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> Array:
        """The loss of a batch.

        Args:
            y_true: Targets, an array of the library of `y_pred`.
            y_pred: Predictions.
            sample_weight: Weight of each example, shape (batch,) or that of the losses; the mean is over the number
                of examples, as in Keras.

        Returns:
            An array of shape (), or of the losses' shape for `reduction=None`.
        """
        plain = raw_value(y_true)
        if not hasattr(plain, "dtype") or raw_namespace(plain) is not raw_namespace(raw_value(y_pred)):
            raise TypeError(
                f"Loss '{self.name}' compares arrays of one library; convert with portanet.asarray(y). Received: "
                f"y_true {type(plain).__name__}, y_pred {type(raw_value(y_pred)).__name__}"
            )
        values = self.per_example(y_true, y_pred)
        return reduce(values, sample_weight, self.reduction, self.name)


class FunctionLoss(Loss):
    """A loss made of a function.

    Args:
        function: `(y_true, y_pred) -> loss of each example`, written in the standard.
        reduction: See `Loss`.
        name: Name shown in logs; by default the function's.
    """

    def __init__(
        self,
        function: Callable[[Array, Array], Array],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name or getattr(function, "__name__", "loss"))
        self.function = function

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        """The function's own affair."""

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return self.function(y_true, y_pred)


def reduce(values: Array, sample_weight: Array | None, reduction: str | None, name: str) -> Array:
    """Weight and average the losses of examples."""
    xp = array_namespace(values)
    if sample_weight is not None:
        weight = xp.astype(xp.asarray(sample_weight), values.dtype)
        if tuple(weight.shape) != tuple(values.shape[: weight.ndim]):
            raise ValueError(
                f"Loss '{name}' needs one weight for each example, shape {tuple(values.shape)} or its first axes. "
                f"Received: sample_weight of shape {tuple(weight.shape)}"
            )
        values = values * xp.reshape(weight, tuple(weight.shape) + (1,) * (values.ndim - weight.ndim))
    if reduction is None:
        return values
    return xp.sum(values) if reduction == "sum" else xp.mean(values)

"""What `compile` makes of a loss: the cross-entropy that fits the targets, losses that override `__call__`."""

from __future__ import annotations

from typing import Any

from portanet import losses
from portanet.backends import Array, HostArray
from portanet.configurable import overrides
from portanet.losses.base import Loss
from portanet.losses.classification import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from portanet.masks import masked_weight


class FittingCrossentropy(Loss):
    """The cross-entropy for one column of probabilities, for class numbers, or for one-hot targets, as they come.

    `compile` makes it of the names "crossentropy" and "ce"; as in Keras, it is no loss that other places know by name.
    """

    def __init__(self) -> None:
        super().__init__("crossentropy")
        self.choices = BinaryCrossentropy(), SparseCategoricalCrossentropy(), CategoricalCrossentropy()

    def chosen(self, true: tuple[int, ...], pred: tuple[int, ...]) -> Loss:
        """The loss for targets and predictions of these shapes."""
        binary, sparse, categorical = self.choices
        if not pred or pred[-1] == 1:
            return binary
        return sparse if len(true) < len(pred) or true[-1] == 1 else categorical

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        self.chosen(tuple(y_true.shape), tuple(y_pred.shape)).check_shapes(y_true, y_pred)

    def check_targets(self, y: HostArray, classes: int | None) -> None:
        binary, sparse, _ = self.choices
        if classes == 1:
            binary.check_targets(y, classes)
        elif y.ndim == 1 or y.shape[-1] != classes:  # else they may be either, without the rank of the predictions
            sparse.check_targets(y, classes)

    def compute(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None, mask: Array | None = None
    ) -> Array:
        loss = self.chosen(tuple(y_true.shape), tuple(y_pred.shape))
        return loss.compute(y_true, y_pred, sample_weight, mask)


class CalledLoss(Loss):
    """A loss whose class overrides `__call__`, which so says everything, weights and reduction included.

    Args:
        loss: The loss; it is called with targets, predictions, and weights or None, by position.
    """

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.name)
        self.loss = loss

    def compute(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None, mask: Array | None = None
    ) -> Array:
        return self.loss(y_true, y_pred, masked_weight(sample_weight, mask, y_pred))


def is_crossentropy(identifier: Any) -> bool:
    """Whether `compile` takes it for the cross-entropy that fits.

    Example:
        >>> is_crossentropy("ce"), is_crossentropy("bce")
        (True, False)
    """
    return isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce")


def compiled_loss(identifier: Any) -> Loss:
    """The loss that `compile` makes of an argument.

    Example:
        >>> compiled_loss("ce").name, compiled_loss("mse").name
        ('crossentropy', 'mean_squared_error')
    """
    if is_crossentropy(identifier):
        return FittingCrossentropy()
    loss: Loss = losses.get(identifier, "loss", "compile")
    return CalledLoss(loss) if overrides(type(loss), Loss, "__call__") else loss

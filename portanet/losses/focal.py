"""Cross-entropies that focus on hard examples (Lin et al., Focal Loss for Dense Object Detection, 2017)."""

from __future__ import annotations

from collections.abc import Sequence

from portanet import checks
from portanet.activations import sigmoid, softmax
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, constant
from portanet.fused import binary_crossentropy
from portanet.fused.crossentropy import tiny
from portanet.losses.base import DType, mean_last
from portanet.losses.classification import BinaryCrossentropy, CategoricalCrossentropy


class BinaryFocalCrossentropy(BinaryCrossentropy):
    """Binary cross-entropy times `(1 - p_t)^gamma`, p_t being the predicted probability of the true class.

    Args:
        apply_class_balancing: Whether to weight class 1 by `alpha` and class 0 by `1 - alpha`.
        alpha: See above, in [0, 1].
        gamma: Focusing parameter: how much easy examples are down-weighted; 0 for not at all.
        from_logits: Whether `y_pred` are logits rather than probabilities.
        label_smoothing: In [0, 1]: targets become `(1 - s) * y + s / 2`.
        axis: The axis to average over.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> loss = BinaryFocalCrossentropy(gamma=2)
        >>> float(loss(np.asarray([[1.0]]), np.asarray([[0.5]])).round(6))
        0.173287
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.apply_class_balancing = checks.boolean("apply_class_balancing", apply_class_balancing, type(self))
        self.alpha = checks.number("alpha", alpha, "[0, 1]", type(self))
        self.gamma = checks.non_negative("gamma", gamma, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        p = sigmoid(y_pred) if self.from_logits else y_pred
        xp = array_namespace(y_true, p)
        wrong = y_true * (1 - p) + (1 - y_true) * p
        # Clipped away from 0, where the derivative of a power below 1 is infinite.
        values = xp.maximum(wrong, tiny(p)) ** self.gamma * binary_crossentropy(y_true, p)
        if self.apply_class_balancing:
            values = values * (y_true * self.alpha + (1 - y_true) * (1 - self.alpha))
        return mean_last(values)


class CategoricalFocalCrossentropy(CategoricalCrossentropy):
    """Categorical cross-entropy with each term times `alpha (1 - p)^gamma`.

    Args:
        alpha: A factor, or one for each class.
        gamma: Focusing parameter: how much easy examples are down-weighted; 0 for not at all.
        from_logits: Whether `y_pred` are logits rather than probabilities.
        label_smoothing: In [0, 1]: targets become `(1 - s) * y + s / classes`.
        axis: The axis of the classes.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> loss = CategoricalFocalCrossentropy(alpha=1.0)
        >>> float(loss(np.asarray([[0.0, 1.0]]), np.asarray([[0.5, 0.5]])).round(6))
        0.173287
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        several = isinstance(alpha, (list, tuple))
        self.alpha = (
            tuple(checks.numbers("alpha", alpha, "(0, inf)", type(self)))
            if several
            else checks.positive("alpha", alpha, type(self))
        )
        self.gamma = checks.non_negative("gamma", gamma, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        p = softmax(y_pred) if self.from_logits else y_pred
        xp = array_namespace(y_true, p)
        low = tiny(p)
        p = xp.maximum(p, low)
        p = xp.minimum(p / xp.sum(p, axis=-1, keepdims=True), 1 - low)
        values = (1 - p) ** self.gamma * y_true * xp.log(p)
        if isinstance(self.alpha, tuple):
            if len(self.alpha) != values.shape[-1]:
                raise ValueError(
                    f"Argument `alpha` of loss '{self.name}' must be a number, or one for each of the "
                    f"{values.shape[-1]} classes. Received: alpha={list(self.alpha)}"
                )
            return -xp.sum(values * constant(storage(values), self.alpha, values.dtype), axis=-1)
        return -self.alpha * xp.sum(values, axis=-1)

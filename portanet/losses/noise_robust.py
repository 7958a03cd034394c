"""Losses for classes with wrong labels."""

from __future__ import annotations

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.crossentropy import one_hot, tiny
from portanet.losses.base import DType
from portanet.losses.classification import IntegerTargets


class CategoricalGeneralizedCrossEntropy(IntegerTargets):
    """`(1 - p^q) / q` with the probability p of the right class; as in Keras.

    Between cross-entropy (q to 0) and the mean absolute error (q to 1), which is less sensitive to wrong labels.

    Source: Z. Zhang and M. Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy labels,
    2018.

    Args:
        q: In (0, 1).
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (...) or (..., 1), class numbers; `y_pred` (..., classes), probabilities.

    Example:
        >>> import numpy as np
        >>> loss = CategoricalGeneralizedCrossEntropy(q=0.5)
        >>> float(loss(np.asarray([1]), np.asarray([[0.75, 0.25]])))
        1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.q = checks.number("q", q, "(0, 1)", type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_pred)
        p = xp.sum(y_pred * one_hot(y_true, y_pred.shape[-1], y_pred.dtype), axis=-1)
        low = tiny(p)  # below which a line goes to 0, whose slope is finite
        power = xp.where(p > low, xp.maximum(p, low) ** self.q, p * low ** (self.q - 1))
        return (1 - power) / self.q

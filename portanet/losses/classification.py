"""Losses for class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.losses.base import Loss
from portanet.ops import one_hot, softmax_crossentropy

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken, as in Keras."""


def log_probability(p: Array) -> Array:
    """The logarithm of probabilities, kept away from 0 and 1."""
    xp = array_namespace(p)
    return xp.log(xp.clip(p, EPSILON, 1 - EPSILON))


class CategoricalCrossentropy(Loss):
    """`-sum(y_true * log(y_pred))` over the last axis, for one-hot targets or target probabilities.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities; more exact, since the softmax is fused.
        label_smoothing: In [0, 1]: targets become `(1 - s) * y + s / classes`.
        reduction: See `Loss`.
        name: Name shown in logs.

    Shapes: `y_true` and `y_pred` (..., classes). Probabilities are scaled to sum to 1, as in Keras.

    Example:
        >>> import numpy as np
        >>> loss = CategoricalCrossentropy()
        >>> float(loss(np.asarray([[0.0, 1.0]]), np.asarray([[0.5, 0.5]])).round(6))
        0.693147
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"Argument `label_smoothing` must be in [0, 1]. Received: label_smoothing={label_smoothing!r}"
            )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def call(self, y_true: Array, y_pred: Array) -> Array:
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        if self.from_logits:
            return softmax_crossentropy(y_pred, y_true)
        xp = array_namespace(y_true, y_pred)
        p = y_pred / xp.sum(y_pred, axis=-1, keepdims=True)
        return -xp.sum(y_true * log_probability(p), axis=-1)

    def _advice(self, true: tuple[int, ...], pred: tuple[int, ...]) -> str:
        if true == pred[:-1] or true == (*pred[:-1], 1):
            return (
                " The targets look like integer class numbers: use 'sparse_categorical_crossentropy', or one-hot "
                "targets (portanet.ops.one_hot)."
            )
        return ""


class SparseCategoricalCrossentropy(Loss):
    """Categorical cross-entropy for targets that are class numbers 0 ... classes - 1.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities.
        reduction: See `Loss`.
        name: Name shown in logs.

    Shapes: `y_true` (...) or (..., 1), integers (or whole floats); `y_pred` (..., classes).

    Example:
        >>> import numpy as np
        >>> loss = SparseCategoricalCrossentropy(from_logits=True)
        >>> float(loss(np.asarray([1]), np.asarray([[0.0, 0.0]])).round(6))
        0.693147
    """

    integer_targets = True

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = from_logits

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        if true not in (pred[:-1], (*pred[:-1], 1)):
            advice = " The targets look one-hot: use 'categorical_crossentropy'." if true == pred else ""
            raise ValueError(
                f"Loss '{self.name}' needs one class number for each row of predictions.{advice} "
                f"Received: y_true of shape {true}, y_pred of shape {pred}"
            )

    def check_targets(self, y: HostArray, classes: int | None) -> None:
        if not y.size:
            return
        low, high = y.min(), y.max()
        if np.issubdtype(y.dtype, np.floating) and not (y == np.floor(y)).all():
            raise ValueError(
                f"Loss '{self.name}' needs whole class numbers as targets. "
                f"Received: y of dtype {y.dtype} with fractions"
            )
        if low < 0 or (classes is not None and high >= classes):
            limit = "" if classes is None else f" to {classes - 1}, the model's number of outputs less one"
            raise ValueError(f"Loss '{self.name}' needs class numbers from 0{limit}. Received: y from {low} to {high}")

    def prepare(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true)
        if tuple(y_true.shape) == (*y_pred.shape[:-1], 1):
            y_true = xp.reshape(y_true, tuple(y_pred.shape[:-1]))
        return y_true if xp.isdtype(y_true.dtype, "integral") else xp.astype(y_true, xp.int32)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        hot = one_hot(y_true, y_pred.shape[-1], y_pred.dtype)
        if self.from_logits:
            return softmax_crossentropy(y_pred, hot)
        xp = array_namespace(hot, y_pred)
        p = y_pred / xp.sum(y_pred, axis=-1, keepdims=True)
        return -xp.sum(hot * log_probability(p), axis=-1)

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> Array:
        values = super().__call__(y_true, y_pred, sample_weight)
        xp = array_namespace(y_true)
        if 0 not in y_true.shape and (bool(xp.any(y_true < 0)) or bool(xp.any(y_true >= y_pred.shape[-1]))):
            raise ValueError(
                f"Loss '{self.name}' needs class numbers from 0 to {y_pred.shape[-1] - 1}. "
                f"Received: y_true from {int(xp.min(y_true))} to {int(xp.max(y_true))}"
            )
        return values


class BinaryCrossentropy(Loss):
    """`-y log(p) - (1 - y) log(1 - p)`, averaged over the last axis.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities.
        label_smoothing: In [0, 1]: targets become `(1 - s) * y + s / 2`.
        reduction: See `Loss`.
        name: Name shown in logs.

    Shapes: `y_true` and `y_pred` alike.

    Example:
        >>> import numpy as np
        >>> loss = BinaryCrossentropy()
        >>> y, p = np.asarray([[0.99, 0.99, 0.01]]), np.asarray([[0.01, 0.01, 0.01]])
        >>> float(loss(y, p).round(6))
        3.058147
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(reduction, name)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"Argument `label_smoothing` must be in [0, 1]. Received: label_smoothing={label_smoothing!r}"
            )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        if self.from_logits:
            # max(z, 0) - z y + log(1 + exp(-|z|)): no exponential of a large number.
            values = xp.maximum(y_pred, 0.0) - y_pred * y_true + xp.log1p(xp.exp(-xp.abs(y_pred)))
        else:
            values = -(y_true * log_probability(y_pred) + (1 - y_true) * log_probability(1 - y_pred))
        return xp.mean(values, axis=-1) if values.ndim > 1 else values

"""Cross-entropies, for class probabilities or logits."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.fused import binary_crossentropy, crossentropy, one_hot, sigmoid_crossentropy, softmax_crossentropy
from portanet.losses.base import (
    BuiltInLoss,
    DType,
    LossAlongAxis,
    by_value,
    mean_last,
    require_classes,
    require_range,
)


class CategoricalCrossentropy(LossAlongAxis):
    """`-sum(y_true * log(y_pred))` over the last axis, for one-hot targets or target probabilities.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities; more accurate, since the softmax is fused.
        label_smoothing: In [0, 1]: targets become `(1 - s) * y + s / classes`.
        axis: The axis of the classes.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

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
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)
        self.label_smoothing = checks.number("label_smoothing", label_smoothing, "[0, 1]", type(self))
        self.from_logits = checks.boolean("from_logits", from_logits, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        return softmax_crossentropy(y_true, y_pred) if self.from_logits else crossentropy(y_true, y_pred)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, 1, "one-hot rows or probabilities")

    def _advice(self, true: tuple[int, ...], pred: tuple[int, ...]) -> str:
        if true == pred[:-1] or true == (*pred[:-1], 1):
            return (
                " The targets look like integer class numbers: use 'sparse_categorical_crossentropy', or one-hot "
                "targets (portanet.ops.one_hot)."
            )
        return ""


class IntegerTargets(BuiltInLoss):
    """A loss whose targets are class numbers 0 ... classes - 1, shape (...) or (..., 1) for predictions
    (..., classes).
    """

    integer_targets = True
    ignore_class: int | None = None

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        axis = checks.axis("axis", self.axis_of_classes, len(pred), f"loss '{self.name}'") if pred else -1
        before, after = pred[:axis], pred[axis:][1:]
        if not pred or true not in ((*before, *after), (*before, 1, *after)):
            advice = " The targets look one-hot: use 'categorical_crossentropy'." if true == pred else ""
            raise ValueError(
                f"Loss '{self.name}' needs one class number per row of predictions.{advice} "
                f"Received: y_true of shape {true}, y_pred of shape {pred}"
            )

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_classes(f"Loss '{self.name}'", y, classes, self.ignore_class)

    def prepare(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true)
        if tuple(y_true.shape) == (*y_pred.shape[:-1], 1):
            y_true = xp.reshape(y_true, tuple(y_pred.shape[:-1]))
        return y_true if xp.isdtype(y_true.dtype, "integral") else xp.astype(y_true, xp.int32)


class SparseCategoricalCrossentropy(IntegerTargets):
    """Categorical cross-entropy for targets that are class numbers 0 ... classes - 1.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities.
        ignore_class: Class number of examples to ignore, such as -1; None for none.
        reduction: See `Loss`.
        axis: The axis of the classes in `y_pred`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (...) or (..., 1), integers (or whole floats); `y_pred` (..., classes).

    Example:
        >>> import numpy as np
        >>> loss = SparseCategoricalCrossentropy(from_logits=True)
        >>> float(loss(np.asarray([1]), np.asarray([[0.0, 0.0]])).round(6))
        0.693147
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = self.axis_of_classes = checks.integer("axis", axis, type(self))
        self.from_logits = checks.boolean("from_logits", from_logits, type(self))
        self.ignore_class = None if ignore_class is None else checks.integer("ignore_class", ignore_class, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        targets = one_hot(y_true, y_pred.shape[-1], y_pred.dtype)
        if self.ignore_class is not None:
            xp = array_namespace(targets)
            targets = targets * xp.astype(xp.expand_dims(y_true != self.ignore_class, axis=-1), targets.dtype)
        return softmax_crossentropy(targets, y_pred) if self.from_logits else crossentropy(targets, y_pred)

    def valid(self, y_true: Array) -> Array | None:
        if self.ignore_class is None:
            return None
        valid = y_true != self.ignore_class
        return valid if valid.ndim == 1 or valid.shape[-1] != 1 else array_namespace(valid).squeeze(valid, axis=-1)


class BinaryCrossentropy(LossAlongAxis):
    """`-y log(p) - (1 - y) log(1 - p)`, averaged over the last axis.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities.
        label_smoothing: In [0, 1]: targets become `(1 - s) * y + s / 2`.
        axis: The axis to average over.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` and `y_pred` have the same shape.

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
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)
        self.label_smoothing = checks.number("label_smoothing", label_smoothing, "[0, 1]", type(self))
        self.from_logits = checks.boolean("from_logits", from_logits, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_last(self.elements(y_true, y_pred))

    def elements(self, y_true: Array, y_pred: Array) -> Array:
        """The loss of each element."""
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        return sigmoid_crossentropy(y_true, y_pred) if self.from_logits else binary_crossentropy(y_true, y_pred)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, 1, "probabilities (or 0 and 1)")


class BernoulliNegativeLogLikelihood(BinaryCrossentropy):
    """Binary cross-entropy summed over the last axis: the likelihood of independent Bernoulli variables.

    Args:
        from_logits: Whether `y_pred` are logits rather than probabilities.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> loss = BernoulliNegativeLogLikelihood()
        >>> float(loss(np.asarray([[1.0, 0.0]]), np.asarray([[0.5, 0.5]])).round(6))
        1.386294
    """

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(from_logits, 0.0, -1, reduction, name, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        values = self.elements(y_true, y_pred)
        return array_namespace(values).sum(values, axis=-1) if values.ndim > 1 else values

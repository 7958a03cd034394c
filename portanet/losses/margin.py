"""Margin losses for classifiers."""

from __future__ import annotations

from portanet import checks
from portanet.activations import relu, softplus
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.fused import one_hot
from portanet.losses.base import BuiltInLoss, DType, by_value, mean_last, require_range
from portanet.losses.classification import IntegerTargets


def signs(y_true: Array) -> Array:
    """Targets of -1 and 1; targets that are all 0 or 1 are converted, as in Keras."""
    xp = array_namespace(y_true)
    return xp.where(xp.all((y_true == 0) | (y_true == 1)), 2 * y_true - 1, y_true)


class Hinge(BuiltInLoss):
    """`max(0, 1 - y_true * y_pred)`, averaged over the last axis: with an L2 penalty on the weights, the loss of a
    linear support vector machine. The derivative on the margin is 0.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (-1 and 1, or 0 and 1) and `y_pred` have the same shape.

    Example:
        >>> import numpy as np
        >>> Hinge(reduction=None)(np.ones(5), np.asarray([-2.0, -1.0, 0.0, 1.0, 2.0]))
        array([3., 2., 1., 0., 0.])
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_last(relu(1 - signs(y_true) * y_pred))

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, -1, 1, "signs")


class SquaredHinge(Hinge):
    """`max(0, 1 - y_true * y_pred)^2`, averaged over the last axis.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(SquaredHinge()(np.asarray([[1.0, -1.0]]), np.asarray([[0.5, 0.5]])))
        1.25
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_last(array_namespace(y_pred).square(relu(1 - signs(y_true) * y_pred)))


class SoftMargin(Hinge):
    """`log(1 + exp(-y_true * y_pred))`, averaged over the last axis: the logistic loss for signs.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(SoftMargin()(np.asarray([[1.0, -1.0]]), np.asarray([[0.0, -1000.0]])).round(6))
        0.346574
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_last(softplus(-signs(y_true) * y_pred))


class CategoricalHinge(BuiltInLoss):
    """`max(0, 1 + largest score of the wrong classes - score of the right one)`, for one-hot targets.

    As in Keras, scores of wrong classes are at least 0.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(CategoricalHinge()(np.asarray([[0.0, 1.0]]), np.asarray([[0.25, 0.5]])))
        0.75
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        right = xp.sum(y_true * y_pred, axis=-1)
        wrong = xp.max((1 - y_true) * y_pred, axis=-1)
        return relu(1 + wrong - right)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, 1, "one-hot rows")


class MulticlassSVM(IntegerTargets):
    """`sum over wrong classes j of max(0, s_j - s_right + margin)` (J. Weston and C. Watkins 1999).

    Args:
        margin: See above.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (...) or (..., 1), class numbers; `y_pred` (..., classes), scores.

    Example:
        >>> import numpy as np
        >>> float(MulticlassSVM()(np.asarray([0]), np.asarray([[3.0, 5.0, -2.0]])))
        3.0
    """

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.margin = checks.non_negative("margin", margin, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        targets = one_hot(y_true, y_pred.shape[-1], y_pred.dtype)
        xp = array_namespace(targets, y_pred)
        right = xp.sum(targets * y_pred, axis=-1, keepdims=True)
        return xp.sum(relu(y_pred - right + self.margin) * (1 - targets), axis=-1)

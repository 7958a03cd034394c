"""Regression losses."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.activations.pointwise import pointwise
from portanet.autodiff import array_namespace, stop_gradient
from portanet.backends import Array
from portanet.losses.base import BuiltInLoss, DType, LossAlongAxis, mean_last
from portanet.settings import EPSILON


class MeanSquaredError(BuiltInLoss):
    """`(y_true - y_pred)^2`, averaged over the last axis.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(MeanSquaredError()(np.asarray([[0.0, 1.0]]), np.asarray([[2.0, 1.0]])))
        2.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_last(array_namespace(y_true, y_pred).square(y_pred - y_true))


class QuadraticCost(BuiltInLoss):
    """`(y_true - y_pred)^2 / 2`, summed over the last axis (M. Nielsen, Neural Networks and Deep Learning, 2015).

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(QuadraticCost()(np.asarray([[0.01, 0.99]]), np.asarray([[0.75136507, 0.772928465]])).round(9))
        0.298371109
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        values = 0.5 * xp.square(y_pred - y_true)
        return xp.sum(values, axis=-1) if values.ndim > 1 else values


class MeanAbsoluteError(BuiltInLoss):
    """`|y_true - y_pred|`, averaged over the last axis; the derivative at 0 is 0.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(MeanAbsoluteError()(np.asarray([[0.0, 1.0]]), np.asarray([[2.0, 1.0]])))
        1.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_last(array_namespace(y_true, y_pred).abs(y_pred - y_true))


class MeanAbsolutePercentageError(BuiltInLoss):
    """`100 |y_true - y_pred| / max(|y_true|, 1e-7)`, averaged over the last axis.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(MeanAbsolutePercentageError()(np.asarray([[2.0, 4.0]]), np.asarray([[1.0, 4.0]])))
        25.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        return mean_last(100.0 * xp.abs((y_pred - y_true) / xp.maximum(xp.abs(y_true), EPSILON)))


class MeanSquaredLogarithmicError(BuiltInLoss):
    """`(log(1 + y_true) - log(1 + y_pred))^2`, averaged over the last axis; values below 1e-7 are set to it.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(MeanSquaredLogarithmicError()(np.asarray([[np.e - 1]]), np.asarray([[0.0]])).round(6))
        1.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        logs = xp.log1p(xp.maximum(y_pred, EPSILON)) - xp.log1p(xp.maximum(y_true, EPSILON))
        return mean_last(xp.square(logs))


class Huber(BuiltInLoss):
    """`e^2 / 2` for errors e up to `delta`, `delta |e| - delta^2 / 2` beyond, averaged over the last axis.

    Args:
        delta: Error at which the parabola becomes a line.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(Huber()(np.asarray([[0.0, 0.0]]), np.asarray([[0.5, 3.0]])))
        1.3125
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.delta = checks.positive("delta", delta, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        error = y_pred - y_true
        # With c, the error clipped to delta: c (e - c / 2).
        xp = array_namespace(error)
        clipped = xp.clip(error, -self.delta, self.delta)
        return mean_last(clipped * (error - 0.5 * clipped))


@pointwise
def log_cosh(x: Array) -> Any:
    """`log(cosh(x))`, computed as `|x| + log(1 + exp(-2|x|)) - log(2)`, which cannot overflow.

    Example:
        >>> import numpy as np
        >>> log_cosh(np.asarray([0.0, 1.0, 100.0])).round(6)
        array([ 0.      ,  0.433781, 99.306853])
    """
    xp = array_namespace(x)
    size = xp.abs(x)
    return size + xp.log1p(xp.exp(-2 * size)) - math.log(2), lambda xp: xp.tanh(x)


class LogCosh(BuiltInLoss):
    """The logarithm of the hyperbolic cosine of the error, averaged over the last axis.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(LogCosh()(np.asarray([[0.0]]), np.asarray([[1.0]])).round(6))
        0.433781
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_last(log_cosh(y_pred - y_true))


class CosineSimilarity(LossAlongAxis):
    """The negative cosine similarity of `y_true` and `y_pred` along an axis: -1 for the same direction.

    Args:
        axis: The axis of the vectors.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(CosineSimilarity()(np.asarray([[0.0, 2.0]]), np.asarray([[3.0, 4.0]])).round(6))
        -0.8
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return -cosine(y_true, y_pred)


def cosine(a: Array, b: Array) -> Array:
    """The cosine similarity of two vectors along the last axis; 0 where one of them is 0."""
    xp = array_namespace(a, b)
    # Divided by the largest element first, so that no square overflows or underflows; the cosine is the same.
    a, b = (v / xp.maximum(xp.max(xp.abs(stop_gradient(v)), axis=-1, keepdims=True), 1e-30) for v in (a, b))
    squares = xp.sum(a * a, axis=-1) * xp.sum(b * b, axis=-1)
    zero = squares == 0  # false for NaN, which stays
    return xp.where(zero, 0.0, xp.sum(a * b, axis=-1) / xp.sqrt(xp.where(zero, 1.0, squares)))

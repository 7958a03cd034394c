"""Losses for numbers."""

from __future__ import annotations

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.losses.base import Loss


class MeanSquaredError(Loss):
    """`(y_true - y_pred)^2`, averaged over the last axis.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.

    Example:
        >>> import numpy as np
        >>> float(MeanSquaredError()(np.asarray([[0.0, 1.0]]), np.asarray([[2.0, 1.0]])))
        2.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        values = xp.square(y_pred - y_true)
        return xp.mean(values, axis=-1) if values.ndim > 1 else values

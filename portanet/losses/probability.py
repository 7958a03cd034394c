"""Distances between distributions, and likelihoods."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, HostArray
from portanet.losses.base import BuiltInLoss, by_value, mean_last, require_range
from portanet.settings import EPSILON


class KLDivergence(BuiltInLoss):
    """`sum(y_true * log(y_true / y_pred))` over the last axis, both clipped to [1e-7, 1].

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(KLDivergence()(np.asarray([[0.0, 1.0]]), np.asarray([[0.5, 0.5]])).round(5))
        0.69315
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        true = xp.minimum(xp.maximum(y_true, EPSILON), 1.0)
        pred = xp.minimum(xp.maximum(y_pred, EPSILON), 1.0)
        return xp.sum(true * (xp.log(true) - xp.log(pred)), axis=-1)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, 1, "probabilities")


class Poisson(BuiltInLoss):
    """`y_pred - y_true * log(y_pred)`, averaged over the last axis: negative log-likelihood of counts up to a constant.

    Negative rates are set to 0, and 1e-7 is added before the logarithm.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(Poisson()(np.asarray([[2.0]]), np.asarray([[1.0]])).round(6))
        1.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        return mean_last(y_pred - y_true * xp.log(xp.maximum(y_pred, 0.0) + EPSILON))

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, None, "counts")


@custom_vjp
def _root(x: Array) -> Any:
    """The square root of non-negative values, 0 of others; its derivative at 0 is finite, that at 1e-7."""
    xp = array_namespace(x)
    y = xp.sqrt(xp.maximum(x, 0.0))

    def pullback(g: Array) -> tuple[Array]:
        xp = array_namespace(g, x, y)
        return (xp.where(x < 0, 0.0, g * (0.5 / xp.maximum(y, math.sqrt(EPSILON)))),)

    return y, pullback


class HellingerDistance(BuiltInLoss):
    """`sum((sqrt(y_pred) - sqrt(y_true))^2) / sqrt(2)` over the last axis, as in NumPyDL.

    Unlike that of a square root, the derivative is finite at probabilities of 0.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Example:
        >>> import numpy as np
        >>> float(HellingerDistance()(np.asarray([[0.0, 1.0]]), np.asarray([[1.0, 0.0]])).round(6))
        1.414214
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        return xp.sum(xp.square(_root(y_pred) - _root(y_true)), axis=-1) * math.sqrt(0.5)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, 1, "probabilities")


class GaussianNegativeLogLikelihood(BuiltInLoss):
    """`(log(2 pi) + v + (y_true - m)^2 exp(-v)) / 2`, summed over the last axis, for means m and log-variances v.

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (..., d); `y_pred` (..., 2 * d), the means, then the log-variances.

    Example:
        >>> import numpy as np
        >>> loss = GaussianNegativeLogLikelihood()
        >>> float(loss(np.asarray([[1.0]]), np.asarray([[1.0, 0.0]])).round(6))
        0.918939
    """

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        if len(true) < 2 or pred != (*true[:-1], 2 * true[-1]):
            raise ValueError(
                f"Loss '{self.name}' needs targets of shape (..., d) and predictions of shape (..., 2 * d), means and "
                f"log-variances. Received: y_true of shape {true}, y_pred of shape {pred}"
            )

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        size = y_true.shape[-1]
        mean, log_variance = y_pred[..., :size], y_pred[..., size:]
        terms = log_variance + xp.square(y_true - mean) * xp.exp(-log_variance) + math.log(2 * math.pi)
        return 0.5 * xp.sum(terms, axis=-1)

"""Means and sums of values, and the mean of a function."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array
from portanet.distribution.share import of_share
from portanet.losses.base import DType, Loss, as_arrays
from portanet.metrics.base import MeanMetric, Metric
from portanet.metrics.ratios import ratio
from portanet.mixed_precision import at_least_float32


class Mean(Metric):
    """The weighted mean of all values: `update_state(values, sample_weight=None)`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> metric = Mean()
        >>> metric.update_state(np.asarray([1.0, 3.0]))
        >>> float(metric(np.asarray([5.0])))
        3.0
    """

    total_names: ClassVar[dict[str, int]] = {"total": 0, "count": 1}
    total_shapes: tuple[tuple[int, ...], ...] | None = ((), ())

    def __init__(self, name: str | None = None, dtype: DType = None) -> None:
        super().__init__(dtype, name)

    def update_state(self, values: Array, sample_weight: Array | None = None) -> None:  # type: ignore[override]
        given = as_arrays(f"Metric '{self.name}'", values=values, sample_weight=sample_weight)
        values, sample_weight = map(unwrap, given)
        xp = array_namespace(values)
        if sample_weight is not None or xp.isdtype(values.dtype, "bool"):
            values = at_least_float32(values, integers=True)
        if sample_weight is None:
            total = xp.sum(values)
            statistics = total, xp.full_like(total, math.prod(values.shape))
            # One number is that of the batch, or the mean of what a process computes of it.
            self.add(tuple(map(of_share, statistics)) if values.ndim == 0 else statistics)
        else:
            weight = self.weights(sample_weight, values)
            self.add((xp.sum(values * weight), xp.sum(weight)))

    def __call__(self, values: Array, sample_weight: Array | None = None) -> Any:  # type: ignore[override]
        """Add values and return the result over all."""
        self.update_state(values, sample_weight)
        return self.result()

    def from_statistics(self, *totals: Array) -> Array:
        return ratio(*totals)


class Sum(Mean):
    """The weighted sum of all values: `update_state(values, sample_weight=None)`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> import numpy as np
        >>> metric = Sum()
        >>> metric.update_state(np.asarray([1.0, 3.0]))
        >>> float(metric(np.asarray([5.0])))
        9.0
    """

    total_names: ClassVar[dict[str, int]] = {"total": 0}

    def from_statistics(self, *totals: Array) -> Array:
        return totals[0]


class MeanMetricWrapper(MeanMetric):
    """The weighted mean of a function, also as a base class; as `keras.metrics.MeanMetricWrapper`.

    Args:
        fn: `(y_true, y_pred, **kwargs) -> value of each example`.
        name: Name shown in logs; by default that of the class, `mean_metric_wrapper`.
        dtype: See `Metric`.
        **kwargs: Further arguments of `fn`.

    Example:
        >>> import numpy as np
        >>> def near(y_true, y_pred, within):
        ...     return abs(y_true - y_pred) < within
        >>> float(MeanMetricWrapper(near, within=1.0)(np.asarray([0.0, 2.0]), np.asarray([0.5, 4.0])))
        0.5
    """

    def __init__(self, fn: Callable[..., Array], name: str | None = None, dtype: DType = None, **kwargs: Any) -> None:
        checks.function("fn", fn, type(self))
        super().__init__(name, dtype)
        self.function, self.arguments = fn, kwargs

    def values(self, y_true: Array, y_pred: Array) -> Array:
        y_pred = at_least_float32(y_pred, integers=True)
        values = self.function(y_true, y_pred, **self.arguments)
        if not isinstance(values, Real):
            if not hasattr(values, "shape"):
                raise TypeError(
                    f"The function of Metric '{self.name}' must return an array or a number. "
                    f"Received: {values!r} (of type {type(values).__name__})"
                )
            return values
        xp = array_namespace(y_pred)
        return xp.full_like(xp.sum(y_pred), float(values))


class FunctionMetric(MeanMetricWrapper):
    """The mean of a function.

    Args:
        function: `(y_true, y_pred) -> value of each example`, written in the standard.
        name: Name shown in logs; by default the function's name.
        dtype: See `Metric`.

    Example:
        >>> float(FunctionMetric(lambda y_true, y_pred: abs(y_true - y_pred), name="error")([0.0, 1.0], [2.0, 1.0]))
        1.0
    """

    def __init__(self, function: Callable[[Array, Array], Array], name: str | None = None, dtype: DType = None) -> None:
        checks.function("function", function, type(self))
        super().__init__(function, getattr(function, "__name__", "metric") if name is None else name, dtype)
        if isinstance(function, Loss):
            self.direction = "min"

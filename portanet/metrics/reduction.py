"""Means and sums of values."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array
from portanet.losses.base import DType, as_arrays
from portanet.metrics.base import Metric, ratio
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
            self.add((total, xp.full_like(total, math.prod(values.shape))))
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

    def from_statistics(self, *totals: Array) -> Array:
        return totals[0]

"""The base classes of metrics: statistics that are summed over batches, and the result computed from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from portanet import checks, initializers, random
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, HostArray, get_backend, raw_namespace, to_host
from portanet.configurable import Configurable, overrides
from portanet.distribution.share import of_whole, share
from portanet.initializers.base import drawn
from portanet.lookup import snake_case
from portanet.losses.base import DType, Loss, as_arrays, spread
from portanet.masks import mask_of, masked_weight
from portanet.metrics.ratios import ratio
from portanet.mixed_precision import as_policy, at_least_float32
from portanet.variables import Variable, are_bound

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


class Metric(Configurable):
    """A metric over a whole data set.

    Subclasses implement `statistics(y_true, y_pred, sample_weight)`, a tuple of arrays that add up over batches, and
    `from_statistics(*totals)`, the result. Both are pure, so they can be compiled and totals can stay on the device;
    `update_state`, `result` and `reset_state` are Keras's interface to them, and accumulate on the host in double
    precision.

    Args:
        dtype: Name of the dtype of results, or policy with it; by default float64, in which totals are summed. An
            integer dtype is that of variables only.
        name: Name shown in logs.

    Example:
        >>> from portanet.metrics import MeanSquaredError
        >>> metric = MeanSquaredError()
        >>> metric.update_state([0.0, 1.0], [2.0, 1.0])
        >>> float(metric.result())
        2.0
    """

    own_state = False
    """Whether `update_state` and `result` are a subclass's own, over variables of `add_weight`, as in Keras."""
    overridden = False
    """Whether one of `update_state`, `result` and `reset_state` is a subclass's own; steps then call it."""
    _takes_masks = False
    """Whether values that a layer's mask of the predictions leaves out do not count."""
    direction: str | None = None
    """`"max"` if larger is better, `"min"` if smaller is better, None if neither."""
    total_names: ClassVar[dict[str, int]] = {}
    """Which of the totals are `variables`, by their names in Keras."""
    total_shapes: tuple[tuple[int, ...], ...] | None = None
    """The shapes of the totals; None if data tell them."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = overrides(cls, Metric, "update_state")
        cls.own_state = own and not overrides(cls, Metric, "from_statistics")
        cls.overridden = overrides(cls, Metric, "update_state", "result", "reset_state")

    def __init__(self, dtype: DType = None, name: str | None = None) -> None:
        self._variables: list[Variable] = []
        self.name = snake_case(type(self).__name__) if name is None else checks.text("name", name, type(self))
        if dtype is not None:
            counts = isinstance(dtype, str) and dtype in INTEGERS
            dtype = str(dtype) if counts else as_policy(dtype, "dtype", self).compute_dtype
        self._dtype = dtype
        self._totals: tuple[Any, ...] | None = None

    @property
    def dtype(self) -> str | None:
        """Name of the dtype of results and variables, as given."""
        return self._dtype

    @property
    def totals(self) -> tuple[Any, ...] | None:
        """The sums since the last reset, on the host; in a step, on the device. Or the values of the variables."""
        return tuple(variable.value for variable in self._variables) if self._variables else self._totals

    @totals.setter
    def totals(self, totals: tuple[Any, ...] | None) -> None:
        if not self._variables:
            self._totals = totals
            return
        for variable, value in zip(self._variables, totals or (), strict=totals is not None):
            variable.take(value)

    # State of a subclass's own

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """A variable for what `update_state` counts, with `assign` and `assign_add`; 0 at first and after a reset.

        A metric with variables implements `update_state(y_true, y_pred, sample_weight=None)` and `result()`, and works
        in `compile`, too, on every backend.

        Args:
            shape: Its shape.
            initializer: Name, object or function of the initial values; by default "zeros".
            dtype: Name of its dtype; by default the metric's, else the backend's floating-point one.
            name: Its name.

        Example:
            >>> import numpy as np
            >>> class Positives(Metric):
            ...     def __init__(self, **options):
            ...         super().__init__(**options)
            ...         self.count = self.add_weight(name="count")
            ...     def update_state(self, y_true, y_pred, sample_weight=None):
            ...         self.count.assign_add((y_pred > 0.5).sum())
            ...     def result(self):
            ...         return self.count.value
            >>> float(Positives()(np.zeros(3), np.asarray([0.2, 0.7, 0.9])))
            2.0
        """
        backend, shape = get_backend(), tuple(checks.integers("shape", shape, of=self, least=0)) if shape else ()
        dtype = dtype or self.dtype or backend.dtype_name(backend.dtype)
        initial = initializers.get("zeros" if initializer is None else initializer, "initializer", self)
        name = f"variable_{len(self._variables)}" if name is None else checks.text("name", name, self)
        values = drawn(initial, shape, random.host_generator(self.name, name), dtype)
        variable = Variable(values, dtype=dtype, trainable=False, name=name)
        self._variables.append(variable)
        return variable

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """`add_weight` under Keras's other name; `aggregation`, over devices, has no effect on one."""
        return self.add_weight(shape, initializer, dtype, name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of `add_weight`, and those of metrics in attributes; of a built-in metric, its sums.

        Some built-in metrics have sums once there are data, such as `FBetaScore`, one per class.
        """
        from portanet.metrics.total_variables import variables_of

        return variables_of(self)

    def __getattr__(self, name: str) -> Any:
        if name not in type(self).total_names:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        from portanet.metrics.total_variables import sums_of

        return sums_of(self)[name]

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        """Sums over the examples of a batch."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement statistics(y_true, y_pred).")

    def from_statistics(self, *totals: Array) -> Any:
        """The result for the totals."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement from_statistics(...).")

    def check_targets(self, y: HostArray, classes: int | None) -> None:
        """Raise if targets are out of range; on the host, like `Loss.check_targets`."""

    def check_predictions(self, y: HostArray) -> None:
        """Raise if predictions are out of range; only `update_state` can look at them."""

    def update_state(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> None:
        """Add a batch; half precision is cast to float32.

        In a step of training, sums stay on the device and values are not checked, so that the step can be compiled.
        """
        mask = mask_of(y_pred) if self._takes_masks else None
        given = as_arrays(f"Metric '{self.name}'", y_pred=y_pred, y_true=y_true, sample_weight=sample_weight)
        y_pred, y_true, sample_weight = map(unwrap, given)
        if mask is not None:
            sample_weight = masked_weight(sample_weight, unwrap(mask), at_least_float32(y_pred, integers=True))
        statistics = self.statistics(y_true, at_least_float32(y_pred), sample_weight)  # checks shapes
        if y_pred.ndim and not are_bound():
            self.check_targets(to_host(y_true), y_pred.shape[-1] if y_pred.ndim > 1 else None)
            self.check_predictions(to_host(y_pred))
        self.add(statistics)

    def add(self, statistics: tuple[Array, ...]) -> None:
        """Add the result of `statistics` for a batch."""
        if self.own_state:
            return
        part = share()
        if part is not None:  # in a step of the user's for a part of a batch
            statistics = part.sum(tuple(map(unwrap, statistics)))
        new = tuple(map(unwrap, statistics)) if are_bound() else _on_host(statistics)
        old = self.totals
        if old is not None and raw_namespace(old[0]) is not raw_namespace(new[0]):
            old, new = _on_host(old), _on_host(new)
        self.totals = new if old is None else tuple(a + b for a, b in zip(old, new, strict=True))

    @property
    def has_data(self) -> bool:
        """Whether anything was added since the last reset."""
        if self.own_state and not self._variables:
            from portanet.metrics.total_variables import metrics_in

            return any(metric.has_data for metric in metrics_in(self)[1:])
        return self.totals is not None

    def result(self) -> Any:
        """The result over all batches since the last reset, a NumPy float or array; in a step, an array there.

        Without data it is that of sums that are 0, as in Keras: mostly 0.

        Raises:
            ValueError: There are no data, which would tell the shapes of the sums.
        """
        totals = self.totals
        if totals is None:
            if self.total_shapes is None:
                raise ValueError(f"Metric '{self.name}' has seen no data; call update_state(y_true, y_pred) first.")
            backend = get_backend()
            totals = tuple(backend.xp.zeros(shape, device=backend.device) for shape in self.total_shapes)
        if are_bound():
            return self.from_statistics(*totals)
        result = self.from_statistics(*_on_host(totals))
        chosen = "float32" if self.dtype == "bfloat16" else self.dtype  # which NumPy does not have
        return result if chosen is None or chosen in INTEGERS else result.astype(chosen)

    def reset_state(self) -> None:
        """Reset to no data: variables to 0, and metrics in attributes, too."""
        if self.own_state:
            from portanet.metrics.total_variables import metrics_in

            for metric in metrics_in(self)[1:]:
                metric.reset_state()
        for variable in self._variables:
            variable.assign(array_namespace(variable.value).zeros_like(variable.value))
        if self._totals is not None and self.total_names:
            self.total_shapes = tuple(tuple(total.shape) for total in self._totals)
        self._totals = None

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal metric, the name among them."""
        config = super().get_config()
        return {**config, "name": self.name} if "name" in config else config

    # As pure functions

    def stateless_update_state(self, metric_variables: Sequence[Array], *args: Any, **kwargs: Any) -> list[Array]:
        """`update_state` as a pure function.

        Args:
            metric_variables: Arrays for `variables`, or these themselves; none at first, if data tell how many there
                are: what `stateless_reset_state` returns.
            *args: Arguments of `update_state`.
            **kwargs: Likewise.

        Returns:
            The new arrays.

        Example:
            >>> import numpy as np
            >>> from portanet import metrics
            >>> accuracy = metrics.BinaryAccuracy()
            >>> sums = accuracy.stateless_reset_state()
            >>> for p in (0.2, 0.7):
            ...     sums = accuracy.stateless_update_state(sums, np.ones((1, 1)), np.full((1, 1), p))
            >>> float(accuracy.stateless_result(sums))
            0.5
        """
        from portanet.metrics.total_variables import arrays_of, holding

        with holding(self, metric_variables):
            self.update_state(*args, **kwargs)
            return arrays_of(self)

    def stateless_result(self, metric_variables: Sequence[Array]) -> Any:
        """`result` as a pure function; see `stateless_update_state`.

        Args:
            metric_variables: The arrays.
        """
        from portanet.metrics.total_variables import holding

        with holding(self, metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Array]:
        """The arrays that `stateless_update_state` begins with."""
        from portanet.metrics.total_variables import arrays_of, holding

        with holding(self, self.variables):
            self.reset_state()
            return arrays_of(self)

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> Any:
        """Add a batch and return the result over all batches."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def alike(self, y_true: Array, y_pred: Array) -> Array:
        """Targets in the shape and dtype of (floating-point) predictions; they may differ by a last axis of size 1."""
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        if true != pred and (*true, 1) != pred and true != (*pred, 1):
            raise ValueError(
                f"Metric '{self.name}' compares targets and predictions of the same shape. "
                f"Received: y_true of shape {true}, y_pred of shape {pred}"
            )
        xp = array_namespace(y_true)
        y_true = y_true if true == pred else xp.reshape(y_true, pred)
        return y_true if y_true.dtype == y_pred.dtype else xp.astype(y_true, y_pred.dtype)

    def weights(self, sample_weight: Array | None, values: Array) -> Array:
        """The weight of each value, that of its example or 1, as a floating-point array."""
        if sample_weight is None:
            return array_namespace(values).ones_like(at_least_float32(values, integers=True))
        return spread(sample_weight, values, "sample_weight", f"Metric '{self.name}'")


class MeanMetric(Metric):
    """The weighted mean of one value per example; subclasses implement `values(y_true, y_pred)`.

    Args:
        name: Name shown in logs.
        dtype: See `Metric`.

    Example:
        >>> class Error(MeanMetric):
        ...     def values(self, y_true, y_pred):
        ...         return abs(y_true - y_pred)
        >>> float(Error()([0.0, 1.0], [2.0, 1.0]))
        1.0
    """

    _takes_masks = True
    total_names: ClassVar[dict[str, int]] = {"total": 0, "count": 1}
    total_shapes: tuple[tuple[int, ...], ...] | None = ((), ())

    def __init__(self, name: str | None = None, dtype: DType = None) -> None:
        super().__init__(dtype, name)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """One value per example."""
        raise NotImplementedError(f"Metric '{self.name}' does not implement values(y_true, y_pred).")

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        values = at_least_float32(self.values(y_true, y_pred), integers=True)
        part = share()
        if part is not None and values.ndim == 0:  # one number for a batch
            whole: tuple[Array, ...] = of_whole(part, self.statistics, y_true, y_pred, sample_weight)
            return whole
        xp = array_namespace(values)
        if sample_weight is None:
            total = xp.sum(values)
            return total, xp.full_like(total, float(math.prod(values.shape)))
        weight = self.weights(sample_weight, values)
        # Examples of weight 0 do not count, even where their value is NaN.
        return xp.sum(xp.where(weight == 0, weight, values * weight)), xp.sum(weight)

    def from_statistics(self, *totals: Array) -> Array:
        return ratio(*totals)


class LossMetric(MeanMetric):
    """The mean of `loss`, which subclasses define."""

    direction = "min"
    loss: Loss

    def statistics(self, y_true: Array, y_pred: Array, sample_weight: Array | None = None) -> tuple[Array, ...]:
        part = share()
        if part is not None and self.loss.compares_examples:
            whole: tuple[Array, ...] = of_whole(part, self.statistics, y_true, y_pred, sample_weight)
            return whole
        y_pred = at_least_float32(y_pred, integers=True)
        valid = self.loss.valid(y_true)
        if valid is not None:
            mask = array_namespace(valid).astype(valid, y_pred.dtype)
            sample_weight = mask if sample_weight is None else self.weights(sample_weight, mask) * mask
        return super().statistics(y_true, y_pred, sample_weight)

    def check_targets(self, y: HostArray, classes: int | None) -> None:
        self.loss.check_targets(y, classes)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        shape = (*y_true.shape, 1)
        if not self.loss.integer_targets and shape == tuple(y_pred.shape):
            y_true = array_namespace(y_true).reshape(y_true, shape)
        return self.loss.per_example(y_true, y_pred)


def _on_host(totals: tuple[Any, ...]) -> tuple[HostArray, ...]:  # in double precision
    return tuple(to_host(total).astype("float64") for total in totals)

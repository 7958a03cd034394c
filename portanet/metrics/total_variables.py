"""The variables of metrics: their own, or the sums of built-in ones, under Keras's names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from portanet.backends import Array, get_backend, held, to_host
from portanet.tree import tree_leaves
from portanet.variables import Variable, are_bound, bind

if TYPE_CHECKING:
    from portanet.metrics.base import Metric


class TotalVariable(Variable):
    """One of the sums of a metric, under its name in Keras; 0 before there is data.

    Args:
        metric: The metric.
        name: The name.
        index: The position of the sum among those of `statistics`.
    """

    _trainable = False

    def __init__(self, metric: Metric, name: str, index: int) -> None:
        self._metric, self._index = metric, index
        self.name, self.path = name, f"{metric.name}/{name}"
        self.backend = get_backend()

    @property
    def _value(self) -> Any:
        totals, shapes, backend = self._metric.totals, self._metric.total_shapes, self.backend
        if totals is None:
            shape = shapes[self._index] if shapes else ()
            return backend.xp.zeros(shape, dtype=backend.dtype, device=backend.device)
        total = totals[self._index]
        return total if are_bound() else backend.xp.astype(backend.from_host(to_host(total)), backend.dtype)

    @_value.setter
    def _value(self, value: Array) -> None:
        # Outside of steps on the host, in double precision, where `update_state` adds.
        new = value if are_bound() else to_host(value).astype("float64")
        metric = self._metric
        totals = metric.totals or (0.0 * new,) * len(metric.total_shapes or metric.total_names)
        metric.totals = tuple(new if i == self._index else total for i, total in enumerate(totals))


def sums_of(metric: Metric) -> dict[str, TotalVariable]:
    """The sums of a built-in metric as variables, by name."""
    sums: dict[str, TotalVariable] = metric.__dict__.setdefault("_sums", {})
    if not sums:
        sums.update({name: TotalVariable(metric, name, index) for name, index in metric.total_names.items()})
    return sums


def variables_of(metric: Metric) -> list[Variable]:
    """See `Metric.variables`."""
    variables: list[Variable] = []
    for inside in metrics_in(metric):
        variables += [value for value in _attributes(inside) if isinstance(value, Variable)]
        if inside.total_shapes is not None or inside.totals is not None:
            variables += sums_of(inside).values()
    return list(dict.fromkeys(variables))


def arrays_of(metric: Metric) -> list[Array]:
    """The values of the variables, or the totals that have no names."""
    return [variable.value for variable in variables_of(metric)] or list(metric.totals or ())


def has_own_sums(metric: Metric) -> bool:
    """Whether a metric, or one in it, counts in variables of its own."""
    return any(not isinstance(variable, TotalVariable) for variable in metric.variables)


@contextlib.contextmanager
def holding(metric: Metric, metric_variables: Sequence[Any]) -> Iterator[None]:
    """Let the variables have other values in a `with` block, on their device."""
    arrays = [held(variable) for variable in metric_variables]
    variables = variables_of(metric) or list(sums_of(metric).values())
    if variables and len(arrays) != len(variables) and (arrays or metric.own_state):
        raise ValueError(
            f"Argument `metric_variables` of metric '{metric.name}' must hold one array per variable, "
            f"{len(variables)}. Received: {len(arrays)}"
        )
    values = dict(zip(variables, arrays, strict=False))
    before = [(inside, inside._totals) for inside in metrics_in(metric)]
    with bind({variable: array for variable, array in values.items() if not isinstance(variable, TotalVariable)}):
        try:
            for inside, _ in before:
                inside._totals = None
            if not variables:
                metric._totals = tuple(arrays) or None
            for variable, array in values.items():
                if isinstance(variable, TotalVariable):
                    variable._value = array
            yield
        finally:
            for inside, totals in before:
                inside._totals = totals


def metrics_in(metric: Metric) -> list[Metric]:
    """The metric, and those in its attributes."""
    from portanet.metrics.base import Metric

    inner = (value for value in _attributes(metric) if isinstance(value, Metric))
    return [metric, *(inside for value in inner for inside in metrics_in(value))]


def _attributes(metric: Metric) -> list[Any]:
    """What the attributes of a metric hold, without its arguments and `sums_of`."""
    return tree_leaves([value for name, value in vars(metric).items() if name not in ("_config", "_sums")])

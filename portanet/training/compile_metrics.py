"""The metrics of `compile` as one metric, an entry of `Model.metrics`, as in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portanet.metrics import Metric
from portanet.variables import Variable

if TYPE_CHECKING:
    from portanet.training.compiling import Compiled


class CompileMetrics(Metric):
    """The metrics of `compile`: of every output those given for it, `weighted_metrics` alone with sample weights.

    A step of a user's own that goes through `self.metrics` updates all of them with one call. They are known when the
    model has seen data.

    Args:
        model: The model.
    """

    def __init__(self, model: Compiled) -> None:
        super().__init__(name="compile_metrics")
        self._model = model

    def by_name(self) -> dict[str, Metric]:
        """The metrics by their names in logs."""
        losses = set(self._model._loss_trackers())
        return {name: each for name, each in self._model._compiled_metrics().items() if name not in losses}

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, in the order of logs."""
        return list(self.by_name().values())

    @property
    def variables(self) -> list[Variable]:
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def has_data(self) -> bool:
        return any(metric.has_data for metric in self.metrics)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch; with several outputs, trees of arrays as `fit` takes them."""
        from portanet.training import step_methods

        step_methods.update_metrics(self._model, y_true, y_pred, sample_weight)  # type: ignore[arg-type]

    def result(self) -> dict[str, Any]:
        """The results by name; of those that have seen data."""
        return {name: metric.result() for name, metric in self.by_name().items() if metric.has_data}

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

"""Training, evaluation and prediction of one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from portanet import optimizers
from portanet.backends import Backend, HostArray, use_backend
from portanet.distribution.strategy import in_call
from portanet.training import dask, evaluation
from portanet.training.data.intake import Intake
from portanet.training.data.sources import find_source, whole_batch
from portanet.training.data.streams import Batch
from portanet.training.history import LatestLogs, Totals, listed
from portanet.training.loops import TrainingRun
from portanet.training.stateless import Stateless

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


class OnBatches(Stateless):
    """What a trainer offers for loops of a user's own."""

    if TYPE_CHECKING:  # of Trainer
        _evaluate: Any

        @property
        def backend(self) -> Backend: ...

        def require_compiled(self) -> optimizers.Optimizer: ...

        def totals(self, sums: dict[str, list[Any]] | None = None, kind: str | None = None) -> Totals | LatestLogs: ...

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training on one batch; the loss and metrics of that batch, before the step.

        It asks the device for the loss every time. A loop around `portanet.training.TrainingRun` does not.

        Args:
            x: Inputs, as for `fit`.
            y: Targets; None for a model with a loss of its own.
            sample_weight: Weight of each example.
            class_weight: Weights by class number.
            return_dict: Whether to return a dict by name rather than a list (a number, if there is only the loss).
        """
        self.require_compiled()
        with use_backend(self.backend), in_call("train_on_batch"):
            batch = self._one_batch(x, y, sample_weight, class_weight, trains=True)
            run, totals = TrainingRun(cast("Trainer", self)), self.totals()
            totals.add(run.on(batch, None))
            logs = totals.logs()
        return listed(logs, return_dict, self._order_in_lists(logs))

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and metrics on one batch.

        Args:
            x: Inputs, as for `fit`.
            y: Targets; None for a model with a loss of its own.
            sample_weight: Weight of each example.
            return_dict: Whether to return a dict by name rather than a list (a number, if there is only the loss).
        """
        return self._evaluate(x, y, whole_batch(x), 0, sample_weight, return_dict=return_dict, check_finite=False)

    def predict_on_batch(self, x: Any) -> HostArray | Any:
        """The model's results for one batch, as NumPy arrays."""
        trainer = cast("Trainer", self)
        return dask.predict(trainer, x, None, False) if dask.is_lazy(x) else evaluation.predict_batch(trainer, x)

    def _one_batch(
        self, x: Any, y: Any, weight: Any, class_weight: Mapping[int, float] | None = None, trains: bool = False
    ) -> Batch:
        intake = Intake(cast("Trainer", self), False, 0, class_weight, trains=trains)
        feed = intake.feed(find_source(intake, x, y, weight, whole_batch(x), False, None))
        batch: Batch = next(feed.batches())
        return batch

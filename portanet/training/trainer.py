"""compile, fit, evaluate and predict for anything that is a layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from portanet import losses, metrics, optimizers, random
from portanet.backends import Array, Backend, HostArray, get_backend, use_backend
from portanet.callbacks import Callback, CallbackList
from portanet.layers import Layer
from portanet.training import data, step
from portanet.training.history import History
from portanet.training.position import Position
from portanet.training.progress import Progress
from portanet.training.run import TrainingRun
from portanet.training.totals import Totals


class Trainer(Layer):
    """A layer that can be trained; `Model` builds on it."""

    optimizer: optimizers.Optimizer | None = None
    loss: losses.Loss | None = None
    optimizer_state: tuple[list[str], dict[str, Any]] | None = None
    """Paths of the trained weights, and what the optimizer knows of them."""
    stop_training = False
    """Set by a callback to end training after the present batch."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metrics: list[metrics.Metric] = []
        self._metric_names: list[Any] = []
        self._steps: dict[tuple[str, ...], Any] = {}
        self.position = Position()
        self.callbacks = CallbackList((), self, {})
        """Those of the latest call of `fit`."""

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, metrics: list[Any] | None = None) -> None:
        """Choose how the model is trained.

        Args:
            optimizer: Name or object.
            loss: Name, object, or function `(y_true, y_pred) -> loss of each example`.
            metrics: Names or objects; "accuracy" is the one that fits the loss.
        """
        if loss is None:
            raise ValueError("Argument `loss` of compile(...) is needed, such as 'mse'. Received: loss=None")
        self.optimizer = optimizers.get(optimizer)
        self.loss = losses.get(loss)
        self._metric_names = list(metrics or [])
        self.optimizer_state = None
        self._steps = {}
        if self.built:
            self._find_metrics()

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        epochs: int = 1,
        verbose: Any = "auto",
        validation_split: float = 0.0,
        validation_data: tuple[Any, ...] | None = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        initial_epoch: int | Position = 0,
        check_finite: bool = True,
        callbacks: Iterable[Callback] = (),
    ) -> History:
        """Train for some epochs.

        Args:
            x: Inputs, the batch axis first: NumPy, lists, pandas, any DLPack or array API array. Never changed.
            y: Targets, likewise.
            batch_size: Examples in a step; the last batch may be smaller.
            epochs: Number of the last epoch; training goes from `initial_epoch` to it.
            verbose: 0 for silence, 1 for a bar, 2 for a line for each epoch, "auto" for what suits the output.
            validation_split: Fraction of the examples, the last ones, to keep for validation.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on.
            shuffle: Whether to shuffle the examples in each epoch, by the seed.
            sample_weight: Weight of each example in the loss, shape (examples,).
            initial_epoch: Where to start counting; or the position of an earlier run, such as `model.position` of a
                model that was loaded, to go on from exactly there, seed and callbacks included.
            check_finite: Whether to refuse NaN and infinity in the data.
            callbacks: What to call at the moments of training; see `portanet.callbacks`.

        Returns:
            The history: `history.history["loss"][epoch]` and so on.

        Raises:
            RuntimeError: The model was not compiled.
            ValueError: The data does not fit the model, the loss or each other.
        """
        self.require_compiled()
        for name, value in (("batch_size", batch_size), ("epochs", epochs)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"Argument `{name}` must be a positive integer. Received: {name}={value!r}")
        with use_backend(self.backend) as backend:
            arrays = self._data(x, y, sample_weight, check_finite, "")
            held_out: list[Array | None] | None = None
            if validation_data is not None:
                val_x, val_y, val_weight = (*validation_data, None)[:3]
                held_out = self._data(val_x, val_y, val_weight, check_finite, "val_")
            elif validation_split:
                arrays, held_out = data.split(arrays, validation_split)
            assert arrays[0] is not None
            self._prepare(arrays)
            if held_out is not None:
                self.check_data(held_out[0])
                self._check_targets(held_out)
            count = math.ceil(arrays[0].shape[0] / batch_size)
            params = {"epochs": epochs, "steps": count, "batch_size": batch_size, "verbose": verbose}
            progress = Progress(verbose, epochs, count)
            self.callbacks = listeners = CallbackList(callbacks, self, params)
            self.position = initial_epoch if isinstance(initial_epoch, Position) else Position(initial_epoch)
            self.stop_training = False
            run = TrainingRun(self)
            try:
                listeners.call("on_train_begin", {})
                place = self.position
                self._take_up(place)
                while place.epoch < epochs and not self.stop_training:
                    epoch = place.epoch
                    progress.start(epoch, place.batch)
                    listeners.call("on_epoch_begin", epoch, {})
                    totals = Totals(self.metrics, backend, place.sums)
                    run.take_over_learning_rate()
                    order = epoch if shuffle else None
                    for batch in data.batches(arrays, batch_size, backend, order, place.batch):
                        listeners.call("on_train_batch_begin", place.batch, {})
                        totals.add(run(*batch))
                        place.batch += 1
                        progress.advance(totals)
                        listeners.call("on_train_batch_end", place.batch - 1, totals)
                        if self.stop_training:
                            break
                    logs = totals.logs()
                    if held_out is not None:
                        logs.update({f"val_{k}": v for k, v in self._evaluate(held_out, batch_size).items()})
                    place.finish_epoch(logs)
                    progress.finish(logs)
                    listeners.call("on_epoch_end", epoch, logs)
                run.finish()
            finally:
                progress.close()
                listeners.call("on_train_end", {})
            history = History(params, self.position)
            return history

    def evaluate(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        verbose: Any = "auto",
        sample_weight: Any = None,
        return_dict: bool = False,
        check_finite: bool = True,
    ) -> Any:
        """The loss and metrics on data.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            batch_size: Examples computed at once.
            verbose: As for `fit`.
            sample_weight: Weight of each example.
            return_dict: Whether to return a dict by name rather than a list (a number, if there is only the loss).
            check_finite: Whether to refuse NaN and infinity in the data.
        """
        self.require_compiled()
        with use_backend(self.backend):
            arrays = self._data(x, y, sample_weight, check_finite, "")
            self._prepare(arrays)
            progress = Progress(verbose, 1, 1)
            progress.start(0)
            logs = self._evaluate(arrays, batch_size)
            progress.finish(logs)
        values = list(logs.values())
        return logs if return_dict else (values if len(values) > 1 else values[0])

    def predict(self, x: Any, batch_size: int = 32, check_finite: bool = True) -> HostArray:
        """The model's results for inputs, computed batch by batch.

        Args:
            x: Inputs, as for `fit`.
            batch_size: Examples computed at once.
            check_finite: Whether to refuse NaN and infinity in the data.

        Returns:
            A NumPy array with one row for each example.
        """
        with use_backend(self.backend) as backend:
            inputs = data.convert(x, "x", backend, check_finite)
            self._build_for(inputs)
            forward = self.compiled_step(("predict",), lambda: step.predict_step(self))
            values = self._values()
            parts = [
                backend.to_host(forward(values, batch)) for (batch,) in data.batches([inputs], batch_size, backend)
            ]
            return np.concatenate(parts, axis=0)

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, Any]:
        """One step of training on one batch; the loss and metrics of that batch, before the step.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            sample_weight: Weight of each example.
        """
        with use_backend(self.backend) as backend:
            arrays = self._data(x, y, sample_weight, False, "")
            self._prepare(arrays)
            run = TrainingRun(self)
            run.take_over_learning_rate()
            totals = Totals(self.metrics, backend)
            totals.add(run(*arrays))
            return totals.logs()

    @property
    def metrics_names(self) -> list[str]:
        """Names of what `evaluate` returns."""
        return ["loss", *(metric.name for metric in self.metrics)]

    @property
    def backend(self) -> Backend:
        """The backend that the model lives on; the one in use, as long as it is not built."""
        variable = self.first_variable()
        return get_backend() if variable is None else variable.backend

    def to(self, name: str | Backend, device: Any = None, dtype: str | None = None) -> Self:
        """Move the weights and the optimizer's state to another backend or device; see `Layer.to`."""
        home = self.backend
        super().to(name, device, dtype)
        if self.optimizer_state is not None:
            paths, state = self.optimizer_state
            self.optimizer_state = (paths, data.moved(state, home, self.backend))
        self._steps = {}
        return self

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as it was called; None before."""
        if self.optimizer is None:
            return None
        return {"optimizer": self.optimizer, "loss": self.loss, "metrics": self._metric_names}

    # Parts of the above

    def _take_up(self, place: Position) -> None:
        """Take over the seed of an earlier run and what its callbacks knew, if `place` is from one."""
        if place.seed is None:
            place.seed = random.get_seed()
        elif place.seed != random.get_seed():
            random.set_seed(place.seed)
        self.callbacks.set_states(place.callbacks)
        place.callbacks = []

    def require_compiled(self) -> tuple[losses.Loss, optimizers.Optimizer]:
        if self.loss is None or self.optimizer is None:
            raise RuntimeError(f"Model '{self.name}' must be compiled first: model.compile(optimizer, loss).")
        return self.loss, self.optimizer

    def _data(self, x: Any, y: Any, weight: Any, check_finite: bool, prefix: str) -> list[Array | None]:
        backend = get_backend()
        arrays: list[Array | None] = [
            data.convert(x, f"{prefix}x", backend, check_finite),
            data.convert(y, f"{prefix}y", backend, check_finite),
            None if weight is None else data.convert(weight, f"{prefix}sample_weight", backend, check_finite),
        ]
        data.require_same_length(arrays[0], y=arrays[1], sample_weight=arrays[2])
        return arrays

    def _prepare(self, arrays: list[Array | None]) -> None:
        """Build the model for the data and check the targets against its outputs."""
        assert arrays[0] is not None
        self._build_for(arrays[0])
        self._find_metrics()
        self._check_targets(arrays)

    def _build_for(self, x: Array) -> None:
        if not self.built:
            self._place("")
            self(x[:1, ...])
        self.check_data(x)

    def _find_metrics(self) -> None:
        shape = self.compute_output_shape(self._input_shape())
        self.metrics = [metrics.get(m, self.loss, shape) for m in self._metric_names]

    def _input_shape(self) -> Any:
        return self.build_shape

    def _check_targets(self, arrays: list[Array | None]) -> None:
        assert self.loss is not None
        shape = self.compute_output_shape(self._input_shape())
        self.loss.check_targets(self.backend.to_host(arrays[1]), shape[-1] if len(shape) > 1 else None)

    def compiled_step(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """A step of training, evaluation or prediction, made and compiled once."""
        if key not in self._steps:
            self._steps[key] = self.backend.compile(make())
        return self._steps[key]

    def _values(self) -> dict[str, Array]:
        return {path: variable.value for path, variable in self.named_variables().items()}

    def _evaluate(self, arrays: list[Array | None], batch_size: int) -> dict[str, Any]:
        loss, _ = self.require_compiled()
        evaluate = self.compiled_step(
            ("test", *self.trainable_paths()), lambda: step.test_step(self, loss, self.metrics)
        )
        totals, values = Totals(self.metrics, self.backend), self._values()
        for batch in data.batches(arrays, batch_size, self.backend):
            totals.add(evaluate(values, *batch))
        return totals.logs()

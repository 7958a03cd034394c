"""compile, fit, evaluate and predict for anything that is a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Self, cast, overload

from portanet import checks, optimizers
from portanet.backends import Array, ArrayObject, Backend, BackendName, HostArray, get_backend, use_backend
from portanet.callbacks import Callback, CallbackList
from portanet.configurable import overrides
from portanet.distribution.strategy import distribution, in_call, recordable
from portanet.settings import settings
from portanet.training import dask, evaluation, loops, step, together
from portanet.training.data.intake import FIT, VALIDATION, Feed, Intake, gives_batches
from portanet.training.data.sources import Examples, Order, find_source, limited, validation_parts
from portanet.training.data.streams import Batch, Source
from portanet.training.history import History, LatestLogs, Position, Totals, listed
from portanet.training.loops import TrainingRun
from portanet.training.objective import AnyTargets, has_objective, objective_of, output_shapes
from portanet.training.on_batches import OnBatches


class Trainer(OnBatches):
    """A layer that can be trained; `Model` builds on it."""

    history: History | None = None
    """The record of the last run of `fit`, also of one that was interrupted."""
    stop_training = False
    """Set by a callback to end training after the present batch."""
    stop_evaluating = stop_predicting = False
    """Likewise for `evaluate` and `predict`."""
    _batch: Any = None

    takes_missing = False
    """Whether None may be passed for an input."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._settings: dict[str, Any] = {}
        self._forget_steps()
        self.position = Position()
        self.callbacks = CallbackList(model=self)
        """Those of the latest call of `fit`."""

    def __call__(
        self, x: Any = None, *further: Any, training: bool | None = None, mask: Any = None, **options: Any
    ) -> ArrayObject | Any:
        inference = training is None or training is False
        if further or options or mask is not None or not inference:
            return super().__call__(x, *further, training=training, mask=mask, **options)
        return self.planned(x, training, lambda: super(Trainer, self).__call__(x, training=training))

    @property
    def batch(self) -> Any:
        """While `fit` runs, the latest batch, `(x, y, sample_weight)` on the device, for callbacks.

        In a job of several processes, it is what this one computes of it.
        """
        if isinstance(self._batch, tuple) or self._batch is None:
            return self._batch
        self._batch = self._batch.take()
        return self._batch

    @property
    def backend(self) -> Backend:
        """The backend that the model lives on; the one in use, as long as it is not built."""
        variable = self.first_variable()
        return get_backend() if variable is None else variable.backend

    def to(self, name: BackendName | Backend, device: Any = None, dtype: str | None = None) -> Self:
        """Move the weights and the optimizer's state to another backend or device; see `Layer.to`."""
        self._steps, self._calls = {}, None
        return super().to(name, device, dtype)

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Callback | Iterable[Callback] | None = (),
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Order = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int | Position = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Iterable[int] = 1,
        check_finite: bool = True,
        prefetch: int = 2,
    ) -> History:
        """Train for some epochs.

        Args:
            x: Inputs, the batch axis first, never changed: NumPy, lists, pandas, any DLPack or array API array; a
                list or dict of them for models with several inputs; or a memory map or the like, which is read batch
                by batch. Or what gives batches `(x, y)` or `(x, y, sample_weight)`: a generator, a DataLoader, a
                `portanet.utils.PyDataset`.
            y: Targets, likewise; left out where `x` gives batches.
            batch_size: Examples in a step, the last may have fewer; by default 32, or with `steps_per_epoch` as many as
                make that number of steps.
            epochs: Number of the last epoch; training goes from `initial_epoch` to it.
            verbose: 0 for silence, 1 for a bar, 2 for a line for each epoch, "auto" for what suits the output.
            callbacks: What to call at the moments of training; see `portanet.callbacks`.
            validation_split: Fraction of the examples, the last ones, to keep for validation.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on, or what gives batches.
            shuffle: Whether to shuffle the examples (or the numbered batches) in each epoch, by the seed; or a function
                `(epoch, count) -> their numbers` in the order in which they are to come, such as a curriculum, which
                may leave some out or repeat them.
            class_weight: Weights of examples by the number of their class; models with one output only.
            sample_weight: Weight of each example in the loss, shape (examples,) or (examples, 1); for several outputs
                one array for all, or a list or dict.
            initial_epoch: Where to start counting; or the position of an earlier run, such as `model.position` of a
                model that was loaded, to go on from exactly there, seed and callbacks included.
            steps_per_epoch: Batches in an epoch, if not one pass; the next goes on in the data, to its end.
            validation_steps: Batches in a validation, if not all.
            validation_batch_size: Examples in a batch of validation; by default `batch_size`.
            validation_freq: Validate every so many epochs, or in the epochs listed, counted from 1.
            check_finite: Whether to refuse NaN and infinity in the data.
            prefetch: Batches to prepare in advance, in a thread, where they are not on the device from the start.

        Returns:
            The history, `history.history["loss"][epoch]` and so on; after Ctrl-C, it is in `model.history`.

        Raises:
            RuntimeError: The model was not compiled.
            ValueError: The data does not fit the model, the loss or each other. Errors in a step carry a note that
                names epoch, batch, layer and shapes.
        """
        self.require_compiled()
        epochs = checks.positive_int("epochs", epochs, "fit")
        epochs = limited("epochs", epochs, settings.max_epochs) or epochs
        for name, value in (("validation_steps", validation_steps), ("validation_batch_size", validation_batch_size)):
            if value is not None:
                checks.positive_int(name, value, "fit")
        validation_split = checks.rate("validation_split", validation_split, "fit")
        with use_backend(self.backend), in_call("fit"):
            intake = Intake(self, check_finite, prefetch, class_weight, FIT, trains=True)
            val_intake = Intake(self, check_finite, prefetch, names=VALIDATION)
            source = find_source(intake, x, y, sample_weight, batch_size, shuffle, steps_per_epoch)
            held_out: Source | None = None
            given: Batch = (None, None, None)
            val_size = validation_batch_size
            if validation_data is not None:
                given = validation_parts(validation_data)
                val_size = val_size or (None if gives_batches(given[0]) else batch_size)
                held_out = find_source(val_intake, *given, val_size, False, validation_steps)
            elif validation_split:
                source, held_out = source.split(validation_split, validation_batch_size, validation_steps)
                given, val_size = held_out.outline() or given, validation_batch_size or batch_size
            feed = intake.feed(source)
            held = None if held_out is None else val_intake.feed(held_out, intake)
            size = source.size if isinstance(source, Examples) else batch_size or 32
            params = {"epochs": epochs, "steps": source.steps, "batch_size": size, "verbose": verbose}
            params["validation_freq"] = validation_freq
            self.callbacks = listeners = CallbackList(callbacks, model=self, **params)
            if not isinstance(initial_epoch, Position):
                initial_epoch = Position(checks.integer("initial_epoch", initial_epoch, "fit", least=0))
            self.position = initial_epoch
            self.stop_training = False
            run = TrainingRun(self)

            def validate(occasion: str) -> dict[str, Any]:
                if not overrides(type(self), Trainer, "evaluate"):
                    return evaluation.evaluate(self, cast(Feed, held), listeners, occasion)
                val_x, val_y, weight = given
                logs: dict[str, Any] = self.evaluate(
                    val_x, val_y, val_size, 0, weight, validation_steps, cast(Any, listeners), return_dict=True
                )
                return logs

            try:
                listeners.call("on_train_begin", {})
                self.position.take_up(listeners)
                if distribution() is not None:
                    together.begin(run, source, epochs)
                with History(params, self.position) as self.history:
                    loops.train(run, feed, validate if held else None, epochs, validation_freq, listeners)
            finally:
                listeners.call("on_train_end", self.position.latest())
                self._batch = None
            return self.history

    @overload
    def evaluate(
        self, x: Any, y: Any = None, batch_size: int | None = None, verbose: Any = "auto", sample_weight: Any = None,
        steps: int | None = None, callbacks: Callback | Iterable[Callback] | None = (), *, return_dict: Literal[True],
        check_finite: bool = True, prefetch: int = 2,
    ) -> dict[str, float]: ...  # fmt: skip

    @overload
    def evaluate(
        self, x: Any, y: Any = None, batch_size: int | None = None, verbose: Any = "auto", sample_weight: Any = None,
        steps: int | None = None, callbacks: Callback | Iterable[Callback] | None = (), return_dict: bool = False,
        check_finite: bool = True, prefetch: int = 2,
    ) -> Any: ...  # fmt: skip

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Iterable[Callback] | None = (),
        return_dict: bool = False,
        check_finite: bool = True,
        prefetch: int = 2,
    ) -> Any:
        """The loss and metrics on data.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            batch_size: Examples computed at once.
            verbose: As for `fit`.
            sample_weight: Weight of each example.
            steps: Batches to take, if not all.
            callbacks: What to call.
            return_dict: Whether to return a dict by name rather than a list (a number, if there is only the loss).
            check_finite: Whether to refuse NaN and infinity in the data.
            prefetch: As for `fit`.
        """
        self.require_compiled()
        with use_backend(self.backend), in_call("evaluate"):
            intake = Intake(self, check_finite, prefetch)
            feed = intake.feed(find_source(intake, x, y, sample_weight, batch_size, False, steps))
            if isinstance(callbacks, CallbackList):  # those of `fit`
                listeners = callbacks
            else:
                listeners = CallbackList(callbacks, model=self, epochs=1, steps=feed.source.steps, verbose=verbose)
            logs = evaluation.evaluate(self, feed, listeners)
        return listed(logs, return_dict, self._order_in_lists(logs))

    _evaluate = evaluate

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = 0,
        steps: int | None = None,
        callbacks: Callback | Iterable[Callback] | None = (),
        check_finite: bool = True,
        prefetch: int = 2,
    ) -> HostArray | Any:
        """The model's results for inputs, computed batch by batch.

        Args:
            x: Inputs, as for `fit`; of what gives batches, targets are left aside. Or Dask arrays, of which other
                axes than the first are joined.
            batch_size: Examples computed at once.
            verbose: As for `fit`.
            steps: Batches to take, if not all.
            callbacks: What to call; `on_predict_batch_end` gets the results as `logs["outputs"]`.
            check_finite: Whether to refuse NaN and infinity in the data.
            prefetch: As for `fit`.

        Returns:
            A NumPy array with one row for each example; a list or dict of them for models with several outputs. For
            Dask arrays the results are Dask arrays too, and nothing is computed yet; `verbose`, `steps` and
            `callbacks` do not apply.
        """
        if dask.is_lazy(x):
            return dask.predict(self, x, batch_size, check_finite)
        return evaluation.predict(self, x, batch_size, verbose, steps, callbacks, check_finite, prefetch)

    def loss_and_gradients(self, x: Any, y: Any, sample_weight: Any = None) -> tuple[Array, dict[str, Array]]:
        """The loss on one batch in training, penalties of weights included, and its gradients; nothing changes.

        Args:
            x: Inputs, as for `fit`.
            y: Targets.
            sample_weight: Weight of each example.

        Returns:
            The loss, an array of shape (), and by path the gradient with respect to each weight that is trained.

        Example:
            >>> import numpy as np
            >>> import portanet
            >>> from portanet import layers
            >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
            >>> model.compile("sgd", "mse")
            >>> loss, gradients = model.loss_and_gradients(np.ones((4, 2)), np.ones((4, 1)))
            >>> float(loss), gradients["dense/bias"].tolist()
            (1.0, [-2.0])
        """
        self.require_compiled()
        with use_backend(self.backend), in_call("loss_and_gradients"):
            current = distribution() is not None and self._batch is not None and x is self._batch[0]
            batch = self._batch if current else self._one_batch(x, y, sample_weight)
            return loops.loss_and_gradients(self, batch)

    # What a training loop asks for

    def require_compiled(self) -> optimizers.Optimizer:
        """The optimizer, of a model that is compiled."""
        if self.optimizer is None:
            raise RuntimeError(f"Model '{self.name}' must be compiled first: model.compile(optimizer, loss).")
        return self.optimizer

    def find_objective(self, x: Any = None) -> Any:
        """The losses and metrics for the outputs of the built model; `AnyTargets` if steps are overridden.

        Args:
            x: One example, on the device, to find the outputs of a model that cannot tell their shapes.
        """
        if self._objective is None:
            self.require_compiled()
            custom = self.has_custom_step("train")
            known = not custom or (has_objective(self._settings) and self._computes)
            objective = objective_of(self, output_shapes(self, x)) if known else None
            self._objective = AnyTargets(objective) if custom else objective
        return self._objective

    def wants_targets(self) -> bool:
        """Whether there are losses or metrics that compare predictions with targets."""
        return has_objective(self._settings) and not self.has_custom_step("train")

    def arranged_inputs(self, x: Any) -> Any:
        """A list or dict of arrays as `call` takes it; an error, if these cannot be the inputs."""
        return x

    def known_outputs(self, x: Any) -> list[Any] | None:
        """The shapes of the outputs for inputs like `x`, with None for unknown sizes; None if they are not known."""
        return None

    def _input_shape(self) -> Any:
        return self.build_shape

    def totals(self, sums: dict[str, list[Any]] | None = None, kind: str | None = None) -> Totals | LatestLogs:
        """An empty sum of the statistics of batches, for a loop of one's own; see `TrainingRun`.

        With overridden steps, what they returned last; metrics are reset.

        Args:
            sums: What earlier batches gave.
            kind: `"train"` or `"test"` for the loops of `fit` and `evaluate`, whose steps may add up on the device.
        """
        objective = self.find_objective()
        if isinstance(objective, AnyTargets):
            return LatestLogs(self, {} if sums is None else sums)
        spare = self._steps.setdefault(("sums", kind), []) if kind and self.records_steps else None
        return Totals(self._compiled_metrics(), self.backend, sums, spare, self._tracker("loss"))

    @property
    def records_steps(self) -> bool:
        """Whether steps are recorded and replayed."""
        return recordable(self.backend) and self.backend.records and self._plans

    def compiled_step(
        self, key: tuple[str, ...], make: Callable[[], Any], given: tuple[int, ...] = (), kept: tuple[int, ...] = ()
    ) -> Any:
        """A step of training, evaluation or prediction, made and compiled once; see `Backend.compile`."""
        key += step.trainable_flags(self)
        if self.records_steps:
            from portanet.training import frozen

            settings = frozen.settings(self)
            if self._steps.get(("settings",)) != settings:
                self._steps = {("settings",): settings}
        custom = self.has_custom_step("predict") if key[0] == "predict" else isinstance(self._objective, AnyTargets)
        key += ("custom",) * custom  # a method may be set after the first prediction
        if key not in self._steps:
            if custom:
                self._steps[key] = self._custom_function(key[0])
            else:
                backend = self.backend
                compiles = self._plans and self._can_compile() and (recordable(backend) or not backend.records)
                self._steps[key] = backend.compile(make(), given, kept) if compiles else backend.uncompiled(make())
        return self._steps[key]

    def named_values(self) -> dict[str, Array]:
        """The values of all variables by path."""
        return {path: variable.value for path, variable in self.named_variables().items()}

"""Steps in loops: one by one in `TrainingRun`, over epochs and batches in fit, evaluate and predict."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from portanet import checks
from portanet.backends import Array, asarray, use_backend
from portanet.callbacks import CallbackList
from portanet.optimizers.base import widest
from portanet.optimizers.state import completed, divided, extended, joined
from portanet.random.seeds import keep_seed
from portanet.schedules.base import require_rates
from portanet.training import step
from portanet.training.data.intake import Feed, Intake
from portanet.training.data.streams import Batch
from portanet.training.history import LatestLogs, Totals, uninterrupted
from portanet.training.objective import AnyTargets, Statistics
from portanet.tree import tree_items, tree_leaves, tree_map
from portanet.variables import trainable_changes

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


class TrainingRun:
    """Trains a compiled, built model batch by batch; after every step the model has the new weights.

    `fit` is a loop around it, so a loop of one's own around it is as fast.

    Args:
        model: The model.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile("sgd", "mse")
        >>> run, totals = TrainingRun(model), model.totals()
        >>> x, y = portanet.asarray(np.ones((4, 2))), portanet.asarray(np.ones((4, 1)))
        >>> for _ in range(2):
        ...     totals.add(run(x, y))
        >>> round(totals.logs()["loss"], 4)
        0.9418
    """

    def __init__(self, model: Trainer) -> None:
        optimizer = model.require_compiled()
        self.model = model
        self.optimizer = optimizer
        self.objective = model.find_objective()
        self.rate: Any = None
        """The learning rate in the optimizer's state."""
        self.refresh()
        self.take_over_learning_rate()

    def refresh(self) -> None:
        """Find out which weights are trained now; those that are new among them join the optimizer's state."""
        model, objective, optimizer = self.model, self.objective, self.optimizer
        self.changes = trainable_changes()
        self.variables = model.named_variables()
        known = model._known.variables
        same = known.keys() == self.variables.keys() and all(known[p] is v for p, v in self.variables.items())
        if not same and model._follow(self.variables):
            model._steps = {}  # which are for the former variables
        self.trained = model.trainable_paths()
        self.kept = [path for path in self.variables if path not in set(self.trained)]
        # The weights and the optimizer's state may be overwritten: each step replaces them.
        self.step = model.compiled_step(
            ("train", *self.trained), lambda: step.train_step(model, objective, optimizer), (0, 2)
        )
        paths, state = model.optimizer_state or ([], {})
        gone = [path for path in paths if path not in self.variables]
        if gone:
            state = divided(state, self.variables)[0]
        # An overridden step may use the optimizer for some of the weights only.
        lazily = isinstance(objective, AnyTargets) and model.overrides("train_step")
        new = [] if lazily else [path for path in self.trained if path not in paths]
        if new or gone or model.optimizer_state is None:
            state = extended(optimizer, state, self._values(new))
            paths = [path for path in self.variables if path in paths or path in new]
            model.optimizer_state = (paths, state)
        elif not optimizer.entries <= state.keys():
            model.optimizer_state = (paths, completed(optimizer, state, self._values(paths)))

    def _values(self, paths: list[str]) -> dict[str, Array]:
        return {path: self.variables[path].value for path in paths}

    def take_over_learning_rate(self, steps: int = 1) -> None:
        """Let a learning rate count that the user has changed on the optimizer, be it to a schedule or from one.

        Args:
            steps: Steps to come, for which the values of a schedule are checked.
        """
        _, state = self.model.optimizer_state or ((), {})
        self.rate = rate = self.optimizer.learning_rate
        if callable(rate):
            state.pop("learning_rate", None)
            if "iterations" in state:
                require_rates(rate, state["iterations"], steps)
        elif state:
            dtype = widest(self.model.backend.xp, self._values(self.trained or list(self.variables)).values())
            state["learning_rate"] = asarray(rate, dtype)

    def begin(self) -> None:
        """Go on from `model.position`: with `use_ema` of the optimizer, from the weights that were averaged.

        If the model's weights are no longer the averages, it goes on from them.
        """
        self.refresh()
        position = self.model.position
        weights, position.weights = position.weights, {}
        averages = self._averages()
        if averages.keys() == weights.keys() and all(
            np.array_equal(self.model.backend.to_host(value), self.variables[path].numpy())
            for path, value in averages.items()
        ):
            for path, value in weights.items():
                self.variables[path].assign(self.model.backend.from_host(value))

    def finish(self) -> None:
        """Give the model the weights to keep: with `use_ema` of the optimizer, their average."""
        averages = self._averages()
        self.model.position.weights = {path: self.variables[path].numpy() for path in averages}
        for path, value in averages.items():
            self.variables[path].assign(value)

    def _averages(self) -> dict[str, Array]:
        """The averages of the weights; none without `use_ema`."""
        paths, state = self.model.optimizer_state or ([], {})
        values = self._values(paths)
        averages = self.optimizer.finalize(values, state)
        return {path: value for path, value in averages.items() if value is not values[path]}

    def __call__(self, x: Any, y: Any, weight: Any = None) -> Statistics:
        """Train on one batch.

        A Ctrl-C waits until the step is done, so that it leaves whole weights; a second one does not wait.

        Args:
            x: Inputs: an array of the model's backend, or a tree of them.
            y: Targets likewise.
            weight: Weights of the examples, or None.

        Returns:
            The batch's statistics, which stay on the device; `model.totals()` adds them up.
        """
        if self.changes != trainable_changes():
            self.refresh()
        if self.rate is not self.optimizer.learning_rate:
            self.take_over_learning_rate()
        assert self.model.optimizer_state is not None
        targets, weights = self.objective.arrange(y), self.objective.arrange(weight, "sample_weight")
        params, state = self._values(self.trained), self._values(self.kept)
        paths, slots = self.model.optimizer_state
        frozen: dict[str, Any] = {}
        if len(paths) > len(self.trained):
            slots, frozen = divided(slots, set(self.trained))
        statistics: Statistics
        with uninterrupted():
            params, state, slots, statistics = self.step(params, state, slots, x, targets, weights)
            for values in (params, state):
                for path, value in values.items():
                    self.variables[path].assign(value)
            # An overridden step may have built layers, and so have added paths.
            paths, _ = self.model.optimizer_state
            self.model.optimizer_state = (paths, joined(frozen, slots) if frozen else slots)
        return statistics


@keep_seed()
def train(
    run: TrainingRun,
    feed: Feed,
    held_out: Feed | None,
    epochs: int,
    validation_freq: int | Iterable[int],
    listeners: CallbackList,
) -> None:
    """Train from `model.position` until the given epoch.

    Args:
        run: The run of the model.
        feed: What to train on.
        held_out: What to validate on.
        epochs: Number of the last epoch.
        validation_freq: Validate every so many epochs, or in the epochs listed, counted from 1.
        listeners: The callbacks.
    """
    run.begin()
    model, position, validates = run.model, run.model.position, _validates(validation_freq)
    while position.epoch < epochs and not model.stop_training:
        epoch = position.epoch
        listeners.call("on_epoch_begin", epoch, {})
        totals = model.totals(position.sums)
        try:
            with Whereabouts(f"Epoch {epoch + 1} of {epochs}", feed.source.steps, position.batch) as whereabouts:
                train_epoch(run, feed, totals, whereabouts, listeners)
            logs = totals.logs()
            feed.finish_checks()
        except KeyboardInterrupt:
            totals.fetch()  # so that the position says everything about the epoch so far
            raise
        if held_out is not None and validates(epoch):
            values = evaluate(model, held_out, listeners, f"validation after epoch {epoch + 1}")
            logs.update({f"val_{name}": value for name, value in values.items()})
        with uninterrupted():
            position.finish_epoch(logs)
        listeners.call("on_epoch_end", epoch, logs)
    run.finish()


def _validates(frequency: int | Iterable[int]) -> Callable[[int], bool]:
    """Whether an epoch, by its number from 0, ends with a validation."""
    if isinstance(frequency, (list, tuple, set, frozenset, range)) and frequency:
        chosen = {checks.positive_int("validation_freq", each, "fit") for each in frequency}
        return lambda epoch: epoch + 1 in chosen
    every = checks.positive_int("validation_freq", frequency, "fit")
    return lambda epoch: (epoch + 1) % every == 0


def train_epoch(
    run: TrainingRun, feed: Feed, totals: Totals | LatestLogs, whereabouts: Whereabouts, listeners: CallbackList
) -> None:
    """Train on the batches that are left of an epoch."""
    position = run.model.position
    run.take_over_learning_rate(max(1, (feed.source.steps or 0) - position.batch))
    with contextlib.closing(feed.batches(position.epoch, position.batch)) as batches:
        for number, batch in whereabouts.follow(batches):
            run.model.batch = batch
            listeners.begin_batch("train", number)
            with uninterrupted():
                totals.add(run(*batch))
                position.batch += 1
            listeners.end_batch("train", number, totals)
            if run.model.stop_training:
                break
        listeners.end_batches()


def evaluate(model: Trainer, feed: Feed, listeners: CallbackList, occasion: str = "evaluation") -> dict[str, Any]:
    """The loss and metrics over all batches of a feed, by name."""
    objective = model.find_objective()
    test = model.compiled_step(("test", *model.trainable_paths()), lambda: step.test_step(model, objective))
    totals, values = model.totals(), model.named_values()
    model.stop_evaluating = False
    listeners.call("on_test_begin", {})
    with (
        Whereabouts(occasion.capitalize(), feed.source.steps) as whereabouts,
        contextlib.closing(feed.batches(occasion=occasion)) as batches,
    ):
        for number, (x, y, weight) in whereabouts.follow(batches):
            listeners.begin_batch("test", number)
            targets, weights = objective.arrange(y), objective.arrange(weight, "sample_weight")
            statistics, assigned = test(values, x, targets, weights)
            _keep(model, values, assigned)
            totals.add(statistics)
            listeners.end_batch("test", number, totals)
            if model.stop_evaluating:
                break
        listeners.end_batches()
    logs = totals.logs()
    feed.finish_checks()
    listeners.call("on_test_end", logs)
    return logs


def predict(model: Trainer, feed: Feed, listeners: CallbackList) -> Any:
    """The model's results for all batches of a feed: a tree of NumPy arrays."""
    forward = model.compiled_step(("predict",), lambda: step.predict_step(model))
    to_host, values, parts = model.backend.to_host, model.named_values(), []
    model.stop_predicting = False
    listeners.call("on_predict_begin", {})
    with (
        Whereabouts("Prediction", feed.source.steps) as whereabouts,
        contextlib.closing(feed.batches(occasion="prediction")) as batches,
    ):
        for number, (x, _, _) in whereabouts.follow(batches):
            listeners.begin_batch("predict", number)
            y_pred, assigned = forward(values, x)
            _keep(model, values, assigned)
            parts.append(tree_map(to_host, y_pred))
            listeners.end_batch("predict", number, {"outputs": parts[-1]})
            if model.stop_predicting:
                break
        listeners.end_batches()
    listeners.call("on_predict_end", {})
    columns = zip(*map(tree_leaves, parts), strict=True)
    return tree_map(lambda _: np.concatenate(next(columns), axis=0), parts[0])


def predict_batch(model: Trainer, x: Any) -> Any:
    """The model's results for one batch of a user's: a tree of NumPy arrays."""
    with use_backend(model.backend) as backend, Whereabouts("Prediction", 1) as whereabouts:
        x = Intake(model, False, 0, only_inputs=True).whole(x)
        whereabouts.batch = x, None, None
        forward, values = model.compiled_step(("predict",), lambda: step.predict_step(model)), model.named_values()
        y_pred, assigned = forward(values, x)
        _keep(model, values, assigned)
        return tree_map(backend.to_host, y_pred)


def _keep(model: Trainer, values: dict[str, Array], assigned: dict[str, Array]) -> None:
    """Take over what a call has assigned, such as the states of recurrent layers, for the next batch and later."""
    if assigned:
        variables = model.named_variables()
        for path, value in assigned.items():
            variables[path].assign(value)
        values.update(assigned)


def loss_and_gradients(model: Trainer, batch: Batch) -> tuple[Array, dict[str, Array]]:
    """The loss on one batch in training, and by path its gradients; nothing changes."""
    objective, trained, (x, y, weight) = model.find_objective(), model.trainable_paths(), batch
    if isinstance(objective, AnyTargets):
        from portanet.training import custom

        return custom.loss_and_gradients(model, x, y, weight)
    gradients = model.compiled_step(("gradients", *trained), lambda: step.gradient_step(model, objective))
    state = model.named_values()
    params = {path: state.pop(path) for path in trained}
    loss: Array
    loss, grads = gradients(params, state, x, objective.arrange(y), objective.arrange(weight, "sample_weight"))
    return loss, grads


class Whereabouts:
    """A `with` block that adds a note to every error that leaves it: the batch, with its shapes and dtypes.

    The error keeps its type and message.

    Args:
        title: What the batches are for: `"Epoch 2 of 3"`.
        steps: How many there are, if known.
        number: Number of the first, from 0; the note counts from 1.
    """

    def __init__(self, title: str, steps: int | None, number: int = 0) -> None:
        self.title = title
        self.steps = steps
        self.number = number
        self.batch: Any = None

    def follow(self, batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """The batches with their numbers."""
        for batch in batches:
            self.batch = batch
            yield self.number, batch
            self.batch = None
            self.number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception):
            total = "" if self.steps is None else f" of {self.steps}"
            state = ", which was being prepared" if self.batch is None else f": {described(self.batch)}"
            error.add_note(f"{self.title}, batch {self.number + 1}{total}{state}")


def described(batch: Any) -> str:
    """The shapes and dtypes of a batch.

    Example:
        >>> import numpy as np
        >>> described((np.zeros((8, 3)), {"a": np.zeros(8, dtype="int32")}, None))
        "x float64 (8, 3), y['a'] int32 (8,)"
    """
    parts = zip(("x", "y", "sample_weight"), batch, strict=True)
    return ", ".join(
        f"{part}{path} {str(leaf.dtype).rpartition('.')[2]} {tuple(leaf.shape)}"
        for part, tree in parts
        for path, leaf in tree_items(tree)
    )

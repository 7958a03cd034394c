"""Steps of training in loops: one by one in `TrainingRun`, over epochs and batches in fit."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet import checks
from portanet.backends import Array, asarray
from portanet.callbacks import CallbackList
from portanet.configurable import overrides
from portanet.distribution.hogwild import Hogwild
from portanet.distribution.share import sharing
from portanet.distribution.strategy import cuts_custom_steps, distribution, in_call
from portanet.optimizers.base import Optimizer, widest
from portanet.optimizers.state import completed, divided, extended, joined
from portanet.random.seeds import keep_seed
from portanet.schedules.base import require_rates
from portanet.training import exchange, step
from portanet.training.data import parts
from portanet.training.data.intake import Feed
from portanet.training.data.sources import Examples
from portanet.training.data.streams import Batch
from portanet.training.history import LatestLogs, Totals, interruptible, uninterrupted
from portanet.training.objective import AnyTargets, Statistics
from portanet.training.whereabouts import Whereabouts
from portanet.variables import hold, trainable_changes, values_of

if TYPE_CHECKING:
    from portanet.training.data.gathered import Gathered, Gathering
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
        self.model, self.optimizer = model, model.require_compiled()
        self.objective = model.find_objective()
        self.rate: Any = None
        """The learning rates in the optimizer's state."""
        self.rate_arrays: dict[str, Any] = {}
        """As they are there."""
        model._calls = None  # whose plans hold the former weights
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
        self.options = None
        if model.records_steps:
            from portanet.training.frozen import Options

            self.options = Options(optimizer)  # which a recorded step holds
        self.trained = model.trainable_paths()
        self.kept = [path for path in self.variables if path not in set(self.trained)]
        self.paths = (*self.trained, *self.kept)
        self.ordered = [self.variables[path] for path in self.paths]
        self.latest: tuple[Any, Any, list[Array]] | None = None
        """Parameters and state as the latest step left them, and their arrays, if it replaced none of these."""
        self.gathered_step: Any = None
        self.shared_steps: dict[tuple[str, ...], Any] = {}
        self.slices = None if distribution() is None else exchange.slices(optimizer, objective)
        # Weights, states and sums may be overwritten: each step replaces them.
        strategy = distribution()
        if isinstance(strategy, Hogwild) and not isinstance(objective, AnyTargets):
            from portanet.training.hogwild import shared_step  # which imports this module

            self.step = shared_step(self, strategy)
        else:
            self.step = self.compiled_step()
        paths, state = self._state() or ([], {})
        gone = [path for path in paths if path not in self.variables]
        if gone:
            state = divided(state, self.variables)[0]
        # An overridden step may use the optimizer for some of the weights only.
        lazily = isinstance(objective, AnyTargets) and model.overrides("train_step")
        new = [] if lazily else [path for path in self.trained if path not in paths]
        if new or gone or model._kept is None:
            state = extended(optimizer, state, self._optimized(new))
            model._keep_state([path for path in self.variables if path in paths or path in new], state)
        elif not optimizer.entries <= state.keys():
            model._keep_state(paths, completed(optimizer, state, self._optimized(paths)))

    def compiled_step(self, share: tuple[str, ...] = ()) -> Any:
        """The step for whole batches, or for a share of them."""
        model, objective, optimizer, slices = self.model, self.objective, self.optimizer, self.slices
        key = ("train", *self.trained, *share, *(() if slices is None else slices.key))
        return model.compiled_step(key, lambda: step.train_step(model, objective, optimizer, slices), (0, 1, 2, 3))

    def _values(self, paths: list[str]) -> dict[str, Array]:
        return values_of(self.variables, paths)

    def _state(self) -> Any:
        """Paths, and the optimizer's state for them, as steps take it: whole, or this process's slices."""
        model = self.model
        return model._kept if model._slices is self.slices else model._state_in(self.slices)

    def _optimized(self, paths: list[str]) -> dict[str, Array]:
        """What the optimizer's state is of: the weights, or this process's slices of them."""
        values = self._values(paths)
        return values if self.slices is None else self.slices.cut(values)

    def take_over_learning_rate(self, steps: int = 1) -> None:
        """Let a learning rate count that the user has changed on the optimizer, be it to a schedule or from one.

        Args:
            steps: Steps to come, for which the values of a schedule are checked.
        """
        _, state = self.model._kept or ((), {})
        before, self.rate = self.rate, self.optimizer.rates
        for name, count, rate in self.optimizer.each_rate():
            if count not in state:
                continue
            if callable(rate):
                state.pop(name, None)
                require_rates(rate, state[count], steps)
            elif self.rate is not before or state.get(name) is not self.rate_arrays.get(name):
                dtype = widest(self.model.backend.xp, self._values(self.trained or list(self.variables)).values())
                if self.options is not None and name in state and state[name].dtype == dtype:
                    state[name][...] = float(rate)  # where recorded steps read it
                    self.rate_arrays[name] = state[name]
                else:
                    state[name] = self.rate_arrays[name] = asarray(rate, dtype)

    @contextlib.contextmanager
    def gathering_from(self, feed: Feed) -> Iterator[Gathering | None]:
        """Let steps gather their batches themselves in a `with` block, where they are recorded and the data allows."""
        model, source = self.model, feed.source
        gathers = model.records_steps and not isinstance(self.objective, AnyTargets) and distribution() is None
        if not (gathers and isinstance(source, Examples) and source.resident):
            yield None
            return
        from portanet.training.data.gathered import Gathering

        key = ("gathering", str(source.count))
        gathering = Gathering(source, self.objective.arrange, *model._steps.get(key, ()))
        try:
            yield gathering
        finally:
            model._steps[key] = gathering.place, gathering.spare_order
            for name, each in model._steps.items():
                if name[:2] == ("train", "gathered"):
                    each.release()

    def begin(self) -> None:
        """Go on from `model.position`: with `use_ema` of the optimizer, from the weights that were averaged.

        If the model's weights are no longer the averages, it goes on from them.
        """
        self.refresh()
        position = self.model.position
        weights, position.weights = position.weights, {}
        averages = self.averages()
        if averages.keys() == weights.keys() and all(
            np.array_equal(self.model.backend.to_host(value), self.variables[path].numpy())
            for path, value in averages.items()
        ):
            for path, value in weights.items():
                self.variables[path].take(self.model.backend.from_host(value))

    def finish(self) -> None:
        """Give the model the weights to keep: with `use_ema` of the optimizer, their average."""
        averages = self.averages()
        self.model.position.weights = {path: self.variables[path].numpy() for path in averages}
        for path, value in averages.items():
            self.variables[path].take(value)
        if overrides(type(self.optimizer), Optimizer, "finalize_variable_values"):
            self.optimizer.finalize_variable_values(self.model.trainable_weights)

    def averages(self) -> dict[str, Array]:
        """The averages of the weights; none without `use_ema`."""
        paths, state = self._state() or ([], {})
        values = self._optimized(paths)
        given = self.optimizer.finalize(values, state)
        averages = {path: value for path, value in given.items() if value is not values[path]}
        if self.slices is None:
            return averages
        return self.slices.whole(averages, {path: self.variables[path].shape for path in averages})

    def __call__(self, x: Any, y: Any, weight: Any = None, sums: Statistics | None = None) -> Statistics:
        """Train on one batch.

        A Ctrl-C waits until the step is done, so that it leaves whole weights; a second one does not wait.

        Args:
            x: Inputs: an array of the model's backend, or a tree of them.
            y: Targets likewise.
            weight: Weights of the examples, or None.
            sums: Sums of statistics on the device, to be replaced by the result; see `Totals.on_device`.

        Returns:
            The batch's statistics, which stay on the device; `model.totals()` adds them up. With `sums`, their sum.
        """
        if distribution() is not None and (not isinstance(self.objective, AnyTargets) or cuts_custom_steps()):
            batch = parts.cut((x, y, weight))
            if parts.share_in(batch) is not None:
                return self.on(batch, sums)
        self._look_again()
        return self._run(self.step, sums, x, self.objective.arrange(y), self.objective.arrange(weight, "sample_weight"))

    def on(self, batch: Batch | Gathered, sums: Statistics | None) -> Statistics:
        """The same for a batch of `fit`, or a share of one."""
        if isinstance(batch, tuple):
            x, y, weight = batch
            share = parts.share_in(batch)
            if share is None:
                return self(x, y, weight, sums)
            self._look_again()
            share = parts.to_train(share)
            given = x, self.objective.arrange(y), self.objective.arrange(weight, "sample_weight")
            if share.key not in self.shared_steps:
                self.shared_steps[share.key] = self.compiled_step(share.key)
            with sharing(share):
                return self._run(self.shared_steps[share.key], sums, *given)
        self._look_again()
        if self.gathered_step is None:
            self.gathered_step = self.model.compiled_step(
                ("train", "gathered", *self.trained),
                lambda: step.gathered_step(step.train_step(self.model, self.objective, self.optimizer)),
                (0, 1, 2, 3, 4),
                (5, 6),
            )
        gathering, start, stop = batch.gathering, batch.start, batch.stop
        gathering.begin(start)
        statistics = self._run(self.gathered_step, sums, gathering.place, gathering.order, gathering.data, stop - start)
        gathering.end(stop)
        return statistics

    def _look_again(self) -> None:
        """Follow changes of what is trained, and how."""
        if self.changes != trainable_changes() or (self.options and self.options.changed()):
            self.refresh()
        if self.rate is not self.optimizer.rates:
            self.take_over_learning_rate()

    def _run(self, step: Callable[..., Any], sums: Any, *batch: Any) -> Statistics:
        """Run a step, keep what it replaces, and return its statistics."""
        latest, self.latest = self.latest, None
        if latest is not None and hold(self.ordered, latest[2]):
            params, state, before = latest
        else:
            params, state = self._values(self.trained), self._values(self.kept)
            before = [*params.values(), *state.values()]
        kept = self._state()
        assert kept is not None
        paths, slots = kept
        frozen: dict[str, Any] = {}
        if len(paths) > len(self.trained):
            slots, frozen = divided(slots, set(self.trained))
        with uninterrupted(), in_call("a step of training"):
            statistics: Statistics
            params, state, slots, statistics, *_ = step(params, state, slots, sums, *batch)
            after = [*params.values(), *state.values()]
            if all(map(operator.is_, after, before)):
                self.latest = params, state, after
            else:
                known = dict(zip(self.paths, before, strict=True))
                for values in (params, state):
                    for path, value in values.items():
                        if value is not known[path]:
                            self.variables[path].take(value)
            # An overridden step may have built layers, and so have added paths.
            assert self.model._kept is not None
            self.model._kept = self.model._kept[0], joined(frozen, slots) if frozen else slots
        if distribution() is not None:
            exchange.after_step(self)
        return statistics


@keep_seed()
def train(
    run: TrainingRun,
    feed: Feed,
    validate: Callable[[str], dict[str, Any]] | None,
    epochs: int,
    validation_freq: int | Iterable[int],
    listeners: CallbackList,
) -> None:
    """Train from `model.position` until the given epoch.

    Args:
        run: The run of the model.
        feed: What to train on.
        validate: What gives the loss and metrics of validation, by the occasion.
        epochs: Number of the last epoch.
        validation_freq: Validate every so many epochs, or in the epochs listed, counted from 1.
        listeners: The callbacks.
    """
    run.begin()
    model, position, validates = run.model, run.model.position, _validates(validation_freq)
    with run.gathering_from(feed) as gathering:
        while position.epoch < epochs and not model.stop_training:
            epoch = position.epoch
            if model.records_steps:
                run.refresh()  # callbacks may have changed attributes of layers
            listeners.call("on_epoch_begin", epoch, {})
            totals = model.totals(position.sums, "train")
            try:
                with Whereabouts(f"Epoch {epoch + 1} of {epochs}", feed.source.steps, position.batch) as whereabouts:
                    train_epoch(run, feed, gathering, totals, whereabouts, listeners)
                go_on = None if distribution() is None else exchange.after_epoch(run, totals)
                logs = totals.close()
                feed.finish_checks()
            except KeyboardInterrupt:
                totals.close()  # so that the position says everything about the epoch so far
                raise
            if validate is not None and validates(epoch):
                values = validate(f"validation after epoch {epoch + 1}")
                logs.update({f"val_{name}": value for name, value in values.items()})
            with uninterrupted():
                noted = position.finish_epoch(logs)
            listeners.call("on_epoch_end", epoch, noted)
            if go_on is not None and position.epoch < epochs and not model.stop_training:
                go_on()
    run.finish()
    if distribution() is not None:
        exchange.finish(run)


def _validates(frequency: int | Iterable[int]) -> Callable[[int], bool]:
    """Whether an epoch, by its number from 0, ends with a validation."""
    if isinstance(frequency, (list, tuple, set, frozenset, range)) and frequency:
        chosen = {checks.positive_int("validation_freq", each, "fit") for each in frequency}
        return lambda epoch: epoch + 1 in chosen
    every = checks.positive_int("validation_freq", frequency, "fit")
    return lambda epoch: (epoch + 1) % every == 0


def train_epoch(
    run: TrainingRun,
    feed: Feed,
    gathering: Gathering | None,
    totals: Totals | LatestLogs,
    whereabouts: Whereabouts,
    listeners: CallbackList,
) -> None:
    """Train on the batches that are left of an epoch."""
    position = run.model.position
    run.take_over_learning_rate(max(1, (feed.source.steps or 0) - position.batch))
    feeding = feed.batches(position.epoch, position.batch, gathering=gathering)
    with contextlib.closing(feeding) as batches, interruptible():
        for number, batch in whereabouts.follow(batches):
            run.model._batch = batch
            listeners.begin_batch("train", number)
            with uninterrupted():
                totals.add(run.on(batch, totals.on_device))
                position.batch += 1
            listeners.end_batch("train", number, totals)
            if run.model.stop_training:
                break
        listeners.end_batches()


def loss_and_gradients(model: Trainer, batch: Batch) -> tuple[Array, dict[str, Array]]:
    """The loss on one batch in training, and by path its gradients; nothing changes."""
    objective, trained, (x, y, weight) = model.find_objective(), model.trainable_paths(), batch
    if isinstance(objective, AnyTargets):
        from portanet.training import custom

        return custom.loss_and_gradients(model, x, y, weight)
    share = parts.share_in(batch)
    key = ("gradients", *trained, *(() if share is None else share.key))
    gradients = model.compiled_step(key, lambda: step.gradient_step(model, objective), (), (0, 1))
    state = model.named_values()
    params = {path: state.pop(path) for path in trained}
    loss: Array
    with sharing(share):
        loss, grads = gradients(params, state, x, objective.arrange(y), objective.arrange(weight, "sample_weight"))
    return loss, grads

"""The loops over epochs and batches inside fit, evaluate and predict."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet.callbacks import CallbackList
from portanet.training import step
from portanet.training.data.feed import Feed
from portanet.training.failures import Whereabouts
from portanet.training.interrupts import uninterrupted
from portanet.training.run import TrainingRun
from portanet.training.totals import Totals
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


def train(
    run: TrainingRun,
    feed: Feed,
    held_out: Feed | None,
    epochs: int,
    validates: Callable[[int], bool],
    listeners: CallbackList,
) -> None:
    """Train from `model.position` until the given epoch.

    Args:
        run: The run of the model.
        feed: What to train on.
        held_out: What to validate on.
        epochs: Number of the last epoch.
        validates: Whether an epoch, by its number from 0, ends with a validation.
        listeners: The callbacks.
    """
    model = run.model
    place = model.position
    while place.epoch < epochs and not model.stop_training:
        epoch = place.epoch
        listeners.call("on_epoch_begin", epoch, {})
        totals = model.totals(place.sums)
        try:
            with Whereabouts(f"Epoch {epoch + 1} of {epochs}", feed.source.steps, place.batch) as here:
                train_epoch(run, feed, totals, here, listeners)
            logs = totals.logs()
        except KeyboardInterrupt:
            totals.fetch()  # so that the position says everything about the epoch so far
            raise
        if held_out is not None and validates(epoch):
            logs.update({f"val_{name}": value for name, value in evaluate(model, held_out, listeners).items()})
        with uninterrupted():
            place.finish_epoch(logs)
        listeners.call("on_epoch_end", epoch, logs)
    run.finish()


def train_epoch(
    run: TrainingRun,
    feed: Feed,
    totals: Totals,
    here: Whereabouts,
    listeners: CallbackList,
) -> None:
    """Train on the batches that are left of an epoch."""
    place = run.model.position
    run.take_over_learning_rate()
    with contextlib.closing(feed.batches(place.epoch, place.batch)) as batches:
        for number, batch in here.follow(batches):
            run.model.batch = batch
            listeners.call("on_train_batch_begin", number, {})
            with uninterrupted():
                totals.add(run(*batch))
                place.batch += 1
            listeners.call("on_train_batch_end", number, totals)
            if run.model.stop_training:
                break


def evaluate(model: Trainer, feed: Feed, listeners: CallbackList) -> dict[str, Any]:
    """The loss and metrics over all batches of a feed, by name."""
    objective = model.find_objective()
    test = model.compiled_step(("test", *model.trainable_paths()), lambda: step.test_step(model, objective))
    totals, values = model.totals(), model.named_values()
    listeners.call("on_test_begin", {})
    with Whereabouts("Evaluation", feed.source.steps) as here, contextlib.closing(feed.batches()) as batches:
        for number, (x, y, weight) in here.follow(batches):
            listeners.call("on_test_batch_begin", number, {})
            totals.add(test(values, x, objective.arrange(y), objective.arrange(weight, "sample_weight")))
            listeners.call("on_test_batch_end", number, totals)
    logs = totals.logs()
    listeners.call("on_test_end", logs)
    return logs


def predict(model: Trainer, feed: Feed, listeners: CallbackList) -> Any:
    """The model's results for all batches of a feed: a tree of NumPy arrays."""
    forward = model.compiled_step(("predict",), lambda: step.predict_step(model))
    to_host, values, parts = model.backend.to_host, model.named_values(), []
    listeners.call("on_predict_begin", {})
    with Whereabouts("Prediction", feed.source.steps) as here, contextlib.closing(feed.batches()) as batches:
        for number, (x, _, _) in here.follow(batches):
            listeners.call("on_predict_batch_begin", number, {})
            parts.append(tree_map(to_host, forward(values, x)))
            listeners.call("on_predict_batch_end", number, {"outputs": parts[-1]})
    listeners.call("on_predict_end", {})
    columns = zip(*map(tree_leaves, parts), strict=True)
    return tree_map(lambda _: np.concatenate(next(columns), axis=0), parts[0])

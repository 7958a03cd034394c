"""The loops of evaluate and predict over batches."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet.backends import Array, use_backend
from portanet.callbacks import CallbackList
from portanet.training import step
from portanet.training.data.intake import Feed, Intake
from portanet.training.loops import Whereabouts
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


def evaluate(model: Trainer, feed: Feed, listeners: CallbackList, occasion: str = "evaluation") -> dict[str, Any]:
    """The loss and metrics over all batches of a feed, by name."""
    objective = model.find_objective()
    test = model.compiled_step(("test", *model.trainable_paths()), lambda: step.test_step(model, objective), (0,), (1,))
    totals = model.totals(kind="test")
    model.stop_evaluating = False
    listeners.call("on_test_begin", {})
    values = model.named_values()  # which a callback may have changed
    with (
        Whereabouts(occasion.capitalize(), feed.source.steps) as whereabouts,
        contextlib.closing(feed.batches(occasion=occasion)) as batches,
    ):
        for number, (x, y, weight) in whereabouts.follow(batches):
            listeners.begin_batch("test", number)
            targets, weights = objective.arrange(y), objective.arrange(weight, "sample_weight")
            statistics, assigned = test(totals.on_device, values, x, targets, weights)
            _keep(model, values, assigned)
            totals.add(statistics)
            listeners.end_batch("test", number, totals)
            if model.stop_evaluating:
                break
        listeners.end_batches()
    logs = totals.close()
    feed.finish_checks()
    listeners.call("on_test_end", logs)
    return logs


def predict(model: Trainer, feed: Feed, listeners: CallbackList) -> Any:
    """The model's results for all batches of a feed: a tree of NumPy arrays."""
    forward = model.compiled_step(("predict",), lambda: step.predict_step(model), (), (0,))
    to_host, parts = model.backend.to_host, []
    model.stop_predicting = False
    listeners.call("on_predict_begin", {})
    values = model.named_values()  # which a callback may have changed
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
        forward = model.compiled_step(("predict",), lambda: step.predict_step(model), (), (0,))
        values = model.named_values()
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

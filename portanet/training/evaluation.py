"""The loops of evaluate and predict over batches."""

from __future__ import annotations

import contextlib
import functools
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet.backends import Array, use_backend
from portanet.callbacks import CallbackList
from portanet.distribution.share import Share, sharing
from portanet.distribution.strategy import distribution, in_call
from portanet.training import step
from portanet.training.data.intake import Feed, Intake
from portanet.training.data.parts import share_in
from portanet.training.data.sources import DEFAULT_SIZE, find_source
from portanet.training.whereabouts import Whereabouts
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


def evaluate(model: Trainer, feed: Feed, listeners: CallbackList, occasion: str = "evaluation") -> dict[str, Any]:
    """The loss and metrics over all batches of a feed, by name."""
    objective = model.find_objective()
    key = ("test", *model.trainable_paths())

    @functools.cache
    def test_of(share: Share | None) -> Any:
        own = key if share is None else (*key, *share.key)
        return model.compiled_step(own, lambda: step.test_step(model, objective), (0,), (1,))

    test_of(None)  # which may drop the sums of other steps, before there are new ones
    totals = model.totals(kind="test")
    model.stop_evaluating = False
    listeners.call("on_test_begin", {})
    values = model.named_values()  # which a callback may have changed
    with (
        Whereabouts(occasion.capitalize(), feed.source.steps) as whereabouts,
        contextlib.closing(feed.batches(occasion=occasion)) as batches,
    ):
        for number, batch in whereabouts.follow(batches):
            listeners.begin_batch("test", number)
            (x, y, weight), share = batch, share_in(batch)
            targets, weights = objective.arrange(y), objective.arrange(weight, "sample_weight")
            with sharing(share):
                statistics, assigned = test_of(share)(totals.on_device, values, x, targets, weights)
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


def predict(
    model: Trainer,
    x: Any,
    batch_size: int | None,
    verbose: Any,
    steps: int | None,
    callbacks: Any,
    check_finite: bool,
    prefetch: int,
) -> Any:
    """`Trainer.predict`, but for lazy arrays."""
    given, usual = (verbose, callbacks, steps, check_finite, prefetch), (0, (), None, True, 2)
    # Processes of a job take the same way, whether their backend has plans or not.
    ordinary = distribution() is None and all(
        type(one) is type(other) and one == other for one, other in zip(given, usual, strict=True)
    )
    results = _at_once(model, x, batch_size) if ordinary else NotImplemented
    if results is not NotImplemented:
        return results
    with use_backend(model.backend), in_call("predict"):
        intake = Intake(model, check_finite, prefetch, only_inputs=True)
        feed = intake.feed(find_source(intake, x, None, None, batch_size, False, steps))
        listeners = CallbackList(callbacks, model=model, epochs=1, steps=feed.source.steps, verbose=verbose)
        results = _predict(model, feed, listeners)
    if ordinary:
        _note_direct(model, x)
    return results


def _predict(model: Trainer, feed: Feed, listeners: CallbackList) -> Any:
    """The model's results for all batches of a feed: a tree of NumPy arrays."""
    forward = _Forward(model, listeners)
    to_host, parts = model.backend.to_host, []
    model.stop_predicting = False
    listeners.call("on_predict_begin", {})
    forward.begin()  # with variables that a callback may have changed
    with (
        Whereabouts("Prediction", feed.source.steps) as whereabouts,
        contextlib.closing(feed.batches(occasion="prediction")) as batches,
    ):
        for number, batch in whereabouts.follow(batches):
            listeners.begin_batch("predict", number)
            share = share_in(batch)
            own = tree_map(to_host, forward(batch[0], share))
            parts.append(own if share is None else share.gathered(own))
            listeners.end_batch("predict", number, {"outputs": parts[-1]})
            if model.stop_predicting:
                break
        listeners.end_batches()
    listeners.call("on_predict_end", {})
    columns = zip(*map(tree_leaves, parts), strict=True)
    return tree_map(lambda _: np.concatenate(next(columns), axis=0), parts[0])


def predict_batch(model: Trainer, x: Any) -> Any:
    """The model's results for one batch of a user's: a tree of NumPy arrays."""
    results = model.planned_prediction(x)
    if results is not NotImplemented:
        return results
    with use_backend(model.backend) as backend, Whereabouts("Prediction", 1) as whereabouts:
        batch = Intake(model, False, 0, only_inputs=True).whole(x)
        whereabouts.batch = batch, None, None
        forward = _Forward(model)
        forward.begin()
        results = tree_map(backend.to_host, forward(batch))
    _note_direct(model, x)
    return results


def _note_direct(model: Trainer, x: Any) -> None:
    """Note whether later predictions from data like these need neither checks nor conversion."""

    def unchanged() -> bool:
        with use_backend(model.backend):
            taken = Intake(model, False, 0, only_inputs=True).whole(x)
        return all(map(operator.is_, tree_leaves(taken), tree_leaves(x)))

    model.note_direct(x, unchanged)


def _at_once(model: Trainer, x: Any, batch_size: int | None) -> Any:
    """The results for inputs that are one batch and have a plan; NotImplemented for others, and for NaN in them."""
    size = DEFAULT_SIZE if batch_size is None else batch_size
    leaves = tree_leaves(x)
    if type(size) is not int or any(len(getattr(leaf, "shape", ())) < 1 or leaf.shape[0] > size for leaf in leaves):
        return NotImplemented
    return model.planned_prediction(x, check_finite=True)


class _Forward:
    """A model's results for batches that are on the device.

    Args:
        model: The model.
        listeners: Callbacks, which may change the model between batches: then there are no plans.
    """

    def __init__(self, model: Trainer, listeners: CallbackList | None = None) -> None:
        self.model = model
        self.plans = not model.has_custom_step("predict") and not (listeners and listeners.callbacks)
        self.values: dict[str, Array] | None = None

    def begin(self) -> None:
        """Take the values of the variables, unless they are those of plans."""
        self.values = None if self.plans else self.model.named_values()

    def __call__(self, x: Any, share: Share | None = None) -> Any:
        if self.plans and share is None:
            return self.model.planned(x, False, lambda: self._compute(x))
        return self._compute(x, share)

    def _compute(self, x: Any, share: Share | None = None) -> Any:
        if self.values is None:
            self.values = self.model.named_values()
        key = ("predict", *(() if share is None else share.key))
        forward = self.model.compiled_step(key, lambda: step.predict_step(self.model), (), (0,))
        with sharing(share):
            y_pred, assigned = forward(self.values, x)
        _keep(self.model, self.values, assigned)
        return y_pred


def _keep(model: Trainer, values: dict[str, Array], assigned: dict[str, Array]) -> None:
    """Take over what a call has assigned, such as the states of recurrent layers, for the next batch and later."""
    if assigned:
        variables = model.named_variables()
        for path, value in assigned.items():
            variables[path].take(value)
        values.update(assigned)

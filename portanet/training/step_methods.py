"""What the methods of a step do that a model's class does not override; see `portanet.training.overridable`."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from portanet import checks
from portanet.autodiff import array_namespace, hvp, lift, unwrap, value_and_grad
from portanet.backends import Array
from portanet.configurable import is_of_user, overrides
from portanet.distribution.share import fraction, of_share, share
from portanet.layers import Layer
from portanet.masks import mask_of, remember
from portanet.metrics import Metric
from portanet.metrics.total_variables import metrics_in
from portanet.mixed_precision import at_least_float32
from portanet.ops.conversion import beside
from portanet.optimizers import Optimizer
from portanet.optimizers.applied import held_by, update
from portanet.training.objective import AnyTargets, Objective, has_objective, no_loss, objective_of
from portanet.training.step import examples, over_processes
from portanet.tree import tree_leaves, tree_map
from portanet.variables import Variable, bind, collect_losses

if TYPE_CHECKING:
    from portanet.training.overridable import Overridable


summed: ContextVar[set[Variable]] = ContextVar("portanet_gradients_summed")
"""The weights whose gradients were added up over processes in the step at hand."""


def packed(x: Any, y: Any, weight: Any) -> Any:
    """A batch as Keras passes it to steps: `x`, `(x, y)` or `(x, y, sample_weight)`."""
    if weight is not None:
        return x, y, weight
    return (x, y) if y is not None else (x,) if isinstance(x, (list, tuple)) else x


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a batch; None where there is none."""
    if not isinstance(data, (list, tuple)):
        return data, None, None
    x, y, weight = (*data, None, None)[:3]
    return x, y, weight


def train(model: Overridable, data: Any) -> dict[str, Any]:
    """`Overridable.train_step`."""
    x, y, weight = unpacked(data)
    optimizer, variables = model.optimizer, model.trainable_weights
    assert optimizer is not None
    state = held_by(optimizer).state

    def goal() -> tuple[Array, Any]:
        inputs, targets = tree_map(lift, x), tree_map(lift, y)  # not every library computes `plain * traced`
        y_pred = model(inputs, training=True)
        loss = loss_of(model, inputs, targets, y_pred, weight, True)
        given = () if is_of_user(type(optimizer), "scale_loss") else (state,)
        return optimizer.scale_loss(loss, *given), (loss, y_pred, _plain_mask(y_pred))

    def loss_at(values: dict[Variable, Array]) -> Array:
        with unchanged(model, {**before, **values}):
            loss: Array = goal()[1][0]
            return loss

    before = {v: v.value for v in model.variables}
    values = {v: before[v] for v in variables}
    (_, (loss, y_pred, mask)), grads = model.value_and_gradients(goal, variables, has_aux=True)
    if mask is not None:
        remember(y_pred, mask)
    track(model, "loss", loss, examples(x))
    # Whatever can fail comes before the update.
    logs = model.compute_metrics(x, y, y_pred, sample_weight=weight)

    def product(vector: dict[Variable, Array]) -> dict[Variable, Array]:
        products = hvp(loss_at, (values,), (vector,))
        return dict(zip(variables, over_processes([of_share(products[v]) for v in variables]), strict=True))

    if variables:
        if overrides(type(optimizer), Optimizer, "apply"):
            optimizer.apply(grads, variables)
        else:
            update(optimizer, grads, variables, product)
    return logs


def test(model: Overridable, data: Any) -> dict[str, Any]:
    """`Overridable.test_step`."""
    x, y, weight = unpacked(data)
    y_pred = model(x, training=False)
    track(model, "loss", loss_of(model, x, y, y_pred, weight, False), examples(x))
    return model.compute_metrics(x, y, y_pred, sample_weight=weight)


def loss_of(model: Overridable, x: Any, y: Any, y_pred: Any, weight: Any, training: bool) -> Array:
    """The result of `compute_loss`, of which earlier versions of Keras do not pass `training`."""
    parameters = inspect.signature(model.compute_loss).parameters
    takes = "training" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    options = {"training": training} if takes else {}
    loss: Any = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight, **options)
    if not hasattr(loss, "shape") or tuple(loss.shape) != ():
        received = f"shape {tuple(loss.shape)}" if hasattr(loss, "shape") else type(loss).__name__
        raise ValueError(
            f"Method `compute_loss` of model '{model.name}' must return an array of shape (), the mean or sum over the "
            f"batch. Received: {received}"
        )
    array: Array = loss
    return array


def compute_loss(model: Overridable, y: Any, y_pred: Any, weight: Any) -> Array:
    """`Overridable.compute_loss`."""
    parts, objective = model.losses, objective_for(model, y_pred)
    if objective is not None and any(output.loss is not None for output in objective.outputs):
        leaves = tree_leaves(y_pred)
        y, weight = tree_map(lambda data: beside(data, unwrap(leaves[0])), (y, weight))
        masks = [_plain_mask(leaf) for leaf in leaves]
        targets, weights = objective.arrange(y), objective.arrange(weight, "sample_weight")
        values = [
            value / fraction()  # means of this process's examples, as other losses are
            for value in objective.values(targets, at_least_float32(leaves), weights, masks)
        ]
        for name, value in zip(objective.loss_names(), values, strict=False):
            track(model, name, value, examples(y_pred))
        parts.append(objective.total(values))
    if not parts:
        raise no_loss(model.name)
    return sum(parts[1:], parts[0])


def update_metrics(model: Overridable, y: Any, y_pred: Any, weight: Any) -> None:
    """Add a batch to the metrics of `compile`."""
    objective = objective_for(model, y_pred)
    if objective is None:
        return
    y, y_pred, weight = (tree_map(unwrap, tree) for tree in (y, y_pred, weight))
    leaves = tree_leaves(y_pred)
    y, weight = tree_map(lambda data: beside(data, leaves[0]), (y, weight))
    masks = [_plain_mask(leaf) for leaf in leaves]
    targets, weights = objective.arrange(y), objective.arrange(weight, "sample_weight")
    for _, metric, true, pred, w in objective.compared(targets, at_least_float32(leaves), weights, masks):
        metric.update_state(true, pred, *(() if w is None else (w,)))


def objective_for(model: Overridable, y_pred: Any) -> Objective | None:
    """The losses and metrics of `compile` for these predictions; None if there are none."""
    known = model._objective
    if isinstance(known, Objective):
        return known
    if known is None:
        known = model._objective = AnyTargets(None)
    if known.objective is None and has_objective(model._settings):
        shapes = tree_map(lambda leaf: (None, *leaf.shape[1:]), y_pred)
        known.objective = objective_of(model, shapes)
    objective: Objective | None = known.objective
    return objective


def track(model: Overridable, name: str, loss: Array, count: int) -> None:
    """Add the loss of a batch to its mean over the epoch."""
    value = at_least_float32(unwrap(loss))
    number = array_namespace(value).full_like(value, float(count))
    model._tracker(name).add((value * number, number))


def value_and_gradients(
    model: Layer, loss_fn: Callable[[], Any], variables: Iterable[Variable] | None, has_aux: bool
) -> tuple[Any, list[Array]]:
    """`Overridable.value_and_gradients`."""
    checks.function("loss_fn", loss_fn, "value_and_gradients")
    has_aux = checks.boolean("has_aux", has_aux, "value_and_gradients")
    _build_by_trial(model, loss_fn)
    chosen = list(model.trainable_weights if variables is None else variables)
    for variable in chosen:
        if not isinstance(variable, Variable):
            raise checks.invalid("variables", variable, "a list of variables", "value_and_gradients")
    if not chosen:
        raise ValueError(
            f"value_and_gradients needs variables: model '{model.name}' has none that are trained. Received: none"
        )
    others = [v for v in model.variables if v not in set(chosen)]

    def goal(values: list[Array]) -> tuple[Array, Any]:
        before = {v: v.value for v in others}
        with bind({**before, **dict(zip(chosen, values, strict=True))}) as bound, collect_losses():
            loss, aux = loss_fn() if has_aux else (loss_fn(), None)
            return of_share(loss), (aux, [bound[v] for v in others])

    (loss, (aux, state)), grads = value_and_grad(goal, has_aux=True)([v.value for v in chosen])
    if share() is not None:
        loss, grads = over_processes((unwrap(loss), list(grads)))
        summed.get(set()).update(chosen)
    for variable, value in zip(others, state, strict=True):
        if value is not variable.value:
            variable.take(value)
    return ((loss, aux) if has_aux else loss), grads


def _build_by_trial(model: Layer, function: Callable[[], Any]) -> None:
    """Build the layers that a function calls, since gradients are those of variables that exist before."""
    unbuilt = {id(layer) for layer in unbuilt_layers(model)}
    if unbuilt and unbuilt != getattr(model, "_unbuilt", None):
        with unchanged(model, {}):
            function()
        model._unbuilt = {id(layer) for layer in unbuilt_layers(model)}  # type: ignore[attr-defined]


def unbuilt_layers(model: Layer) -> list[Layer]:
    """The layers that are not built, without those that compute nothing themselves, such as a GAN."""
    return [layer for layer in model.flatten_layers() if not layer._built and layer._computes]


@contextlib.contextmanager
def unchanged(model: Any, values: dict[Variable, Array]) -> Iterator[None]:
    """Compute with other values of variables, and leave variables, metrics and losses as they are."""
    metrics = every_metric(model)
    totals = [metric.totals for metric in metrics]
    try:
        with bind({**{v: v.value for v in model.variables}, **values}), collect_losses():
            yield
    finally:
        for metric, total in zip(metrics, totals, strict=True):
            metric.totals = total


def every_metric(model: Overridable) -> list[Metric]:
    """Every metric that a step may update, each once."""
    named = [model._tracker("loss"), *model._compiled_metrics().values(), *model._own_metrics(), *model.metrics]
    return list({id(inside): inside for metric in named for inside in metrics_in(metric)}.values())


def _plain_mask(y_pred: Any) -> Any:
    mask = mask_of(y_pred)
    return None if mask is None else tree_map(unwrap, mask)

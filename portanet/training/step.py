"""The steps of training and evaluation as pure functions of (parameters, state, batch), which a backend can compile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from portanet.autodiff import array_namespace, hvp, lift, value_and_grad
from portanet.backends import Array
from portanet.layers import Layer
from portanet.losses import Loss
from portanet.metrics import Metric
from portanet.optimizers import Optimizer
from portanet.variables import Variable, bind, collect_losses

Tree = dict[str, Array]
Statistics = dict[str, tuple[Array, ...]]


def train_step(model: Layer, loss: Loss, metrics: list[Metric], optimizer: Optimizer) -> Callable[..., Any]:
    """`step(params, state, optimizer_state, x, y, weight)` gives the first three anew, and the batch's statistics."""
    variables = model.named_variables()

    def step(params: Tree, state: Tree, optimizer_state: dict[str, Any], x: Array, y: Array, weight: Any) -> Any:
        def objective(params: Tree) -> tuple[Array, Any]:
            bound_values = {variables[p]: v for p, v in (*params.items(), *state.items())}
            with bind(bound_values) as bound, collect_losses() as added:
                y_pred = model(lift(x), training=True)
                value = loss.compute(lift(y), y_pred, weight)
                value = sum([*penalties(variables, params), *added], value)
                new_state = {path: bound[variables[path]] for path in state}
            return value, (new_state, y_pred)

        (value, (new_state, y_pred)), grads = value_and_grad(objective, has_aux=True)(params)
        optimizer_state = optimizer.observe(
            lambda v: hvp(lambda p: objective(p)[0], (params,), (v,)), params, optimizer_state
        )
        params, optimizer_state = optimizer.update(params, grads, optimizer_state)
        for path, p in params.items():
            constraint = variables[path].constraint
            if constraint is not None:
                params[path] = constraint(p)
        return params, new_state, optimizer_state, statistics(value, metrics, x, y, y_pred, weight)

    return step


def test_step(model: Layer, loss: Loss, metrics: list[Metric]) -> Callable[..., Any]:
    """`step(values, x, y, weight)` gives the batch's statistics."""
    variables, trained = model.named_variables(), model.trainable_paths()

    def step(values: Tree, x: Array, y: Array, weight: Any) -> Statistics:
        with bind({variables[p]: v for p, v in values.items()}), collect_losses() as added:
            y_pred = model(x, training=False)
            value = loss.compute(y, y_pred, weight)
            value = sum([*penalties(variables, trained), *added], value)
        return statistics(value, metrics, x, y, y_pred, weight)

    return step


def predict_step(model: Layer) -> Callable[..., Any]:
    """`step(values, x)` gives the predictions."""
    variables = model.named_variables()

    def step(values: Tree, x: Array) -> Array:
        with bind({variables[p]: v for p, v in values.items()}):
            return model(x, training=False)

    return step


def penalties(variables: dict[str, Variable], trained: Iterable[str]) -> list[Array]:
    """What the regularizers of the trained weights add to the loss; frozen weights add nothing, as in Keras."""
    chosen = [variables[path] for path in trained]
    return [v.regularizer(v.value) for v in chosen if v.regularizer is not None]


def statistics(value: Array, metrics: list[Metric], x: Array, y: Array, y_pred: Array, weight: Any) -> Statistics:
    """What a batch adds to the totals: the loss by the number of examples, and every metric's sums."""
    xp = array_namespace(value)
    count = float(x.shape[0])
    found: Statistics = {"loss": (value * count, xp.full_like(value, count))}
    for metric in metrics:
        found[metric.name] = metric.statistics(y, y_pred, weight)
    return found

"""The steps of training and evaluation as pure functions of (parameters, state, batch), which a backend can compile.

A batch is `(x, y, weight)`: a tree of inputs, and lists of targets and weights as `Objective.arrange` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from portanet.autodiff import hvp, lift, value_and_grad
from portanet.backends import Array
from portanet.layers import Layer
from portanet.mixed_precision import at_least_float32
from portanet.optimizers import Optimizer
from portanet.training.objective import Objective, Statistics
from portanet.training.parts import Division
from portanet.tree import tree_leaves, tree_map
from portanet.variables import Variable, bind, collect_losses

Tree = dict[str, Array]


def train_step(model: Layer, objective: Objective, optimizer: Optimizer) -> Callable[..., Any]:
    """`step(params, state, optimizer_state, x, y, weight)` gives the first three anew, and the batch's statistics."""
    variables, division = model.named_variables(), Division(model)

    def step(params: Tree, state: Tree, optimizer_state: dict[str, Any], x: Any, y: list[Any], weight: Any) -> Any:
        def goal(params: Tree) -> tuple[Array, Any]:
            return training_loss(model, objective, variables, params, state, (x, y, weight), division)

        def scaled_goal(params: Tree) -> tuple[Array, Any]:
            total, aux = goal(params)
            return optimizer.scale_loss(total, optimizer_state), aux

        (_, (total, new_state, values, y_pred)), grads = value_and_grad(scaled_goal, has_aux=True)(params)
        # Whatever can fail comes before the update, which changes arrays in place where they are mutable.
        statistics = objective.statistics(total, values, examples(x), y, y_pred, weight)
        optimizer_state = optimizer.observe(
            lambda v: hvp(lambda p: goal(p)[0], (params,), (v,)), params, optimizer_state
        )
        params, optimizer_state = optimizer.update(params, grads, optimizer_state)
        for path, p in params.items():
            constraint = variables[path].constraint
            if constraint is not None:
                params[path] = constraint(p)
        return params, new_state, optimizer_state, statistics

    return step


def gradient_step(model: Layer, objective: Objective) -> Callable[..., Any]:
    """`step(params, state, x, y, weight)` gives the loss of a batch in training, and its gradients."""
    variables, division = model.named_variables(), Division(model)

    def step(params: Tree, state: Tree, x: Any, y: list[Any], weight: Any) -> tuple[Array, Tree]:
        def goal(params: Tree) -> tuple[Array, Any]:
            return training_loss(model, objective, variables, params, state, (x, y, weight), division)

        (total, _), grads = value_and_grad(goal, has_aux=True)(params)
        return total, grads

    return step


def training_loss(
    model: Layer,
    objective: Objective,
    variables: dict[str, Variable],
    params: Tree,
    state: Tree,
    batch: Any,
    division: Division,
) -> tuple[Array, Any]:
    """The loss of a batch in training; and again, with the new state, the losses of single outputs, the predictions."""
    x, y, weight = batch

    def forward(params: Tree, x: Any) -> tuple[list[Array], Tree]:
        with bind({variables[p]: v for p, v in (*params.items(), *state.items())}) as bound:
            y_pred = at_least_float32(tree_leaves(model(tree_map(lift, x), training=True)))
            return y_pred, {path: bound[variables[path]] for path in state}

    with collect_losses() as added:
        y_pred, new_state = division.compute(forward, params, x)
    with bind({variables[p]: v for p, v in (*params.items(), *new_state.items())}):
        values = objective.values([lift(true) for true in y], y_pred, weight)
        total = sum([*penalties(variables, params), *added], objective.total(values))
    return total, (total, new_state, values, y_pred)


def test_step(model: Layer, objective: Objective) -> Callable[..., Any]:
    """`step(values, x, y, weight)` gives the batch's statistics."""
    variables, trained = model.named_variables(), model.trainable_paths()

    def step(values: Tree, x: Any, y: list[Any], weight: Any) -> Statistics:
        with bind({variables[p]: v for p, v in values.items()}), collect_losses() as added:
            y_pred = at_least_float32(tree_leaves(model(x, training=False)))
            parts = objective.values(y, y_pred, weight)
            total = sum([*penalties(variables, trained), *added], objective.total(parts))
        return objective.statistics(total, parts, examples(x), y, y_pred, weight)

    return step


def predict_step(model: Layer) -> Callable[..., Any]:
    """`step(values, x)` gives the predictions."""
    variables = model.named_variables()

    def step(values: Tree, x: Any) -> Any:
        with bind({variables[p]: v for p, v in values.items()}):
            return model(x, training=False)

    return step


def penalties(variables: dict[str, Variable], trained: Iterable[str]) -> list[Array]:
    """What the regularizers of the trained weights add to the loss; frozen weights add nothing, as in Keras."""
    chosen = [variables[path] for path in trained]
    return [v.regularizer(v.value) for v in chosen if v.regularizer is not None]


def examples(x: Any) -> int:
    """The number of examples in a batch."""
    return int(tree_leaves(x)[0].shape[0])

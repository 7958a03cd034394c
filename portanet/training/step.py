"""The steps of training and evaluation as pure functions of (parameters, state, batch), which a backend can compile.

A batch is `(x, y, weight)`: a tree of inputs, and lists of targets and weights as `Objective.arrange` gives them.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

from portanet import activations
from portanet.autodiff import array_namespace, custom_vjp, hvp, is_traced, lift, unwrap, value_and_grad, vjp
from portanet.backends import Array, backend_class_of, device_of, get_backend, is_dtype, map_each, raw_namespace
from portanet.configurable import Configurable
from portanet.distribution.gradients import GradientSum
from portanet.distribution.share import fraction, of_share, share
from portanet.distribution.slices import Slices
from portanet.layers import Layer
from portanet.layers.calling import call_with_mask
from portanet.layers.several_inputs import map_shapes
from portanet.layers.symbolic import SymbolicArray
from portanet.masks import masks_of
from portanet.mixed_precision import at_least_float32
from portanet.optimizers import Optimizer
from portanet.random.streams import part_of_batch
from portanet.training.objective import Objective, Statistics
from portanet.tree import tree_leaves, tree_map
from portanet.variables import Variable, bind, collect_losses, trainable_changes

Tree = dict[str, Array]


def train_step(
    model: Layer, objective: Objective, optimizer: Optimizer, slices: Slices | None = None
) -> Callable[..., Any]:
    """`step(params, state, optimizer_state, sums, x, y, weight)` gives the first four anew.

    `sums` are those of statistics, to which the batch's are added; None for the statistics of the batch alone.

    Args:
        model: The model.
        objective: What it is trained for.
        optimizer: Its optimizer.
        slices: How weights and the optimizer's state are cut, if each process updates a part of them.
    """
    variables, division = model.named_variables(), Division(model)

    def step(
        params: Tree, state: Tree, optimizer_state: dict[str, Any], sums: Any, x: Any, y: list[Any], weight: Any
    ) -> Any:
        x, y, weight = get_backend().divided((x, y, weight))

        def goal(params: Tree) -> tuple[Array, Any]:
            return training_loss(model, objective, variables, params, state, (x, y, weight), division)

        part = share()
        together = None if part is None else GradientSum(part, params, variables, slices)

        def scaled_goal(params: Tree) -> tuple[Array, Any]:
            total, aux = goal(params if together is None else together.watched(params))
            return optimizer.scale_loss(total, optimizer_state), aux

        (_, (total, new_state, values, y_pred, masks)), grads = value_and_grad(scaled_goal, has_aux=True)(params)
        # Whatever can fail comes before the update, which changes arrays in place where they are mutable.
        statistics = objective.statistics(total, values, examples(x), y, y_pred, weight, masks)
        if together is not None:
            kept = averaged(state, new_state)
            grads, (kept, statistics) = together.finish(grads, (kept, statistics))
            new_state = {**new_state, **kept}
        statistics = summed(sums, statistics)
        optimizer_state = optimizer.observe(
            lambda v: over_processes(hvp(lambda p: goal(p)[0], (params,), (v,))), params, optimizer_state
        )
        if slices is None:
            params, optimizer_state = optimizer.update(params, grads, optimizer_state)
        else:
            shapes = {path: tuple(p.shape) for path, p in params.items()}
            with slices.update(shapes):
                own = grads if together is not None else slices.cut(grads)
                own, optimizer_state = optimizer.update(slices.cut(params), own, optimizer_state)
            params = slices.whole(own, shapes)
        for path, p in params.items():
            constraint = variables[path].constraint
            if constraint is not None:
                params[path] = constraint(p)
        return params, new_state, optimizer_state, statistics

    return step


def gathered_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step(params, state, optimizer_state, sums, place, order, data, count)` gives the first five anew.

    It is a step of training on the `count` examples from `place` on, an array of shape () that it moves on.

    Args:
        step: What `train_step` returned.
    """

    def gathered(
        params: Tree, state: Tree, optimizer_state: Any, sums: Any, place: Array, order: Any, data: Any, count: int
    ) -> Any:
        xp = raw_namespace(place)
        chosen = place + xp.arange(count, dtype=place.dtype, device=device_of(place))
        if order is not None:
            chosen = xp.take(order, chosen, axis=0)
        batch = tree_map(lambda leaf: xp.take(leaf, chosen, axis=0), data)
        results = step(params, state, optimizer_state, sums, *batch)
        place += count
        return (*results, place)

    return gathered


def gradient_step(model: Layer, objective: Objective) -> Callable[..., Any]:
    """`step(params, state, x, y, weight)` gives the loss of a batch in training, and its gradients."""
    variables, division = model.named_variables(), Division(model)

    def step(params: Tree, state: Tree, x: Any, y: list[Any], weight: Any) -> tuple[Array, Tree]:
        x, y, weight = get_backend().divided((x, y, weight))

        def goal(params: Tree) -> tuple[Array, Any]:
            return training_loss(model, objective, variables, params, state, (x, y, weight), division)

        (total, _), grads = value_and_grad(goal, has_aux=True)(params)
        total, grads = over_processes((total, grads))
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
    """The loss of a batch in training; and again, with the new state, the losses of single outputs, the predictions
    and their masks.
    """
    x, y, weight = batch

    def forward(params: Tree, x: Any) -> tuple[list[Array], tuple[list[Any], Tree]]:
        with bind({variables[p]: v for p, v in (*params.items(), *state.items())}) as bound:
            y_pred, masks = predictions(model, tree_map(lift, x), training=True)
            return y_pred, (masks, {path: bound[variables[path]] for path in state})

    with collect_losses() as added:
        y_pred, (masks, new_state) = division.compute(forward, params, x)
    with bind({variables[p]: v for p, v in (*params.items(), *new_state.items())}):
        values = objective.values([lift(true) for true in y], y_pred, weight, masks)
        total = objective.total(values, [*map(of_share, penalties(variables, params)), *map(of_share, added)])
    return total, (total, new_state, values, y_pred, masks)


def predictions(model: Layer, x: Any, training: bool) -> tuple[list[Array], list[Any]]:
    """The outputs of a model in at least float32, and for each its mask or None."""
    out, mask = call_with_mask(model, x, mask=None, training=training)
    y_pred = at_least_float32(tree_leaves(out))
    masks = [None] * len(y_pred) if mask is None else masks_of(mask, len(y_pred))
    return y_pred, [None if m is None else unwrap(m) for m in masks]


def test_step(model: Layer, objective: Objective) -> Callable[..., Any]:
    """`step(sums, values, x, y, weight)` gives the sums anew, as in `train_step`, and the values that the call has
    assigned, by path.
    """
    variables, trained = model.named_variables(), model.trainable_paths()

    def step(sums: Any, values: Tree, x: Any, y: list[Any], weight: Any) -> tuple[Statistics, Tree]:
        x, y, weight = get_backend().divided((x, y, weight))
        with bind({variables[p]: v for p, v in values.items()}) as bound, collect_losses() as added:
            y_pred, masks = predictions(model, x, training=False)
            parts = objective.values(y, y_pred, weight, masks)
            total = objective.total(parts, [*map(of_share, penalties(variables, trained)), *map(of_share, added)])
        assigned = {path: bound[variables[path]] for path, v in values.items() if bound[variables[path]] is not v}
        statistics = over_processes(objective.statistics(total, parts, examples(x), y, y_pred, weight, masks))
        return summed(sums, statistics), assigned

    return step


def predict_step(model: Layer) -> Callable[..., Any]:
    """`step(values, x)` gives the predictions, and the values that the call has assigned, by path."""
    variables, division = model.named_variables(), Division(model)

    def predict(values: Tree, x: Any) -> Any:
        with bind({variables[p]: v for p, v in values.items()}) as bound, collect_losses():
            y_pred = model(x, training=False)
        return y_pred, {path: bound[variables[path]] for path, v in values.items() if bound[variables[path]] is not v}

    def step(values: Tree, x: Any) -> Any:
        x = get_backend().divided(x)
        first = tree_leaves(x)[0]
        parts, backend = division.parts(first), backend_class_of(first)
        if len(parts) < 2 or backend is None:
            return predict(values, x)
        computed = backend.map_parts(lambda part: predict(values, tree_map(lambda leaf: leaf[part, ...], x)), parts)
        each, assigned = zip(*computed, strict=True)
        return tree_map(lambda *leaves: array_namespace(*leaves).concat(leaves), *each), assigned[0]

    return step


def over_processes(tree: Any) -> Any:
    """The sums of a tree of arrays over the processes that compute a batch."""
    part = share()
    return tree if part is None else part.sum(tree)


def averaged(state: Tree, new_state: Tree) -> Tree:
    """What the parts of a batch add to numbers that a model keeps beside its weights, such as running averages."""
    return {
        path: value * fraction()
        for path, value in new_state.items()
        if value is not state[path] and is_dtype(raw_namespace(value), value.dtype, "real floating")
    }


_flags: WeakKeyDictionary[Layer, tuple[int, tuple[str, ...]]] = WeakKeyDictionary()


def trainable_flags(model: Layer) -> tuple[str, ...]:
    """Which layers are trainable: a part of the key of a compiled step, which holds for one combination alone."""
    changes = trainable_changes()
    if model not in _flags or _flags[model][0] != changes:
        _flags[model] = changes, tuple(str(layer.trainable) for layer in model.flatten_layers())
    return _flags[model][1]


def summed(sums: Any, statistics: Statistics) -> Statistics:
    """Sums of statistics in float64 with those of one more batch; the statistics themselves, if there are no sums.

    Args:
        sums: Sums by name; empty ones begin with this batch.
        statistics: Statistics of the batch.
    """
    if sums is None:
        return statistics

    def add(name: str, i: int, value: Array) -> Array:
        xp = array_namespace(value)
        wide = xp.astype(value, xp.float64)
        return sums[name][i] + wide if sums else wide

    return {name: tuple(add(name, i, v) for i, v in enumerate(each)) for name, each in statistics.items()}


def penalties(variables: dict[str, Variable], trained: Iterable[str]) -> list[Array]:
    """What the regularizers of the trained weights add to the loss; frozen weights add nothing, as in Keras."""
    chosen = [variables[path] for path in trained]
    return [v.regularizer(v.value) for v in chosen if v.regularizer is not None]


def examples(x: Any) -> int:
    """The number of examples in a batch."""
    return int(tree_leaves(x)[0].shape[0])


Forward = Callable[[dict[str, Array], Any], tuple[list[Array], tuple[list[Any], Any]]]
"""A model's results for parameters and inputs, and their masks, with the examples as their first axis; and something
else, the same for each part of a batch.
"""


class Division:
    """How batches are divided in the training of a model, if they are.

    Args:
        model: The model, built.
    """

    def __init__(self, model: Layer) -> None:
        inner = [layer for layer in model.flatten_layers() if layer._built and not layer.sublayers()]
        shapes = [tuple(_input_shape(layer)[1:]) for layer in inner] if keeps_examples_apart(model) else []
        self.count = len(shapes)
        """How many shapes layers see; none for models whose result might change."""
        self.elements = sum(math.prod(shape) for shape in shapes if None not in shape)
        self.open = [shape for shape in shapes if None in shape]

    def parts(self, x: Array) -> list[slice]:
        """The parts of a batch, of which `x` is the first input; sizes that layers do not know are those of `x`."""
        backend = backend_class_of(x)
        if not self.count or backend is None:
            return [slice(0, x.shape[0])]
        sizes = dict(enumerate(x.shape[1:])) if self.open else {}
        seen = [math.prod(n or sizes.get(i, 1) for i, n in enumerate(shape)) for shape in self.open]
        return backend.parts(x.shape[0], (self.elements + sum(seen)) / self.count)

    def compute(self, forward: Forward, params: dict[str, Array], x: Any) -> tuple[list[Array], tuple[list[Any], Any]]:
        """As `forward(params, x)`.

        Args:
            forward: The model.
            params: Traced arrays by name.
            x: A tree of arrays, constants for the derivative.
        """
        first = tree_leaves(x)[0]
        parts = self.parts(first)
        return forward(params, x) if len(parts) < 2 else _in_parts(forward, params, x, parts, backend_class_of(first))


def keeps_examples_apart(model: Layer) -> bool:
    """Whether the result for each example is known to depend on that example alone, and to be all that comes of a call.

    Functions that a user wrote, be it an activation, may do anything.
    """
    return all(
        layer.independent_examples
        and layer.activity_regularizer is None
        and not _goes_along_the_batch(layer)
        and not _has_constants(layer)
        and not any(map(_is_unknown_function, vars(layer).values()))
        for layer in model.flatten_layers()
    )


def _goes_along_the_batch(layer: Layer) -> bool:
    """Whether the axis that a layer works along is the batch."""
    axis: Any = getattr(layer, "axis", None)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    if axis is None:
        return False
    known = layer._built and all(isinstance(each, int) for each in axes)
    return not known or any(each % len(_input_shape(layer)) == 0 for each in axes)


def _has_constants(layer: Layer) -> bool:
    """Whether it is called, in a graph, with arrays that are no inputs of the model: they may be for a whole batch."""
    leaves = tree_leaves([node.options for node in layer._nodes])
    return any(hasattr(leaf, "shape") and not isinstance(leaf, SymbolicArray) for leaf in leaves)


def _input_shape(layer: Layer) -> Any:
    """The shape that a layer was built for, or the first of several."""
    shapes: list[Any] = []
    map_shapes(shapes.append, layer.build_shape)
    return shapes[0]


_ACTIVATIONS = {getattr(activations, name) for name in activations.__all__}


def _is_unknown_function(value: Any) -> bool:
    """Whether it is a function of the user's."""
    return callable(value) and not isinstance(value, Configurable) and value not in _ACTIVATIONS


def _sum(*arrays: Array) -> Array:
    return functools.reduce(operator.add, arrays)


def _in_parts(forward: Forward, params: dict[str, Array], x: Any, parts: list[slice], backend: Any) -> Any:
    asides: list[Any] = []

    @custom_vjp
    def parted(*values: Array) -> Any:
        # Derivatives of derivatives are taken of the whole.
        chosen = [slice(0, parts[-1].stop)] if is_traced(values) else parts

        def compute(part: slice) -> Any:
            some = tree_map(lambda leaf: leaf[part, ...], x)
            with part_of_batch(part):
                out, pull, aside = vjp(lambda p: forward(p, some), dict(zip(params, values, strict=True)), has_aux=True)
            return out, pull, aside

        computed = backend.map_parts(compute, chosen)
        asides[:] = [aside for _, _, aside in computed]
        xp = array_namespace(*computed[0][0])
        results = tuple(xp.concat(each) for each in zip(*(out for out, _, _ in computed), strict=True))

        def pullback(cotangents: tuple[Array | None, ...]) -> tuple[Array, ...]:
            gs = [
                array_namespace(out).zeros_like(out) if g is None else g
                for g, out in zip(cotangents, results, strict=True)
            ]

            def pull(i: int) -> Any:
                return computed[i][1]([g[chosen[i], ...] for g in gs])[0]

            grads = backend.map_parts(pull, range(len(chosen)))
            return tuple(map_each(_sum, [[each[name] for each in grads] for name in params]))

        return results, pullback

    results = list(parted(*params.values()))
    masks = [
        None if each[0] is None else array_namespace(*each).concat(each)
        for each in zip(*(masks for masks, _ in asides), strict=True)
    ]
    return results, (masks, asides[0][1])

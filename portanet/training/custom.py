"""Steps that call the methods which a model's class overrides; `portanet.training.overridable` has them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from portanet.autodiff import lift, unwrap
from portanet.backends import Array, is_dtype, raw_namespace, to_host
from portanet.backends import held as value_of
from portanet.distribution.share import of_share, share
from portanet.distribution.strategy import recordable
from portanet.layers import Layer
from portanet.layers.calling import Caller, calling
from portanet.masks import Masks, remembered
from portanet.metrics import Metric
from portanet.metrics.total_variables import has_own_sums
from portanet.optimizers import Optimizer
from portanet.optimizers.applied import Applied, held_by, held_in_step
from portanet.training.step import averaged, examples, over_processes
from portanet.training.step_methods import (
    every_metric,
    loss_of,
    packed,
    summed,
    unbuilt_layers,
    unchanged,
    unpacked,
    value_and_gradients,
)
from portanet.tree import tree_leaves, tree_map
from portanet.variables import Variable, bind, collect_losses, count_trainable_change

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


class StepFunction:
    """Calls `train_step`, `test_step` or `predict_step` with a batch, and assigns what it has changed.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
    """

    def __init__(self, model: Trainer, kind: str) -> None:
        self.model = model
        self.kind = kind
        compiles = model.jit_compile is True or (model.jit_compile == "auto" and not model.overrides(f"{kind}_step"))
        backend = model.backend
        compiles = compiles and (recordable(backend) or not backend.records)
        self.compiled = compiles and not model.run_eagerly and model._can_compile()
        self.step = backend.compile(self._step, (0, 1)) if self.compiled else backend.uncompiled(self._step)
        self.settled = False
        self._variables: dict[str, Variable] = {}
        self._held: dict[Optimizer, Applied] = {}
        self._metrics: list[Metric] = []
        self._summed: set[Variable] = set()
        """The weights whose gradients were added up over processes."""
        self._names: list[str] | None = None
        """Keys of a dict that the step returned: compiled functions sort them."""

    def __call__(self, iterator: Iterator[Any]) -> Any:
        """Run the step on the next batch of an iterator."""
        data, model = next(iterator), self.model
        self._variables, self._metrics = model.named_variables(), every_metric(model)
        held = self._held = self._states()
        values = {path: variable.value for path, variable in self._variables.items()}
        totals = [_moved(metric, model) for metric in self._metrics]
        # Layers are built by an ordinary call: weights that a compiled function created would be lost.
        step = self.step if self.settled or not unbuilt_layers(model) else self._step
        try:
            new, states, totals, out = step(values, [each.state for each in held.values()], totals, data)
        finally:
            for metric, total in zip(self._metrics, totals, strict=False):
                metric.totals = total
        for path, value in new.items():
            self._variables[path].take(value)
        for each, state in zip(held.values(), states, strict=True):
            each.state = state
        self._keep_state()
        return out if self._names is None else dict(zip(self._names, out, strict=True))

    def _step(self, values: dict[str, Array], states: list[Any], totals: list[Any], data: Any) -> Any:
        """The step as a pure function."""
        variables, model = self._variables, self.model
        for each, state in zip(self._held.values(), states, strict=True):
            each.state = state
        for metric, total in zip(self._metrics, totals, strict=True):
            metric.totals = total
        with (
            in_step(),
            held_in_step(self._held),
            bind({variables[path]: value for path, value in values.items()}) as bound,
            collect_losses(),
        ):
            out = tree_map(lambda leaf: unwrap(value_of(leaf)), self._called(data))  # results may be variables
            require_result(model, self.kind, out, data)
            known = set(map(id, self._metrics))
            self._metrics += [metric for metric in every_metric(model) if id(metric) not in known]
            self._names = list(out) if isinstance(out, dict) else None
            out = out if self._names is None else list(out.values())
            new = {path: unwrap(bound[variables[path]]) for path in values}
            if share() is not None:
                new, out = self._of_all(values, new, out)
        return new, [each.state for each in self._held.values()], [metric.totals for metric in self._metrics], out

    def _called(self, data: Any) -> Any:
        """What the method returns for a batch, or a part of one."""
        model, method = self.model, getattr(self.model, f"{self.kind}_step")
        if share() is None:
            return method(data)
        own = next((metric for metric in self._metrics if metric.own_state and has_own_sums(metric)), None)
        if own is not None:
            raise ValueError(
                "Argument `custom_steps` of DataParallel must be 'whole' with metrics that have an update_state of "
                f"their own, whose sums are not known. Received: 'parts', metric '{own.name}'"
            )
        for each in self._held.values():
            each.updated.clear()
        self._summed = set()
        token = summed.set(self._summed)
        try:
            out = method(data)
        finally:
            summed.reset(token)
        by_hand = sorted(v.path for each in self._held.values() for v in each.updated - self._summed)
        if by_hand:
            raise ValueError(
                "Argument `custom_steps` of DataParallel must be 'whole' with a train_step that updates weights by "
                "gradients which do not come from value_and_gradients, which adds them up over the processes. "
                f"Received: 'parts', model '{model.name}', weight '{by_hand[0]}'"
            )
        return out

    def _of_all(self, values: dict[str, Array], new: dict[str, Array], out: Any) -> tuple[dict[str, Array], Any]:
        """What the step has assigned and returned, of the whole batch: means of what the processes have for parts."""
        kept = averaged(values, {path: x for path, x in new.items() if self._variables[path] not in self._summed})

        def is_number(leaf: Any) -> bool:
            return hasattr(leaf, "shape") and is_dtype(raw_namespace(leaf), leaf.dtype, "real floating")

        kept, means = over_processes((kept, [of_share(leaf) for leaf in tree_leaves(out) if is_number(leaf)]))
        given = iter(means)
        return {**new, **kept}, tree_map(lambda leaf: next(given) if is_number(leaf) else leaf, out)

    def _states(self) -> dict[Optimizer, Applied]:
        """The states of the model's optimizer, of those in its attributes, and of others that a step used."""
        if self.kind != "train":
            return {}
        model = self.model
        main, (paths, state) = model.optimizer, model.optimizer_state or ([], {})
        assert main is not None
        names = {variable: path for path, variable in self._variables.items()}
        held = {main: Applied({self._variables[path]: path for path in paths}, state, names)}
        for value in (*vars(model).values(), *self._held):
            if isinstance(value, Optimizer) and value not in held:
                held[value] = held_by(value)
                held[value].take_rate(value)
        return held

    def _keep_state(self) -> None:
        """Keep the state of the model's optimizer with the model, and note weights that were created."""
        model = self.model
        if self.settled and not self._held:
            return
        variables = model.named_variables() if not self.settled else self._variables
        if len(variables) != len(self._variables):
            count_trainable_change()
        self.settled = True
        if model.optimizer in self._held:
            main = self._held[model.optimizer]
            known = {variable: path for path, variable in variables.items() if variable in main.names}
            model.optimizer_state = (list(known.values()), main.state)


def require_result(model: Layer, kind: str, out: Any, data: Any) -> None:
    """Refuse what a step must not return, before anything that it has computed is kept."""
    method = f"Method `{kind}_step` of model '{model.name}'"
    if kind != "predict":
        if not isinstance(out, dict):
            raise TypeError(f"{method} must return a dict, values by name. Received: {out!r}")
        return
    count = examples(unpacked(data)[0])
    for leaf in tree_leaves(out):
        if not hasattr(leaf, "shape") or tuple(leaf.shape[:1]) != (count,):
            received = f"an array of shape {tuple(leaf.shape)}" if hasattr(leaf, "shape") else repr(leaf)
            raise ValueError(f"{method} must return one row for each example, {count}. Received: {received}")


@contextlib.contextmanager
def in_step() -> Iterator[None]:
    """Treat calls inside a `with` block as parts of one call, so that masks go from one to the next, to the loss."""
    token, masks = calling.set(Caller(False, False)), remembered.set(Masks())
    try:
        yield
    finally:
        calling.reset(token)
        remembered.reset(masks)


def _moved(metric: Metric, model: Trainer) -> Any:
    """The totals of a metric on the model's device."""
    backend, totals = model.backend, metric.totals
    if totals is None or all(backend.owns(total) for total in totals):
        return totals
    dtype = "float64" if backend.dtype_name(backend.dtype) == "float64" else "float32"
    return tuple(backend.from_host(to_host(total).astype(dtype)) for total in totals)


def train_function(model: Trainer) -> Callable[..., Any]:
    """A step of training as `TrainingRun` calls it."""
    function = model.make_train_function(force=True)

    def step(params: Any, state: Any, slots: Any, sums: Any, x: Any, y: Any, weight: Any) -> Any:
        logs = function(iter([packed(x, y, weight)]))
        values = {path: variable.value for path, variable in model.named_variables().items()}
        _, slots = model.optimizer_state or ([], {})
        return (
            {path: values[path] for path in params},
            {path: values[path] for path in state},
            slots,
            _logs(logs, "make_train_function"),
        )

    return step


def test_function(model: Trainer) -> Callable[..., Any]:
    """A step of evaluation as `loops.evaluate` calls it."""
    function = model.make_test_function(force=True)

    def step(sums: Any, values: dict[str, Array], x: Any, y: Any, weight: Any) -> Any:
        logs = function(iter([packed(x, y, weight)]))
        return _logs(logs, "make_test_function"), _assigned(model, values)

    return step


def predict_function(model: Trainer) -> Callable[..., Any]:
    """A step of prediction as `loops.predict` calls it."""
    function = model.make_predict_function(force=True)

    def step(values: dict[str, Array], x: Any) -> Any:
        return function(iter([packed(x, None, None)])), _assigned(model, values)

    return step


FUNCTIONS = {"train": train_function, "test": test_function, "predict": predict_function}


def loss_and_gradients(model: Trainer, x: Any, y: Any, weight: Any) -> tuple[Array, dict[str, Array]]:
    """The result of `compute_loss` on one batch in training, and by path its gradients; nothing changes."""

    def goal() -> Array:
        inputs, targets = tree_map(lift, x), tree_map(lift, y)
        return loss_of(model, inputs, targets, model(inputs, training=True), weight, True)

    with in_step(), unchanged(model, {}):
        loss, grads = value_and_gradients(model, goal, None, False)
    return loss, dict(zip(model.trainable_paths(), grads, strict=True))


def _assigned(model: Layer, values: dict[str, Array]) -> dict[str, Array]:
    return {path: v.value for path, v in model.named_variables().items() if v.value is not values.get(path)}


def _logs(logs: Any, method: str) -> dict[str, Any]:
    """Values by name, those in dicts among them as well."""
    if not isinstance(logs, dict):
        raise TypeError(f"The function of `{method}` must return a dict, values by name. Received: {logs!r}")
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat.update(_logs(value, method) if isinstance(value, dict) else {name: value})
    return flat

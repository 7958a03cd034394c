"""What a model is trained for: the losses and metrics of its outputs, and what they are called in logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from portanet import checks, metrics
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.configurable import overrides
from portanet.distribution.share import share
from portanet.layers import Layer
from portanet.losses import Loss
from portanet.losses.fitting import compiled_loss
from portanet.masks import masked_weight, without_masked
from portanet.metrics import Metric
from portanet.training.output_names import is_mapping, named_shapes, placed, walk
from portanet.tree import tree_map
from portanet.variables import bind

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer

Statistics = dict[str, tuple[Array, ...]]


@dataclass
class Output:
    """One output of a model: its name, its loss (None for none) with its weight, and its metrics by their log names."""

    name: str
    shape: tuple[int | None, ...]
    loss: Loss | None = None
    weight: float = 1.0
    metrics: dict[str, Metric] = field(default_factory=dict)
    weighted_metrics: dict[str, Metric] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """The name without those of the lists and dicts that it is in."""
        return self.name.rpartition("/")[2]

    @property
    def wants_target(self) -> bool:
        """Whether anything is compared with this output."""
        return self.loss is not None or bool(self.metrics) or bool(self.weighted_metrics)

    def check_target(self, target: Any) -> None:
        """Refuse a target, on the host, that is out of the range of the loss or a metric."""
        axis = -1 if self.loss is None else self.loss.axis_of_classes
        classes = self.shape[axis] if len(self.shape) > 1 else None
        if self.loss is not None:
            self.loss.check_targets(target, classes)
        ignored = getattr(self.loss, "ignore_class", None)
        for metric in (*self.metrics.values(), *self.weighted_metrics.values()):
            metric.check_targets(target if ignored is None else target[target != ignored], classes)


class AnyTargets:
    """In place of an objective, where methods of the user's take the targets: they may be anything.

    Args:
        objective: The losses and metrics of `compile`, if there are any.
    """

    def __init__(self, objective: Objective | None) -> None:
        self.objective = objective

    def arrange(self, tree: Any, argument: str = "y") -> Any:
        """The tree as it is."""
        return tree

    def check_shapes(self, y: Any, shapes: Any) -> None:
        """Do nothing; see `Objective`."""

    def check_targets(self, y: Any) -> None:
        """Do nothing; see `Objective`."""

    def loss_names(self) -> list[str]:
        """See `Objective.loss_names`."""
        return [] if self.objective is None else self.objective.loss_names()

    def listed_losses(self) -> list[str]:
        """See `Objective.listed_losses`."""
        return [] if self.objective is None else self.objective.listed_losses()

    @property
    def metrics(self) -> dict[str, Metric]:
        """See `Objective.metrics`."""
        return {} if self.objective is None else self.objective.metrics

    @property
    def outputs(self) -> list[Output]:
        """See `Objective.outputs`."""
        return [] if self.objective is None else self.objective.outputs


def no_loss(model: str = "") -> ValueError:
    """The error where nothing is to be minimized."""
    return ValueError(
        f"{f'Model {model!r}' if model else 'The model'} has no loss to compute: pass `loss` to compile(...), such as "
        "'mse', call add_loss in a layer, or override compute_loss or train_step. Received: loss=None"
    )


class Objective:
    """The losses and metrics of a model, output by output.

    Targets and weights go through `arrange` first, which gives a list with an entry for each output.

    Args:
        settings: What `compile` was given: `loss`, `loss_weights`, `metrics`, `weighted_metrics`.
        shapes: Name and shape of each output, in order.
        in_dict: Whether the outputs are in a dict.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        shapes: Sequence[tuple[str, tuple[int | None, ...]]],
        in_dict: bool = False,
    ) -> None:
        self.outputs = [Output(name, shape) for name, shape in shapes]
        self.several = len(self.outputs) > 1
        loss, weights = settings["loss"], settings["loss_weights"]
        self._named_first = list(loss) if in_dict and isinstance(loss, Mapping) else []
        shared = not isinstance(loss, (list, tuple, Mapping))
        chosen = [loss] * len(self.outputs) if shared else self._each("loss", loss)
        factors = [weights] if isinstance(weights, Real) else self._each("loss_weights", weights)
        for output, own, factor in zip(self.outputs, map(_only, chosen), map(_only, factors), strict=True):
            output.loss = None if own is None else compiled_loss(own)
            output.weight = 1.0 if factor is None else checks.number("loss_weights", factor, of="compile")
        if loss is not None and all(output.loss is None for output in self.outputs):
            raise ValueError(f"Argument `loss` names no loss for any output. Received: loss={loss!r}")
        self._add_metrics("metrics", settings["metrics"])
        self._add_metrics("weighted_metrics", settings["weighted_metrics"])

    def _each(self, argument: str, given: Any) -> list[Any]:
        """What an argument says of each output: nested as the outputs are, a list with an entry for each, or a dict by
        name.
        """
        names = [output.name for output in self.outputs]
        single = "metrics" not in argument
        entries = placed(given, names, single)
        if entries is not None:
            return entries
        for known in (names, [output.short_name for output in self.outputs]):
            if isinstance(given, Mapping) and set(given) <= set(known):
                return [given.get(name) for name in known]
        leaves = [leaf for _, leaf in walk(given, is_mapping)] if single else given
        if isinstance(given, (list, tuple)) and len(leaves) == len(names) and not any(map(is_mapping, leaves)):
            return list(leaves)
        raise ValueError(
            f"Argument `{argument}` must be a list with an entry for each output, or a dict by their names: "
            f"{', '.join(map(repr, names))}. Received: {argument}={given!r}"
        )

    def _add_metrics(self, argument: str, given: Any) -> None:
        if not self.several and not isinstance(given, Mapping):
            given = [given]
        for output, chosen in zip(self.outputs, self._each(argument, given or None), strict=True):
            for identifier in _flat(chosen):
                metric = metrics.get(identifier, output.loss, output.shape, argument, "compile")
                if isinstance(identifier, str):
                    metric.name = identifier  # as in Keras: "mae" is shown as "mae"
                prefix = f"{output.short_name}_" if self.several else ""
                name = prefix + metric.name
                if name in self.metrics and argument == "weighted_metrics":
                    name = f"{prefix}weighted_{metric.name}"
                getattr(output, argument)[_unused(name, {"loss": None, **self.metrics})] = metric

    @property
    def metrics(self) -> dict[str, Metric]:
        """Every metric by its name in logs, in the order of Keras."""
        by_name: dict[str, Metric] = {name: metrics.Mean(name) for name in self.loss_names()}
        for output in self.outputs:
            by_name |= output.metrics
        for output in self.outputs:
            by_name |= output.weighted_metrics
        return by_name

    def loss_names(self) -> list[str]:
        """Names in logs of the losses of single outputs; one alone is the loss of the model."""
        names = [f"{output.name}_loss" for output in self.outputs if output.loss is not None]
        return names if len(names) > 1 else []

    def listed_losses(self) -> list[str]:
        """The same in the order of lists of results: for outputs in a dict, that of a dict of losses, as in Keras."""
        place = {name: i for i, name in enumerate(self._named_first)}
        with_loss = [output for output in self.outputs if output.loss is not None]
        ordered = sorted(with_loss, key=lambda output: place.get(output.name, len(place)))
        return [f"{output.name}_loss" for output in ordered] if len(ordered) > 1 else []

    # Targets and weights

    def arrange(self, tree: Any, argument: str = "y") -> list[Any]:
        """The leaves of targets (or weights) as a list with an entry for each output; None where there is none.

        Args:
            tree: One array, a list of arrays in the order of the outputs, or a dict by their names. A list may leave
                out the outputs that have no loss.
            argument: `"y"`, or `"sample_weight"`, of which one array counts for every output.

        Raises:
            ValueError: The leaves do not fit the outputs.
        """
        if tree is None:
            arranged: list[Any] = [None] * len(self.outputs)
        elif not isinstance(tree, (list, tuple, Mapping)):
            arranged = [tree] * len(self.outputs) if argument == "sample_weight" or not self.several else [tree]
        elif isinstance(tree, Mapping):
            leaves = dict(walk(tree, lambda _: False))
            arranged = [leaves.pop(o.name, leaves.pop(o.short_name, None)) for o in self.outputs]
            if leaves:
                arranged = []
        else:
            arranged = [leaf for _, leaf in walk(tree, is_mapping)]
            if any(map(is_mapping, arranged)):  # whose entries may be in another order than the outputs
                arranged = placed(tree, [output.name for output in self.outputs], single=True) or []
        due = [i for i, output in enumerate(self.outputs) if output.wants_target]
        if len(arranged) == len(due):
            given = dict(zip(due, arranged, strict=True))
            arranged = [given.get(i) for i in range(len(self.outputs))]
        lacks = argument == "y" and any(arranged[i] is None for i in due if i < len(arranged))
        if len(arranged) != len(self.outputs) or lacks:
            names = ", ".join(repr(output.name) for output in self.outputs)
            received = "None" if tree is None else ", ".join(p or "one array" for p, _ in walk(tree, lambda _: False))
            raise ValueError(
                f"Argument `{argument}` must hold an array for each output that has a loss or a metric: a list in the "
                f"order of the outputs, or a dict by their names: {names}. Received: {received}"
            )
        return arranged

    def check_targets(self, y: list[Any]) -> None:
        """Refuse targets, on the host, that are out of the range of their losses and metrics."""
        for output, target in zip(self.outputs, y, strict=True):
            output.check_target(target)

    def check_shapes(self, y: list[Any], shapes: list[tuple[int | None, ...]] | None) -> None:
        """Refuse targets whose shapes do not fit those of the outputs, if these are known.

        Args:
            y: Targets: arrays, or anything with a shape.
            shapes: The shapes of the outputs; sizes that are None fit, and so does the first, that of a batch.
        """
        for output, target, shape in zip(self.outputs, y, shapes or [], strict=shapes is not None):
            if output.loss is not None and hasattr(target, "shape"):
                true = tuple(target.shape)
                sizes = (n if n is not None and i else true[i] if i < len(true) else 1 for i, n in enumerate(shape))
                output.loss.check_shapes(SimpleNamespace(shape=true), SimpleNamespace(shape=tuple(sizes)))

    # In a step

    def values(self, y: list[Array], y_pred: list[Array], weight: list[Any], masks: list[Any]) -> list[Array]:
        """The loss of each output that has one, without what its mask excludes."""
        parts = zip(self.outputs, y, y_pred, weight, masks, strict=True)
        return [o.loss.compute(true, pred, w, mask) for o, true, pred, w, mask in parts if o.loss is not None]

    def total(self, values: list[Array], added: Sequence[Array] = ()) -> Array:
        """Their weighted sum, and what layers and penalties add.

        Raises:
            ValueError: There is nothing to add up.
        """
        weights = [output.weight for output in self.outputs if output.loss is not None]
        parts = [value if weight == 1.0 else weight * value for value, weight in zip(values, weights, strict=True)]
        parts.extend(added)
        if not parts:
            raise no_loss()
        return sum(parts[1:], parts[0])

    def statistics(
        self,
        total: Array,
        values: list[Array],
        count: int,
        y: list[Array],
        y_pred: list[Array],
        weight: list[Any],
        masks: list[Any],
    ) -> Statistics:
        """What a batch adds to the totals: every loss by the number of examples, and every metric's sums."""
        part = share()
        # The losses of the parts of a batch add up to its loss.
        examples = float(count if part is None else part.whole)
        number = array_namespace(total).full_like(total, float(count))
        statistics: Statistics = {"loss": (total * examples, number)}
        for name, metric, true, pred, w in self.compared(y, y_pred, weight, masks):
            statistics[name] = metric.statistics(true, pred, w)
        for name, value in zip(self.loss_names(), values, strict=False):
            statistics[name] = (value * examples, number)
        return statistics

    def compared(
        self, y: list[Array], y_pred: list[Array], weight: list[Any], masks: list[Any]
    ) -> Iterator[tuple[str, Metric, Array, Array, Any]]:
        """Every metric with its name in logs, and the targets, predictions and weights (or None) that it is of."""
        for output, true, pred, w, mask in zip(self.outputs, y, y_pred, weight, masks, strict=True):
            if mask is not None and output.wants_target:
                true, pred = without_masked(true, mask), without_masked(pred, mask)
            for name, metric in output.metrics.items():
                yield name, metric, true, pred, masked_weight(None, mask, pred)
            for name, metric in output.weighted_metrics.items():
                yield name, metric, true, pred, masked_weight(w, mask, pred)


def has_objective(settings: Mapping[str, Any]) -> bool:
    """Whether `compile` was given losses or metrics."""
    return any(settings.get(name) is not None for name in ("loss", "metrics", "weighted_metrics"))


def objective_of(model: Any, shapes: Any) -> Objective:
    """The losses and metrics of `compile` for outputs of these shapes, in a tree."""
    named = named_shapes(shapes, getattr(model, "output_names", None))
    return Objective(model._settings, named, isinstance(shapes, Mapping))


def output_shapes(model: Trainer, x: Any = None) -> Any:
    """The shapes of the outputs of a built model, in a tree.

    Args:
        model: The model.
        x: One example, on the device, for models that cannot tell the shapes.
    """
    if overrides(type(model), Layer, "compute_output_shape"):
        shapes = model.compute_output_shape(model._input_shape())
    elif x is None:
        raise RuntimeError(
            f"Model '{model.name}' cannot tell the shapes of its outputs before it has seen data: call "
            "model.evaluate(x, y) or model.fit(x, y) first."
        )
    else:
        with bind({v: v.value for v in model.variables}):
            shapes = tree_map(lambda leaf: (None, *leaf.shape[1:]), model(x))
    return shapes


def _flat(chosen: Any) -> list[Any]:
    """Metrics given as one, a list, or lists in a list."""
    if chosen is None:
        return []
    return [metric for part in chosen for metric in _flat(part)] if isinstance(chosen, (list, tuple)) else [chosen]


def _only(entry: Any) -> Any:
    """The entry of a list of one, as Keras takes it for one output."""
    return entry[0] if isinstance(entry, (list, tuple)) and len(entry) == 1 else entry


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered if it is taken."""
    if name not in taken:
        return name
    number = 1
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"

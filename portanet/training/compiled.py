"""What belongs to a layer that is trained: its optimizer, losses and metrics, and its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from portanet import losses, metrics, optimizers
from portanet.backends import Array, Backend, asarray, get_backend, to_host
from portanet.layers import Layer
from portanet.training.data.examples import Examples
from portanet.training.data.feed import Feed
from portanet.training.data.intake import Intake, can_be_looked_at, convert, weights_of_classes
from portanet.training.data.sources import Source
from portanet.training.objective import Objective, named_shapes
from portanet.training.totals import Totals
from portanet.tree import tree_map


class Compiled(Layer):
    """A layer with an optimizer, losses and metrics; `Trainer` builds on it."""

    optimizer: optimizers.Optimizer | None = None
    loss: Any = None
    """The loss, or a list or dict of losses of the outputs."""
    optimizer_state: tuple[list[str], dict[str, Any]] | None = None
    """Paths of the trained weights, and what the optimizer knows of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._settings: dict[str, Any] = {}
        self._objective: Objective | None = None
        self._steps: dict[tuple[str, ...], Any] = {}

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose how the model is trained.

        Where a model has several outputs, the arguments after the first hold what counts for each: a list in the order
        of the outputs, or a dict by their names.

        Args:
            optimizer: Name or object.
            loss: Name, object, or function `(y_true, y_pred) -> loss of each example`; None for outputs without.
            loss_weights: What the losses are multiplied by before they are added up.
            metrics: Names or objects; "accuracy" is the one that fits the loss. Weights of examples do not count.
            weighted_metrics: The same, for which they do.
            auto_scale_loss: Whether to put a `LossScaleOptimizer` around the optimizer where the model, or a layer of
                it, has the dtype policy `mixed_float16`.

        Raises:
            ValueError: There is no loss, or a name is not known.
        """
        if loss is None:
            raise ValueError("Argument `loss` of compile(...) is needed, such as 'mse'. Received: loss=None")
        self.optimizer = optimizers.get(optimizer)
        half = any(layer.dtype_policy.name == "mixed_float16" for layer in self.flatten_layers())
        if auto_scale_loss and half and not isinstance(self.optimizer, optimizers.LossScaleOptimizer):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        self.loss = _each(loss, losses.get)
        self._settings = {
            "loss": self.loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "auto_scale_loss": auto_scale_loss,
        }
        self.optimizer_state = None
        self._objective = None
        self._steps = {}

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as it was called; None before."""
        return {"optimizer": self.optimizer, **self._settings} if self._settings else None

    def totals(self, sums: dict[str, list[Any]] | None = None) -> Totals:
        """An empty sum of the statistics of batches, for a loop of one's own; see `TrainingRun`.

        Args:
            sums: What earlier batches gave.
        """
        return Totals(self.find_objective().metrics, self.backend, sums)

    @property
    def metrics(self) -> list[metrics.Metric]:
        """The metrics beside the loss; known when the model has seen data."""
        return [] if self._objective is None else list(self._objective.metrics.values())

    @property
    def metrics_names(self) -> list[str]:
        """Names of what `evaluate` returns; known when the model has seen data."""
        return ["loss", *([] if self._objective is None else self._objective.metrics)]

    @property
    def backend(self) -> Backend:
        """The backend that the model lives on; the one in use, as long as it is not built."""
        variable = self.first_variable()
        return get_backend() if variable is None else variable.backend

    def to(self, name: str | Backend, device: Any = None, dtype: str | None = None) -> Self:
        """Move the weights and the optimizer's state to another backend or device; see `Layer.to`."""
        home = self.backend
        super().to(name, device, dtype)
        if self.optimizer_state is not None:
            paths, state = self.optimizer_state
            moved = tree_map(lambda leaf: self.backend.from_host(home.to_host(leaf)), state)
            self.optimizer_state = (paths, moved)
        self._steps = {}
        return self

    # What training asks for

    def require_compiled(self) -> optimizers.Optimizer:
        """The optimizer, of a model that is compiled."""
        if self.optimizer is None:
            raise RuntimeError(f"Model '{self.name}' must be compiled first: model.compile(optimizer, loss).")
        return self.optimizer

    def find_objective(self, x: Any = None) -> Objective:
        """The losses and metrics for the outputs of the built model.

        Args:
            x: One example, on the device, to find the outputs of a model that cannot tell their shapes.
        """
        if self._objective is None:
            self.require_compiled()
            names = getattr(self, "output_names", None)
            self._objective = Objective(self._settings, named_shapes(self._output_shapes(x), names))
        return self._objective

    def _output_shapes(self, x: Any) -> Any:
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            return self.compute_output_shape(self._input_shape())
        if x is None:
            raise RuntimeError(
                f"Model '{self.name}' cannot tell the shapes of its outputs before it has seen data: call "
                "model.evaluate(x, y) or model.fit(x, y) first."
            )
        return tree_map(lambda leaf: (None, *leaf.shape[1:]), self(x))

    def _input_shape(self) -> Any:
        return self.build_shape

    def feed(
        self,
        source: Source,
        check_finite: bool,
        depth: int,
        class_weight: Mapping[int, float] | None = None,
        prefix: str = "",
        only_inputs: bool = False,
    ) -> Feed:
        """Build the model for a source, check the source's data as far as they are known, and make its feed."""
        if not isinstance(depth, int) or isinstance(depth, bool) or depth < 0:
            raise ValueError(f"Argument `prefetch` must be a non-negative integer. Received: prefetch={depth!r}")
        self._build_for(source.first()[0], prefix, not only_inputs)
        if source.resident:
            assert isinstance(source, Examples)
            x, y, weight = source.data
            self._check(x, y, True, only_inputs)
            if class_weight is not None:
                source.data = x, y, asarray(weights_of_classes(y, weight, class_weight))
        return Feed(source, Intake(self._check, check_finite, class_weight, prefix, only_inputs), depth)

    def _build_for(self, x: Any, prefix: str, trains: bool) -> None:
        """Build the model for inputs like these, and find the objective if it is to be trained or evaluated."""
        found = convert((x, None, None), prefix, check_finite=False, whole=True)[0]
        example = tree_map(lambda leaf: leaf[:1, ...], found)
        if not self.built:
            self._place("")
            self(example)
        if trains:
            self.find_objective(example)

    def _check(self, x: Any, y: Any, whole: bool, only_inputs: bool) -> None:
        """Refuse inputs and targets that steps compiled for a device could not refuse.

        Args:
            x: Inputs.
            y: Targets.
            whole: Whether this is all of the data, rather than a batch, for which nobody waits.
            only_inputs: Whether there are no targets, for a prediction.
        """
        if whole or can_be_looked_at(x):
            self.check_data(x)
        if not only_inputs:
            objective = self.find_objective()
            targets = objective.arrange(y)
            if whole or can_be_looked_at(targets):
                objective.check_targets([None if target is None else to_host(target) for target in targets])

    def compiled_step(self, key: tuple[str, ...], make: Callable[[], Any], given: tuple[int, ...] = ()) -> Any:
        """A step of training, evaluation or prediction, made and compiled once; see `Backend.compile`."""
        if key not in self._steps:
            pieces = any(layer.works_in_pieces for layer in self.flatten_layers())
            self._steps[key] = self.backend.compile(make(), pieces, given)
        return self._steps[key]

    def named_values(self) -> dict[str, Array]:
        """The values of all variables by path."""
        return {path: variable.value for path, variable in self.named_variables().items()}


def _each(given: Any, find: Callable[[Any], Any]) -> Any:
    """What is meant by a name, or by each entry of a list or dict of them."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        return {name: _each(part, find) for name, part in given.items()}
    return [_each(part, find) for part in given] if isinstance(given, (list, tuple)) else find(given)

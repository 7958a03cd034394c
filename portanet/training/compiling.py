"""`compile`: what a model is trained with and for."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from portanet import checks, losses, metrics, optimizers
from portanet.configurable import overrides
from portanet.layers.state import metrics_of
from portanet.losses.fitting import is_crossentropy
from portanet.metrics import Metric
from portanet.training.optimized import Optimized
from portanet.tree import tree_leaves


class Compiled(Optimized):
    """A layer with an optimizer, losses and metrics."""

    loss: Any = None
    """The loss, or a list or dict of losses of the outputs."""
    run_eagerly = False
    """Whether steps run as ordinary Python, never compiled."""
    jit_compile: bool | str = "auto"
    """Whether steps are compiled where the backend can; "auto" for all but overridden ones."""
    steps_per_execution = 1
    """Batches between two calls of the callbacks."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose how the model is trained.

        Where a model has several outputs, the arguments after the first hold what counts for each: nested as the
        outputs are, a list in their order, or a dict by their names.

        Args:
            optimizer: Name or object. An object that has trained this model before goes on from its state: moments,
                number of steps, position of its schedule. It may train several models, independently.
            loss: Name, object, or function `(y_true, y_pred) -> loss of each example`; "crossentropy" is the one that
                fits the targets. None for outputs without. It may be left out if a layer calls `add_loss`, or
                `compute_loss` or `train_step` is overridden.
            loss_weights: What the losses are multiplied by before they are added up.
            metrics: Names or objects; "accuracy" is the one that fits the loss. Sample weights do not count.
            weighted_metrics: The same, for which they do.
            run_eagerly: Whether steps run as ordinary Python, which can be stepped through, and are never compiled.
            steps_per_execution: Batches between two calls of the callbacks; `steps_per_epoch` is rounded up to a
                multiple of it.
            jit_compile: Whether steps are compiled on backends that can: JAX compiles them, CuPy, and PyTorch on CUDA,
                record them as CUDA graphs. "auto" compiles all but an overridden `train_step`, `test_step` or
                `predict_step`, which may do what only ordinary Python can.
            auto_scale_loss: Whether to wrap the optimizer in a `LossScaleOptimizer` where a layer has the dtype policy
                `mixed_float16`.

        Raises:
            ValueError: A name is not known.
        """
        chosen = optimizers.get(optimizer, "optimizer", "compile")
        auto_scale_loss = checks.boolean("auto_scale_loss", auto_scale_loss, "compile")
        run_eagerly = checks.boolean("run_eagerly", run_eagerly, "compile")
        steps_per_execution = checks.positive_int("steps_per_execution", steps_per_execution, "compile")
        if not (isinstance(jit_compile, str) and jit_compile == "auto"):
            jit_compile = checks.boolean("jit_compile", jit_compile, "compile")
        if run_eagerly and jit_compile is True:
            warnings.warn("With run_eagerly=True nothing is compiled: jit_compile=True has no effect.", stacklevel=2)
        half = any(layer.dtype_policy.name == "mixed_float16" for layer in self.flatten_layers())
        if auto_scale_loss and half and not isinstance(chosen, optimizers.LossScaleOptimizer):
            chosen = optimizers.LossScaleOptimizer(chosen)
        if any(isinstance(factor, str) for factor in tree_leaves(loss_weights)):
            expected = "numbers; metrics are passed by the argument's name, metrics=[...]"
            raise checks.invalid("loss_weights", loss_weights, expected, "compile")
        chosen_loss = _losses_of(loss)
        _require_metrics("metrics", metrics)
        _require_metrics("weighted_metrics", weighted_metrics)
        self._replace_optimizer(chosen)
        self.loss = chosen_loss
        self.run_eagerly, self.jit_compile, self.steps_per_execution = run_eagerly, jit_compile, steps_per_execution
        self._settings = {
            "loss": self.loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        self._forget_steps()

    def _can_compile(self) -> bool:
        """Whether the layers allow that steps are compiled."""
        return not self.takes_strings() and all(layer.supports_jit for layer in self.flatten_layers())

    def _forget_steps(self) -> None:
        """Forget what was derived from the arguments of `compile`."""
        self._objective: Any = None
        self._trackers: dict[str, Metric] = {}
        self._steps: dict[tuple[str, ...], Any] = {}
        self.train_function: Callable[..., Any] | None = None
        self.test_function: Callable[..., Any] | None = None
        self.predict_function: Callable[..., Any] | None = None

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as it was called; None before."""
        return {"optimizer": self.optimizer, **self._settings} if self._settings else None

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile a model that was loaded, with the result of `get_compile_config`.

        A subclass whose `compile` takes other arguments overrides both methods; if it does not, nothing happens but a
        warning, as in Keras.
        """
        cls = type(self)
        custom = overrides(cls, Compiled, "compile")
        if custom and not overrides(cls, Compiled, "get_compile_config"):
            try:
                inspect.signature(self.compile).bind(**config)
            except TypeError:
                warnings.warn(
                    f"Model '{self.name}' is not compiled: its `compile` takes other arguments. Compile it, or "
                    "override get_compile_config and compile_from_config.",
                    stacklevel=2,
                )
                return
        self.compile(**config)

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return bool(self._settings)

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss, the metrics of `compile` as one (`compile_metrics`), the losses of single outputs, if
        there are several, and the metrics in attributes of the model and its layers; as in Keras.
        """
        if not self.compiled:
            return list(self._own_metrics())
        given = [self._compile_metrics] if self._has_metrics() else []
        return [self._tracker("loss"), *given, *self._loss_trackers().values(), *self._own_metrics()]

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`; `evaluate(..., return_dict=True)` has those of all metrics of `compile`."""
        return [metric.name for metric in self.metrics]

    def _has_metrics(self) -> bool:
        return any(self._settings.get(name) is not None for name in ("metrics", "weighted_metrics"))

    @property
    def _compile_metrics(self) -> Metric:
        from portanet.training.compile_metrics import CompileMetrics

        return self._trackers.setdefault("compile_metrics", CompileMetrics(self))

    def _loss_trackers(self) -> dict[str, Metric]:
        """The means of the losses of single outputs, if there are several; known when the model has seen data."""
        return {} if self._objective is None else {name: self._tracker(name) for name in self._objective.loss_names()}

    def _compiled_metrics(self) -> dict[str, Metric]:
        """The losses of single outputs, if there are several, and the metrics of `compile`, by their names in logs."""
        if self._objective is None:
            return {}
        named: dict[str, Metric] = self._objective.metrics
        return named | self._loss_trackers()

    def _order_in_lists(self, logs: Mapping[str, Any]) -> list[str]:
        """The names of logs in the order of lists of results: metrics of several outputs are last, sorted by name, and
        losses are in the order of Keras.
        """
        if self._objective is None or len(self._objective.outputs) < 2:
            return list(logs)
        losses = [name for name in self._objective.listed_losses() if name in logs]
        last = sorted(name for name in self._objective.metrics if name in logs and name not in losses)
        in_order = iter(losses)
        return [next(in_order) if name in losses else name for name in logs if name not in last] + last

    def _tracker(self, name: str) -> Metric:
        """The mean of a loss, which steps update that are overridden."""
        if name not in self._trackers:
            self._trackers[name] = metrics.Mean(name)
        return self._trackers[name]

    def _own_metrics(self) -> Iterator[Metric]:
        """Metrics in attributes of the model, and of its layers that are no models, each once."""
        seen: set[int] = set()
        for layer in self.flatten_layers():
            if layer is not self and isinstance(layer, Compiled):
                continue
            for metric in metrics_of(layer):
                if id(metric) not in seen:
                    seen.add(id(metric))
                    yield metric

    def reset_metrics(self) -> None:
        """Reset all metrics to no data."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The results of all metrics, by name; without data, those of losses and of `compile` are left out."""
        results: dict[str, Any] = {}
        losses = {id(metric) for metric in (self._tracker("loss"), *self._loss_trackers().values())}
        for metric in sorted(self.metrics, key=lambda metric: id(metric) not in losses):  # in the order of other logs
            if metric.has_data or (metric.total_shapes is not None and id(metric) not in losses):
                result = metric.result()
                results |= result if isinstance(result, dict) else {metric.name: result}
        return results


def _losses_of(given: Any) -> Any:
    """The loss of a name, or those of a list or dict of names; the name of the one that fits the targets stays."""
    if isinstance(given, Mapping):
        return {name: _losses_of(part) for name, part in given.items()}
    if isinstance(given, (list, tuple)):
        return [_losses_of(part) for part in given]
    if given is None or is_crossentropy(given):
        return given
    if isinstance(given, Metric) or (inspect.isclass(given) and issubclass(given, Metric)):
        raise ValueError(
            "Argument `loss` of compile must be a loss, from portanet.losses: a metric, which adds up batches, is "
            f"passed as metrics=[...]. Received: loss={given!r}"
        )
    loss = losses.get(given, "loss", "compile")
    if loss.reduction is None:
        raise ValueError(
            "Argument `loss` of compile must give one number for a batch: reduction 'sum_over_batch_size', "
            f"'mean_with_sample_weight' or 'sum'. Received: loss '{loss.name}' with reduction=None"
        )
    return loss


def _require_metrics(argument: str, given: Any) -> None:
    """Refuse metrics that are not known; which ones others, such as "accuracy", stand for depends on the outputs."""
    if isinstance(given, Mapping) and "class_name" not in given:
        given = list(given.values())
    if isinstance(given, (list, tuple)):
        for part in given:
            _require_metrics(argument, part)
    elif given is not None:
        metrics.get(given, name=argument, of="compile")

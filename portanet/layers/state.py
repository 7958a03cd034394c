"""What layers offer for loops and files of a user's own: their state, apart from the layer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from portanet import checks
from portanet.backends import Array, HostArray, held, to_host
from portanet.layers.calling import note_loss
from portanet.layers.operation import Operation
from portanet.layers.output_shapes import asked_for
from portanet.layers.symbolic import Node, SymbolicArray
from portanet.layers.weights import WeightHolder
from portanet.metrics import Metric
from portanet.mixed_precision import DTypePolicy, at_least_float32
from portanet.tree import tree_leaves
from portanet.variables import Variable, bind, collect_losses, collected_losses, count_trainable_change

INTERNAL = {
    "arranged_inputs",
    "batch",
    "built_at_once",
    "casts_integers",
    "check_data",
    "compiled_step",
    "declared_shape",
    "find_objective",
    "first_variable",
    "flatten_layers",
    "gives_mask",
    "has_custom_step",
    "in_compute_dtype",
    "independent_examples",
    "keeps_shape",
    "keeps_values",
    "known_outputs",
    "named_values",
    "needs_no_build",
    "note_direct",
    "on_host_only",
    "own_variables",
    "planned",
    "planned_prediction",
    "records_steps",
    "require_axis",
    "require_compiled",
    "require_rank",
    "saved_variables",
    "show_trainable",
    "stop_evaluating",
    "stop_predicting",
    "takes_integers",
    "takes_missing",
    "takes_strings",
    "told_arguments",
    "trainable_paths",
    "variables_of_attribute",
    "wants_targets",
}
"""Attributes that other modules of the library use, which completion does not propose."""


class StateAccess(WeightHolder, Operation):
    """The state of a layer, and pure calls with another one; as in Keras."""

    if TYPE_CHECKING:  # of Layer

        def own_variables(self) -> Iterator[tuple[str, Variable]]: ...

        @property
        def trainable_weights(self) -> list[Variable]: ...

        @property
        def compute_dtype(self) -> str: ...

        @property
        def dtype_policy(self) -> DTypePolicy: ...

    build_shape: Any
    _built: bool
    _nodes: list[Node]
    _added_losses: Sequence[Array] = ()
    _build_takes: tuple[str, ...] = ()
    _output_takes: tuple[str, ...] = ()  # of a user's `compute_output_shape`
    _computes = False  # by a `call` of its own
    _tells_specs = False  # by a `compute_output_spec` of its own
    on_host_only = False
    """Whether the layer, rather than one in it, computes on the host; see `HostLayer`."""
    needs_no_build = False
    """Whether the layer has no weights, so that it can be called as it is."""
    built_at_once: bool | None = None
    """Whether `built` is True from the beginning; by default of layers without weights, but not of all in Keras."""

    supports_jit = True
    """Whether steps of a model with this layer may be compiled; if not, they run eagerly."""

    input_spec: Any = None
    """An `InputSpec`, or a list or dict of them, that inputs must fit; the library's layers check theirs themselves."""

    @property
    def built(self) -> bool:
        """Whether the layer has its weights; of one without, as in Keras."""
        return self._built or (self.needs_no_build if self.built_at_once is None else self.built_at_once)

    @built.setter
    def built(self, value: bool) -> None:
        self._built = checks.boolean("built", value, self)

    def __repr__(self) -> str:
        if "_built" not in vars(self):  # an `__init__` that failed, or is not through
            return f"<{type(self).__name__}, not initialized>"
        return super().__repr__() if self._built or self.needs_no_build else f"{super().__repr__()[:-1]}, not built>"

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in INTERNAL]

    @property
    def call_signature_parameters(self) -> list[str]:
        """The names of the arguments of `call`."""
        return list(inspect.signature(self.call).parameters)

    @property
    def path(self) -> str:
        """The path of the layer in its model, its name outside of one."""
        return self.name if self._owner_path is None else self._owner_path.partition("#")[0]

    @property
    def input_dtype(self) -> str:
        """Name of the dtype to which inputs are cast."""
        return self.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Name of the dtype of the layer's weights."""
        return self.dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """Name of the dtype of the layer's weights."""
        return self.variable_dtype

    def _choose_policy(self, path: str) -> None:
        """Let the path choose among the policies of a map, before there are weights."""
        if self._policies is not None and not self._built:
            self._policy = self._policies[path]

    def _choose_policies(self, path: str) -> None:
        for name, layer in self.sublayers().items():  # type: ignore[attr-defined]
            layer._choose_policy(f"{path}/{name}")
            layer._choose_policies(f"{path}/{name}")

    def show_trainable(self) -> None:
        """Let the variables of this layer alone say whether it is trained, as Keras's do."""
        for _, variable in self.own_variables():
            if variable.can_train:
                variable.trainable = self._trainable
        count_trainable_change()

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training changes."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The other variables, with random counters."""
        trained = set(self.trainable_weights)
        return [variable for variable in self.variables if variable not in trained]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics in attributes of the layer and of those below, each once."""
        layers = self.flatten_layers()  # type: ignore[attr-defined]
        return list(dict.fromkeys(metric for layer in layers for metric in metrics_of(layer)))

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of `metrics`, which are not among those of the layer."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def losses(self) -> list[Array]:
        """What `add_loss` added in this step or in the latest call, and the penalties of trained weights."""
        added = [loss for layer in self.flatten_layers() for loss in layer._added_losses]  # type: ignore[attr-defined]
        weights = self.trainable_weights
        penalties = [v.regularizer(at_least_float32(v.value)) for v in weights if v.regularizer is not None]
        return [*collected_losses(), *added, *penalties]

    def add_loss(self, loss: Any) -> None:
        """Add a scalar array, or a list of them, to the loss of the current step; outside of one, to `losses` until the
        next call.
        """
        if isinstance(loss, (list, tuple)):
            for each in loss:
                self.add_loss(each)
            return
        if not hasattr(loss, "shape"):
            raise checks.invalid("loss", loss, "an array of shape (), or a list of them", self)
        if tuple(loss.shape) != ():
            raise ValueError(
                f"Layer '{self.name}' must add a loss of shape (); take its sum or mean. Received: {tuple(loss.shape)}"
            )
        note_loss(self, loss)  # type: ignore[arg-type]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """`add_weight`, under Keras's other name; the arguments are those."""
        return self.add_weight(tuple(shape), initializer, name, dtype, trainable, regularizer, constraint, autocast)

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Call the layer as a pure function of its variables, which are left as they are.

        Args:
            trainable_variables: Values in the order of `trainable_variables`.
            non_trainable_variables: Values in the order of `non_trainable_variables`.
            *args: Arguments of the call.
            return_losses: Whether to return `losses`, too.
            **kwargs: Arguments of the call.

        Returns:
            The output, the new values of `non_trainable_variables`, and the losses if requested.

        Example:
            >>> import numpy as np
            >>> from portanet import layers
            >>> layer = layers.Dense(1, use_bias=False)
            >>> layer.build((None, 2))
            >>> layer.stateless_call([np.ones((2, 1), dtype="float32")], [], np.ones((1, 2), dtype="float32"))
            (array([[2.]], dtype=float32), [])
        """
        if not self._built:
            raise ValueError(
                f"Layer '{self.name}' must be built before stateless_call. Received: a layer without weights"
            )
        groups = {
            "trainable_variables": (self.trainable_variables, trainable_variables),
            "non_trainable_variables": (self.non_trainable_variables, non_trainable_variables),
        }
        bindings: dict[Variable, Any] = {}
        for argument, (variables, values) in groups.items():
            if not isinstance(values, (list, tuple)) or len(values) != len(variables):
                raise checks.invalid(argument, values, f"a list of {len(variables)} arrays", self)
            bindings |= dict(zip(variables, map(held, values), strict=True))
        with bind(bindings) as bound, collect_losses():
            outputs = self(*args, **kwargs)
            state = [bound[variable] for variable in groups["non_trainable_variables"][0]]
            return (outputs, state, self.losses) if return_losses else (outputs, state)

    def compute_output_spec(self, *args: Any, **options: Any) -> Any:
        """Shape and dtype of the output, as symbolic arrays that are in no graph.

        Args:
            *args: Symbolic arrays (see `Input`), or trees of them, and other arguments of a call.
            **options: Likewise, by keyword.

        Raises:
            TypeError: An input is not symbolic.

        Example:
            >>> from portanet import layers
            >>> out = layers.Dense(2, dtype="mixed_float16").compute_output_spec(layers.Input((3,)))
            >>> out.shape, out.dtype
            ((None, 2), 'float16')
        """
        inputs = tree_leaves((args, options))
        if not any(isinstance(leaf, SymbolicArray) for leaf in inputs):
            kinds = ", ".join(sorted({type(leaf).__name__ for leaf in inputs}))
            raise TypeError(
                f"compute_output_spec of layer '{self.name}' takes symbolic arrays, such as layers.Input((3,)); call "
                f"the layer on others. Received: {kinds or 'no input'}"
            )
        token = asked_for.set(self)
        try:
            output = self(*args, **options)
        finally:
            asked_for.reset(token)
        del self._nodes[-1]
        return output

    def takes_strings(self) -> bool:
        """Whether inputs may be strings, since a layer in this one looks them up on the host, as it is called."""
        before = self.several_inputs is not None and self.several_inputs.on_host  # type: ignore[attr-defined]
        return not before and any(part.on_host_only for part in self.flatten_layers())  # type: ignore[attr-defined]

    # Copies

    def _before(self) -> list[Any]:
        """What is copied before the layer, so that copying recurses little: all layers below it, innermost first."""
        order: list[Any] = []
        pending, seen = [(self, self._held())], {self}  # type: ignore[attr-defined]
        while pending:
            current, held = pending[-1]
            below = next(held, None)
            if below is None:
                order.append(current)
                pending.pop()
            elif below not in seen:
                seen.add(below)
                pending.append((below, below._held()))
        return order[:-1]

    # Files of a user's own

    def saved_variables(self) -> list[Variable]:
        """The variables of this layer alone that a file holds, trainable ones first; random counters are no part."""
        variables = dict.fromkeys(variable for _, variable in self.own_variables() if not variable.counter)
        return sorted(variables, key=lambda variable: not variable.can_train)

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of this layer, without those of layers in it, into a store under "0", "1", ...

        Trainable ones come first. A subclass may store something else, which its `load_own_variables` reads: files of
        Keras (`.keras`, `.weights.h5`) hold what these methods say.

        Args:
            store: A dict, or another mapping.

        Example:
            >>> from portanet import layers
            >>> layer, store = layers.Dense(1), {}
            >>> layer.build((None, 2))
            >>> layer.save_own_variables(store)
            >>> {name: array.shape for name, array in store.items()}
            {'0': (2, 1), '1': (1,)}
        """
        for number, variable in enumerate(self.saved_variables()):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the weights of this layer from a store that `save_own_variables` filled.

        Args:
            store: The store.

        Raises:
            ValueError: It has more or fewer arrays, or arrays of other shapes.
        """
        variables = self.saved_variables()
        if len(store.keys()) != len(variables):
            raise ValueError(
                f"Layer '{self.name}' has {len(variables)} variables of its own; build it, and load as many. "
                f"Received: {len(store.keys())} arrays"
            )
        hosts: list[HostArray] = [to_host(store[str(number)]) for number in range(len(variables))]
        for variable, host in zip(variables, hosts, strict=True):
            variable.assign(host)

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` takes: the shape of the inputs; None for a layer that is not built."""
        return {"input_shape": self.build_shape} if self._built else None

    def build_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Build the layer for the shape of another's `get_build_config`.

        Args:
            config: The result of `get_build_config`.
        """
        shape = (config or {}).get("input_shape")
        if shape is not None and not self._built:
            self.build(shape)  # type: ignore[attr-defined]


NO_METRICS = {"_config", "_nodes", "_settings", "_trackers"}
"""Attributes with metrics that are not tracked as the user's own."""


def metrics_of(layer: Any) -> Iterator[Metric]:
    """The metrics in attributes of a layer, and in lists and dicts in them."""
    for attribute, value in vars(layer).items():
        if attribute not in NO_METRICS:
            yield from _metrics_in(value)


def _metrics_in(value: Any) -> Iterator[Metric]:
    if isinstance(value, Metric):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _metrics_in(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _metrics_in(part)

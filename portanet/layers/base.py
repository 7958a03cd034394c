"""What a layer is: it checks its arguments when made, allocates its weights when built, and computes when called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from portanet import regularizers
from portanet.backends import Array, Backend, HostArray, get_backend, use_backend
from portanet.layers.calling import calling, inspect_input, locate, weights_as_constants
from portanet.layers.output_shapes import shape_by_trial
from portanet.layers.several_inputs import Several, masks_of, shape_of
from portanet.layers.symbolic import Node, only_node, record
from portanet.layers.weights import WeightHolder, assign_all
from portanet.mixed_precision import DTypePolicy, at_least_float32
from portanet.tree import tree_leaves
from portanet.variables import Variable, add_loss, computing_in


class Layer(WeightHolder):
    """A function of arrays with weights of its own.

    Subclasses implement `build(input_shape)`, which allocates weights with `add_weight`, and `call(x)`, which computes
    with `xp = array_namespace(x, self.kernel.value)`; `call` may also take `training` and `mask`. Layers held as
    attributes (or in lists or dicts) belong to the layer that holds them. The class attributes declare more.

    Args:
        name: Name, unique within a model; by default the class's in snake case.
        trainable: Whether training changes the weights.
        dtype: Policy of the dtypes in which weights are kept and the layer computes, or its name, such as `"float64"`
            or `"mixed_float16"`; by default the global one, else the backend's default dtype. See
            `portanet.mixed_precision`.
        activity_regularizer: Penalty on the result, divided by the number of examples and added to the loss.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> from portanet.autodiff import array_namespace
        >>> class Scale(layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
        ...     def call(self, x):
        ...         return x * self.factor.value
        >>> Scale()(np.ones((2, 3), dtype="float32")).shape
        (2, 3)
    """

    several_inputs: Several | None = None
    """Which arrays the layer takes, if it takes a list of them."""
    keeps_shape = False
    """Whether results have the shape of inputs, so that `compute_output_shape` need not be written."""
    keeps_values = False
    """Whether results are elements of the inputs: what must be true of them must be true of what a user gives."""
    autocast = True
    """Whether floating-point inputs are cast to the compute dtype."""
    independent_examples = False
    """Whether the result for each example depends on that example alone, a call draws nothing but masks
    (`RandomLayer.bernoulli`), and leaves nothing behind: parts of a batch may then be computed apart. It counts for the
    class that declares it, not for its subclasses, which may do anything."""

    _takes_training = False
    _takes_mask = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parameters = inspect.signature(cls.call).parameters
        cls._takes_training = "training" in parameters
        cls._takes_mask = "mask" in parameters
        cls.independent_examples = cls.__dict__.get("independent_examples", False)
        if "build" in cls.__dict__:
            cls.build = _building(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: DTypePolicy | str | None = None,
        activity_regularizer: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self._trainable = trainable
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.build_shape: Any = None
        """The shape of the inputs for which the layer was built."""
        self._dtypes: list[Any] = []
        """Their dtypes."""
        self._nodes: list[Node] = []

    # What subclasses implement

    def build(self, input_shape: Any) -> None:
        """Allocate the weights for inputs of this shape; called once, before the first call."""
        self.built, self.build_shape = True, input_shape

    def call(self, x: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError(f"Layer '{self.name}' ({type(self).__name__}) does not implement call(x).")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result for inputs of this shape; a tree of shapes for trees of arrays.

        Where a subclass does not say it, it is found by calling the layer on zeros, which builds it if need be.
        """
        return input_shape if self.keeps_shape else shape_by_trial(self, input_shape)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """The mask of the result, given the input's; by default it is passed on."""
        return mask

    def check_data(self, x: Any) -> None:
        """Refuse values that the layer cannot take.

        `fit`, `evaluate` and `predict` call it with all of the data that the layer will get from the user, since steps
        compiled for a device cannot look at values. None in a list of arrays stands for one that is not known yet.
        """

    # Calling

    def __call__(self, x: Any, *further: Any, training: bool | None = None, mask: Any = None, **options: Any) -> Any:
        """Check the input, build if need be, and compute.

        Args:
            x: An array of the library on which the layer was built; a list of them for layers that say so (see
                `several_inputs`), or whatever tree of arrays `call` takes. Symbolic arrays (see `Input`) give symbolic
                ones.
            training: Whether this is a training step; by default what the calling layer was told, else False.
            mask: Boolean array, False for the time steps to leave out, for layers that use one; a list for a list.
            *further: Whatever else the layer's `call` takes by position, such as the states of a recurrent cell.
            **options: Whatever else it takes by name.
        """
        if self.several_inputs is not None:
            x, further = self.several_inputs.collect(self, x, further, options), ()
        outer = calling.get()
        symbolic, guest = inspect_input(self, x, options) if outer is None else (False, None)
        if symbolic:
            return record(self, (x, *further), {"training": training, "mask": mask, **options})
        if not self.built:
            self._build_on(x)
        if guest is not None:
            with weights_as_constants(self, guest, training):
                return self(x, *further, mask=mask, **options)
        training = bool(outer) if training is None else training
        dtype = None if self._policy is None else self._policy.compute_dtype
        call_token, dtype_token = calling.set(training), computing_in.set(dtype)
        try:
            if self.autocast:
                x = self.in_compute_dtype(x)
                if further or options:
                    further, options = self.in_compute_dtype((further, options))
            if self._takes_training:
                options["training"] = training
            if self._takes_mask and mask is not None:
                options["mask"] = mask if self.several_inputs is None else masks_of(mask, len(x))
            out = self.call(x, *further, **options)
        except Exception as error:
            locate(error, self, x)
            raise
        finally:
            calling.reset(call_token)
            computing_in.reset(dtype_token)
        if self.activity_regularizer is not None:
            for leaf in tree_leaves(out):
                self.add_loss(self.activity_regularizer(at_least_float32(leaf)) / max(1, leaf.shape[0]))
        return out

    def _build_on(self, x: Any) -> None:
        """Build the layer for inputs like these: a tree of arrays, or of what stands for them."""
        self._dtypes = [leaf.dtype for leaf in tree_leaves(x)]
        self.build(shape_of(x))

    def _call_with_mask(self, x: Any, *further: Any, mask: Any, **options: Any) -> tuple[Any, Any]:
        """The result, and its mask: a list of masks for several results."""
        return self(x, *further, mask=mask, **options), self.compute_mask(x, mask)

    def add_loss(self, value: Array) -> None:
        """Add a scalar array to the loss of the training or evaluation step in which `call` runs; else drop it."""
        if tuple(value.shape) != ():
            raise ValueError(
                f"Layer '{self.name}' must add a loss of shape (); take its sum or mean. Received: {tuple(value.shape)}"
            )
        add_loss(value)

    # Dtypes

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy of the dtypes in which weights are kept and the layer computes."""
        if self._policy is not None:
            return self._policy
        variable = self.first_variable()
        backend = get_backend() if variable is None else variable.backend
        return DTypePolicy(backend.dtype_name(backend.dtype))

    @property
    def compute_dtype(self) -> str:
        """Name of the dtype of the layer's computations and results."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Name of the dtype of the layer's weights."""
        return self.dtype_policy.variable_dtype

    # The layers that belong to this one, and all weights

    def sublayers(self) -> dict[str, Layer]:
        """The layers that belong to this one, by name, in the order in which they were attached."""
        by_name: dict[str, Layer] = {}
        for layer in dict.fromkeys(self._held()):  # each once
            by_name[layer._name_among(by_name)] = layer
        return by_name

    def _held(self) -> Iterator[Layer]:
        """Layers among the attributes, and in lists and dicts among them."""
        for attribute, value in self.__dict__.items():
            if attribute == "_config":  # arguments: what a layer makes of them belongs to it, not they
                continue
            entries = value.values() if isinstance(value, Mapping) else value
            for entry in entries if isinstance(value, (list, tuple, Mapping)) else (value,):
                if isinstance(entry, Layer):
                    yield entry

    def named_variables(self) -> dict[str, Variable]:
        """Every variable of this layer and those below, by path such as `dense/kernel`; a shared one appears once."""
        paths: dict[Variable, str] = {}
        for path, variable, _ in self._walk(""):
            if variable not in paths:
                paths[variable] = variable.path = path
        return {path: variable for variable, path in paths.items()}

    def first_variable(self) -> Variable | None:
        """Any variable of the layer, if it has one: they are all on the same backend."""
        for variable in self._variables.values():
            return variable
        return next(filter(None, (layer.first_variable() for layer in self._held())), None)

    def _walk(self, prefix: str, trained: bool = True) -> Iterator[tuple[str, Variable, bool]]:
        """Paths and variables, with whether nothing on the way to them is frozen."""
        trained = trained and self._trainable
        for name, variable in self._variables.items():
            yield prefix + name, variable, trained and variable.trainable
        for name, layer in self.sublayers().items():
            yield from layer._walk(f"{prefix}{name}/", trained)

    def _place(self, path: str) -> None:
        """Tell the layers below their paths, before they draw their weights (or after, for messages)."""
        for name, layer in self.sublayers().items():
            if not layer.built or layer._owner_path is None or "#" in layer._owner_path:
                layer._owner_path = f"{path}/{name}" if path else name
                layer._place(layer._owner_path)

    def flatten_layers(self) -> Iterator[Layer]:
        """This layer and every layer below it."""
        yield self
        for layer in self.sublayers().values():
            yield from layer.flatten_layers()

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it for every layer below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.flatten_layers():
            layer._trainable = bool(value)

    def trainable_paths(self) -> list[str]:
        """Paths of the variables that training changes: those that can be reached without passing a frozen layer."""
        trained = {variable for _, variable, is_trained in self._walk("") if is_trained}
        return [path for path, variable in self.named_variables().items() if variable in trained]

    @property
    def variables(self) -> list[Variable]:
        """Every variable, random counters included."""
        return list(self.named_variables().values())

    @property
    def weights(self) -> list[Variable]:
        """Every weight and running statistic."""
        return [v for v in self.variables if not v.counter]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        named = self.named_variables()
        return [named[path] for path in self.trainable_paths()]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = set(self.trainable_paths())
        return [v for p, v in self.named_variables().items() if p not in trained and not v.counter]

    def count_params(self) -> int:
        """Number of elements of the weights."""
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[HostArray]:
        """Copies of the weights as NumPy arrays, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Replace the weights by arrays of the same shapes, in the order of `weights`.

        Raises:
            ValueError: The number or a shape differs; nothing is changed then.
        """
        own = self.weights
        if len(weights) != len(own):
            raise ValueError(
                f"Layer '{self.name}' has {len(own)} weights; pass as many. Received: {len(weights)} arrays"
            )
        assign_all(own, weights)

    def to(self, name: str | Backend, device: Any = None, dtype: str | None = None) -> Self:
        """Move the weights to another backend or device.

        Args:
            name: Name of a backend, or a backend.
            device: A device of it.
            dtype: Default dtype there; weights that have the default dtype here take it on, others keep theirs.

        Returns:
            The layer itself.
        """
        for variable in self.variables:
            current = variable.backend.dtype_name(variable.backend.dtype)
            with use_backend(name, device, dtype or current) as backend:
                variable.move(backend)
        return self

    # In graphs

    @property
    def input(self) -> Any:
        """What the layer was called on in a graph: a symbolic array, or a tree of them, if it was called once there."""
        node = only_node(self, "input")
        return node.args[0] if node.args else node.outputs

    @property
    def output(self) -> Any:
        """The result of that call: a symbolic array, or a tree of them."""
        return only_node(self, "output").outputs

    # Inputs

    def require_axis(self, x: Array, axis: int, expected: int) -> None:
        """Refuse an input whose axis has another size than the layer was built for."""
        if x.shape[axis] != expected:
            raise ValueError(
                f"Layer '{self.name}' was built for inputs with {expected} features on axis {axis}. "
                f"Received: an input of shape {tuple(x.shape)}"
            )

    def require_rank(self, shape: Any, minimum: int, form: str) -> None:
        """Refuse an input with too few axes."""
        if len(shape) < minimum:
            raise ValueError(f"Layer '{self.name}' needs inputs of shape {form}. Received: shape {tuple(shape)}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}'{'' if self.built else ', not built'}>"


def _building(build: Callable[..., None]) -> Callable[..., None]:
    """Mark the layer as built after the outermost `build`, and keep the shape."""

    @functools.wraps(build)
    def wrapper(self: Layer, input_shape: Any) -> None:
        build(self, input_shape)
        self.built, self.build_shape = True, input_shape

    return wrapper

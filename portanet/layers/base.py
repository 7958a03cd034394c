"""The base class of layers, which check arguments in `__init__`, allocate weights in `build`, and compute in `call`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portanet import checks, regularizers
from portanet.autodiff import is_traced
from portanet.backends import Array, ArrayObject, get_backend
from portanet.configurable import overrides
from portanet.layers.calling import (
    OF_CALLS,
    NamedLayers,
    call_apart,
    callers,
    calling,
    input_by_name,
    inspect_input,
    locate,
    note_call,
    penalize,
    remember_output,
    weights_as_constants,
)
from portanet.layers.input_spec import declared_shape, require_inputs
from portanet.layers.output_shapes import shape_by_trial
from portanet.layers.several_inputs import Several, beside_examples, one_array
from portanet.layers.state import StateAccess
from portanet.layers.symbolic import Node, first_node
from portanet.layers.weights import MAY_HOLD_LAYERS, MAY_HOLD_VARIABLES, building_for, note_shapes, shapes_of_call
from portanet.masks import keep_masks, masks_of, remember, remembered
from portanet.mixed_precision import DTypePolicy, cast_floats, cast_integers
from portanet.tree import KINDS, MAPPING, tree_leaves
from portanet.variables import Variable, computing_in


class Layer(StateAccess):
    """A function of arrays, with weights.

    Subclasses implement `build(input_shape)`, which allocates weights with `add_weight`, and `call(x)`, which computes
    with `xp = array_namespace(x, self.kernel.value)`; `call` may also take `training` and `mask`. Layers stored in
    attributes (or in lists or dicts in them) are sublayers. Class attributes declare more.

    Args:
        name: Name, unique within a model; by default the class name in snake case.
        trainable: Whether training changes the weights.
        dtype: Dtype policy or its name, such as `"float64"` or `"mixed_float16"`; by default the global policy, else
            the backend's default dtype. See `portanet.mixed_precision`.
        activity_regularizer: Penalty on the output, divided by the number of examples and added to the loss.
        autocast: Whether floating-point inputs are cast to the compute dtype.
        input_shape: Shape of one example, for the first layer of a `Sequential`; an `Input` is preferred, as in Keras.
        input_dim: The same for examples of one axis.

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
    """Declaration of the arrays, if the layer takes a list of them."""
    keeps_shape = False
    """Whether outputs have the shape of inputs, so that `compute_output_shape` need not be implemented."""
    keeps_values = False
    """Whether outputs consist of elements of the inputs, so that checks of outputs apply to the user's data."""
    autocast = True
    """Whether floating-point inputs are cast to the compute dtype."""
    casts_integers = False
    """Whether integer and boolean inputs are cast, too."""
    takes_integers = False
    """Whether inputs are integers, as for `Embedding`; models then do not cast theirs to floating point."""
    supports_masking = False
    """Whether the output has the mask of the input; for layers without `compute_mask`. If not, the mask is dropped."""
    gives_mask = False
    """Whether `call` takes `return_mask=True`, and then returns the mask of the output as well."""
    independent_examples = False
    """Whether the output for each example depends on that example alone, and a call draws only masks
    (`RandomLayer.bernoulli`) and has no side effects: parts of a batch may be computed separately. Not inherited."""

    declared_shape: tuple[int | None, ...] | None = None
    """The shape of one example, as an argument of the layer says."""
    _takes_training = _takes_mask = _own_mask = False
    _takes_apart: tuple[str, ...] | None = None
    _takes_one_array = False  # where the input of `call` is annotated as an `Array`
    _takes_lists = False  # of numbers in its place: layers that prepare data, as in Keras
    _masks_steps = True  # the mask is one of time steps, as models pass them
    _mask_remedy = "If its output has the same mask, set supports_masking = True in the class; else write compute_mask."
    _checks_spec = True  # whether calls check `input_spec`
    _passes_masks = True  # `call` passes masks to the layers in it; in the calls of others, these find them themselves
    _training_default, _callers = False, callers(True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        note_call(cls, Layer)
        note_shapes(cls)

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: DTypePolicy | str | None = None,
        activity_regularizer: Any = None,
        autocast: bool = True,
        input_shape: Any = None,
        input_dim: int | None = None,
    ) -> None:
        super().__init__(name, dtype)
        if not checks.boolean("autocast", autocast, self):
            self.autocast = False
        if input_shape is not None or input_dim is not None:
            self.declared_shape = declared_shape(self, input_shape, input_dim)
        self._trainable = checks.boolean("trainable", trainable, self)
        self.activity_regularizer = regularizers.get(activity_regularizer, "activity_regularizer", self)
        self._built = False
        self.build_shape: Any = None
        """Shape of the inputs for which the layer was built."""
        self._dtypes: list[Any] = []
        """Their dtypes."""
        self._nodes: list[Node] = []

    # What subclasses implement

    def build(self, input_shape: Any) -> None:
        """Allocate the weights for inputs of this shape; called once, before the first call."""
        self._built, self.build_shape = True, input_shape

    def call(self, x: Any) -> Any:
        """Compute the output."""
        raise NotImplementedError(f"Layer '{self.name}' ({type(self).__name__}) does not implement call(x).")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The tree of output shapes for one of input shapes; by default from a call on zeros, which builds it."""
        return input_shape if self.keeps_shape else shape_by_trial(self, input_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output, given the input's; by default the same (see `supports_masking`)."""
        return mask

    def check_data(self, x: Any) -> None:
        """Reject values that the layer does not accept.

        `fit`, `evaluate` and `predict` call it with all user data that reaches the layer, since compiled steps cannot
        read values. None in a list of arrays means that the array is not known yet.
        """

    # Calling

    def __call__(
        self, x: Any = None, *further: Any, training: bool | None = None, mask: Any = None, **options: Any
    ) -> ArrayObject | Any:
        """Check the input, build the layer if necessary, and compute.

        Args:
            x: An array of the library on which the layer was built; a list of them for layers with `several_inputs`,
                or any tree of arrays that `call` takes. NumPy's become arrays of the backend in use. Symbolic arrays
                (see `Input`) return symbolic ones.
            training: Whether this is a training step; by default as in the calling layer, else the default of `call`.
            mask: Boolean array, False for time steps to skip, for layers that use one; a list for a list of inputs. In
                the `call` of another layer, by default the mask of `x`.
            *further: Other positional arguments of `call`, such as the states of a recurrent cell.
            **options: Other keyword arguments of `call`.
        """
        x = input_by_name(self, options) if x is None else x.value if type(x) is Variable else x
        if self._checks_spec and self.input_spec is not None:
            require_inputs(self, self.input_spec, x)
        if self.several_inputs is not None:
            x, further = self.several_inputs.collect(self, x, further, options), ()
        elif self._takes_one_array and isinstance(x, (list, tuple, dict)):
            x = one_array(self, x)
        outer = calling.get()
        beside = further if mask is None else (*further, mask)
        elsewhere, guest = inspect_input(self, x, beside, options) if outer is None else (None, None)
        if elsewhere is not None:
            return elsewhere(self, (x, *further), {"training": training, "mask": mask, **options})
        if not self._built:
            self._build_on(x, further, options)
        if guest is not None:
            with weights_as_constants(self, guest, training):
                return self(x, *further, mask=mask, **options)
        finds_masks = outer is None or not outer.passes_masks
        masks = remembered.get() if finds_masks and mask is None else None
        mask = mask if masks is None else masks.find(x)
        if (mask is not None or further or options) and is_traced(mask, further, options):
            x = beside_examples(x, mask, further, options)
        told = checks.boolean("training", training, self) if training is not None else outer.training if outer else None
        training = self._training_default if told is None else told
        dtype = None if self._policy is None else self._policy.compute_dtype
        out: Any = None
        call_token, dtype_token = calling.set(self._callers[training]), computing_in.set(dtype)
        try:
            if self.autocast:
                x = self.in_compute_dtype(x, self.casts_integers)
                if further or options:
                    further, options = self.in_compute_dtype((further, options))
            if self._takes_training:
                options["training"] = training
            if self._takes_mask and mask is not None and (masks is None or self._masks_steps):
                options["mask"] = mask if self.several_inputs is None else masks_of(mask, len(x))
            if mask is not None and not self._passes_masks and (masks or not finds_masks):
                remember(x, mask)  # for the layers in this one; `x` may have been cast
            out = call_apart(self, x, options) if self._takes_apart else self.call(x, *further, **options)
            if finds_masks and (mask is not None or self._own_mask) and not self.gives_mask:
                remember_output(self, x, out, mask)
        except Exception as error:
            locate(error, self, x)
            raise
        finally:
            calling.reset(call_token)
            computing_in.reset(dtype_token)
            if outer is None and remembered.get() is not None:
                keep_masks(out)
        if self.activity_regularizer is not None and (outer is None or outer.penalizes):
            penalize(self, self.activity_regularizer, out)
        return out

    def _build_on(self, x: Any, further: Any = (), options: Any = None) -> None:
        """Build the layer for the arguments of a call: trees of arrays, or of `ArraySpec` in their place."""
        leaves = tree_leaves(x)
        self._dtypes = [leaf.dtype for leaf in leaves]
        if calling.get() is None:
            self._choose_policies(self.path)
        with building_for(self, leaves):
            self.build(*shapes_of_call(self, self._build_takes, x, further, options))

    # Dtypes

    def in_compute_dtype(self, inputs: Any, integers: bool = False) -> Any:
        """A tree with its floating-point arrays (and `integers` and booleans) cast to the compute dtype."""
        if self._policy is not None:
            return cast_floats(inputs, self._policy.compute_dtype, integers, self)
        for variable in self._variables.values():
            if not variable.counter:
                return cast_floats(inputs, variable.value.dtype, integers, self)
        return cast_integers(inputs, self) if integers else inputs

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The dtype policy of weights and computations."""
        if self._policy is not None:
            return self._policy
        variable = self.first_variable()
        backend = get_backend() if variable is None else variable.backend
        return DTypePolicy(backend.dtype_name(backend.dtype))

    @property
    def compute_dtype(self) -> str:
        """Name of the dtype of the layer's computations and outputs."""
        return self.dtype_policy.compute_dtype

    # Sublayers and weights

    def sublayers(self) -> NamedLayers:
        """The direct sublayers by name, in the order in which they were assigned."""
        named = NamedLayers()
        for layer in dict.fromkeys(self._held()):  # each once
            named.add(layer, attribute=True)
        return named

    def _held(self) -> Iterator[Layer]:
        """Layers in attributes, and in lists and dicts in them; not the arguments of `__init__`, unless held, too."""
        for attribute, value in self.__dict__.items():
            if MAY_HOLD_LAYERS[kind := type(value)] and attribute not in ("_config", "_nodes"):
                for x in value.values() if KINDS[kind] == MAPPING else [value] if isinstance(value, Layer) else value:
                    if isinstance(x, Layer):
                        yield x
                    elif type(x) in (list, dict, tuple):
                        yield from (leaf for leaf in tree_leaves(x) if isinstance(leaf, Layer))

    def named_variables(self) -> dict[str, Variable]:
        """All variables of this layer and its sublayers, by path such as `dense/kernel`; shared ones appear once."""
        paths: dict[Variable, str] = {}
        for path, variable, _ in self._walk(""):
            if variable not in paths:
                paths[variable] = variable.path = path
        return {path: variable for variable, path in paths.items()}

    def own_variables(self) -> Iterator[tuple[str, Variable]]:
        """The variables of this object by name; those in its attributes, too, and the states of seed generators."""
        yield from self._variables.items()
        for name, value in self.__dict__.items():
            if MAY_HOLD_VARIABLES[type(value)] and name[0] != "_" and value is not self._variables.get(name):
                yield from self.variables_of_attribute(name, value)

    def first_variable(self) -> Variable | None:
        """Any variable of the layer, or None; all are on the same backend."""
        for variable in self._variables.values():
            return variable
        for layer in self._held():  # most models have variables in one of their first layers
            if layer._variables:
                return layer.first_variable()
        return next((v for v in map(Layer.first_variable, self._held()) if v is not None), None)

    def _walk(self, prefix: str, trained: bool = True) -> Iterator[tuple[str, Variable, bool]]:
        """Paths, variables, and whether neither the variable nor a layer on its path is frozen."""
        trained = trained and self._trainable
        for name, variable in self.own_variables():
            yield prefix + name, variable, trained and variable.trainable
        for name, layer in self.sublayers().items():
            yield from layer._walk(f"{prefix}{name}/", trained)

    def _place(self, path: str) -> None:
        """Set the paths of sublayers, before their weights are initialized (or after, for messages)."""
        for name, layer in self.sublayers().items():
            layer._place_at(f"{path}/{name}" if path else name)

    def _place_at(self, path: str) -> None:
        """Set the path of this layer and those below, unless it was built at another."""
        if not self._built or self._owner_path is None or "#" in self._owner_path:
            self._owner_path = path
            self._choose_policy(path)
            self._place(path)

    def flatten_layers(self) -> Iterator[Layer]:
        """This layer and all layers below it."""
        yield self
        for layer in self.sublayers().values():
            yield from layer.flatten_layers()

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it applies to all layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.flatten_layers():
            layer._trainable = checks.boolean("trainable", value, layer)
            layer.show_trainable()

    def trainable_paths(self) -> list[str]:
        """Paths of the variables that training changes: those that a subclass names, or that no frozen layer has."""
        own = overrides(type(self), Layer, "trainable_weights", "trainable_variables")
        trained = set(self.trainable_variables) if own else self._trained()
        return [path for path, variable in self.named_variables().items() if variable in trained]

    def _trained(self) -> set[Variable]:
        return {variable for _, variable, is_trained in self._walk("") if is_trained}

    @property
    def variables(self) -> list[Variable]:
        """All variables, including random counters."""
        return list(self.named_variables().values())

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        trained = self._trained()
        return [variable for variable in self.variables if variable in trained]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not change."""
        return [v for v in self.non_trainable_variables if not v.counter]

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        """The contents of copies and pickles: all but the layer's calls."""
        return {"_before": self._before(), **{k: v for k, v in vars(self).items() if k not in OF_CALLS}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).setdefault("_nodes", [])  # some may have been restored before
        vars(self).update({name: value for name, value in state.items() if name != "_before"})

    # In graphs

    @property
    def input(self) -> Any:
        """The symbolic input, or tree of them, of the layer's first call in a graph."""
        node = first_node(self, "input")
        return node.args[0] if node.args else node.outputs

    @property
    def output(self) -> Any:
        """The symbolic output, or tree of them, of that call."""
        return first_node(self, "output").outputs

    # Inputs

    def require_axis(self, x: Array, axis: int, expected: int) -> None:
        """Reject an input whose axis does not have the size that the layer was built for."""
        if x.shape[axis] != expected:
            raise ValueError(
                f"Layer '{self.name}' was built for inputs with {expected} features on axis {axis}. "
                f"Received: an input of shape {tuple(x.shape)}"
            )

    def require_rank(self, shape: Any, minimum: int, form: str) -> None:
        """Reject an input with too few axes."""
        if len(shape) < minimum:
            raise ValueError(f"Layer '{self.name}' needs inputs of shape {form}. Received: shape {tuple(shape)}")

"""The base class of objects with weights: named variables and a dtype policy."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from portanet import checks, constraints, initializers, random, regularizers
from portanet.backends import Array, Backend, BackendName, HostArray, get_backend, require_plain, to_host, use_backend
from portanet.backends.conversion import named_dtype
from portanet.configurable import Configurable, is_described, is_of_user, keeps_objects, named_arguments, overrides
from portanet.initializers.base import drawn
from portanet.layers.foreign import foreign_array, foreign_to
from portanet.layers.several_inputs import shape_of
from portanet.lookup import snake_case
from portanet.mixed_precision import DTypePolicy, DTypePolicyMap, chosen_policy
from portanet.tree import KINDS, MAPPING, SEQUENCE, tree_leaves
from portanet.variables import Variable, hold_built, will_be_loaded

_OF_INIT = frozenset(
    ("_variables", "_trainable", "_built", "_policy", "_nodes", "_named", "_adopted", "_owner_path", "_dtypes", "name")
)
"""Attributes that `__init__` sets, and that layers need."""
_foreign: ContextVar[Array | None] = ContextVar("portanet_built_for_foreign_array", default=None)
_building: ContextVar[bool] = ContextVar("portanet_builds_a_layer", default=False)


class WeightHolder(Configurable):
    """An object with a name, weights, and a dtype policy for them; the base class of `Layer`.

    Without a policy, weights have the backend's default dtype, and inputs are cast to the dtype of the weights.

    Args:
        name: Name; by default the class name in snake case.
        dtype: Dtype policy or its name; by default the global policy, if one is set.
    """

    _trainable: bool
    _built: bool
    needs_no_build: bool

    def __init__(self, name: str | None = None, dtype: DTypePolicy | str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or not name or "/" in name):
            raise checks.invalid("name", name, "a non-empty string without '/'", type(self))
        self._named = name is not None
        self.name = name or snake_case(self._kind)
        self._adopted = False
        self._owner_path: str | None = None
        self._policies: DTypePolicyMap | None = None
        self._policy = chosen_policy(dtype, self)
        if isinstance(self._policy, DTypePolicyMap):
            self._policies, self._policy = self._policy, self._policy[self.name]
        self._variables: dict[str, Variable] = {}

    if not TYPE_CHECKING:  # where attributes are those that are declared

        def __getattr__(self, name: str) -> Any:
            """What is missing, in an object whose class does not call `super().__init__()`, because of that."""
            if name in _OF_INIT and "_variables" not in vars(self):
                raise RuntimeError(
                    f"Class {type(self).__name__} must call super().__init__() first in its __init__, so that layers "
                    "and weights in it are found. Received: an object without it"
                )
            return object.__getattribute__(self, name)  # the error of Python, or that of a property

    @property
    def _kind(self) -> str:
        """What it is called in summaries: by default the name of its class."""
        return type(self).__name__

    def add_weight(
        self,
        shape: Sequence[int] | int = (),
        initializer: Any = None,
        name: str | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        autocast: bool = True,
    ) -> Variable:
        """Allocate a weight on the current backend.

        Args:
            shape: Its shape.
            initializer: Name, object, or function `(shape, generator) -> NumPy array` or, as in Keras,
                `(shape, dtype) -> array`. By default "glorot_uniform", "zeros" for integers and booleans.
            name: Its name, unique within the layer; by default "weight", then "weight_1" and so on.
            dtype: Name of its dtype; by default the layer's, else the backend's.
            trainable: False for state such as a running mean.
            regularizer: Name or function: penalty on the weight, added to the loss.
            constraint: Name or function applied to the weight after each update.
            autocast: Whether the layer computes with the weight in the compute dtype; False for full precision.
        """
        shape = (shape,) if isinstance(shape, int) else shape
        if name is None:
            name, number = "weight", 0
            while name in self._variables:
                name, number = f"weight_{number + 1}", number + 1
        if any(not isinstance(n, (int, np.integer)) or n < 0 for n in shape):
            raise ValueError(
                f"Weight '{name}' of layer '{self.name}' needs a shape of non-negative integers; give the layer a "
                f"fully known input shape. Received: shape={shape}"
            )
        if name in self._variables:
            raise ValueError(f"Layer '{self.name}' already has a weight of that name. Received: name={name!r}")
        backend = self._backend_for_weights()
        shape = tuple(int(n) for n in shape)
        if (dtype := named_dtype(dtype)) is None:
            dtype = self._policy.variable_dtype if self._policy else backend.dtype_name(backend.dtype)
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        initial = initializers.get("zeros" if will_be_loaded(shape) else initializer, "initializer", self)
        try:
            host = drawn(initial, shape, random.host_generator(self._path(), name), dtype)
        except ValueError as error:
            raise ValueError(f"Layer '{self.name}' cannot initialize its weight '{name}': {error}") from error
        native = backend.find_dtype(dtype)
        on_host = np.asarray(host, dtype="float32" if dtype == "bfloat16" else dtype, order="C")  # as products like it
        value = backend.from_host(on_host)
        if value.dtype != native:  # NumPy has no bfloat16
            value = backend.xp.astype(value, native)
        penalty = regularizers.get(regularizer, "regularizer", self)
        projection = constraints.get(constraint, "constraint", self)
        self._variables[name] = variable = Variable(
            lambda *_, **__: value,
            shape,
            dtype,
            trainable,
            autocast,
            name=name,
            regularizer=penalty,
            constraint=projection,
        )
        return variable

    def add_counter(self, name: str = "counter") -> Variable:
        """Allocate a random counter: the layer's number of draws so far; see `portanet.random`."""
        self._backend_for_weights()
        self._variables[name] = Variable(0, name=name, counter=True)
        return self._variables[name]

    def _backend_for_weights(self) -> Backend:
        """The backend in use; the input for which the layer is built must be an array of it."""
        backend, foreign = get_backend(), _foreign.get()
        if foreign is not None:
            raise foreign_array(f"Layer '{self.name}' creates weights on the backend in use,", backend.name, foreign)
        return backend

    def _path(self) -> str:
        """The layer's path in its model; outside of models, its name and a number."""
        if self._owner_path is None:
            self._owner_path = f"{self.name}#{random.next_unowned()}"
        return self._owner_path

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal layer, with its name and dtype policy, as in Keras: plain data.

        Objects among the arguments are described as `portanet.saving.serialize_keras_object` does.
        """
        config = self._arguments()
        if not keeps_objects(self):
            return cast(dict[str, Any], _descriptions().config_of(self, config))
        if overrides(type(self), WeightHolder, "get_config"):  # which is overridden, and may look for these
            config = config | {"name": self.name, "trainable": self._trainable}
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create a layer from the result of `get_config`, or of that of the same layer in Keras."""
        arguments = set(named_arguments(cls)) - {"batch_shape"}  # by which Keras describes an input
        if config.keys() <= arguments and not is_described(config):
            return super().from_config(config)
        return cast(Self, _descriptions().layer_of(cls, config))

    def _arguments(self) -> dict[str, Any]:
        config = super()._arguments()
        if self._policy is not None and ("dtype" in config or _takes_options(type(self).__init__)):
            config["dtype"] = self._policy.name
        if "data_format" in config and getattr(self, "data_format", None) == "channels_first":
            config["data_format"] = "channels_first"  # which may have been set by portanet.config
        return config

    def variables_of_attribute(self, name: str, value: Any) -> Iterator[tuple[str, Variable]]:
        """The variables that an attribute is or holds, by name, without those of `add_weight`."""
        if isinstance(value, random.SeedGenerator):
            yield f"{name}/{value.state.name}", value.state
        elif not isinstance(value, Variable):
            for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
                if isinstance(entry, Variable):
                    yield from self.variables_of_attribute(f"{name}_{key}", entry)
        elif value not in set(self._variables.values()):
            yield (f"{name}_1" if name in self._variables else name), value

    @property
    def variables(self) -> list[Variable]:
        """All variables, including random counters."""
        return list(self._variables.values())

    @property
    def weights(self) -> list[Variable]:
        """All weights, including running statistics."""
        return [v for v in self.variables if not v.counter]

    def to(self, name: BackendName | Backend, device: Any = None, dtype: str | None = None) -> Self:
        """Move the weights to another backend or device, and return the layer.

        Args:
            name: Name of a backend, or a backend.
            device: A device of it.
            dtype: Default dtype of that backend, for weights of the current default dtype; others keep theirs.
        """
        for variable in self.variables:
            current = variable.backend.dtype_name(variable.backend.dtype)
            with use_backend(name, device, current if dtype is None else dtype) as backend:
                variable.move(backend)
        return self

    def count_params(self) -> int:
        """Number of elements of the weights.

        Raises:
            ValueError: The layer is not built.
        """
        if not (self._built or self.needs_no_build):
            raise ValueError(
                f"Layer '{self.name}' has no weights to count before it is built: build it, or call it on data. "
                "Received: a layer that is not built"
            )
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[HostArray]:
        """Copies of the weights as NumPy arrays, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Replace the weights with arrays of the same shapes, in the order of `weights`.

        Raises:
            ValueError: The number or a shape differs; no weight is changed.
        """
        assign_all(self.name, self.weights, weights)


def _descriptions() -> Any:
    """The module of descriptions, which is built on layers, and which few use."""
    return importlib.import_module("portanet.saving.keras.objects")


@functools.cache
def _takes_options(init: Any) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(init).parameters.values())


def assign_all(layer: str, variables: list[Variable], values: list[Any]) -> None:
    """Replace the values of a layer's variables with host arrays of the same shapes; all of them or none."""
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"Argument `weights` of layer '{layer}' must be a list of arrays. Received: {values!r}")
    if len(values) != len(variables):
        some = f"{len(variables)} weights; pass as many"
        none = "no weights yet; give the model an Input, or call it on data, first"
        raise ValueError(f"Layer '{layer}' has {some if variables else none}. Received: {len(values)} arrays")
    for variable, value in zip(variables, values, strict=True):
        require_plain(value, f"Values of weight '{variable.path}'")
    hosts = [value if isinstance(value, np.ndarray) else to_host(value) for value in values]
    for variable, host in zip(variables, hosts, strict=True):
        if host.dtype.kind not in "biufV":  # V: bfloat16
            raise ValueError(f"Weight '{variable.path}' takes numbers. Received: an array of dtype {host.dtype}")
        if host.shape != variable.shape:
            raise ValueError(
                f"Weight '{variable.path}' has shape {variable.shape}; pass an array of that shape. "
                f"Received: {host.shape}"
            )
    for variable, host in zip(variables, hosts, strict=True):
        name = variable.backend.dtype_name(variable.dtype)
        known = name != "bfloat16" and host.dtype.kind != "V"  # NumPy has none; not every library has float64
        value = variable.backend.from_host(host.astype(name, order="C") if known else host)
        variable.assign(variable.backend.xp.astype(value, variable.dtype))


def note_shapes(cls: Any) -> None:
    """Adapt the methods of a class of layers that take shapes."""
    own = vars(cls)
    if cls.__module__.startswith("portanet.layers."):
        cls.needs_no_build = not hasattr(cls.build, "__wrapped__")
    if "build" in own:
        cls.needs_no_build, cls.built_at_once = False, own.get("built_at_once")
        cls._build_takes = tuple(inspect.signature(own["build"]).parameters)[1:]
        cls.build = building(own["build"])
    if "compute_output_shape" in own and is_of_user(cls, "compute_output_shape"):
        cls._output_takes = tuple(inspect.signature(own["compute_output_shape"]).parameters)[1:]
    if cls.several_inputs is not None and "compute_output_shape" in own:
        cls.compute_output_shape = taking_shapes(own["compute_output_shape"])


def forget(layer: WeightHolder, before: dict[str, Variable]) -> None:
    """Drop the weights that a failed `build` created, so that the layer can be built again."""
    created = [variable for name, variable in layer._variables.items() if name not in before]
    layer._variables = before
    for name, value in list(vars(layer).items()):
        if MAY_HOLD_VARIABLES[type(value)] and any(leaf is each for leaf in tree_leaves(value) for each in created):
            delattr(layer, name)


def building(build: Callable[..., None]) -> Callable[..., None]:
    """Mark the layer as built after the outermost `build`, and store the shape."""

    @functools.wraps(build)
    def wrapper(self: Any, *shapes: Any, **named: Any) -> None:
        before = dict(self._variables)
        shapes, named = one_argument(self, shapes, named)
        try:
            build(self, *shapes, **named)
        except BaseException:
            forget(self, before)
            raise
        if not self._trainable:
            self.show_trainable()
        given = [*shapes, *named.values()]
        self._built, self.build_shape = True, given[0] if len(given) == 1 else given or None

    return wrapper


def one_argument(layer: Any, shapes: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a method of shapes; those of a layer with several inputs in a list, if they are not yet."""
    if layer.several_inputs is None or (len(shapes) == 1 and not named):
        return shapes, named
    return (layer.several_inputs.shapes(layer, shapes, named),), {}


def shapes_of_call(layer: Any, takes: tuple[str, ...], x: Any, further: tuple[Any, ...], options: Any) -> list[Any]:
    """The arguments of `build` or `compute_output_shape`, which takes these: the shape of the input, or those of the
    arguments of `call` that it names, as `query_shape`.
    """
    if len(takes) < 2:
        return [shape_of(x)]
    arguments = inspect.signature(layer.call).bind_partial(x, *further, **(options or {})).arguments
    named = [arguments.get(name.removesuffix("_shape")) for name in takes]
    return [None if value is None else shape_of(value) for value in named]


def taking_shapes(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a list of shapes that takes them one by one, too."""

    @functools.wraps(method)
    def wrapper(self: Any, *shapes: Any, **named: Any) -> Any:
        shapes, named = one_argument(self, shapes, named)
        return method(self, *shapes, **named)

    return wrapper


@contextlib.contextmanager
def building_for(layer: Any, inputs: list[Any]) -> Iterator[None]:
    """Refuse, while a layer is built, to create weights on another backend than that of its inputs.

    Args:
        layer: The layer; one without weights computes with arrays of any library.
        inputs: What the layer is built for: arrays, or their shapes.
    """
    foreign, inner = foreign_to(get_backend(), inputs), _building.get()
    token, building = None if foreign is None else _foreign.set(foreign), _building.set(True)
    try:
        yield
    finally:
        _building.reset(building)
        if token is not None:
            _foreign.reset(token)
    if not inner:
        hold_built(layer.variables)


class _MayHoldLayers(dict[type, bool]):
    """Whether objects of a type are layers, or may hold them: most attributes of a layer do not."""

    def __missing__(self, kind: type) -> bool:
        may = self[kind] = issubclass(kind, WeightHolder) or KINDS[kind] in (SEQUENCE, MAPPING)
        return may


MAY_HOLD_LAYERS = _MayHoldLayers()


class _MayHoldVariables(dict[type, bool]):
    """Whether objects of a type are variables, or may hold them; tuples are mostly sizes."""

    def __missing__(self, kind: type) -> bool:
        may = self[kind] = issubclass(kind, (Variable, random.SeedGenerator, list, dict))
        return may


MAY_HOLD_VARIABLES = _MayHoldVariables()

"""What a layer is: it checks its arguments when made, allocates its weights when built, and computes when called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy as np

from portanet import constraints, initializers, random, regularizers
from portanet.backends import Array, Backend, HostArray, get_backend, use_backend
from portanet.layers.calling import calling, require_backend, weights_as_constants
from portanet.layers.casting import Casting
from portanet.layers.failures import locate
from portanet.lookup import snake_case
from portanet.mixed_precision import DTypePolicy, at_least_float32
from portanet.variables import Variable, add_loss, computing_in, will_be_loaded

Shape = tuple[int | None, ...]
"""The shape of a batch; None where it may differ from call to call."""


class Layer(Casting):
    """A function of arrays with weights of its own.

    Subclasses implement `build(input_shape)`, which allocates weights with `add_weight`, and `call(x)`, which computes
    with `xp = array_namespace(x, self.kernel.value)`; `call` may also take `training` and `mask`. Layers held as
    attributes (or in lists) belong to the layer that holds them.

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

    works_in_pieces: ClassVar[bool] = False
    """Whether its ops divide a batch among the cores of the host; see `Backend.map_chunks`."""
    _takes_training = False
    _takes_mask = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parameters = inspect.signature(cls.call).parameters
        cls._takes_training = "training" in parameters
        cls._takes_mask = "mask" in parameters
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
        super().__init__(dtype)
        if name is not None and (not isinstance(name, str) or not name or "/" in name):
            raise ValueError(f"Argument `name` must be a non-empty string without '/'. Received: name={name!r}")
        self._named = name is not None
        self.name = name or snake_case(type(self).__name__)
        self._trainable = trainable
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.build_shape: Any = None
        """The shape of the input that the layer was built for."""
        self._owner_path: str | None = None

    # What subclasses implement

    def build(self, input_shape: Any) -> None:
        """Allocate the weights for inputs of this shape; called once, before the first call."""
        self.built = True
        self.build_shape = input_shape

    def call(self, x: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError(f"Layer '{self.name}' ({type(self).__name__}) does not implement call(x).")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result for inputs of this shape."""
        return input_shape

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """The mask of the result, given the input's; by default it is passed on."""
        return mask

    def check_data(self, x: Any) -> None:
        """Refuse values that the layer cannot take.

        `fit`, `evaluate` and `predict` call it with all of the data that the layer will get from the user, since steps
        compiled for a device cannot look at values.
        """

    # Calling

    def __call__(self, x: Any, *further: Any, training: bool | None = None, mask: Any = None, **options: Any) -> Any:
        """Check the input, build if need be, and compute.

        Args:
            x: An array of the library on which the layer was built (or a tree of arrays, for layers that take one).
            training: Whether this is a training step; by default what the calling layer was told, else False.
            mask: Boolean array, False for the time steps to leave out, for layers that use one.
            *further: Whatever else the layer's `call` takes by position, such as the states of a recurrent cell.
            **options: Whatever else it takes by name, such as `initial_state`.
        """
        outer = calling.get()
        guest = require_backend(self, x) if outer is None else None
        if not self.built:
            self.build(_shape_of(x))
        if guest is not None:
            with weights_as_constants(self, guest, training):
                return self(x, *further, mask=mask, **options)
        if self.autocast:
            x = self.in_compute_dtype(x)
            if further or options:
                further, options = self.in_compute_dtype((further, options))
        now = training if training is not None else bool(outer)
        if self._takes_training:
            options["training"] = now
        if self._takes_mask and mask is not None:
            options["mask"] = mask
        token, dtype_token = calling.set(now), computing_in.set(self.casts_to())
        try:
            out = self.call(x, *further, **options)
        except Exception as error:
            locate(error, self, x)
            raise
        finally:
            calling.reset(token)
            computing_in.reset(dtype_token)
        if self.activity_regularizer is not None:
            for leaf in out if isinstance(out, (list, tuple)) else (out,):
                self.add_loss(self.activity_regularizer(at_least_float32(leaf)) / max(1, leaf.shape[0]))
        return out

    def add_loss(self, value: Array) -> None:
        """Add a scalar array to the loss of the training or evaluation step in which `call` runs; elsewhere it is
        lost.
        """
        if tuple(value.shape) != ():
            raise ValueError(
                f"Layer '{self.name}' must add a loss of shape (); take its sum or mean. Received: {tuple(value.shape)}"
            )
        add_loss(value)

    # Weights

    def add_weight(
        self,
        shape: tuple[int, ...],
        initializer: Any = "glorot_uniform",
        name: str = "weight",
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        autocast: bool = True,
    ) -> Variable:
        """Allocate a weight on the backend in use.

        Args:
            shape: Its shape.
            initializer: Name, object, or function `(shape, generator) -> NumPy array`.
            name: Its name within the layer, unique there.
            dtype: Name of its dtype; by default the layer's, else the backend's.
            trainable: False for state such as a running mean.
            regularizer: Name or function of the weight that is added to the loss.
            constraint: Name or function applied to the weight after each update.
            autocast: Whether the layer computes with the weight in the compute dtype; False for what needs all bits.
        """
        if any(not isinstance(n, (int, np.integer)) or n < 0 for n in shape):
            raise ValueError(
                f"Weight '{name}' of layer '{self.name}' needs a shape of non-negative integers; give the layer a "
                f"fully known input shape. Received: shape={shape}"
            )
        if name in self._own_variables():
            raise ValueError(f"Layer '{self.name}' already has a weight of that name. Received: name={name!r}")
        backend = get_backend()
        shape = tuple(int(n) for n in shape)
        drawn = "zeros" if will_be_loaded(shape) else initializer
        host = initializers.get(drawn)(shape, random.host_generator(self._path(), name))
        wanted = dtype or (self._policy.variable_dtype if self._policy else backend.dtype_name(backend.dtype))
        known = backend.find_dtype(wanted)
        value = backend.from_host(np.asarray(host, dtype="float32" if wanted == "bfloat16" else wanted))
        if value.dtype != known:  # NumPy has no bfloat16
            value = backend.xp.astype(value, known)
        penalty, projection = regularizers.get(regularizer), constraints.get(constraint)
        variable = Variable(value, name, backend, trainable, penalty, projection, autocast=autocast)
        self._own_variables()[name] = variable
        return variable

    def add_counter(self, name: str = "counter") -> Variable:
        """Allocate a random counter: how many draws the layer has made; see `portanet.random`."""
        backend = get_backend()
        variable = Variable(
            backend.from_host(np.zeros((), dtype="int32")), name, backend, trainable=False, counter=True
        )
        self._own_variables()[name] = variable
        return variable

    def _path(self) -> str:
        """Where the layer is in its model; for a layer of its own, its name and when it was built."""
        if self._owner_path is None:
            self._owner_path = f"{self.name}#{random.next_unowned()}"
        return self._owner_path

    def sublayers(self) -> dict[str, Layer]:
        """The layers that belong to this one, by name, in the order in which they were attached."""
        found: dict[str, Layer] = {}
        for value in self.__dict__.values():
            for layer in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(layer, Layer) and layer not in found.values():
                    found[layer._name_among(found)] = layer
        return found

    def _name_among(self, siblings: dict[str, Layer]) -> str:
        """The layer's name, made unique among its siblings unless the user chose it."""
        if self.name in siblings:
            if self._named:
                raise ValueError(
                    f"Two layers of one model have the same name; give one another name. Received: name={self.name!r}"
                )
            base, number = snake_case(type(self).__name__), 1
            while f"{base}_{number}" in siblings:
                number += 1
            self.name = f"{base}_{number}"
        return self.name

    def named_variables(self) -> dict[str, Variable]:
        """Every variable of the layer and those it holds, by path such as `dense/kernel`; a shared one appears once."""
        found: dict[str, Variable] = {}
        seen: set[Variable] = set()
        for path, variable in self._walk(""):
            if variable not in seen:
                seen.add(variable)
                variable.path = path
                found[path] = variable
        return found

    def first_variable(self) -> Variable | None:
        """Any variable of the layer, if it has one: they are all on the same backend."""
        return next((variable for _, variable in self._walk("")), None)

    def _walk(self, prefix: str) -> Iterator[tuple[str, Variable]]:
        for name, variable in self._own_variables().items():
            yield prefix + name, variable
        for name, layer in self.sublayers().items():
            yield from layer._walk(f"{prefix}{name}/")

    def _place(self, path: str) -> None:
        """Tell the layers that are held where they are, before they draw their weights."""
        for name, layer in self.sublayers().items():
            if not layer.built:
                layer._owner_path = f"{path}/{name}" if path else name
                layer._place(layer._owner_path)

    def flatten_layers(self) -> Iterator[Layer]:
        """This layer and every layer below it."""
        yield self
        for layer in self.sublayers().values():
            yield from layer.flatten_layers()

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it applies to every layer below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.flatten_layers():
            layer._trainable = bool(value)

    def trainable_paths(self) -> list[str]:
        """Paths of the variables that training changes."""
        frozen = {
            variable
            for layer in self.flatten_layers()
            if not layer._trainable
            for variable in layer._own_variables().values()
        }
        return [p for p, v in self.named_variables().items() if v.trainable and v not in frozen]

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
        return sum(int(np.prod(v.shape)) for v in self.weights)

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
        hosts = [np.asarray(w) for w in weights]
        for variable, host in zip(own, hosts, strict=True):
            if host.shape != variable.shape:
                raise ValueError(f"Weight '{variable.path}' has shape {variable.shape}. Received: {host.shape}")
        for variable, host in zip(own, hosts, strict=True):
            value = variable.backend.from_host(host)
            variable.assign(variable.backend.xp.astype(value, variable.dtype))

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
    """Mark the layer as built after the outermost `build`."""

    @functools.wraps(build)
    def wrapper(self: Layer, input_shape: Any) -> None:
        build(self, input_shape)
        self.built = True
        self.build_shape = input_shape

    return wrapper


def _shape_of(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [tuple(leaf.shape) for leaf in x]
    return tuple(x.shape)

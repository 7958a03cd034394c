"""What holds weights: named variables, its own and those of the layers that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from portanet import constraints, initializers, random, regularizers
from portanet.backends import Backend, HostArray, get_backend, use_backend
from portanet.layers.casting import Casting
from portanet.lookup import snake_case
from portanet.mixed_precision import DTypePolicy
from portanet.variables import Variable, will_be_loaded

if TYPE_CHECKING:
    from portanet.layers.base import Layer


class WeightHolder(Casting):
    """The part of a layer that has to do with its weights; `Layer` builds on it.

    Args:
        name: Name, unique within a model; by default the class's in snake case.
        trainable: Whether training changes the weights.
        dtype: Dtype policy or its name.
    """

    def __init__(self, name: str | None, trainable: bool, dtype: DTypePolicy | str | None) -> None:
        super().__init__(dtype)
        if name is not None and (not isinstance(name, str) or not name or "/" in name):
            raise ValueError(f"Argument `name` must be a non-empty string without '/'. Received: name={name!r}")
        self._named = name is not None
        self.name = name or snake_case(type(self).__name__)
        self._trainable = trainable
        self._adopted = False
        self._owner_path: str | None = None

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
        seen: set[Layer] = set()
        for layer in self._held():
            if layer not in seen:
                seen.add(layer)
                found[layer._name_among(found)] = layer
        return found

    def _held(self) -> Iterator[Layer]:
        """Layers among the attributes, and in lists and dicts among them."""
        for attribute, value in self.__dict__.items():
            if attribute == "_config":  # arguments: what a layer makes of them belongs to it, not they
                continue
            several = value.values() if isinstance(value, Mapping) else value
            for each in several if isinstance(value, (list, tuple, Mapping)) else (value,):
                if isinstance(each, WeightHolder):
                    yield each  # type: ignore[misc]

    def _name_among(self, siblings: Mapping[str, Any]) -> str:
        """What the layer is called among its siblings: its name, made unique unless the user chose it.

        The first that asks for it settles the layer's name; a second model may call it otherwise.
        """
        name = self.name
        if name in siblings:
            if self._named:
                raise ValueError(
                    f"Two layers of one model have the same name; give one another name. Received: name={self.name!r}"
                )
            base, number = snake_case(type(self).__name__), 1
            while f"{base}_{number}" in siblings:
                number += 1
            name = f"{base}_{number}"
        if not self._adopted:
            self.name, self._adopted = name, True
        return name

    def named_variables(self) -> dict[str, Variable]:
        """Every variable of the layer and those it holds, by path such as `dense/kernel`; a shared one appears once."""
        found: dict[str, Variable] = {}
        seen: set[Variable] = set()
        for path, variable, _ in self._walk(""):
            if variable not in seen:
                seen.add(variable)
                variable.path = path
                found[path] = variable
        return found

    def first_variable(self) -> Variable | None:
        """Any variable of the layer, if it has one: they are all on the same backend."""
        return next((variable for _, variable, _ in self._walk("")), None)

    def _walk(self, prefix: str, trained: bool = True) -> Iterator[tuple[str, Variable, bool]]:
        """Paths and variables, with whether nothing on the way to them is frozen."""
        trained = trained and self._trainable
        for name, variable in self._own_variables().items():
            yield prefix + name, variable, trained and variable.trainable
        for name, layer in self.sublayers().items():
            yield from layer._walk(f"{prefix}{name}/", trained)

    def _place(self, path: str) -> None:
        """Tell the layers that are held where they are, before they draw their weights (or after, for messages)."""
        for name, layer in self.sublayers().items():
            if not layer.built or layer._owner_path is None or "#" in layer._owner_path:
                layer._owner_path = f"{path}/{name}" if path else name
                layer._place(layer._owner_path)

    def flatten_layers(self) -> Iterator[Layer]:
        """This layer and every layer below it."""
        yield self  # type: ignore[misc]
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
        """Paths of the variables that training changes: those that can be reached without passing a frozen layer."""
        trained = {variable for _, variable, free in self._walk("") if free}
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

"""Descriptions of objects in files of Keras."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from portanet.backends import to_host
from portanet.backends.registry import backend_class_of
from portanet.configurable import arguments_of, constructors, library_class, overrides
from portanet.layers import InputLayer, Lambda, Layer
from portanet.layers.operation import Operation
from portanet.layers.operation_call import OperationCall
from portanet.layers.symbolic import SymbolicArray
from portanet.losses import FunctionLoss
from portanet.metrics import FunctionMetric
from portanet.mixed_precision import DTypePolicy
from portanet.saving.keras.completion import completed
from portanet.saving.keras.errors import absent
from portanet.saving.keras.graph import graph_config
from portanet.saving.keras.kinds import kinds
from portanet.saving.keras.operations import call_in_keras, class_of
from portanet.saving.keras.table import DIFFERENT, MODULES, REDUCED, is_shared, only_here, shared
from portanet.saving.keras.variables import layers_of
from portanet.saving.registry import name_of


class Description(dict[str, Any]):
    """A description that keeps the class or function that it names, so that it need not be registered."""

    thing: Any


class KerasEncoder:
    """Describes objects as Keras does.

    Args:
        dtype: The dtype of layers without a policy of their own.
        here: Whether the descriptions are for `get_config`, and name also what Keras does not have.
    """

    def __init__(self, dtype: str, here: bool = False) -> None:
        self.dtype = dtype
        self.here = here
        self._layers: dict[int, dict[str, Any]] = {}
        self._numbers = count()
        self._renumbered: dict[int, int] | None = None

    def encode(self, value: Any, of: str) -> Any:
        """The JSON of a value.

        Args:
            value: None, numbers, strings, arrays, lists, dicts, objects and functions that Keras has too, and
                registered ones.
            of: What it belongs to, for messages.

        Raises:
            ValueError: Keras has no such object.
        """
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, (list, tuple)):
            items = [self.encode(item, of) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        if isinstance(value, Mapping):
            return self._mapping(value, of)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, (int, float)):
            return value
        if backend_class_of(value) is not None:
            host = np.asarray(to_host(value))
            return {"class_name": "__numpy__", "config": {"value": host.tolist(), "dtype": str(host.dtype)}}
        if isinstance(value, SymbolicArray):
            if self.here:
                return value
            raise absent(of, value, "it has a symbolic array where Keras takes none")
        if isinstance(value, bytes):
            return {"class_name": "__bytes__", "config": {"value": value.decode()}}
        if value is ...:
            return {"class_name": "__ellipsis__", "config": {}}
        if isinstance(value, slice):
            parts = {"start": value.start, "stop": value.stop, "step": value.step}
            return {"class_name": "__slice__", "config": {key: self.encode(part, of) for key, part in parts.items()}}
        if isinstance(value, DTypePolicy):
            return _policy(value.name)
        if inspect.isroutine(value):
            return self._function(value, of)
        if type(value) in (FunctionLoss, FunctionMetric) and _is_plain(value):
            return self._function(value.function, of)
        if isinstance(value, kinds().model):
            return self._model(value)
        if isinstance(value, Layer):
            return self._layer(value)
        if self.here and not hasattr(value, "get_config"):
            return value
        return self._object(value, of, self._encoded(arguments_of(value), value, of))

    def _mapping(self, mapping: Mapping[Any, Any], of: str) -> dict[str, Any]:
        """A dict; the numbers of objects in a description that a `get_config` made become numbers of this file."""
        outer = self._renumbered
        if outer is None and "shared_object_id" in mapping:
            self._renumbered = {}
        made = {str(key): self.encode(item, of) for key, item in mapping.items()}
        if self._renumbered is not None and isinstance(made.get("shared_object_id"), int):
            number = self._renumbered.get(made["shared_object_id"])
            number = next(self._numbers) if number is None else number
            self._renumbered[made["shared_object_id"]] = number
            made["shared_object_id"] = number
        self._renumbered = outer
        return made

    def config_of(self, layer: Layer, arguments: dict[str, Any]) -> dict[str, Any]:
        """The configuration of a layer with these arguments."""
        of = f"layer '{layer.name}'"
        if isinstance(layer, kinds().sequential) and "layers" in arguments:
            return self._stack(layer, of)
        if "nodes" in arguments:
            known = ("nodes", "inputs", "outputs", *(config := self._graph(layer, of)))
            return config | {key: self.encode(value, of) for key, value in arguments.items() if key not in known}
        if isinstance(layer, InputLayer):
            dtype = layer.declared or self.dtype
            optional = {"optional": True} if layer.optional else {}
            return {"batch_shape": list(layer.batch_shape), "dtype": dtype, **optional, "name": layer.name}
        if self.here:
            arguments = completed(layer, arguments)
        return self._with_base(layer, self._encoded(arguments, layer, of))

    def compile_config(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of `compile`."""
        known = {key: value for key, value in settings.items() if key != "auto_scale_loss"}
        return {key: self.encode(value, f"{key} of compile") for key, value in known.items()}

    def _function(self, function: Any, of: str) -> Any:
        if function.__name__ == "<lambda>" and not self.here:
            raise ValueError(
                f"Cannot save {of} for Keras: files hold no code, and a lambda has no name. Define it with def. "
                f"Received: {function!r}"
            )
        name = _own_name(function)
        if name is None:
            return function.__name__
        node = {"module": function.__module__, "class_name": "function", "config": name, "registered_name": name}
        return self._keeping(function, node)

    def _layer(self, layer: Layer) -> dict[str, Any]:
        known = self._layers.get(id(layer))
        if known is not None:
            return known
        of = f"layer '{layer.name}'"
        if isinstance(layer, OperationCall):
            return self._operation(layer)
        if isinstance(layer, Lambda) and not self.here:
            raise absent(of, layer, "Keras could not load it, since files hold no code")
        node = self._object(layer, of, self.config_of(layer, arguments_of(layer)))
        if layer._built and overrides(type(layer), Layer, "get_build_config"):
            node["build_config"] = self.encode(layer.get_build_config(), of)
        elif layer._built and layer.build_shape is not None and not shared("layers", type(layer).__name__):
            node["build_config"] = {"input_shape": self.encode(layer.build_shape, of)}
        return self._shared(layer, node)

    def _operation(self, operation: OperationCall) -> dict[str, Any]:
        of, own = f"operation '{operation.name}'", operation.function
        if isinstance(own, Operation):
            arguments = {**arguments_of(own), "name": operation.name}
            return self._object(own, of, self._encoded(arguments, own, of))
        known = class_of(own)
        if known is None:
            raise absent(of, operation, f"Keras has no class of ops.{operation.function.__name__}")
        arguments = call_in_keras(operation, operation._nodes[0].sources)[2]
        config = {"name": operation.name, **{key: self.encode(value, of) for key, value in arguments.items()}}
        return {"module": known[0], "class_name": known[1], "config": config, "registered_name": known[1]}

    def _model(self, model: Any) -> dict[str, Any]:
        known = self._layers.get(id(model))
        if known is not None:
            return known
        of = f"model '{model.name}'"
        arguments = arguments_of(model)
        config = self.config_of(model, arguments)
        if "input_layers" in config:
            node = self._described("Functional", model, config)
        elif "layers" in arguments and isinstance(model, kinds().sequential):
            node = self._described("Sequential", model, config)
        else:
            node = self._object(model, of, config)
            if model._built:
                node["build_config"] = {"input_shape": self.encode(model.build_shape, of)}
        return self._shared(model, node)

    def _shared(self, layer: Layer, node: dict[str, Any]) -> dict[str, Any]:
        """A description that occurs again where the layer does."""
        node["shared_object_id"] = next(self._numbers)
        self._layers[id(layer)] = node
        return node

    def _described(self, cls: str, model: Any, config: dict[str, Any]) -> dict[str, Any]:
        """A graph or stack; one of a registered class has the name of that."""
        if _own_name(type(model)) is not None:
            return self._object(model, f"model '{model.name}'", config)
        if cls == "Sequential":
            return {"module": "keras", "class_name": cls, "config": config, "registered_name": None}
        return {"module": "keras.src.models.functional", "class_name": cls, "config": config, "registered_name": cls}

    def _stack(self, model: Any, of: str) -> dict[str, Any]:
        first = [array.node.layer for array in model.inputs] if model._built else []
        if len(first) > 1:
            raise absent(of, model, "a Sequential of Keras has one input")
        names = model.sublayers().names
        entries = [self._named(each, names.get(each, each.name)) for each in [*first, *layers_of(model)]]
        shape = {"build_input_shape": self.encode(model.build_shape, of)} if model._built else {}
        return self._with_base(model, {"layers": entries, **shape})

    def _graph(self, model: Any, of: str) -> dict[str, Any]:
        names = {layer: layer.name for layer in model.input_layers.values()} | model.sublayers().names
        graph = graph_config(model, names, lambda value: self.encode(value, of))
        calls = graph.pop("calls")
        entries = []
        for layer in layers_of(model):
            name = names[layer]
            entries.append({**self._named(layer, name), "name": name, "inbound_nodes": calls[name]})
        return {"name": model.name, "trainable": model._trainable, "layers": entries, **graph}

    def _named(self, layer: Layer, name: str) -> dict[str, Any]:
        """The description of a layer, with its name in a model."""
        node: dict[str, Any] = self.encode(layer, f"layer '{name}'")
        return node if node["config"]["name"] == name else {**node, "config": {**node["config"], "name": name}}

    def _with_base(self, layer: Layer, config: dict[str, Any]) -> dict[str, Any]:
        policy = self.dtype if layer._policy is None else layer._policy.name
        base = {"name": layer.name, "trainable": layer._trainable, "dtype": _policy(policy)}
        config = base | config | base
        taken = REDUCED.get(type(layer).__name__)
        return config if taken is None else {key: config[key] for key in taken if key in config}

    def _encoded(self, config: dict[str, Any], value: Any, of: str) -> dict[str, Any]:
        """The arguments of an object that Keras's class has, too."""
        base = library_class(type(value))
        if _own_name(type(value)) is None or is_shared(base.__name__):
            own = {each.name for cls, named in constructors(type(value)) if cls not in base.__mro__ for each in named}
            for key, neutral in only_here(base.__name__).items():
                if key not in config or key in own:
                    continue
                if config[key] == neutral:
                    del config[key]
                elif not self.here:
                    raise absent(of, value, f"Keras's {base.__name__} has no {key}={config[key]!r}")
        if _own_name(type(value)) is None:
            if "inner_optimizer" in config:  # which may have been given by its name
                config["inner_optimizer"] = value.inner_optimizer
            config = {key: item for key, item in config.items() if not (key in ("name", "dtype") and item is None)}
        return {key: self.encode(item, of) for key, item in config.items()}

    def _object(self, value: Any, of: str, config: dict[str, Any]) -> dict[str, Any]:
        name = _own_name(type(value))
        if name is not None:
            kind = type(value)
            node = {"module": kind.__module__, "class_name": kind.__name__, "config": config, "registered_name": name}
            return self._keeping(kind, node)
        package, _, cls = (name_of(type(value)) or "").partition(".")
        if shared(package, cls):
            return {"module": MODULES[package], "class_name": cls, "config": config, "registered_name": None}
        if not self.here:
            raise absent(of, value, DIFFERENT.get(cls, f"Keras has no {type(value).__name__}"))
        described = {"module": f"portanet.{package}", "class_name": cls, "config": config, "registered_name": None}
        return self._keeping(type(value), described)

    def _keeping(self, thing: Any, node: dict[str, Any]) -> dict[str, Any]:
        if not self.here:
            return node
        description = Description(node)
        description.thing = thing
        return description


def _is_plain(wrapped: Any) -> bool:
    """Whether a loss or metric is nothing but a function."""
    return bool(wrapped.get_config() == type(wrapped)(wrapped.function).get_config())


def _own_name(thing: Any) -> str | None:
    """The name by which a class or function of a user is found, registered or plain; None for the library's."""
    name = name_of(thing)
    if name is not None and ">" in name:
        return name
    return None if str(thing.__module__).startswith("portanet.") else name or str(thing.__name__)


def _policy(name: str) -> dict[str, Any]:
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}

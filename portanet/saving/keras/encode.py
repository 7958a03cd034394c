"""Descriptions of objects in files of Keras."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from portanet.backends import to_host
from portanet.backends.registry import backend_class_of
from portanet.layers import InputLayer, Lambda, Layer
from portanet.mixed_precision import DTypePolicy
from portanet.saving.keras.graph import graph_config
from portanet.saving.keras.kinds import kinds
from portanet.saving.keras.table import DIFFERENT, MODULES, REDUCED, only_here, shared
from portanet.saving.keras.variables import layers_of
from portanet.saving.registry import name_of


class KerasEncoder:
    """Describes objects as Keras does.

    Args:
        dtype: The dtype of layers without a policy of their own.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self._layers: dict[int, dict[str, Any]] = {}

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
            return [self.encode(item, of) for item in value]
        if isinstance(value, Mapping):
            return {str(key): self.encode(item, of) for key, item in value.items()}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, (int, float)):
            return value
        if backend_class_of(value) is not None:
            host = np.asarray(to_host(value))
            return {"class_name": "__numpy__", "config": {"value": host.tolist(), "dtype": str(host.dtype)}}
        if isinstance(value, DTypePolicy):
            return _policy(value.name)
        if inspect.isroutine(value):
            return self._function(value, of)
        if isinstance(value, kinds().model):
            return self._model(value)
        if isinstance(value, Layer):
            return self._layer(value)
        return self._object(value, of, {k: self.encode(v, of) for k, v in self._config(value, of).items()})

    def compile_config(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of `compile`."""
        known = {key: value for key, value in settings.items() if key != "auto_scale_loss"}
        return {key: self.encode(value, f"{key} of compile") for key, value in known.items()}

    def _function(self, function: Any, of: str) -> Any:
        name = name_of(function)
        if name is None or function.__name__ == "<lambda>":
            raise ValueError(
                f"Cannot save {of} for Keras: files hold no code. Register the function with "
                "@portanet.saving.register_serializable(package='...'), here and in Keras under the same name, or save "
                f"to a file that ends in .safetensors. Received: {function!r}"
            )
        if ">" in name:
            module = function.__module__
            return {"module": module, "class_name": "function", "config": name, "registered_name": name}
        return function.__name__

    def _layer(self, layer: Layer) -> dict[str, Any]:
        known = self._layers.get(id(layer))
        if known is not None:
            return known
        of = f"layer '{layer.name}'"
        if isinstance(layer, Lambda):
            raise _absent(of, layer, "Keras could not load it, since files hold no code")
        if isinstance(layer, InputLayer):
            dtype = layer.declared or self.dtype
            config: dict[str, Any] = {"batch_shape": list(layer.batch_shape), "dtype": dtype, "name": layer.name}
        else:
            config = self._with_base(layer, {k: self.encode(v, of) for k, v in self._config(layer, of).items()})
        node = self._object(layer, of, config)
        if layer.built and layer.build_shape is not None and not shared("layers", type(layer).__name__):
            node["build_config"] = {"input_shape": self.encode(layer.build_shape, of)}
        return self._shared(layer, node)

    def _model(self, model: Any) -> dict[str, Any]:
        known = self._layers.get(id(model))
        if known is not None:
            return known
        of = f"model '{model.name}'"
        if isinstance(model, kinds().sequential):
            node = self._described("Sequential", model, self._stack(model, of))
        elif isinstance(model, kinds().functional) and getattr(model, "nodes", None):
            node = self._described("Functional", model, self._graph(model, of))
        else:
            config = {key: self.encode(value, of) for key, value in self._config(model, of).items()}
            node = self._object(model, of, self._with_base(model, config))
            if model.built:
                node["build_config"] = {"input_shape": self.encode(model.build_shape, of)}
        return self._shared(model, node)

    def _shared(self, layer: Layer, node: dict[str, Any]) -> dict[str, Any]:
        """A description that occurs again where the layer does."""
        node["shared_object_id"] = len(self._layers)
        self._layers[id(layer)] = node
        return node

    def _described(self, cls: str, model: Any, config: dict[str, Any]) -> dict[str, Any]:
        """A graph or stack; one of a registered class has the name of that."""
        if ">" in (name_of(type(model)) or ""):
            return self._object(model, f"model '{model.name}'", config)
        if cls == "Sequential":
            return {"module": "keras", "class_name": cls, "config": config, "registered_name": None}
        return {"module": "keras.src.models.functional", "class_name": cls, "config": config, "registered_name": cls}

    def _stack(self, model: Any, of: str) -> dict[str, Any]:
        first = [array.node.layer for array in model.inputs] if model.built else []
        if len(first) > 1:
            raise _absent(of, model, "a Sequential of Keras has one input")
        names = model.sublayers().names
        entries = [self._named(each, names.get(each, each.name)) for each in [*first, *layers_of(model)]]
        shape = {"build_input_shape": self.encode(model.build_shape, of)} if model.built else {}
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
        config = {**config, "name": layer.name, "trainable": layer._trainable, "dtype": _policy(policy)}
        taken = REDUCED.get(type(layer).__name__)
        return config if taken is None else {key: config[key] for key in taken if key in config}

    def _config(self, value: Any, of: str) -> dict[str, Any]:
        """The arguments of an object that Keras's class has, too."""
        config = value.get_config()
        if ">" in (name_of(type(value)) or ""):
            return dict(config)
        for key, neutral in only_here(type(value).__name__).items():
            if key in config and (given := config.pop(key)) != neutral:
                raise _absent(of, value, f"Keras's {type(value).__name__} has no {key}={given!r}")
        if "inner_optimizer" in config:  # which may have been given by its name
            config["inner_optimizer"] = value.inner_optimizer
        return {key: item for key, item in config.items() if not (key in ("name", "dtype") and item is None)}

    def _object(self, value: Any, of: str, config: dict[str, Any]) -> dict[str, Any]:
        name = name_of(type(value))
        package, _, cls = (name or "").partition(".")
        if name is not None and ">" in name:
            module = type(value).__module__
            return {"module": module, "class_name": type(value).__name__, "config": config, "registered_name": name}
        if not shared(package, cls):
            raise _absent(of, value, DIFFERENT.get(cls, f"Keras has no {type(value).__name__}"))
        return {"module": MODULES[package], "class_name": cls, "config": config, "registered_name": None}


def _policy(name: str) -> dict[str, Any]:
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}


def _absent(of: str, value: Any, why: str) -> ValueError:
    return ValueError(
        f"Cannot save {of} for Keras: {why}. Save to a file that ends in .safetensors, which holds everything. "
        f"Received: {value!r}"
    )

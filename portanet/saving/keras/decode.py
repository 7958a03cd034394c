"""Objects from the descriptions in files of Keras. Nothing is executed: classes are looked up by name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from portanet import layers
from portanet.configurable import library_class, named_arguments, overrides
from portanet.layers import InputLayer, Layer
from portanet.layers.operation import Operation
from portanet.layers.output_shapes import shape_by_trial
from portanet.layers.preprocessing.index_lookup import IndexLookup
from portanet.saving.config import MAX_DEPTH
from portanet.saving.errors import LoadError, attempt
from portanet.saving.keras.encode import Description
from portanet.saving.keras.graph import Call, Output, graph_from_config
from portanet.saving.keras.kinds import kinds
from portanet.saving.keras.masks import without_masks
from portanet.saving.keras.operations import KerasOperation, operation_in_file
from portanet.saving.keras.table import (
    CELLS,
    CLASSES,
    CONVERTED,
    DIFFERENT,
    EARLIER,
    MODULES,
    REDUCED,
    is_shared,
    same_in_keras,
)
from portanet.saving.registry import find

OF_GRAPHS = ("name", "trainable", "layers", "input_layers", "output_layers")
"""What Keras writes of every graph; the arguments of a subclass are beside it."""


class KerasDecoder:
    """Creates objects from the JSON of a file of Keras.

    Args:
        error: Makes an error that names the file.
        custom_objects: Classes and functions that the file may name, besides the library's and registered ones.
        dtype: The dtype of layers without a policy of their own.
    """

    def __init__(self, error: Callable[[str], LoadError], custom_objects: Mapping[str, Any], dtype: str) -> None:
        self.error = error
        self.custom_objects = custom_objects
        self.dtype = dtype
        self._shared: dict[int, Layer] = {}

    def decode(self, node: Any, depth: int = 0) -> Any:
        """The value of a piece of JSON.

        Raises:
            LoadError: It names an unknown class, or is not what Keras writes.
        """
        if depth > MAX_DEPTH:
            raise self.error(f"its description is nested more than {MAX_DEPTH} levels deep")
        if isinstance(node, (list, tuple)):
            return type(node)(self.decode(item, depth + 1) for item in node)
        if not isinstance(node, dict):
            return node
        name, config = node.get("class_name"), node.get("config")
        if "class_name" not in node or "config" not in node:
            return {key: self.decode(item, depth + 1) for key, item in node.items()}
        if not isinstance(name, str):
            raise self.error(f"its description has an invalid part: {str(node)[:100]!r}")
        if name == "function":
            return node.thing if isinstance(node, Description) else self._function(node)
        if not isinstance(config, dict):
            raise self.error(f"the configuration of {name[:100]!r} is not a JSON object")
        if name.startswith("__"):
            return self._value(name, config, depth)
        if name in ("DTypePolicy", "FloatDTypePolicy"):
            return config.get("name")
        return self._object(node, name, config, depth)

    # Values

    def _value(self, kind: str, config: dict[str, Any], depth: int) -> Any:
        if kind in ("__tensor__", "__numpy__") and isinstance(config.get("value"), (list, int, float)):
            try:
                return np.asarray(config["value"], dtype=np.dtype(_numeric(config.get("dtype"))))
            except (TypeError, ValueError, OverflowError):
                raise self.error(f"its description has an invalid array: {str(config)[:100]!r}") from None
        if kind == "__keras_tensor__":
            match config.get("keras_history"):
                case [str(layer), int(call), int(index)]:
                    return Output(layer, call, index)
        if kind == "__bytes__" and isinstance(config.get("value"), str):
            return config["value"].encode()
        if kind == "__ellipsis__":
            return Ellipsis
        if kind == "__slice__":
            return slice(*(self.decode(config.get(key), depth + 1) for key in ("start", "stop", "step")))
        if kind == "__lambda__":
            raise self.error(
                "it holds a lambda, which is Python code, and no code of a file is executed. Write the function with "
                "def in your program, use it in a Lambda layer or a layer of your own, and save the model again"
            )
        raise self.error(f"its description has a part that cannot be read: {kind[:100]!r}")

    def _function(self, node: dict[str, Any]) -> Any:
        name, registered = node["config"], node.get("registered_name")
        if not isinstance(name, str):
            raise self.error(f"its description has an invalid part: {str(node)[:100]!r}")
        for candidate in (name, registered):
            if isinstance(candidate, str) and (found := find(candidate, self.custom_objects)) is not None:
                return found
        for package in ("activations", "losses"):
            if (function := find(f"{package}.{name}", {})) is not None:
                return function
        raise self._unknown("function", name)

    # Objects

    def _object(self, node: dict[str, Any], name: str, config: dict[str, Any], depth: int) -> Any:
        shared = node.get("shared_object_id")
        if isinstance(shared, int) and shared in self._shared:
            return self._shared[shared]
        operation = operation_in_file(node.get("module"), name, config)
        if operation is not None:
            return replace(operation, config={k: self.decode(v, depth + 1) for k, v in operation.config.items()})
        cls = self._class(node, name)
        if self._is_graph(cls, config):
            thing: Any = self._model(cls, config, depth)
        else:
            arguments = self.decode_arguments(cls, config, depth)
            what = f"{self._shown(name, config)} cannot be created"
            thing = attempt(self.error, what, lambda: cls.from_config(arguments))
        if isinstance(thing, Layer):
            self._finish(thing, node, config)
            if isinstance(shared, int):
                self._shared[shared] = thing
        return thing

    def layer_of(self, cls: Any, config: dict[str, Any]) -> Any:
        """A layer of a class from its configuration."""
        if self._is_graph(cls, config):
            layer: Any = self._model(cls, config, 0)
        else:
            layer = cls(**self.decode_arguments(cls, config, 0))
        self._finish(layer, {}, {key: value for key, value in config.items() if key != "name" or value is not None})
        return layer

    def _is_graph(self, cls: Any, config: dict[str, Any]) -> bool:
        """Whether the configuration of a class has the layers of a graph or stack."""
        kind = kinds().sequential if "input_layers" not in config else kinds().model
        return "layers" in config and issubclass(cls, kind)

    def _class(self, node: dict[str, Any], name: str) -> Any:
        if isinstance(node, Description):
            return node.thing
        for candidate in (node.get("registered_name"), name):
            if isinstance(candidate, str) and candidate:
                known = find(candidate, self.custom_objects)
                if inspect.isclass(known) and hasattr(known, "from_config"):
                    return known
        module, name = node.get("module"), EARLIER.get(name, name)
        if isinstance(module, str) and module.startswith("portanet."):
            known = find(f"{module.removeprefix('portanet.')}.{name}", {})
            if inspect.isclass(known):
                return known
        if module is None:  # a description that a user wrote
            packages = [package for package in MODULES if name in CLASSES[package]]
            if len(packages) == 1:
                return getattr(importlib.import_module(f"portanet.{packages[0]}"), name)
        if isinstance(module, str) and (module == "keras" or module.startswith("keras.")):
            if name in ("Sequential", "Functional", "Model"):
                return kinds().sequential if name == "Sequential" else kinds().functional
            if name == "Lambda" and module == MODULES["layers"]:
                return layers.Lambda  # of a function that is known by name
            for package, theirs in MODULES.items():
                if name in CLASSES[package] and _is_in(module, theirs, package):
                    return getattr(importlib.import_module(f"portanet.{package}"), name)
            if name in DIFFERENT:
                raise self.error(f"it has a layer of class {name}, which is not the same: {DIFFERENT[name]}")
        raise self._unknown("class", name)

    def decode_arguments(self, cls: Any, config: dict[str, Any], depth: int) -> dict[str, Any]:
        """The arguments of a class from its configuration in Keras."""
        if issubclass(cls, InputLayer):
            return self._input(config)
        known = named_arguments(cls)
        if cls.__name__ in CELLS:
            known += named_arguments(getattr(layers, CELLS[cls.__name__]))
        base = library_class(cls)
        custom = base is not cls
        derived = custom and is_shared(base.__name__)  # whose configuration may be Keras's
        arguments: dict[str, Any] = {}
        for key, value in config.items():
            if issubclass(cls, Layer) and key in ("name", "trainable"):  # set when it is created
                if custom and key in known:
                    arguments[key] = value
                continue
            decoded = self.decode(value, depth + 1)
            if key == "dtype":
                own = key not in REDUCED.get(cls.__name__, (key,))  # the layer's own choice
                if issubclass(cls, Layer) and key in known and not own and decoded not in (None, self.dtype):
                    arguments[key] = decoded
            elif key in known or (custom and not (derived and same_in_keras(key, decoded))):
                arguments[key] = CONVERTED.get((base.__name__, key), _unchanged)(decoded)
            elif not same_in_keras(key, decoded):
                raise self.error(
                    f"{self._shown(cls.__name__, config)} has {key}={str(value)[:100]}, which portanet does not have"
                )
        return arguments

    def _input(self, config: dict[str, Any]) -> dict[str, Any]:
        shape, dtype = config.get("batch_shape"), config.get("dtype")
        if not isinstance(shape, (list, tuple)) or not shape or config.get("sparse") or config.get("ragged"):
            raise self.error(f"it has an input that is no array of known rank: {str(config)[:200]}")
        dtype = None if dtype == self.dtype else self.decode(dtype)
        optional = config.get("optional") is True
        return {"shape": tuple(shape[1:]), "batch_size": shape[0], "dtype": dtype, "optional": optional}

    def _model(self, cls: Any, config: dict[str, Any], depth: int) -> Any:
        entries, name = config.get("layers"), config.get("name")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.error("a model in it has no list of layers")
        if issubclass(cls, kinds().sequential):
            chain = [self._layer(entry, depth) for entry in entries]
            model = self._attempt(name, lambda: cls(chain))
            self._build(model, name, config.get("build_input_shape"))
            return model
        named: dict[str, Any] = {}
        entries = without_masks(entries)
        for entry in entries:
            key = entry.get("name")
            if not isinstance(key, str) or key in named:
                raise self.error(f"a model in it has two layers named {str(key)[:100]!r}, or one without a name")
            named[key] = layer = self._layer(entry, depth, KerasOperation, Operation)
            if isinstance(layer, Layer):
                layer._adopted = True
        nodes = {key: self._calls(entry, depth) for key, entry in zip(named, entries, strict=True)}
        ends = (config.get("input_layers"), config.get("output_layers"))
        inputs, outputs = self._attempt(name, lambda: graph_from_config(named, nodes, *ends))
        own = {} if library_class(cls) is cls else {k: v for k, v in config.items() if k not in OF_GRAPHS}
        further = {key: self.decode(value, depth + 1) for key, value in own.items()}  # of a subclass
        return self._attempt(name, lambda: cls(inputs, outputs, **further))

    def _layer(self, entry: dict[str, Any], depth: int, *others: type) -> Any:
        layer = self.decode(entry, depth + 2)
        if not isinstance(layer, (Layer, *others)):
            raise self.error(f"a model in it has an entry that is no layer: {str(entry)[:100]!r}")
        return layer

    def _calls(self, entry: dict[str, Any], depth: int) -> list[Call]:
        """The arguments of the calls of a layer."""
        calls: list[Call] = []
        for node in entry.get("inbound_nodes") or ():
            if not isinstance(node, dict) or set(node) != {"args", "kwargs"}:
                raise self.error("it was written by Keras 2; load it with Keras 3, and save it again")
            args, options = self.decode(node["args"], depth + 2), self.decode(node["kwargs"], depth + 2)
            if not isinstance(args, list) or not isinstance(options, dict):
                raise self.error(f"its description has an invalid call: {str(node)[:100]!r}")
            calls.append((args, options))
        return calls

    def _finish(self, layer: Layer, node: dict[str, Any], config: dict[str, Any]) -> None:
        name = config.get("name", node.get("name", layer.name))  # not in those of classes without `**options`
        if not isinstance(name, str) or not name or "/" in name:
            raise self.error(f"a layer of class {type(layer).__name__} has no name")
        layer.name = name
        layer._trainable = config.get("trainable", True) is not False
        if not layer._trainable:
            layer.show_trainable()
        if isinstance(layer, IndexLookup) and type(size := config.get("vocabulary_size")) is int:
            layer.expected_size = size
        build = node.get("build_config")
        if isinstance(build, dict) and overrides(type(layer), Layer, "build_from_config"):
            decoded = self.decode(build)
            attempt(self.error, f"layer {name[:100]!r} cannot be built", lambda: layer.build_from_config(decoded))
        elif isinstance(layer, kinds().model) and isinstance(build, dict):
            self._build(layer, name, build.get("input_shape"))

    def _build(self, model: Layer, name: Any, shape: Any) -> None:
        """Build a model that is not, if the file has the shapes of its inputs."""
        if model._built or not isinstance(shape, (list, dict)):
            return
        model._place("")
        if isinstance(model, kinds().sequential):
            self._attempt(name, lambda: model.build(_shapes(shape)))
        else:  # whose layers a call builds
            self._attempt(name, lambda: shape_by_trial(model, _shapes(shape)))

    def _attempt(self, name: Any, function: Callable[[], Any]) -> Any:
        return attempt(self.error, f"model {str(name)[:100]!r} cannot be created", function)

    def _shown(self, cls: str, config: dict[str, Any]) -> str:
        return f"{cls[:100]} '{str(config['name'])[:100]}'" if "name" in config else cls[:100]

    def _unknown(self, kind: str, name: str) -> LoadError:
        plain = name.rpartition(">")[2][:100]
        hint = (
            "A Lambda layer may hold Python code, and no code of a file is executed. Make it a layer of your own: "
            if name == "Lambda"
            else f"If it is yours, write it as a {kind} of portanet: "
        )
        return self.error(
            f"it names the {kind} {name[:100]!r}, which portanet does not have. {hint}decorate it with "
            "@portanet.saving.register_serializable(package='...') under the name in the file, or pass "
            f"custom_objects={{{plain!r}: {plain if plain.isidentifier() else '...'}}}"
        )


def _shapes(tree: Any) -> Any:
    """The shapes in a piece of JSON: a list of sizes, or a list or dict of such lists."""
    if isinstance(tree, dict):
        return {key: _shapes(branch) for key, branch in tree.items()}
    if not isinstance(tree, list) or not all(size is None or type(size) is int for size in tree):
        return [_shapes(branch) for branch in tree]
    return tuple(tree)


def _unchanged(value: Any) -> Any:
    return value


def _numeric(dtype: Any) -> str:
    if not isinstance(dtype, str) or np.dtype(dtype).kind not in "biuf":
        raise TypeError
    return dtype


def _is_in(module: str, theirs: str, package: str) -> bool:
    """Whether a module of Keras, public or not, is that of a package."""
    if module == theirs:
        return True
    if package == "schedules":
        return module.startswith("keras.src.optimizers.schedules")
    return module.startswith(f"keras.src.{package}") or (package == "optimizers" and ".optimizers." in module)

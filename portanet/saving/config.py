"""Objects and trees of values and arrays to JSON and named tensors, and back; see docs/saving.md."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

import numpy as np

from portanet.backends import to_host
from portanet.backends.registry import backend_class_of
from portanet.configurable import arguments_of
from portanet.layers import Layer
from portanet.mixed_precision import DTypePolicy
from portanet.saving.archive import Archive
from portanet.saving.registry import find, name_of
from portanet.saving.safetensors import Tensor
from portanet.tree import tree_map

MAX_DEPTH = 200
"""Maximum nesting of values in a file."""


class Encoder:
    """Encodes values as JSON.

    Attributes:
        tensors: The arrays of the values, by their names in the JSON.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._layers: dict[int, tuple[Layer, dict[str, Any]]] = {}
        self._shared = 0
        self._depth = 0

    def encode(self, value: Any, path: str) -> Any:
        """Encode a value as JSON.

        Args:
            value: None, numbers, strings, arrays, lists, tuples and dicts of them, objects with `get_config()`, and
                functions and classes of the library or registered.
            path: Path of the value; arrays are named by it.

        Raises:
            ValueError: Something cannot be saved; the message names it and its path.
        """
        if self._depth > MAX_DEPTH:  # a Decoder would refuse it
            raise ValueError(
                f"Cannot save {path[:100]}...: models, layers and values must be nested at most {MAX_DEPTH} levels "
                "deep in a file; save the weights alone with save_weights, or nest less. "
                f"Received: a {type(value).__name__} on level {self._depth}"
            )
        self._depth += 1
        try:
            return self._encoded(value, path)
        finally:
            self._depth -= 1

    def _encoded(self, value: Any, path: str) -> Any:
        if value is None or isinstance(value, (bool, str)):
            return value
        if backend_class_of(value) is not None:
            return {"$array": self._add_tensor(value, path)}
        if value is ...:
            return {"$ellipsis": True}
        if isinstance(value, slice):
            return {"$slice": [self.encode(part, path) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
        if isinstance(value, list):
            return [self.encode(item, f"{path}/{i}") for i, item in enumerate(value)]
        if isinstance(value, tuple):
            return {"$tuple": [self.encode(item, f"{path}/{i}") for i, item in enumerate(value)]}
        if isinstance(value, Mapping):
            pairs = [(key, self.encode(item, f"{path}/{key}")) for key, item in value.items()]
            if all(isinstance(key, str) and not key.startswith("$") for key, _ in pairs):
                return dict(pairs)
            return {"$dict": [[self.encode(key, path), item] for key, item in pairs]}
        if isinstance(value, DTypePolicy):
            return value.name
        if inspect.isclass(value) or inspect.isroutine(value):
            return {"$class" if inspect.isclass(value) else "$function": self._name(value, path)}
        if hasattr(value, "get_config") and hasattr(type(value), "from_config"):
            return self._object(value, path)
        raise ValueError(
            f"Cannot save {path}: it is neither a number, a string, an array nor an object with get_config() and "
            f"from_config(config). Received: {value!r} of type {type(value).__qualname__}"
        )

    def _add_tensor(self, array: Any, path: str) -> str:
        name, number = path, 1
        while name in self.tensors:
            name, number = f"{path}~{number}", number + 1
        self.tensors[name] = Tensor(np.array(to_host(array)), str(array.dtype).rpartition(".")[2])
        return name

    def _name(self, thing: Any, path: str) -> str:
        name = name_of(thing)
        if name is None:
            raise ValueError(
                f"Cannot save {path}: files hold no code, so a custom function or class is saved by its registered "
                "name. Define it with def or class in a module, decorate it with "
                "@portanet.saving.register_serializable(package='...'), and import that module before loading the "
                f"file. Received: {thing!r}"
            )
        return name

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        encoded = self._layers.get(id(value))
        if encoded is not None:  # a shared layer
            node = encoded[1]
            if "id" not in node:
                node["id"], self._shared = self._shared, self._shared + 1
            return {"$same": node["id"]}
        node = {"$object": name_of(type(value)) or type(value).__name__}
        if isinstance(value, Layer):
            node["name"] = value.name
            path = f"{path}/{value.name}"
        config = tree_map(_plain, arguments_of(value))
        node["config"] = {key: self.encode(item, f"{path}/{key}") for key, item in config.items()}
        if isinstance(value, Layer):
            # Include layers that its constructor creates; layers among its arguments have their own nodes.
            own = walk(value, skip=self._layers)
            policies = {p: layer._policy.name for p, layer in own if layer._policy is not None}
            if policies:
                node["policies"] = policies
            self._layers[id(value)] = (value, node)  # the reference keeps the id from being reused
        return node


class Decoder:
    """Decodes the JSON of a file into values.

    Args:
        archive: The file, for reading arrays and for error messages.
        custom_objects: Classes and functions that the file may name, in addition to the library's and registered ones.
    """

    def __init__(self, archive: Archive, custom_objects: Mapping[str, Any] | None = None) -> None:
        self.archive = archive
        self.custom_objects = dict(custom_objects or {})
        self._layers: dict[int, Layer] = {}
        self._decoded: dict[int, Layer] = {}

    def decode(self, node: Any, array: Callable[[Tensor], Any] = lambda tensor: tensor.values, depth: int = 0) -> Any:
        """Decode a value from JSON.

        Args:
            node: The JSON.
            array: Conversion of tensors to arrays; NumPy's by default.
            depth: Nesting depth of the node.

        Raises:
            LoadError: It is not the output of an `Encoder`, or names an unknown class.
        """
        if depth > MAX_DEPTH:
            raise self.archive.error(f"its description is nested more than {MAX_DEPTH} levels deep")
        if isinstance(node, list):
            return [self.decode(item, array, depth + 1) for item in node]
        if not isinstance(node, dict):
            return node
        kind = next((key for key in node if key.startswith("$")), None)
        if kind is None:
            return {key: self.decode(item, array, depth + 1) for key, item in node.items()}
        content = node[kind]
        if kind == "$array" and isinstance(content, str) and content in self.archive.file.entries:
            return array(self.archive.read(content))
        if kind == "$float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if kind == "$ellipsis":
            return ...
        if kind == "$slice" and isinstance(content, list) and len(content) == 3:
            return slice(*(self.decode(item, array, depth + 1) for item in content))
        if kind == "$tuple" and isinstance(content, list):
            return tuple(self.decode(item, array, depth + 1) for item in content)
        if kind == "$dict" and _are_pairs(content):
            pairs = [[self.decode(item, array, depth + 1) for item in pair] for pair in content]
            valid = [(key, item) for key, item in pairs if isinstance(key, (str, int, float, tuple, type(None)))]
            if len(valid) == len(pairs):
                return _dict(valid, self.archive)
        if kind in ("$function", "$class") and isinstance(content, str):
            return self._named(content, is_class=kind == "$class")
        if kind == "$same" and isinstance(content, int) and content in self._layers:
            return self._layers[content]
        if kind == "$object" and isinstance(content, str) and isinstance(node.get("config"), dict):
            return self._object(node, array, depth)
        raise self.archive.error(f"its description has an invalid part: {str(node)[:100]!r}")

    def _named(self, name: str, is_class: bool) -> Any:
        thing = find(name, self.custom_objects)
        if thing is None or inspect.isclass(thing) != is_class:
            plain = name.rpartition(">")[2][:100]
            raise self.archive.error(
                f"it names the {'class' if is_class else 'function'} {name[:100]!r}, which is unknown. If it is yours, "
                "decorate it with @portanet.saving.register_serializable(package='...') and import its module "
                f"before loading, or pass custom_objects={{{plain!r}: {plain if plain.isidentifier() else '...'}}}"
            )
        return thing

    def _object(self, node: dict[str, Any], array: Any, depth: int) -> Any:
        cls = self._named(node["$object"], is_class=True)
        config = {key: self.decode(item, array, depth + 1) for key, item in node["config"].items()}
        try:
            thing = cls.from_config(config)
        except Exception as error:  # a constructor may raise anything for unexpected arguments
            raise self.archive.error(
                f"{cls.__name__} cannot be created from its configuration: {str(error)[:300]}"
            ) from error
        if isinstance(thing, Layer):
            name = node.get("name")
            if not isinstance(name, str) or not name or "/" in name:
                raise self.archive.error(f"a layer of class {cls.__name__} has no name")
            thing.name = name
            self._set_policies(thing, node.get("policies", {}))
            self._decoded[id(thing)] = thing
            if isinstance(node.get("id"), int):
                self._layers[node["id"]] = thing
        return thing

    def _set_policies(self, root: Layer, policies: Any) -> None:
        """Give layers the dtype policies with which they were saved, whatever the global policy."""
        for path, layer in walk(root, skip=self._decoded):
            name = policies.get(path) if isinstance(policies, dict) else None
            try:
                layer._policy = None if name is None else DTypePolicy(name)
            except ValueError as error:
                raise self.archive.error(f"layer '{root.name}': {str(error)[:300]}") from None


def walk(layer: Layer, path: str = "", skip: Container[int] = ()) -> Iterator[tuple[str, Layer]]:
    """A layer and all its sublayers, with their paths; sublayers whose `id` is in `skip` are omitted with their own."""
    yield path, layer
    for name, sublayer in layer.sublayers().items():
        if id(sublayer) not in skip:
            yield from walk(sublayer, f"{path}/{name}" if path else name, skip)


def _plain(value: Any) -> Any:
    """A Python scalar for a NumPy scalar, which would be encoded as an array."""
    return value.item() if isinstance(value, np.generic) else value


def _are_pairs(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in content)


def _dict(pairs: list[tuple[Any, Any]], archive: Archive) -> dict[Any, Any]:
    try:
        return dict(pairs)
    except TypeError:  # a tuple of lists
        raise archive.error("its description has a dict with invalid keys") from None

"""Objects, and trees of values and arrays, as JSON beside named tensors, and back; docs/saving.md lists the forms."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

import numpy as np

from portanet.backends import to_host
from portanet.backends.registry import backend_class_of
from portanet.layers import Layer
from portanet.mixed_precision import DTypePolicy
from portanet.saving.archive import Archive
from portanet.saving.registry import find, name_of
from portanet.saving.safetensors import Tensor
from portanet.tree import tree_map

MAX_DEPTH = 200
"""How deeply values may be nested in a file."""


class Encoder:
    """Turns values into JSON.

    Attributes:
        tensors: The arrays that were met, by the names under which the JSON mentions them.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._layers: dict[int, tuple[Layer, dict[str, Any]]] = {}
        self._shared = 0

    def encode(self, value: Any, path: str) -> Any:
        """A value as JSON.

        Args:
            value: None, numbers, text, arrays, lists, tuples and dicts of them, objects with `get_config()`, and
                functions and classes that are the library's or registered.
            path: Where it belongs: arrays are named by it.

        Raises:
            ValueError: There is something that cannot be saved; the message says what and where.
        """
        if value is None or isinstance(value, (bool, str)):
            return value
        if backend_class_of(value) is not None:
            return {"$array": self._keep(value, path)}
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
        if isinstance(value, list):
            return [self.encode(each, f"{path}/{i}") for i, each in enumerate(value)]
        if isinstance(value, tuple):
            return {"$tuple": [self.encode(each, f"{path}/{i}") for i, each in enumerate(value)]}
        if isinstance(value, Mapping):
            pairs = [(key, self.encode(each, f"{path}/{key}")) for key, each in value.items()]
            if all(isinstance(key, str) and not key.startswith("$") for key, _ in pairs):
                return dict(pairs)
            return {"$dict": [[self.encode(key, path), each] for key, each in pairs]}
        if isinstance(value, DTypePolicy):
            return value.name
        if inspect.isclass(value) or inspect.isroutine(value):
            return {"$class" if inspect.isclass(value) else "$function": self._name(value, path)}
        if hasattr(value, "get_config") and hasattr(type(value), "from_config"):
            return self._object(value, path)
        raise ValueError(
            f"Cannot save {path}: it is made of something that is neither numbers, text, arrays nor an object with "
            f"get_config() and from_config(config). Received: {value!r} of type {type(value).__qualname__}"
        )

    def _keep(self, array: Any, path: str) -> str:
        name, number = path, 1
        while name in self.tensors:
            name, number = f"{path}~{number}", number + 1
        self.tensors[name] = Tensor(np.array(to_host(array)), str(array.dtype).rpartition(".")[2])
        return name

    def _name(self, thing: Any, path: str) -> str:
        name = name_of(thing)
        if name is None:
            raise ValueError(
                f"Cannot save {path}: files hold no code, so a function or class of your own is saved by the "
                "name under which it is registered. Write it with def or class in a module, put "
                "@portanet.saving.register_serializable(package='...') above it, and import that module before you "
                f"load the file. Received: {thing!r}"
            )
        return name

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        known = self._layers.get(id(value))
        if known is not None:  # a layer that stands in several places
            node = known[1]
            if "id" not in node:
                node["id"], self._shared = self._shared, self._shared + 1
            return {"$same": node["id"]}
        node = {"$object": name_of(type(value)) or type(value).__name__}
        if isinstance(value, Layer):
            node["name"] = value.name
            path = f"{path}/{value.name}"
        config = tree_map(_plain, value.get_config())
        node["config"] = {key: self.encode(each, f"{path}/{key}") for key, each in config.items()}
        if isinstance(value, Layer):
            # Also those of layers that its constructor makes; layers among its arguments have nodes of their own.
            own = walk(value, apart=self._layers)
            policies = {p: layer._policy.name for p, layer in own if layer._policy is not None}
            if policies:
                node["policies"] = policies
            self._layers[id(value)] = (value, node)  # the object too: while it lives, no other has its id
        return node


class Decoder:
    """Turns the JSON of a file back into values.

    Args:
        archive: The file, of which arrays are read and whose name is in error messages.
        custom_objects: Classes and functions that the file may name beside the library's and the registered ones.
    """

    def __init__(self, archive: Archive, custom_objects: Mapping[str, Any] | None = None) -> None:
        self.archive = archive
        self.custom_objects = dict(custom_objects or {})
        self._layers: dict[int, Layer] = {}
        self._decoded: dict[int, Layer] = {}

    def decode(self, node: Any, array: Callable[[Tensor], Any] = lambda tensor: tensor.values, depth: int = 0) -> Any:
        """The value that some JSON stands for.

        Args:
            node: The JSON.
            array: What to make of arrays; NumPy's by default.
            depth: How deep it stands.

        Raises:
            LoadError: It is not what an `Encoder` gives, or names an unknown class.
        """
        if depth > MAX_DEPTH:
            raise self.archive.error(f"its description is nested more than {MAX_DEPTH} deep")
        if isinstance(node, list):
            return [self.decode(each, array, depth + 1) for each in node]
        if not isinstance(node, dict):
            return node
        kind = next((key for key in node if key.startswith("$")), None)
        if kind is None:
            return {key: self.decode(each, array, depth + 1) for key, each in node.items()}
        content = node[kind]
        if kind == "$array" and isinstance(content, str) and content in self.archive.file.entries:
            return array(self.archive.read(content))
        if kind == "$float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if kind == "$tuple" and isinstance(content, list):
            return tuple(self.decode(each, array, depth + 1) for each in content)
        if kind == "$dict" and _are_pairs(content):
            pairs = [[self.decode(each, array, depth + 1) for each in pair] for pair in content]
            with_keys = [(key, each) for key, each in pairs if isinstance(key, (str, int, float, tuple, type(None)))]
            if len(with_keys) == len(pairs):
                return _hashed(with_keys, self.archive)
        if kind in ("$function", "$class") and isinstance(content, str):
            return self._named(content, is_class=kind == "$class")
        if kind == "$same" and isinstance(content, int) and content in self._layers:
            return self._layers[content]
        if kind == "$object" and isinstance(content, str) and isinstance(node.get("config"), dict):
            return self._object(node, array, depth)
        raise self.archive.error(f"its description has a part that means nothing: {str(node)[:100]!r}")

    def _named(self, name: str, is_class: bool) -> Any:
        found = find(name, self.custom_objects)
        if found is None or inspect.isclass(found) != is_class:
            plain = name.rpartition(">")[2][:100]
            raise self.archive.error(
                f"it names the {'class' if is_class else 'function'} {name[:100]!r}, which is not known here. If it is "
                "yours, put @portanet.saving.register_serializable(package='...') above it and import its module "
                f"before loading, or pass custom_objects={{{plain!r}: {plain if plain.isidentifier() else '...'}}}"
            )
        return found

    def _object(self, node: dict[str, Any], array: Any, depth: int) -> Any:
        cls = self._named(node["$object"], is_class=True)
        config = {key: self.decode(each, array, depth + 1) for key, each in node["config"].items()}
        try:
            made = cls.from_config(config)
        except Exception as error:  # whatever a constructor may raise for arguments it was never meant for
            raise self.archive.error(
                f"{cls.__name__} cannot be made from its configuration: {str(error)[:300]}"
            ) from error
        if isinstance(made, Layer):
            name = node.get("name")
            if not isinstance(name, str) or not name or "/" in name:
                raise self.archive.error(f"a layer of class {cls.__name__} has no name")
            made.name = name
            self._set_policies(made, node.get("policies", {}))
            self._decoded[id(made)] = made
            if isinstance(node.get("id"), int):
                self._layers[node["id"]] = made
        return made

    def _set_policies(self, made: Layer, policies: Any) -> None:
        """Whichever the global policy is here, layers have the dtype policies with which they were saved."""
        for path, layer in walk(made, apart=self._decoded):
            name = policies.get(path) if isinstance(policies, dict) else None
            try:
                layer._policy = None if name is None else DTypePolicy(name)
            except ValueError as error:
                raise self.archive.error(f"layer '{made.name}': {str(error)[:300]}") from None


def walk(layer: Layer, path: str = "", apart: Container[int] = ()) -> Iterator[tuple[str, Layer]]:
    """A layer and those below it, with their paths; without sublayers whose `id` is in `apart`, and those below."""
    yield path, layer
    for name, below in layer.sublayers().items():
        if id(below) not in apart:
            yield from walk(below, f"{path}/{name}" if path else name, apart)


def _plain(value: Any) -> Any:
    """NumPy's scalars, which are arrays elsewhere, are numbers as arguments."""
    return value.item() if isinstance(value, np.generic) else value


def _are_pairs(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in content)


def _hashed(pairs: list[tuple[Any, Any]], archive: Archive) -> dict[Any, Any]:
    try:
        return dict(pairs)
    except TypeError:  # a tuple of lists
        raise archive.error("its description has a dict with keys that cannot be keys") from None

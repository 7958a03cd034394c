"""Files of weights of Keras: shown, compared with a model, edited."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.layers import Layer
from portanet.saving.atomic import write_atomically
from portanet.saving.endings import KERAS, KERAS_WEIGHTS
from portanet.saving.errors import LoadError
from portanet.saving.keras.container import read_container
from portanet.saving.keras.hdf5 import WeightFile, write_weights
from portanet.saving.keras.variables import IGNORED, groups
from portanet.saving.safetensors import Tensor

Objects = dict[str, Any]
"""Arrays and further objects by name."""


class KerasFileEditor:
    """Shows, compares and edits the weights in a `.keras` or `.weights.h5` file; as `keras.saving.KerasFileEditor`.

    Useful where a model has changed since its file was saved. The file that was opened is never changed.

    Args:
        filepath: The file.

    Attributes:
        weights_dict: The arrays, nested by the names in their paths: `weights_dict["layers"]["dense"]["0"]`.
        metadata: For a `.keras` file, the version of Keras and the date.
        config: For a `.keras` file, the description of the model.

    Raises:
        ValueError: The file has another ending.
        LoadError: It is damaged.

    Example:
        >>> import pathlib, tempfile
        >>> import portanet
        >>> from portanet import layers
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.weights.h5"
        >>> portanet.Sequential([layers.Input((2,)), layers.Dense(3, name="old")]).save_weights(path)
        >>> editor = KerasFileEditor(path)
        >>> editor.summary()
        layers
          dense
            0: shape=(2, 3), dtype=float32
            1: shape=(3,), dtype=float32
        >>> editor.delete_weight("dense", "1")
        >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(3, use_bias=False)])
        >>> editor.compare(model)
        The file fits the model: 1 array is equal in shape
        {'status': 'success', 'error_count': 0, 'match_count': 1}
        >>> editor.save(path.with_name("edited.weights.h5"))
        >>> _ = model.load_weights(path.with_name("edited.weights.h5"))
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        self.filepath = checks.path("filepath", filepath, type(self))
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        self.weights_dict: Objects = {}
        self._bfloat16: list[HostArray] = []
        name = os.fspath(filepath).lower()
        if name.endswith(KERAS):
            container = read_container(filepath)
            self.metadata, self.config = container.metadata, container.config
            self._read(io.BytesIO(container.weights))
        elif name.endswith(KERAS_WEIGHTS):
            with open(filepath, "rb") as file:
                self._read(file)
        else:
            raise checks.invalid("filepath", filepath, f"a file that ends in {KERAS} or {KERAS_WEIGHTS}", type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(filepath={str(self.filepath)!r})"

    def _read(self, opened: Any) -> None:
        with closing(WeightFile(opened, self.filepath)) as file:
            for name in file.names:
                tensor = file.read(name)
                *path, last = [part for part in name.split("/") if part != "vars"]
                holder = self.weights_dict
                for part in path:
                    holder = holder.setdefault(part, {})
                    if not isinstance(holder, dict):
                        raise self._twice(name)
                if last in holder:
                    raise self._twice(name)
                holder[last] = tensor.values
                if tensor.dtype == "bfloat16":
                    self._bfloat16.append(tensor.values)

    def _twice(self, name: str) -> LoadError:
        return LoadError(f"Cannot read {self.filepath}: two arrays or objects have one path. Received: {name!r}")

    def summary(self) -> None:
        """Print objects and arrays with their shapes and dtypes."""
        print("\n".join(self._lines(self.weights_dict, "")))

    def _lines(self, objects: Objects, indent: str) -> Iterator[str]:
        for name, value in objects.items():
            if isinstance(value, dict):
                yield f"{indent}{name}"
                yield from self._lines(value, indent + "  ")
            else:
                tensor = self._tensor(value)
                yield f"{indent}{name}: shape={tensor.shape}, dtype={tensor.dtype}"

    def compare(self, reference_model: Layer) -> dict[str, Any]:
        """Compare the names and shapes of the weights with those of a model, and print what differs.

        States of optimizers and metrics are not compared.

        Args:
            reference_model: The model.

        Returns:
            `"status"`, `"success"` or `"error"`; `"error_count"`, how many objects or arrays are missing on one side or
            differ in shape; `"match_count"`, how many arrays are equal in shape.
        """
        if not isinstance(reference_model, Layer):
            raise checks.invalid("reference_model", reference_model, "a model or layer", "KerasFileEditor.compare")
        expected: Objects = {}
        for group, variables in groups(reference_model).items():
            holder = expected
            for part in filter(None, group.split("/")):
                holder = holder.setdefault(part, {})
            holder.update({str(index): variable for index, variable in enumerate(variables)})
        ignored = tuple(name.rstrip("/") for name in IGNORED)
        present = {name: value for name, value in self.weights_dict.items() if name not in ignored}
        errors, matching = _differences(present, expected, "")
        if errors:
            print("\n".join(errors))
        else:
            print(f"The file fits the model: {matching} array{'s are' if matching != 1 else ' is'} equal in shape")
        status = "error" if errors else "success"
        return {"status": status, "error_count": len(errors), "match_count": matching}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Rename a layer or another object.

        Args:
            object_name: Its name, or its path where several objects have this name.
            new_name: Its new name, without a path.

        Raises:
            ValueError: There is no such object, or several; or the new name is a path, or taken.
        """
        checks.text("new_name", new_name, "KerasFileEditor.rename_object")
        if "/" in new_name:
            raise checks.invalid("new_name", new_name, "a name, not a path", "KerasFileEditor.rename_object")
        holder, name = self._find("object_name", object_name)
        if new_name in holder:
            raise checks.invalid("new_name", new_name, "a name that is not taken", "KerasFileEditor.rename_object")
        holder[new_name] = holder.pop(name)

    def delete_object(self, object_name: str) -> None:
        """Delete a layer or another object.

        Args:
            object_name: Its name, or its path where several objects have this name.

        Raises:
            ValueError: There is no such object, or several.
        """
        holder, name = self._find("object_name", object_name)
        del holder[name]

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add a layer or another object.

        Args:
            object_path: Its path, such as `"layers/dense_2"`.
            weights: Its arrays by name, usually `"0"`, `"1"`, ...

        Raises:
            ValueError: There is no object that could hold it, or an object has this path.
        """
        *path, name = checks.text("object_path", object_path, "KerasFileEditor.add_object").split("/")
        if not name:
            raise checks.invalid("object_path", object_path, "a path that ends in a name", "KerasFileEditor.add_object")
        holder = self._at(path, "object_path", object_path)
        if name in holder:
            expected = "a path that is not taken; `add_weights` adds arrays to an object"
            raise checks.invalid("object_path", object_path, expected, "KerasFileEditor.add_object")
        holder[name] = _arrays(weights, "KerasFileEditor.add_object")

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Delete an array of an object.

        Args:
            object_name: The name of the object, or its path where several objects have this name.
            weight_name: The name of the array, such as `"0"`.

        Raises:
            ValueError: There is no such object or array, or several such objects.
        """
        owner = self._object(object_name)
        if weight_name not in owner:
            raise _unknown("weight_name", weight_name, owner)
        del owner[weight_name]

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add arrays to an object, or replace them.

        Args:
            object_name: The name of the object, or its path where several objects have this name.
            weights: The arrays by name, usually `"0"`, `"1"`, ...

        Raises:
            ValueError: There is no such object, or several.
        """
        self._object(object_name).update(_arrays(weights, "KerasFileEditor.add_weights"))

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Write the arrays to a file that `model.load_weights` reads, here and in Keras.

        Args:
            filepath: The file, which ends in `.weights.h5`.

        Raises:
            ValueError: The file has another ending.
        """
        if not os.fspath(checks.path("filepath", filepath, "KerasFileEditor.save")).lower().endswith(KERAS_WEIGHTS):
            expected = f"a file that ends in {KERAS_WEIGHTS}"
            raise checks.invalid("filepath", filepath, expected, "KerasFileEditor.save")
        found = dict(self._groups(self.weights_dict, ""))
        with write_atomically(filepath) as file:
            write_weights(file, {"": {}, **found})

    resave_weights = save

    def _groups(self, objects: Objects, path: str) -> Iterator[tuple[str, dict[str, Tensor]]]:
        own = {name: self._tensor(value) for name, value in objects.items() if not isinstance(value, dict)}
        if own:
            yield path, own
        for name, value in objects.items():
            if isinstance(value, dict):
                yield from self._groups(value, f"{path}/{name}".lstrip("/"))

    def _tensor(self, values: Any) -> Tensor:
        values = np.asarray(values)
        return Tensor(values, "bfloat16" if any(values is each for each in self._bfloat16) else str(values.dtype))

    def _object(self, object_name: str) -> Objects:
        holder, name = self._find("object_name", object_name)
        owner: Objects = holder[name]
        return owner

    def _find(self, argument: str, name: str) -> tuple[Objects, str]:
        """What holds an object, and its name in it."""
        *path, last = checks.text(argument, name, type(self)).split("/")
        if path:
            holders = [self._at(path, argument, name)]
        else:
            holders = list(_holders(self.weights_dict, lambda objects: isinstance(objects.get(last), dict)))
        holders = [holder for holder in holders if isinstance(holder.get(last), dict)]
        if len(holders) > 1:
            raise checks.invalid(argument, name, "the path of one object; several have this name", type(self))
        if not holders:
            raise _unknown(argument, name, self.weights_dict)
        return holders[0], last

    def _at(self, path: list[str], argument: str, name: str) -> Objects:
        """The object at a path."""
        holder = self.weights_dict
        for part in path:
            if not isinstance(holder.get(part), dict):
                raise _unknown(argument, name, holder)
            holder = holder[part]
        return holder


def _holders(objects: Objects, has: Callable[[Objects], bool]) -> Iterator[Objects]:
    """All objects for which `has` is true."""
    if has(objects):
        yield objects
    for value in objects.values():
        if isinstance(value, dict):
            yield from _holders(value, has)


def _unknown(argument: str, name: str, objects: Objects) -> ValueError:
    return checks.invalid(argument, name, f"in the file, where there are {', '.join(objects)}", KerasFileEditor)


def _arrays(weights: Any, of: str) -> dict[str, HostArray]:
    if not isinstance(weights, Mapping) or not all(isinstance(name, str) for name in weights):
        raise checks.invalid("weights", weights, "a dict of arrays by name", of)
    arrays = {}
    for name, value in weights.items():
        if not name or "/" in name:
            raise checks.invalid("weights", weights, f"a dict by names without '/'; {name!r} is none", of)
        try:
            arrays[name] = np.asarray(value)
        except (TypeError, ValueError):  # lists of several lengths
            arrays[name] = np.asarray(None)
        if arrays[name].dtype.kind not in "biuf":
            raise checks.invalid("weights", weights, f"a dict of arrays of numbers; {name!r} is none", of)
    return arrays


def _differences(present: Objects, expected: Objects, path: str) -> tuple[list[str], int]:
    """What is missing on one side or differs in shape, one line each, and how many arrays agree."""
    errors: list[str] = []
    matching = 0
    for name in dict.fromkeys((*expected, *present)):
        where = f"{path}/{name}".lstrip("/")
        if name not in present or name not in expected:
            there, absent = ("the model", "the file") if name not in present else ("the file", "the model")
            errors.append(f"{where} is in {there}, but not in {absent}")
        elif isinstance(present[name], dict) and isinstance(expected[name], dict):
            inner, equal = _differences(present[name], expected[name], where)
            errors, matching = errors + inner, matching + equal
        elif isinstance(present[name], dict) or isinstance(expected[name], dict):
            errors.append(f"{where} is an array on one side alone")
        elif present[name].shape != expected[name].shape:
            errors.append(f"{where} has shape {present[name].shape} in the file, {expected[name].shape} in the model")
        else:
            matching += 1
    return errors, matching

"""Whole models as HDF5 files, as Keras wrote them before version 3 and still writes for names that end in `.h5`."""

from __future__ import annotations

import inspect
import json
import os
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from portanet import losses
from portanet.saving.atomic import write_atomically
from portanet.saving.keras.encode import KerasEncoder
from portanet.saving.keras.hdf5 import WeightFile, h5py, stored
from portanet.saving.keras.kinds import kinds
from portanet.saving.keras.legacy import LAYERS, MODEL, STATE, WEIGHTS, weights_in_order
from portanet.saving.keras.optimizers import GROUP, written_state
from portanet.saving.keras.variables import layers_of, trained
from portanet.saving.safetensors import Tensor
from portanet.saving.weights import host_tensor
from portanet.tree import tree_map

CONFIG, TRAINING = "model_config", "training_config"
IN_HEADER = 32_000
"""Bytes of an attribute with names; longer lists are divided, since HDF5 stores at most 64 KB in one."""


def save_legacy_model(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a graph or stack of layers with its settings of `compile` and the optimizer's state.

    Raises:
        ValueError: Keras does not have a class or an option of the model, or the model is of another kind.
    """
    if not isinstance(model, (kinds().functional, kinds().sequential)) or not model._built:
        raise ValueError(
            f"The older HDF5 format describes built graphs and stacks of layers; end the name in .keras to save model "
            f"'{model.name}'. Received: {'a subclass of Model' if model._built else 'a model that is not built'}"
        )
    warnings.warn(
        f"HDF5 is the format of Keras before version 3: {os.fspath(path)!r} gets the architecture, the weights, the "
        "settings of compile and the optimizer's state. End the name in .keras or .safetensors to save all of a model.",
        stacklevel=4,
    )
    encoder = KerasEncoder(model.backend.dtype_name(model.backend.dtype))
    node = encoder.encode(model, "the model")
    texts = {CONFIG: {"class_name": node["class_name"], "config": node["config"]}}
    state: list[Tensor] = []
    settings = model.get_compile_config()
    if settings is not None:
        optimizer = encoder.encode(model.optimizer, "optimizer of compile")
        texts[TRAINING] = encoder.compile_config({**settings, "optimizer": None})
        del texts[TRAINING]["optimizer"]
        texts[TRAINING]["loss"] = tree_map(_full_name, texts[TRAINING].get("loss"))
        texts[TRAINING]["optimizer_config"] = optimizer
        state = written_state(model, trained(model)).get(GROUP, [])
    variables = {layer.name: weights_in_order(layer) for layer in layers_of(model)}
    paths = {variable: path for path, variable in model.named_variables().items()}
    with write_atomically(path) as file, h5py("Saving a file of Keras").File(file, "w") as target:
        for name, text in texts.items():
            target.attrs[name] = json.dumps(text)
        top = target.create_group(MODEL)
        _set_names(top, LAYERS, variables)
        for name, several in variables.items():
            _write(top.create_group(name), {paths[variable]: host_tensor(variable) for variable in several})
        if state:
            _write(target.create_group(STATE), {f"{GROUP}/{i}": tensor for i, tensor in enumerate(state)})


def described(file: WeightFile) -> dict[str, Any]:
    """The description of the model in a file, in the form of Keras 3, with `compile_config` if it was compiled.

    Raises:
        LoadError: There is none.
    """
    config, training = _json(file, CONFIG), _json(file, TRAINING)
    if config is None:
        raise file.error("it holds weights alone; create the model, and call model.load_weights(path)")
    described: dict[str, Any] = _in_modules(config, "keras.layers")
    if training is not None:
        rest = {key: value for key, value in training.items() if key not in ("optimizer_config", "sample_weight_mode")}
        described["compile_config"] = {
            key: _in_modules(value, "keras.losses" if key == "loss" else "keras.metrics") for key, value in rest.items()
        } | {"optimizer": _in_modules(training.get("optimizer_config"), "keras.optimizers")}
    return described


def _json(file: WeightFile, name: str) -> Any:
    text = file.text(name)
    try:
        value = None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise file.error(f"its {name} is not JSON ({error})") from None
    if value is not None and not isinstance(value, dict):
        raise file.error(f"its {name} is not a JSON object. Received: {str(value)[:100]}")
    return value


def _in_modules(node: Any, module: str) -> Any:
    """A description with the module of each class that has none."""
    if isinstance(node, list):
        return [_in_modules(item, module) for item in node]
    if not isinstance(node, dict):
        return node
    inside = {key: _in_modules(value, module) for key, value in node.items()}
    name = node.get("class_name")
    if "config" not in node or "module" in node or not isinstance(name, str) or name.startswith("__"):
        return inside
    return {**inside, "module": "keras" if name in ("Sequential", "Functional", "Model") else module}


def _full_name(loss: Any) -> Any:
    """The name of a loss for a shorter one, by which Keras finds none here."""
    function = getattr(losses, loss, None) if isinstance(loss, str) else None
    return function.__name__ if inspect.isfunction(function) else loss


def _write(group: Any, tensors: Mapping[str, Tensor]) -> None:
    _set_names(group, WEIGHTS, tensors)
    for name, tensor in tensors.items():
        group.create_dataset(name, data=stored(tensor))


def _set_names(group: Any, attribute: str, names: Iterable[str]) -> None:
    values = np.asarray([name.encode() for name in names], dtype=np.bytes_)
    parts = np.array_split(values, -(-values.nbytes // IN_HEADER) or 1)
    for index, part in enumerate(parts):
        group.attrs[attribute if len(parts) == 1 else f"{attribute}{index}"] = part

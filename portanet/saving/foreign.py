"""Weights of models of PyTorch and Keras in models of portanet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from portanet.backends import HostArray, to_host
from portanet.layers import Layer
from portanet.saving.archive import open_archive
from portanet.saving.config import walk
from portanet.saving.safetensors import Tensor
from portanet.saving.torch_layouts import MODULES, modules_of
from portanet.saving.weights import assign, listed, require_built

Source = Mapping[str, Any] | str | os.PathLike[str]


def load_torch_state_dict(
    model: Layer, state_dict: Source, mapping: Mapping[str, str | list[str]] | None = None
) -> None:
    """Give a model the weights of a PyTorch module with the same layers.

    The orders of kernels' axes and of gates, split projections and separate biases are converted, for Dense, Conv1D-3D,
    their depthwise, separable and transpose kinds, Embedding, BatchNormalization, LayerNormalization,
    GroupNormalization, RMSNormalization, SimpleRNN, LSTM, GRU, Bidirectional and MultiHeadAttention.

    Args:
        model: The model, built; layers without weights do not matter.
        state_dict: `module.state_dict()`, or the path of a safetensors file of it. Pickled files (`.pt`) are not read,
            since they may contain code: `safetensors.torch.save_file(torch.load(path, weights_only=True), new_path)`.
        mapping: For a layer's path, the name of its module: `{"dense": "fc1"}`; only these layers are loaded. Layer n
            of a recurrent module `rnn` is `"rnn.ln"`; a SeparableConv has two modules. None if layers and modules
            come in the same order.

    Raises:
        ValueError: Layers and modules do not fit; all misfits are listed, and nothing is changed.
        portanet.saving.LoadError: The file is damaged, or no safetensors file.

    Example:
        >>> import numpy as np, portanet
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
        >>> weights = {"fc.weight": np.asarray([[1.0, 2.0]]), "fc.bias": np.asarray([3.0])}
        >>> portanet.saving.load_torch_state_dict(model, weights)
        >>> model.predict(np.asarray([[10.0, 1.0]]))
        array([[15.]], dtype=float32)
    """
    require_built(model)
    modules = modules_of(_arrays(state_dict))
    owners = _owners(model)
    if mapping is None:
        mapping = _in_order(model, owners, list(modules))
    found: dict[str, HostArray] = {}
    wrong: list[str] = []
    for path, given in mapping.items():
        names = [given] if isinstance(given, str) else list(given)
        absent = [name for name in names if name not in modules]
        if path not in owners or absent:
            lost = (
                f"no module {absent[0]!r}; there are {list(modules)}" if absent else f"none; there are {list(owners)}"
            )
            wrong.append(f"layer {path!r}: {lost}")
            continue
        layer = owners[path]
        _, convert = next(kind for kind in MODULES if isinstance(layer, kind[0]))
        try:
            converted = convert(layer, *(modules[name] for name in names))
        except KeyError as error:
            wrong.append(f"layer {path!r}: module {names} has no {error}")
        except (ValueError, TypeError) as error:
            wrong.append(f"layer {path!r}, module {names}: {error}")
        else:
            found |= {f"{path}/{name}" if path else name: values for name, values in converted.items()}
            own = {name for name, variable in layer.named_variables().items() if not variable.counter}
            wrong += [f"layer {path!r}: nothing for its {name}" for name in sorted(own - set(converted))]
    _assign(model, found, wrong)


def load_keras_weights(model: Layer, weights: Source, mapping: Mapping[str, str] | None = None) -> None:
    """Give a model the weights of a Keras 3 model with the same layers, whose layout is the same.

    Args:
        model: The model, built; layers without weights do not matter.
        weights: Arrays by path, `{w.path: w.numpy() for w in keras_model.weights}`, or the path of a safetensors file
            of them.
        mapping: For a layer's path, that of the Keras layer: `{"dense": "sequential/dense_3"}`; only these layers are
            loaded. None if all weights come in the same order.

    Raises:
        ValueError: The weights do not fit; all misfits are listed, and nothing is changed.
        portanet.saving.LoadError: The file is damaged, or no safetensors file.

    Example:
        >>> import numpy as np, portanet
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
        >>> weights = {"dense_4/kernel": np.asarray([[1.0], [2.0]]), "dense_4/bias": np.asarray([3.0])}
        >>> portanet.saving.load_keras_weights(model, weights)
        >>> model.predict(np.asarray([[10.0, 1.0]]))
        array([[15.]], dtype=float32)
    """
    require_built(model)
    theirs = {name: values for name, values in _arrays(weights).items() if "seed_generator" not in name}
    ours = [path for path, variable in model.named_variables().items() if not variable.counter]
    found: dict[str, HostArray] = {}
    wrong: list[str] = []
    if mapping is None:
        if len(ours) != len(theirs):
            wrong.append(f"the model has {len(ours)} weights, and {len(theirs)} are given")
        for path, (name, values) in zip(ours, theirs.items(), strict=False):
            if _plain(path) != _plain(name):
                wrong.append(f"{path!r}: the weight at its place is {name!r}")
            found[path] = values
    for path, prefix in (mapping or {}).items():
        own = [each for each in ours if each.startswith(f"{path}/")]
        if not own:
            wrong.append(f"no layer {path!r} with weights")
        for each in own:
            same = [n for n in theirs if n.startswith(f"{prefix}/") and _below(n, prefix) == _below(each, path)]
            if len(same) == 1:
                found[each] = theirs[same[0]]
            else:
                wrong.append(f"{each!r}: no such weight under {prefix!r}")
    _assign(model, found, wrong)


def _arrays(source: Source) -> dict[str, HostArray]:
    if isinstance(source, Mapping):
        return {str(name): to_host(values) for name, values in source.items()}
    with open_archive(source) as archive:
        return {name: archive.read(name).values for name in archive.names}


def _owners(model: Layer) -> dict[str, Layer]:
    """The layers that a module stands for, by path: the uppermost of the known kinds."""
    kinds = tuple(cls for classes, _ in MODULES for cls in classes)
    found: dict[str, Layer] = {}
    for path, layer in walk(model):
        inside = any(path.startswith(f"{owner}/") or owner == "" for owner in found)
        if isinstance(layer, kinds) and not inside and layer.first_variable() is not None:
            found[path] = layer
    return found


def _in_order(model: Layer, owners: dict[str, Layer], modules: list[str]) -> dict[str, list[str]]:
    """One module (or as many as its kind takes) for each layer, in order."""
    mapping, rest = {}, list(modules)
    for path, layer in owners.items():
        count = 2 if type(layer).__name__.startswith("Separable") else 1
        mapping[path], rest = rest[:count], rest[count:]
    known = {id(v) for layer in owners.values() for v in layer.variables}
    unknown = [v.path for v in model.weights if id(v) not in known]
    if rest or unknown or not all(mapping.values()):
        raise ValueError(
            "Layers and modules do not go together one by one; pass a mapping, {layer: module}. Received: "
            f"layers {list(owners)}, modules {modules}, and weights of no known kind of layer {unknown}"
        )
    return mapping


def _assign(model: Layer, found: dict[str, HostArray], wrong: list[str]) -> None:
    variables = model.named_variables()
    for path, values in found.items():
        if path not in variables:
            wrong.append(f"{path!r}: the layer has no such weight")
        elif variables[path].shape != values.shape:
            wrong.append(f"{path!r}: expected shape {variables[path].shape}, got {values.shape}")
    if wrong:
        raise ValueError(
            f"These weights do not fit model '{model.name}', of which nothing was changed. Received:\n{listed(wrong)}"
        )
    assign(model, {path: Tensor(np.asarray(values), str(values.dtype)) for path, values in found.items()})


def _plain(path: str) -> str:
    """The last part of a path; those of Keras's attention are two."""
    owner, _, name = path.rpartition("/")
    last = owner.rpartition("/")[2]
    return f"{last.removeprefix('attention_')}_{name}" if last in _PROJECTIONS else name


_PROJECTIONS = ("query", "key", "value", "attention_output")


def _below(path: str, prefix: str) -> str:
    """A path below a layer, with the names of cells and projections left out."""
    return _plain(path) if path.count("/") - prefix.count("/") <= 2 else path[len(prefix) + 1 :]

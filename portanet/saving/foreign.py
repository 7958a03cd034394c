"""Loading of weights of PyTorch and Keras models."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.layers import Layer
from portanet.saving.archive import open_archive
from portanet.saving.config import walk
from portanet.saving.safetensors import Tensor
from portanet.saving.torch_layouts import MODULES, modules_of
from portanet.saving.weights import Comparison, assign, listed, require_built

Source = Mapping[str, Any] | str | os.PathLike[str]

FIELD = re.compile(r"\{(\w+)\}")
"""A name in braces, in place of a number."""


def load_torch_state_dict(
    model: Layer,
    state_dict: Source,
    mapping: Mapping[str, str | list[str]] | None = None,
    input_first: str | None = None,
    batch_elements: int | None = None,
) -> Comparison:
    """Load the weights of a PyTorch module with the same layers.

    Axes of kernels, order of gates, split projections and separate biases are converted, for Dense (also from a
    convolution of size 1), Conv1D-3D, their depthwise, separable and transposed variants, Embedding, PositionEmbedding,
    BatchNormalization, LayerNormalization, GroupNormalization, RMSNormalization, PReLU, SimpleRNN, LSTM, GRU, RNN of
    their cells, Bidirectional and MultiHeadAttention.

    Args:
        model: The model, built; layers without weights are ignored.
        state_dict: `module.state_dict()`, or the path of a safetensors file of it. Pickled files (`.pt`) are not read,
            since they may contain code: `safetensors.torch.save_file(torch.load(path, weights_only=True), new_path)`.
        mapping: Path of a layer to the name of its module: `{"dense": "fc1"}`; only these layers are loaded. In both,
            `{i}` or another name in braces stands for a number: `{"block{i}/dense": "encoder.layer.{i}.fc"}`. Layer n
            of a recurrent module `rnn` is `"rnn.ln"`. Several modules are a list: two for a SeparableConv, those of the
            projections for a MultiHeadAttention (query, key, value, output; or one for the first three together and one
            for the output), one per cell of stacked cells. A parameter may be named in place of a module. None if
            layers and modules are in the same order.
        input_first: Regular expression for the names of modules whose matrices are (inputs, outputs), as those of
            `Conv1D` in GPT-2; PyTorch's own are (outputs, inputs).
        batch_elements: Number of elements per channel in a batch of training, its size times the positions. PyTorch's
            running variances are unbiased, and are converted to those that `BatchNormalization` computes. By default,
            they are taken as they are, which gives the same results.

    Returns:
        `matching`: paths of the weights that were loaded; `missing`: those of the model's other weights;
        `unexpected`: names in the state_dict that were not used.

    Raises:
        ValueError: Layers and modules do not match; all mismatches are listed, and nothing is changed.
        portanet.saving.LoadError: The file is damaged, or not a safetensors file.

    Example:
        >>> import numpy as np, portanet
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
        >>> weights = {"fc.weight": np.asarray([[1.0, 2.0]]), "fc.bias": np.asarray([3.0])}
        >>> portanet.saving.load_torch_state_dict(model, weights).matching
        ['dense/kernel', 'dense/bias']
        >>> model.predict(np.asarray([[10.0, 1.0]]))
        array([[15.]], dtype=float32)
    """
    require_built(model)
    if batch_elements is not None:
        checks.integer("batch_elements", batch_elements, "load_torch_state_dict", least=2)
    arrays = _output_first(_arrays(state_dict), input_first)
    modules = modules_of(arrays)
    owners = _owners(model)
    if mapping is None:
        mapping = _in_order(model, owners, list(modules))
    known, modules = list(modules), {name: {"weight": values} for name, values in arrays.items()} | modules
    weights: dict[str, HostArray] = {}
    mismatches: list[str] = []
    used: set[int] = set()
    for path, names in _expanded(mapping, owners).items():
        missing = [name for name in names if name not in modules]
        if path not in owners or missing:
            reason = f"no module {missing[0]!r} among {known}" if missing else f"not among layers {list(owners)}"
            mismatches.append(f"layer {path!r}: {reason}")
            continue
        layer = owners[path]
        _, convert = next(kind for kind in MODULES if isinstance(layer, kind[0]))
        try:
            converted = convert(layer, *(modules[name] for name in names))
        except KeyError as error:
            mismatches.append(f"layer {path!r}: module {names} has no {error}")
        except (ValueError, TypeError) as error:
            mismatches.append(f"layer {path!r}, module {names}: {error}")
        else:
            if batch_elements is not None and "moving_variance" in converted:
                converted["moving_variance"] = converted["moving_variance"] * (1 - 1 / batch_elements)
            used |= {id(values) for name in names for values in modules[name].values()}
            weights |= {f"{path}/{name}" if path else name: values for name, values in converted.items()}
            own = {name for name, variable in layer.named_variables().items() if not variable.counter}
            mismatches += [f"layer {path!r}: nothing for its {name}" for name in sorted(own - set(converted))]
    _assign(model, weights, mismatches)
    return Comparison(
        matching=list(weights),
        missing=[path for path, v in model.named_variables().items() if path not in weights and not v.counter],
        unexpected=[n for n, x in arrays.items() if id(x) not in used and not n.endswith("num_batches_tracked")],
    )


def load_keras_weights(model: Layer, weights: Source, mapping: Mapping[str, str] | None = None) -> None:
    """Load the weights of a Keras 3 model with the same layers; their layout is the same.

    Args:
        model: The model, built; layers without weights are ignored.
        weights: Arrays by path, `{w.path: w.numpy() for w in keras_model.weights}`, or the path of a safetensors file
            of them.
        mapping: Path of a layer to that of the Keras layer: `{"dense": "sequential/dense_3"}`; only these layers are
            loaded. None if all weights are in the same order.

    Raises:
        ValueError: The weights do not match; all mismatches are listed, and nothing is changed.
        portanet.saving.LoadError: The file is damaged, or not a safetensors file.

    Example:
        >>> import numpy as np, portanet
        >>> model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
        >>> weights = {"dense_4/kernel": np.asarray([[1.0], [2.0]]), "dense_4/bias": np.asarray([3.0])}
        >>> portanet.saving.load_keras_weights(model, weights)
        >>> model.predict(np.asarray([[10.0, 1.0]]))
        array([[15.]], dtype=float32)
    """
    require_built(model)
    sources = {name: values for name, values in _arrays(weights).items() if "seed_generator" not in name}
    paths = [path for path, variable in model.named_variables().items() if not variable.counter]
    matched: dict[str, HostArray] = {}
    mismatches: list[str] = []
    if mapping is None:
        if len(paths) != len(sources):
            mismatches.append(f"the model has {len(paths)} weights, and {len(sources)} are given")
        for path, (name, values) in zip(paths, sources.items(), strict=False):
            if _plain(path) != _plain(name):
                mismatches.append(f"{path!r}: the weight at its position is {name!r}")
            matched[path] = values
    for layer, prefix in (mapping or {}).items():
        own = [path for path in paths if path.startswith(f"{layer}/")]
        if not own:
            mismatches.append(f"no layer {layer!r} with weights")
        for path in own:
            same = [n for n in sources if n.startswith(f"{prefix}/") and _below(n, prefix) == _below(path, layer)]
            if len(same) == 1:
                matched[path] = sources[same[0]]
            else:
                mismatches.append(f"{path!r}: no such weight under {prefix!r}")
    _assign(model, matched, mismatches)


def _arrays(source: Source) -> dict[str, HostArray]:
    if isinstance(source, Mapping):
        return {str(name): to_host(values) for name, values in source.items()}
    with open_archive(source) as archive:
        return {name: archive.read(name).values for name in archive.names}


def _output_first(arrays: dict[str, HostArray], input_first: str | None) -> dict[str, HostArray]:
    """The arrays, with the matrices of some modules in PyTorch's order of axes."""
    if input_first is None:
        return arrays
    try:
        pattern = re.compile(checks.text("input_first", input_first, "load_torch_state_dict"))
    except re.error as error:
        raise checks.invalid(
            "input_first", input_first, f"a regular expression ({error})", "load_torch_state_dict"
        ) from None
    return {name: x.T if x.ndim == 2 and pattern.search(name.rpartition(".")[0]) else x for name, x in arrays.items()}


def _expanded(mapping: Mapping[str, str | list[str]], owners: Mapping[str, Layer]) -> dict[str, list[str]]:
    """A mapping to lists, with numbers in place of names in braces, for all layers that match."""
    expanded: dict[str, list[str]] = {}
    for path, entry in mapping.items():
        pattern = re.escape(path)
        for field in dict.fromkeys(FIELD.findall(path)):
            written = re.escape(f"{{{field}}}")
            pattern = pattern.replace(written, rf"(?P<{field}>\d+)", 1).replace(written, f"(?P={field})")
        matches = [match for owner in owners if (match := re.fullmatch(pattern, owner))]
        numbers = {match.string: match.groupdict() for match in matches} or {path: {}}
        for owner, given in numbers.items():
            expanded[owner] = [_filled(name, given) for name in ([entry] if isinstance(entry, str) else entry)]
    return expanded


def _filled(name: str, numbers: Mapping[str, str]) -> str:
    """A name with these numbers in place of names in braces."""
    return FIELD.sub(lambda match: numbers.get(match[1], match[0]), name)


def _owners(model: Layer) -> dict[str, Layer]:
    """The layers that correspond to modules, by path: the outermost of the known kinds."""
    kinds = tuple(cls for classes, _ in MODULES for cls in classes)
    owners: dict[str, Layer] = {}
    for path, layer in walk(model):
        inside = any(path.startswith(f"{owner}/") or owner == "" for owner in owners)
        if isinstance(layer, kinds) and not inside and layer.first_variable() is not None:
            owners[path] = layer
    return owners


def _in_order(model: Layer, owners: dict[str, Layer], modules: list[str]) -> dict[str, list[str]]:
    """One module per layer (two for separable convolutions), in order."""
    mapping, rest = {}, list(modules)
    for path, layer in owners.items():
        count = 2 if type(layer).__name__.startswith("Separable") else 1
        mapping[path], rest = rest[:count], rest[count:]
    known = {id(v) for layer in owners.values() for v in layer.variables}
    unknown = [v.path for v in model.weights if id(v) not in known]
    if rest or unknown or not all(mapping.values()):
        raise ValueError(
            "Layers and modules do not match one to one; pass a mapping, {layer: module}. Received: "
            f"layers {list(owners)}, modules {modules}, and weights of unknown kinds of layers {unknown}"
        )
    return mapping


def _assign(model: Layer, weights: dict[str, HostArray], mismatches: list[str]) -> None:
    variables = model.named_variables()
    for path, values in weights.items():
        if path not in variables:
            mismatches.append(f"{path!r}: the layer has no such weight")
        elif variables[path].shape != values.shape:
            mismatches.append(f"{path!r}: expected shape {variables[path].shape}, got {values.shape}")
    if mismatches:
        raise ValueError(
            f"The weights do not match model '{model.name}'; nothing was changed. Received:\n{listed(mismatches)}"
        )
    assign(model, {path: Tensor(np.asarray(values), str(values.dtype)) for path, values in weights.items()})


def _plain(path: str) -> str:
    """The last part of a path; the last two for Keras's attention."""
    owner, _, name = path.rpartition("/")
    last = owner.rpartition("/")[2]
    return f"{last.removeprefix('attention_')}_{name}" if last in _PROJECTIONS else name


_PROJECTIONS = ("query", "key", "value", "attention_output")


def _below(path: str, prefix: str) -> str:
    """A path relative to a layer, without the names of cells and projections."""
    return _plain(path) if path.count("/") - prefix.count("/") <= 2 else path[len(prefix) + 1 :]

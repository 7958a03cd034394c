"""Layouts of the weights of PyTorch's modules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from portanet import layers
from portanet.backends import HostArray

Weights = dict[str, HostArray]
_RECURRENT = re.compile(r"(?:(.*)\.)?((?:weight|bias)_(?:ih|hh|hr))_l(\d+)(_reverse)?$")
_ATTENTION = re.compile(r"(?:(.*)\.)?(in_proj_weight|in_proj_bias|[qkv]_proj_weight|out_proj\.(?:weight|bias))$")


def modules_of(state_dict: Mapping[str, HostArray]) -> dict[str, Weights]:
    """The weights of each module, in order; layer n of a recurrent module `rnn` is `rnn.ln`.

    Example:
        >>> sorted(modules_of({"fc.weight": 1, "fc.bias": 2, "rnn.weight_ih_l0": 3}))
        ['fc', 'rnn.l0']
    """
    attention = {m[1] or "" for m in map(_ATTENTION.match, state_dict) if m and "out_proj" not in m[2]}
    modules: dict[str, Weights] = {}
    for key, values in state_dict.items():
        recurrent, projection = _RECURRENT.match(key), _ATTENTION.match(key)
        if recurrent:
            module, name = f"{recurrent[1]}.l{recurrent[3]}" if recurrent[1] else f"l{recurrent[3]}", recurrent[2]
            name += recurrent[4] or ""
        elif projection and (projection[1] or "") in attention:
            module, name = projection[1] or "", projection[2]
        else:
            module, _, name = key.rpartition(".")
        if name != "num_batches_tracked":
            modules.setdefault(module, {})[name] = values
    return modules


def _with_bias(kernel: HostArray, module: Weights, name: str = "kernel") -> Weights:
    return {name: kernel} | ({"bias": module["bias"]} if "bias" in module else {})


def dense(layer: Any, module: Weights) -> Weights:
    """PyTorch: (outputs, inputs); also of a convolution of size 1."""
    kernel = module["weight"]
    if kernel.ndim > 2 and set(kernel.shape[2:]) == {1}:
        kernel = kernel.reshape(kernel.shape[:2])
    return _with_bias(kernel.T, module)


def convolution(layer: Any, module: Weights) -> Weights:
    """PyTorch: (outputs, inputs, *window)."""
    return _with_bias(_window_first(module["weight"]), module)


def transposed_convolution(layer: Any, module: Weights) -> Weights:
    """PyTorch: (inputs, outputs, *window); the last two axes become (outputs, inputs)."""
    return _with_bias(np.moveaxis(module["weight"], (0, 1), (-1, -2)), module)


def depthwise(layer: Any, module: Weights) -> Weights:
    """PyTorch: (inputs * multiplier, 1, *window)."""
    kernel = module["weight"]
    return _with_bias(np.moveaxis(kernel.reshape(layer.channels, -1, *kernel.shape[2:]), (0, 1), (-2, -1)), module)


def separable(layer: Any, first: Weights, second: Weights) -> Weights:
    """Two modules: a depthwise convolution, and one of size 1."""
    if "bias" in first:
        raise ValueError("a separable convolution has no bias for its depthwise part")
    weights = {"depthwise_kernel": depthwise(layer, first)["kernel"]}
    return weights | _with_bias(_window_first(second["weight"]), second, "pointwise_kernel")


def embedding(layer: Any, module: Weights) -> Weights:
    """The same layout."""
    return {"embeddings": module["weight"]}


def position_embedding(layer: Any, module: Weights) -> Weights:
    """The same layout, maybe with a batch axis."""
    table = module["weight"]
    return {"position_embeddings": table[0] if table.ndim == 3 and len(table) == 1 else table}


def prelu(layer: Any, module: Weights) -> Weights:
    """PyTorch: one slope, or one per channel."""
    return {"alpha": np.broadcast_to(module["weight"], layer.alpha.shape)}


def normalization(layer: Any, module: Weights) -> Weights:
    """Scale and offset, and running statistics, under other names; or the names of earlier BERTs, which are ours."""
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    names |= {"gamma": "gamma", "beta": "beta"}
    return {names[name]: values for name, values in module.items()}


def rms_normalization(layer: Any, module: Weights) -> Weights:
    """The scale under another name."""
    return {"scale": module["weight"]}


def recurrent(layer: Any, module: Weights, *more: Weights, direction: str = "") -> Weights:
    """A recurrent layer, or a cell; of stacked cells, a module for each."""
    if not isinstance(layer.cell, layers.StackedRNNCells):
        weights = _cell(layer.cell, module, direction)
    else:
        cells = zip(layer.cell.sublayers().items(), (module, *more), strict=True)
        weights = {f"{name}/{k}": v for (name, cell), own in cells for k, v in _cell(cell, own, direction).items()}
    return {f"{layer.cell.name}/{name}": values for name, values in weights.items()}


def _cell(cell: Any, module: Weights, direction: str) -> Weights:
    """PyTorch: (gates * units, inputs), with biases for the input and the state; gates of GRU in another order."""
    kernel, state_kernel = module[f"weight_ih{direction}"].T, module[f"weight_hh{direction}"].T
    biases = [module[f"bias_{kind}{direction}"] for kind in ("ih", "hh") if f"bias_{kind}{direction}" in module]
    if isinstance(cell, layers.GRUCell):
        if biases and not cell.reset_after:
            raise ValueError("PyTorch's GRU resets after the product; create the layer with reset_after=True")
        kernel, state_kernel = _update_first(kernel), _update_first(state_kernel)
        bias = np.stack([_update_first(values) for values in biases]) if biases else None
    elif isinstance(cell, (layers.LSTMCell, layers.SimpleRNNCell)):
        bias = sum(biases[1:], biases[0]) if biases else None
    else:
        raise ValueError(f"PyTorch has no {type(cell).__name__}")
    weights = {"kernel": kernel, "recurrent_kernel": state_kernel} | ({} if bias is None else {"bias": bias})
    if f"weight_hr{direction}" in module:
        weights["projection_kernel"] = module[f"weight_hr{direction}"].T
    return weights


def bidirectional(layer: Any, module: Weights) -> Weights:
    """Both directions in one module."""
    forward = recurrent(layer.forward_layer, module)
    backward = recurrent(layer.backward_layer, module, direction="_reverse")
    names = (layer.forward_layer.name, layer.backward_layer.name)
    return {f"{name}/{k}": v for name, part in zip(names, (forward, backward), strict=True) for k, v in part.items()}


def attention(layer: Any, *modules: Weights) -> Weights:
    """PyTorch: (heads * size, inputs). One module of `MultiheadAttention`; or Linear ones: for query, key and value
    together and for the output, or four.
    """
    heads, weights = layer.num_heads, Weights()
    if len(modules) == 1:
        parts = _split(modules[0])
    elif len(modules) == 2:
        joined = {f"in_proj_{name}": values for name, values in modules[0].items()}
        parts = _split(joined | {f"out_proj.{name}": values for name, values in modules[1].items()})
    else:
        parts = list(modules)
    for name, module in zip(("query", "key", "value", "output"), parts, strict=True):
        kernel = module["weight"].T
        split = (heads, -1, kernel.shape[1]) if name == "output" else (kernel.shape[0], heads, -1)
        weights[f"{name}_kernel"] = kernel.reshape(split)
        if "bias" in module:
            weights[f"{name}_bias"] = module["bias"] if name == "output" else module["bias"].reshape(heads, -1)
    return weights


def _split(module: Weights) -> list[Weights]:
    """The weights of query, key, value and output in a `MultiheadAttention`; joined if inputs have the same size."""
    stacked = module.get("in_proj_weight")
    kernels = [module[f"{k}_proj_weight"] for k in "qkv"] if stacked is None else np.split(stacked, 3)
    parts: list[Weights] = [{"weight": kernel} for kernel in kernels]
    if "in_proj_bias" in module:
        for part, bias in zip(parts, np.split(module["in_proj_bias"], 3), strict=True):
            part["bias"] = bias
    output = {name: module[f"out_proj.{name}"] for name in ("weight", "bias") if f"out_proj.{name}" in module}
    return [*parts, output]


def _window_first(kernel: HostArray) -> HostArray:
    return np.moveaxis(kernel, (0, 1), (-1, -2))


def _update_first(x: HostArray) -> HostArray:
    """Reorder gates from PyTorch (reset, update, new) to Keras (update, reset, new)."""
    reset, update, new = np.split(x, 3, axis=-1)
    return np.concatenate([update, reset, new], axis=-1)


MODULES: tuple[tuple[tuple[type[layers.Layer], ...], Callable[..., Weights]], ...] = (
    ((layers.Bidirectional,), bidirectional),
    ((layers.RNN,), recurrent),
    ((layers.MultiHeadAttention,), attention),
    ((layers.SeparableConv1D, layers.SeparableConv2D), separable),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), depthwise),
    ((layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), transposed_convolution),
    ((layers.Conv1D, layers.Conv2D, layers.Conv3D), convolution),
    ((layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization), normalization),
    ((layers.RMSNormalization,), rms_normalization),
    ((layers.Embedding,), embedding),
    ((layers.PositionEmbedding,), position_embedding),
    ((layers.PReLU,), prelu),
    ((layers.Dense,), dense),
)
"""Layer classes and the conversion of their modules' weights; the first match is used."""

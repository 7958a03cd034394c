"""VGG: stacks of small convolutions (K. Simonyan and A. Zisserman 2015, arXiv:1409.1556)."""

from __future__ import annotations

from functools import partial
from typing import Any

from portanet.applications.base import Network, TorchVersion
from portanet.layers import Conv2D, Dense, Flatten, MaxPooling2D
from portanet.models import Model

FILTERS = (64, 128, 256, 512, 512)
"""Filters of each block."""


def _features(x: Any, depths: tuple[int, ...]) -> Any:
    for block, (filters, depth) in enumerate(zip(FILTERS, depths, strict=True), 1):
        for index in range(1, depth + 1):
            x = Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{index}")(x)
        x = MaxPooling2D(2, name=f"block{block}_pool")(x)
    return x


def _top(x: Any, classes: int, activation: Any) -> Any:
    x = Dense(4096, activation="relu", name="fc1")(Flatten(name="flatten")(x))
    x = Dense(4096, activation="relu", name="fc2")(x)
    return Dense(classes, activation=activation, name="predictions")(x)


def _module(layer: str, depths: tuple[int, ...]) -> str:
    """The name of a layer in torchvision, which counts activations and pooling, too."""
    dense = ("fc1", "fc2", "predictions")
    if layer in dense:
        return f"classifier.{3 * dense.index(layer)}"
    block, index = int(layer[5]), int(layer[-1])
    return f"features.{sum(2 * depth + 1 for depth in depths[: block - 1]) + 2 * (index - 1)}"


def _channels_last(model: Model, arrays: dict[str, Any]) -> dict[str, Any]:
    """The kernel of the first dense layer for features whose channels are flattened last, not first."""
    kernel = arrays.get("classifier.0.weight")
    if kernel is None or kernel.ndim != 2 or all(layer.name != "fc1" for layer in model.layers):
        return arrays
    height, width, channels = model.get_layer("block5_pool").output.shape[1:]
    if kernel.shape[1] != height * width * channels:
        return arrays  # an error that lists shapes follows
    kernel = kernel.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    return {**arrays, "classifier.0.weight": kernel.reshape(len(kernel), -1)}


def network(depths: tuple[int, ...], name: str) -> Network:
    """The network with so many convolutions in each block."""
    features = partial(_features, depths=depths)
    torch = TorchVersion(features, partial(_module, depths=depths), _channels_last)
    return Network(features, _top, name, pooling_names=(None, None), torch=torch)

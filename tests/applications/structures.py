"""The structure of every network, small, for comparison with Keras's in tests/data/keras_networks.json."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any, NamedTuple

TABLE = pathlib.Path(__file__).parents[1] / "data" / "keras_networks.json"
SIZES = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
"""The smallest images that a network takes, if not of 32 pixels."""
VARIANTS: dict[str, dict[str, Any]] = {
    "MobileNet .25": {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.1, "classes": 10},
    "MobileNetV2 .35": {"alpha": 0.35, "classes": 10},
    "MobileNetV2 1.4": {"alpha": 1.4, "include_top": False},
    "MobileNetV3Small minimalistic": {"alpha": 0.75, "minimalistic": True, "classes": 10},
    "MobileNetV3Large without": {"include_top": False, "pooling": "max", "include_preprocessing": False},
    "ResNet50 without": {"include_top": False, "pooling": "avg"},
}
"""Networks with other arguments than the default ones."""


class Structure(NamedTuple):
    """What two networks have in common if weights of one fit the other by order and by name.

    Attributes:
        name: Name of the model.
        parameters: Number of elements of all weights.
        layers: Number of layers.
        digest: Of the names of all layers and the shapes of all weights, in order.
    """

    name: str
    parameters: int
    layers: int
    digest: str


def create(applications: Any, case: str, **options: Any) -> Any:
    """A network of portanet or Keras, with weights drawn."""
    name = case.split()[0]
    size = SIZES.get(name, 32)
    options = {"weights": None, "input_shape": (size, size, 3), **VARIANTS.get(case, {}), **options}
    return getattr(applications, name)(**options)


def layer_names(model: Any) -> list[str]:
    """The names of the layers, without those of inputs, which Keras counts, and of scaled sums, operators here."""
    return [layer.name for layer in model.layers if type(layer).__name__ not in ("InputLayer", "CustomScaleLayer")]


def shapes(model: Any) -> list[tuple[int, ...]]:
    """The shapes of the weights, without the states of random layers."""
    return [tuple(weight.shape) for weight in model.weights if "seed_generator" not in weight.path]


def structure(model: Any) -> Structure:
    """The structure of a model of portanet or Keras."""
    names, sizes = layer_names(model), shapes(model)
    digest = hashlib.sha256(json.dumps([names, sizes]).encode()).hexdigest()
    return Structure(model.name, model.count_params(), len(names), digest[:16])


def known() -> dict[str, Structure]:
    """The structures of Keras's networks."""
    return {case: Structure(*values) for case, values in json.loads(TABLE.read_text()).items()}

"""Layers as the descriptions that Keras writes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from portanet import checks
from portanet.layers.base import Layer
from portanet.lookup import described


def serialize(layer: Layer) -> dict[str, Any]:
    """The description of a layer that Keras would write, for `deserialize`.

    Args:
        layer: A layer.

    Example:
        >>> from portanet.layers import Rescaling
        >>> serialize(Rescaling(2.0))["class_name"]
        'Rescaling'
    """
    if not isinstance(layer, Layer):
        raise checks.invalid("layer", layer, "a layer", "serialize")
    return cast(dict[str, Any], described(layer))


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer of a description by `serialize` or Keras's own.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> from portanet.layers import Rescaling
        >>> deserialize(serialize(Rescaling(2.0))).scale
        2.0
    """
    layer = import_module("portanet.saving").deserialize_keras_object(config, custom_objects)
    if not isinstance(layer, Layer):
        raise checks.invalid("config", config, "the description of a layer", "deserialize")
    return layer

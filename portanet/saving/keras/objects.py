"""Layers, models and other objects as Keras describes them, without weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet import checks
from portanet.layers import Layer
from portanet.mixed_precision import global_policy
from portanet.saving.errors import LoadError

if TYPE_CHECKING:
    from portanet.saving.keras.decode import KerasDecoder


def serialize_keras_object(obj: Any) -> Any:
    """The description of an object that `keras.saving.deserialize_keras_object` reads: JSON as Python objects.

    Args:
        obj: A layer, model, loss, metric, optimizer or other object with `get_config`; a registered function; or a
            value, or list or dict of them.

    Raises:
        ValueError: Keras does not have a class or an option, and it is not registered.

    Example:
        >>> from portanet import layers, saving
        >>> saving.serialize_keras_object(layers.Rescaling(2.0))["class_name"]
        'Rescaling'
    """
    from portanet.saving.keras.encode import KerasEncoder  # a table of all classes, which few use

    dtype = obj.compute_dtype if isinstance(obj, Layer) else global_policy().name
    return KerasEncoder(dtype).encode(obj, "the object")


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object of a description by `serialize_keras_object` or Keras's own. Nothing in it is executed.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.
        safe_mode: Accepted as in Keras; code is not executed with False either.

    Raises:
        LoadError: It describes no object that portanet has.

    Example:
        >>> from portanet import layers, saving
        >>> saving.deserialize_keras_object(saving.serialize_keras_object(layers.Rescaling(2.0))).scale
        2.0
    """
    checks.boolean("safe_mode", safe_mode, "deserialize_keras_object")
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise checks.invalid("custom_objects", custom_objects, "a dict of classes and functions", "deserialize")
    return _decoder(custom_objects).decode(config)


def arguments_from(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a class from a configuration, be it Keras's or portanet's, that may hold descriptions."""
    return _decoder(None).decode_arguments(cls, dict(config), 0)


def config_of(layer: Layer, arguments: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a layer with these arguments, for `get_config`."""
    from portanet.saving.keras.encode import KerasEncoder  # likewise

    return KerasEncoder(layer.compute_dtype, here=True).config_of(layer, arguments)


def layer_of(cls: type, config: Mapping[str, Any]) -> Any:
    """A layer of a class from its configuration, be it Keras's or portanet's."""
    return _decoder(None).layer_of(cls, dict(config))


def model_to_json(model: Any, **options: Any) -> str:
    """The architecture of a model as JSON that `model_from_json` and Keras's function of that name read.

    Args:
        model: The model.
        **options: Options of `json.dumps`, such as `indent`.
    """
    return json.dumps(serialize_keras_object(model), **options)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model with new weights, from the JSON of `Model.to_json` or Keras's.

    Args:
        json_string: The JSON.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Raises:
        LoadError: It is not JSON of a model that portanet has.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
        >>> portanet.models.model_from_json(model.to_json()).output_shape
        (None, 2)
    """
    checks.text("json_string", json_string, "model_from_json")
    try:
        config = json.loads(json_string)
    except (ValueError, RecursionError) as error:
        raise LoadError(
            f"Cannot create a model: the text is not JSON ({error}). Received: {json_string[:60]!r}"
        ) from None
    model = deserialize_keras_object(config, custom_objects)
    if not isinstance(model, Layer) or not hasattr(model, "compile"):
        raise LoadError(f"Cannot create a model: the JSON describes another object. Received: {json_string[:60]!r}")
    return model


def _decoder(custom_objects: Mapping[str, Any] | None) -> KerasDecoder:
    from portanet.saving.keras.decode import KerasDecoder  # likewise

    def error(what: str) -> LoadError:
        return LoadError(f"Cannot create an object: {what}")

    return KerasDecoder(error, dict(custom_objects or {}), global_policy().name)

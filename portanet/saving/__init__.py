"""Saving and loading of models and weights: safetensors with a JSON description, written atomically.

docs/saving.md describes the format. Nothing in a file is executed.
"""

from portanet.lookup import CustomObjectScope, get_custom_objects
from portanet.saving.errors import LoadError
from portanet.saving.foreign import load_keras_weights, load_torch_state_dict
from portanet.saving.keras.editor import KerasFileEditor
from portanet.saving.keras.objects import deserialize_keras_object, serialize_keras_object
from portanet.saving.model import load_model, restore, save_model
from portanet.saving.registry import (
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    register_serializable,
)
from portanet.saving.weights import Comparison, load_weights, save_weights

custom_object_scope = CustomObjectScope

__all__ = [
    "Comparison",
    "CustomObjectScope",
    "KerasFileEditor",
    "LoadError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_keras_weights",
    "load_model",
    "load_torch_state_dict",
    "load_weights",
    "register_keras_serializable",
    "register_serializable",
    "restore",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

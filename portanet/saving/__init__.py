"""Saving and loading of models and weights: safetensors with a JSON description, written atomically.

docs/saving.md describes the format. Nothing in a file is executed.
"""

from portanet.saving.errors import LoadError
from portanet.saving.foreign import load_keras_weights, load_torch_state_dict
from portanet.saving.model import load_model, restore, save_model
from portanet.saving.registry import register_serializable
from portanet.saving.weights import Comparison, load_weights, save_weights

__all__ = [
    "Comparison",
    "LoadError",
    "load_keras_weights",
    "load_model",
    "load_torch_state_dict",
    "load_weights",
    "register_serializable",
    "restore",
    "save_model",
    "save_weights",
]

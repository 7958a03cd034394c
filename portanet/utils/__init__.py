"""Data utilities and others, under Keras's names."""

import importlib
from typing import TYPE_CHECKING, Any

from portanet.lookup import CustomObjectScope, get_custom_objects, no_attribute
from portanet.preprocessing.sequence import pad_sequences
from portanet.random import set_seed as set_random_seed
from portanet.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from portanet.utils.config import Config
from portanet.utils.dataset import PyDataset
from portanet.utils.get_file import get_file
from portanet.utils.image_dataset_from_directory import image_dataset_from_directory
from portanet.utils.images import array_to_img, img_to_array, load_img, save_img
from portanet.utils.labels import to_categorical, unhot
from portanet.utils.norms import normalize
from portanet.utils.progress_bar import Progbar
from portanet.utils.split_dataset import split_dataset
from portanet.utils.text_dataset_from_directory import text_dataset_from_directory
from portanet.utils.timeseries_dataset_from_array import timeseries_dataset_from_array

if TYPE_CHECKING:
    from portanet.backend import clear_session, is_keras_tensor, standardize_dtype
    from portanet.config import (
        disable_interactive_logging,
        enable_interactive_logging,
        is_interactive_logging_enabled,
    )
    from portanet.models import FeatureSpace, plot_model
    from portanet.saving import (
        deserialize_keras_object,
        get_registered_name,
        get_registered_object,
        register_keras_serializable,
        serialize_keras_object,
    )
    from portanet.utils.source_inputs import get_source_inputs

Sequence = PyDataset
custom_object_scope = CustomObjectScope

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unhot",
    "unpack_x_y_sample_weight",
]

_HOMES = {
    "FeatureSpace": "portanet.models",
    "clear_session": "portanet.backend",
    "deserialize_keras_object": "portanet.saving",
    "disable_interactive_logging": "portanet.config",
    "enable_interactive_logging": "portanet.config",
    "get_registered_name": "portanet.saving",
    "get_registered_object": "portanet.saving",
    "get_source_inputs": "portanet.utils.source_inputs",
    "is_interactive_logging_enabled": "portanet.config",
    "is_keras_tensor": "portanet.backend",
    "plot_model": "portanet.models",
    "register_keras_serializable": "portanet.saving",
    "serialize_keras_object": "portanet.saving",
    "standardize_dtype": "portanet.backend",
}
"""Names whose modules use this package, and are imported when they are asked for."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise no_attribute("portanet.utils", name, __all__)


def __dir__() -> list[str]:
    return sorted(__all__)

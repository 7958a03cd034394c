"""Preprocessing of data: scaling, whitening, polynomial features, splitting, tokenization."""

from importlib import import_module
from typing import Any

from portanet.lookup import no_attribute
from portanet.preprocessing import image, sequence
from portanet.preprocessing.clustering import choose_centers, k_means
from portanet.preprocessing.features import PolynomialFeatures
from portanet.preprocessing.scaling import MaxAbsScaler, StandardScaler
from portanet.preprocessing.splitting import train_test_split
from portanet.preprocessing.text import Tokenizer
from portanet.preprocessing.transformer import Transformer
from portanet.preprocessing.whitening import PCAWhitening, ZCAWhitening

__all__ = [
    "MaxAbsScaler",
    "PCAWhitening",
    "PolynomialFeatures",
    "StandardScaler",
    "Tokenizer",
    "Transformer",
    "ZCAWhitening",
    "choose_centers",
    "image",
    "image_dataset_from_directory",
    "k_means",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "train_test_split",
]


def __getattr__(name: str) -> Any:
    """Data sets from folders and arrays, as older scripts import them; `portanet.utils` stands above this package."""
    if name.endswith(("_from_directory", "_from_array")):
        return getattr(import_module("portanet.utils"), name)
    raise no_attribute(__name__, name, __all__)


def __dir__() -> list[str]:
    return sorted(__all__)

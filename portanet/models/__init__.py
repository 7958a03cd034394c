"""The models."""

from typing import TYPE_CHECKING

from portanet.lookup import no_attribute
from portanet.models.cloning import clone_model
from portanet.models.feature_space import FeatureSpace
from portanet.models.functional import Functional
from portanet.models.model import Model
from portanet.models.plot import Diagram, plot_model
from portanet.models.sequential import Sequential
from portanet.saving import load_model, save_model
from portanet.saving.keras.objects import model_from_json

__all__ = [
    "Diagram",
    "FeatureSpace",
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "plot_model",
    "save_model",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)

"""The layers."""

from portanet.layers.activation import Activation
from portanet.layers.base import Layer
from portanet.layers.dense import Dense
from portanet.layers.dropout import (
    AlphaDropout,
    Dropout,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from portanet.layers.input import Input, InputLayer
from portanet.layers.noise import GaussianDropout, GaussianNoise, RandomLayer
from portanet.layers.regularization import ActivityRegularization, ContractiveRegularization
from portanet.layers.reshaping import Flatten

__all__ = [
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "ContractiveRegularization",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Input",
    "InputLayer",
    "Layer",
    "RandomLayer",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]

"""The layers."""

from portanet.layers.activation import Activation
from portanet.layers.base import Layer
from portanet.layers.dense import Dense
from portanet.layers.dropout import Dropout
from portanet.layers.input import Input, InputLayer
from portanet.layers.reshaping import Flatten

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "Layer"]

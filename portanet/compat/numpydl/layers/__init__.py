"""`npdl.layers`."""

from portanet.compat.numpydl.layers import (
    base,
    convolution,
    core,
    embedding,
    normalization,
    pooling,
    recurrent,
    shape,
)
from portanet.compat.numpydl.layers.base import Layer
from portanet.compat.numpydl.layers.convolution import Convolution
from portanet.compat.numpydl.layers.core import Dense, Dropout, Linear, Softmax
from portanet.compat.numpydl.layers.embedding import Embedding
from portanet.compat.numpydl.layers.normalization import BatchNormal
from portanet.compat.numpydl.layers.pooling import MaxPooling, MeanPooling
from portanet.compat.numpydl.layers.recurrent import GRU, LSTM, BatchLSTM, Recurrent, SimpleRNN
from portanet.compat.numpydl.layers.shape import DimShuffle, Flatten

__all__ = [
    "GRU",
    "LSTM",
    "BatchLSTM",
    "BatchNormal",
    "Convolution",
    "Dense",
    "DimShuffle",
    "Dropout",
    "Embedding",
    "Flatten",
    "Layer",
    "Linear",
    "MaxPooling",
    "MeanPooling",
    "Recurrent",
    "SimpleRNN",
    "Softmax",
    "base",
    "convolution",
    "core",
    "embedding",
    "normalization",
    "pooling",
    "recurrent",
    "shape",
]

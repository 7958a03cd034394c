"""The layers."""

from portanet.layers.activations.activation import (
    ELU,
    Activation,
    Elliot,
    LeakyReLU,
    Maxout,
    PReLU,
    ReLU,
    Softmax,
)
from portanet.layers.attention.attention import AdditiveAttention, Attention
from portanet.layers.attention.multi_head_attention import GroupQueryAttention, MultiHeadAttention
from portanet.layers.attention.positional import PositionEmbedding, RotaryEmbedding, SinePositionEncoding
from portanet.layers.attention.transformer import TransformerDecoder, TransformerEncoder
from portanet.layers.base import Layer
from portanet.layers.convolutional.convolution import Conv1D, Conv2D, Conv3D
from portanet.layers.convolutional.depthwise import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from portanet.layers.convolutional.local import LocallyConnected1D, LocallyConnected2D, TiledConv1D, TiledConv2D
from portanet.layers.convolutional.transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from portanet.layers.core.bilinear import Bilinear
from portanet.layers.core.core import Identity, Lambda, Masking
from portanet.layers.core.dense import Dense
from portanet.layers.core.embedding import Embedding
from portanet.layers.core.highway import Highway
from portanet.layers.core.input import Input, InputLayer
from portanet.layers.core.perceptron import Perceptron
from portanet.layers.core.rbf import RBF
from portanet.layers.core.rbm import RBM
from portanet.layers.core.tied import TiedDense
from portanet.layers.merging.merge import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from portanet.layers.normalization.batch_normalization import BatchNormalization
from portanet.layers.normalization.group_normalization import GroupNormalization, InstanceNormalization
from portanet.layers.normalization.layer_normalization import LayerNormalization, RMSNormalization, UnitNormalization
from portanet.layers.normalization.weight_normalization import SpectralNormalization, WeightNormalization
from portanet.layers.pooling.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    L2Pooling1D,
    L2Pooling2D,
    L2Pooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    MaxUnpooling1D,
    MaxUnpooling2D,
    MaxUnpooling3D,
)
from portanet.layers.pooling.whole import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from portanet.layers.preprocessing.augmentation import RandomCrop, RandomFlip, RandomRotation, RandomTranslation
from portanet.layers.regularization.dropout import (
    AlphaDropout,
    Dropout,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from portanet.layers.regularization.noise import GaussianDropout, GaussianNoise, RandomLayer
from portanet.layers.regularization.penalties import ActivityRegularization, ContractiveRegularization
from portanet.layers.reshaping.padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from portanet.layers.reshaping.reshape import Flatten, Permute, RepeatVector, Reshape
from portanet.layers.reshaping.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from portanet.layers.rnn.bidirectional import Bidirectional
from portanet.layers.rnn.cell import RecurrentCell
from portanet.layers.rnn.cells import GRUCell, JordanCell, LSTMCell, SimpleRNNCell
from portanet.layers.rnn.recurrent import GRU, LSTM, JordanRNN, SimpleRNN
from portanet.layers.rnn.rnn import RNN, StackedRNNCells
from portanet.layers.rnn.time_distributed import TimeDistributed

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RBF",
    "RBM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Bidirectional",
    "Bilinear",
    "Concatenate",
    "ContractiveRegularization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Elliot",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Highway",
    "Identity",
    "Input",
    "InputLayer",
    "InstanceNormalization",
    "JordanCell",
    "JordanRNN",
    "L2Pooling1D",
    "L2Pooling2D",
    "L2Pooling3D",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "MaxUnpooling1D",
    "MaxUnpooling2D",
    "MaxUnpooling3D",
    "Maximum",
    "Maxout",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Perceptron",
    "Permute",
    "PositionEmbedding",
    "RMSNormalization",
    "RandomCrop",
    "RandomFlip",
    "RandomLayer",
    "RandomRotation",
    "RandomTranslation",
    "ReLU",
    "RecurrentCell",
    "RepeatVector",
    "Reshape",
    "RotaryEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinePositionEncoding",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "Subtract",
    "TiedDense",
    "TiledConv1D",
    "TiledConv2D",
    "TimeDistributed",
    "TransformerDecoder",
    "TransformerEncoder",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "WeightNormalization",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]

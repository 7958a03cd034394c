"""The layers."""

from typing import TYPE_CHECKING

from portanet.layers.activations.activation import Activation
from portanet.layers.activations.elliot import Elliot
from portanet.layers.activations.elu import ELU
from portanet.layers.activations.leaky_relu import LeakyReLU
from portanet.layers.activations.maxout import Maxout
from portanet.layers.activations.prelu import PReLU
from portanet.layers.activations.relu import ReLU
from portanet.layers.activations.softmax import Softmax
from portanet.layers.attention.additive_attention import AdditiveAttention
from portanet.layers.attention.attention import Attention
from portanet.layers.attention.group_query_attention import GroupQueryAttention
from portanet.layers.attention.multi_head_attention import MultiHeadAttention
from portanet.layers.attention.positional import PositionEmbedding, RotaryEmbedding, SinePositionEncoding
from portanet.layers.attention.transformer import TransformerDecoder, TransformerEncoder
from portanet.layers.base import Layer
from portanet.layers.convolutional.conv import Conv1D, Conv2D, Conv3D
from portanet.layers.convolutional.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from portanet.layers.convolutional.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from portanet.layers.convolutional.locally_connected import LocallyConnected1D, LocallyConnected2D
from portanet.layers.convolutional.separable_conv import SeparableConv1D, SeparableConv2D
from portanet.layers.convolutional.tiled_conv import TiledConv1D, TiledConv2D
from portanet.layers.core.bilinear import Bilinear
from portanet.layers.core.dense import Dense
from portanet.layers.core.einsum_dense import EinsumDense
from portanet.layers.core.embedding import Embedding
from portanet.layers.core.highway import Highway
from portanet.layers.core.identity import Identity
from portanet.layers.core.input import Input, InputLayer
from portanet.layers.core.lambda_layer import Lambda
from portanet.layers.core.layer_scale import LayerScale
from portanet.layers.core.masking import Masking
from portanet.layers.core.perceptron import Perceptron
from portanet.layers.core.rbf import RBF
from portanet.layers.core.rbm import RBM
from portanet.layers.core.reversible_embedding import ReversibleEmbedding
from portanet.layers.core.sampling import Sampling
from portanet.layers.core.tied import TiedDense
from portanet.layers.core.wrapper import Wrapper
from portanet.layers.input_spec import InputSpec
from portanet.layers.merging.concatenate import Concatenate
from portanet.layers.merging.dot import Dot
from portanet.layers.merging.elementwise import Add, Average, Maximum, Minimum, Multiply, Subtract
from portanet.layers.merging.functions import (
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from portanet.layers.normalization.batch_normalization import BatchNormalization
from portanet.layers.normalization.group_normalization import GroupNormalization, InstanceNormalization
from portanet.layers.normalization.layer_normalization import LayerNormalization
from portanet.layers.normalization.rms_normalization import RMSNormalization
from portanet.layers.normalization.spectral_normalization import SpectralNormalization
from portanet.layers.normalization.unit_normalization import UnitNormalization
from portanet.layers.normalization.weight_normalization import WeightNormalization
from portanet.layers.pooling.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from portanet.layers.pooling.average_pooling import AveragePooling1D, AveragePooling2D, AveragePooling3D
from portanet.layers.pooling.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from portanet.layers.pooling.l2_pooling import L2Pooling1D, L2Pooling2D, L2Pooling3D
from portanet.layers.pooling.max_pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D
from portanet.layers.pooling.max_unpooling import MaxUnpooling1D, MaxUnpooling2D, MaxUnpooling3D
from portanet.layers.preprocessing.aug_mix import AugMix
from portanet.layers.preprocessing.auto_contrast import AutoContrast
from portanet.layers.preprocessing.category_encoding import CategoryEncoding
from portanet.layers.preprocessing.center_crop import CenterCrop
from portanet.layers.preprocessing.contrast_limited_adaptive_histogram_equalization import (
    ContrastLimitedAdaptiveHistogramEqualization,
)
from portanet.layers.preprocessing.cut_mix import CutMix
from portanet.layers.preprocessing.discretization import Discretization
from portanet.layers.preprocessing.equalization import Equalization
from portanet.layers.preprocessing.hashed_crossing import HashedCrossing
from portanet.layers.preprocessing.hashing import Hashing
from portanet.layers.preprocessing.integer_lookup import IntegerLookup
from portanet.layers.preprocessing.mel_spectrogram import MelSpectrogram
from portanet.layers.preprocessing.mix_up import MixUp
from portanet.layers.preprocessing.normalization import Normalization
from portanet.layers.preprocessing.pipeline import Pipeline
from portanet.layers.preprocessing.rand_augment import RandAugment
from portanet.layers.preprocessing.random_brightness import RandomBrightness
from portanet.layers.preprocessing.random_color_degeneration import RandomColorDegeneration
from portanet.layers.preprocessing.random_color_jitter import RandomColorJitter
from portanet.layers.preprocessing.random_contrast import RandomContrast
from portanet.layers.preprocessing.random_crop import RandomCrop
from portanet.layers.preprocessing.random_elastic_transform import RandomElasticTransform
from portanet.layers.preprocessing.random_erasing import RandomErasing
from portanet.layers.preprocessing.random_flip import RandomFlip
from portanet.layers.preprocessing.random_gaussian_blur import RandomGaussianBlur
from portanet.layers.preprocessing.random_grayscale import RandomGrayscale
from portanet.layers.preprocessing.random_hue import RandomHue
from portanet.layers.preprocessing.random_invert import RandomInvert
from portanet.layers.preprocessing.random_perspective import RandomPerspective
from portanet.layers.preprocessing.random_posterization import RandomPosterization
from portanet.layers.preprocessing.random_rotation import RandomRotation
from portanet.layers.preprocessing.random_saturation import RandomSaturation
from portanet.layers.preprocessing.random_sharpness import RandomSharpness
from portanet.layers.preprocessing.random_shear import RandomShear
from portanet.layers.preprocessing.random_translation import RandomTranslation
from portanet.layers.preprocessing.random_zoom import RandomZoom
from portanet.layers.preprocessing.rescaling import Rescaling
from portanet.layers.preprocessing.resizing import Resizing
from portanet.layers.preprocessing.solarization import Solarization
from portanet.layers.preprocessing.stft_spectrogram import STFTSpectrogram
from portanet.layers.preprocessing.string_lookup import StringLookup
from portanet.layers.preprocessing.text_vectorization import TextVectorization
from portanet.layers.random_layer import RandomLayer
from portanet.layers.regularization.activity_regularization import ActivityRegularization
from portanet.layers.regularization.alpha_dropout import AlphaDropout
from portanet.layers.regularization.contractive_regularization import ContractiveRegularization
from portanet.layers.regularization.dropout import Dropout
from portanet.layers.regularization.gaussian_dropout import GaussianDropout
from portanet.layers.regularization.gaussian_noise import GaussianNoise
from portanet.layers.regularization.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from portanet.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from portanet.layers.reshaping.flatten import Flatten
from portanet.layers.reshaping.permute import Permute
from portanet.layers.reshaping.repeat_vector import RepeatVector
from portanet.layers.reshaping.reshape import Reshape
from portanet.layers.reshaping.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from portanet.layers.reshaping.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from portanet.layers.rnn.bidirectional import Bidirectional
from portanet.layers.rnn.cell import RecurrentCell
from portanet.layers.rnn.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from portanet.layers.rnn.gru import GRU, GRUCell
from portanet.layers.rnn.jordan import JordanCell, JordanRNN
from portanet.layers.rnn.lstm import LSTM, LSTMCell
from portanet.layers.rnn.rnn import RNN
from portanet.layers.rnn.simple_rnn import SimpleRNN, SimpleRNNCell
from portanet.layers.rnn.stacked_rnn_cells import StackedRNNCells
from portanet.layers.rnn.time_distributed import TimeDistributed
from portanet.layers.serialization import deserialize, serialize
from portanet.lookup import no_attribute

# Other names that Keras has for them.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D


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
    "AugMix",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "Bilinear",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "ContractiveRegularization",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Elliot",
    "Embedding",
    "Equalization",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Highway",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "InstanceNormalization",
    "IntegerLookup",
    "JordanCell",
    "JordanRNN",
    "L2Pooling1D",
    "L2Pooling2D",
    "L2Pooling3D",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LayerScale",
    "LeakyReLU",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "MaxUnpooling1D",
    "MaxUnpooling2D",
    "MaxUnpooling3D",
    "Maximum",
    "Maxout",
    "MelSpectrogram",
    "Minimum",
    "MixUp",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Perceptron",
    "Permute",
    "Pipeline",
    "PositionEmbedding",
    "RMSNormalization",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomLayer",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RecurrentCell",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "RotaryEmbedding",
    "STFTSpectrogram",
    "Sampling",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinePositionEncoding",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
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
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)

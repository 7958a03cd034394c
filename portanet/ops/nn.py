"""The functions of `keras.ops.nn`."""

# ruff: noqa: I001
# fmt: off
from portanet.ops.activation_functions import (
    celu, elu, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_swish, hard_tanh, leaky_relu, log_sigmoid,
    log_softmax, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus,
    sparse_sigmoid, sparsemax, squareplus, swish, tanh_shrink, threshold,
)
from portanet.ops.attention import dot_product_attention
from portanet.ops.blocks import depth_to_space, fold, space_to_depth, unfold
from portanet.ops.convolutions import (
    adaptive_average_pool, adaptive_max_pool, average_pool, conv, conv_transpose, depthwise_conv, max_pool,
    separable_conv,
)
from portanet.ops.crossentropies import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from portanet.ops.ctc import ctc_decode, ctc_loss
from portanet.ops.encodings import multi_hot, one_hot
from portanet.ops.normalizations import batch_normalization, layer_normalization, normalize, psnr, rms_normalization
from portanet.ops.reductions import moments
from portanet.ops.signal import polar

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "batch_normalization", "binary_crossentropy",
    "categorical_crossentropy", "celu", "conv", "conv_transpose", "ctc_decode", "ctc_loss", "depth_to_space",
    "depthwise_conv", "dot_product_attention", "elu", "fold", "gelu", "glu", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax",
    "max_pool", "moments", "multi_hot", "normalize", "one_hot", "polar", "psnr", "relu", "relu6",
    "rms_normalization", "selu", "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
    "softsign", "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "swish", "tanh_shrink", "threshold", "unfold",
]

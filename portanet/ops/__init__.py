"""Functions on arrays, as in Keras."""

from portanet.autodiff.special import erf, erfc
from portanet.fused.crossentropy import (
    binary_crossentropy,
    crossentropy,
    sigmoid_crossentropy,
    softmax_crossentropy,
)
from portanet.ops.arithmetic import add, divide, floor_divide, multiply, negative, sin, subtract, true_divide
from portanet.ops.encodings import one_hot

__all__ = [
    "add",
    "binary_crossentropy",
    "crossentropy",
    "divide",
    "erf",
    "erfc",
    "floor_divide",
    "multiply",
    "negative",
    "one_hot",
    "sigmoid_crossentropy",
    "sin",
    "softmax_crossentropy",
    "subtract",
    "true_divide",
]

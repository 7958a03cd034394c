"""Functions on arrays, as in Keras."""

from portanet.autodiff.special import erf, erfc
from portanet.fused.crossentropy import (
    binary_crossentropy,
    crossentropy,
    one_hot,
    sigmoid_crossentropy,
    softmax_crossentropy,
)

__all__ = [
    "binary_crossentropy",
    "crossentropy",
    "erf",
    "erfc",
    "one_hot",
    "sigmoid_crossentropy",
    "softmax_crossentropy",
]

"""Functions with hand-written adjoints, where composition would be too slow."""

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
    "one_hot",
    "sigmoid_crossentropy",
    "softmax_crossentropy",
]

"""Differentiable functions with an adjoint of their own, where composition would be too slow."""

from portanet.ops.crossentropy import one_hot, softmax_crossentropy
from portanet.ops.erf import erf, erfc

__all__ = ["erf", "erfc", "one_hot", "softmax_crossentropy"]

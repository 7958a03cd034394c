"""Differentiable functions with an adjoint of their own, where composition would be too slow."""

from portanet.ops.crossentropy import one_hot, softmax_crossentropy

__all__ = ["one_hot", "softmax_crossentropy"]

"""Differentiation of code written against the array API standard, over any backend and to any order."""

from portanet.autodiff.checkpoint import checkpoint
from portanet.autodiff.custom import custom_jvp, custom_vjp
from portanet.autodiff.derivatives import hessian, hvp, jacobian
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.traced import TracedArray, TraceError
from portanet.autodiff.transforms import grad, jvp, stop_gradient, value_and_grad, vjp

__all__ = [
    "TraceError",
    "TracedArray",
    "array_namespace",
    "checkpoint",
    "custom_jvp",
    "custom_vjp",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "lift",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]

"""Differentiation of code written against the array API standard, over any backend and to any order."""

from portanet.autodiff.checkpoint import checkpoint
from portanet.autodiff.custom import custom_jvp, custom_vjp
from portanet.autodiff.debugging.checks import GradientError, check_grads
from portanet.autodiff.debugging.numeric import numeric_grad, numeric_jvp
from portanet.autodiff.debugging.show import show
from portanet.autodiff.derivatives import hessian, hvp, jacobian
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.traced import TracedArray, TraceError
from portanet.autodiff.transforms import grad, jvp, stop_gradient, value_and_grad, vjp

__all__ = [
    "GradientError",
    "TraceError",
    "TracedArray",
    "array_namespace",
    "check_grads",
    "checkpoint",
    "custom_jvp",
    "custom_vjp",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "lift",
    "numeric_grad",
    "numeric_jvp",
    "show",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]

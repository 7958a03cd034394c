"""Differentiation of code written against the array API standard, over any backend and to any order."""

import importlib
from typing import TYPE_CHECKING, Any

from portanet.autodiff.checkpoint import checkpoint
from portanet.autodiff.conversion import TraceWarning, allow_conversion, strict_conversion
from portanet.autodiff.custom import custom_jvp, custom_vjp, primitive
from portanet.autodiff.derivatives import hessian, hvp, jacobian, value_and_jacobian
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.traced import TracedArray, TraceError, is_traced, unwrap
from portanet.autodiff.transforms import grad, jvp, linearize, stop_gradient, value_and_grad, vjp

if TYPE_CHECKING:
    from portanet.autodiff.batching.transform import vmap
    from portanet.autodiff.debugging.anomaly import detect_anomaly
    from portanet.autodiff.debugging.checks import GradientError, check_grads
    from portanet.autodiff.debugging.numeric import numeric_grad, numeric_jvp
    from portanet.autodiff.debugging.show import show
    from portanet.autodiff.sparse.matrices import sparse_hessian, sparse_jacobian
    from portanet.autodiff.sparse.patterns import hessian_sparsity, jacobian_sparsity

__all__ = [
    "GradientError",
    "TraceError",
    "TraceWarning",
    "TracedArray",
    "allow_conversion",
    "array_namespace",
    "check_grads",
    "checkpoint",
    "custom_jvp",
    "custom_vjp",
    "detect_anomaly",
    "grad",
    "hessian",
    "hessian_sparsity",
    "hvp",
    "is_traced",
    "jacobian",
    "jacobian_sparsity",
    "jvp",
    "lift",
    "linearize",
    "numeric_grad",
    "numeric_jvp",
    "primitive",
    "show",
    "sparse_hessian",
    "sparse_jacobian",
    "stop_gradient",
    "strict_conversion",
    "unwrap",
    "value_and_grad",
    "value_and_jacobian",
    "vjp",
    "vmap",
]

_LATER = {
    "detect_anomaly": "debugging.anomaly",
    "GradientError": "debugging.checks",
    "check_grads": "debugging.checks",
    "hessian_sparsity": "sparse.patterns",
    "jacobian_sparsity": "sparse.patterns",
    "numeric_grad": "debugging.numeric",
    "numeric_jvp": "debugging.numeric",
    "show": "debugging.show",
    "sparse_hessian": "sparse.matrices",
    "sparse_jacobian": "sparse.matrices",
    "vmap": "batching.transform",
}


def __getattr__(name: str) -> Any:
    """Import what few programs need on first access."""
    if name in _LATER:
        return getattr(importlib.import_module(f"portanet.autodiff.{_LATER[name]}"), name)
    raise AttributeError(f"module 'portanet.autodiff' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

"""Differentiation of code written against the array API standard, over any backend and to any order."""

import importlib
from typing import TYPE_CHECKING, Any

from portanet.autodiff.batching.array import storage
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
    from portanet.autodiff.solvers.fixed_points import fixed_point
    from portanet.autodiff.solvers.host import on_host
    from portanet.autodiff.solvers.implicit import custom_linear_solve, custom_minimum, custom_root
    from portanet.autodiff.solvers.linear import cg, gmres
    from portanet.autodiff.solvers.loops import fori_loop, scan, while_loop
    from portanet.autodiff.solvers.ode import odeint
    from portanet.autodiff.solvers.quadrature import quadrature
    from portanet.autodiff.solvers.vectors import ConvergenceError
    from portanet.autodiff.sparse.matrices import sparse_hessian, sparse_jacobian
    from portanet.autodiff.sparse.patterns import hessian_sparsity, jacobian_sparsity

__all__ = [
    "ConvergenceError",
    "GradientError",
    "TraceError",
    "TraceWarning",
    "TracedArray",
    "allow_conversion",
    "array_namespace",
    "cg",
    "check_grads",
    "checkpoint",
    "custom_jvp",
    "custom_linear_solve",
    "custom_minimum",
    "custom_root",
    "custom_vjp",
    "detect_anomaly",
    "fixed_point",
    "fori_loop",
    "gmres",
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
    "odeint",
    "on_host",
    "primitive",
    "quadrature",
    "scan",
    "show",
    "sparse_hessian",
    "sparse_jacobian",
    "stop_gradient",
    "storage",
    "strict_conversion",
    "unwrap",
    "value_and_grad",
    "value_and_jacobian",
    "vjp",
    "vmap",
    "while_loop",
]

_LATER = {
    "ConvergenceError": "solvers.vectors",
    "GradientError": "debugging.checks",
    "cg": "solvers.linear",
    "check_grads": "debugging.checks",
    "custom_linear_solve": "solvers.implicit",
    "custom_minimum": "solvers.implicit",
    "custom_root": "solvers.implicit",
    "detect_anomaly": "debugging.anomaly",
    "fixed_point": "solvers.fixed_points",
    "fori_loop": "solvers.loops",
    "gmres": "solvers.linear",
    "hessian_sparsity": "sparse.patterns",
    "jacobian_sparsity": "sparse.patterns",
    "numeric_grad": "debugging.numeric",
    "numeric_jvp": "debugging.numeric",
    "odeint": "solvers.ode",
    "on_host": "solvers.host",
    "quadrature": "solvers.quadrature",
    "scan": "solvers.loops",
    "show": "debugging.show",
    "sparse_hessian": "sparse.matrices",
    "sparse_jacobian": "sparse.matrices",
    "vmap": "batching.transform",
    "while_loop": "solvers.loops",
}


def __getattr__(name: str) -> Any:
    """Import what few programs need on first access."""
    if name in _LATER:
        return getattr(importlib.import_module(f"portanet.autodiff.{_LATER[name]}"), name)
    raise AttributeError(f"module 'portanet.autodiff' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

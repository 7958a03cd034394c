"""Neural networks in the Python array API standard: one script on NumPy, CuPy, PyTorch, JAX and array-api-strict."""

from portanet import activations, autodiff, initializers, layers, losses, metrics, models, optimizers, random
from portanet.backends import asarray, available_backends, get_backend, set_backend, to_host, use_backend
from portanet.layers import Input
from portanet.models import Model, Sequential

__version__ = "0.1.0"

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "activations",
    "asarray",
    "autodiff",
    "available_backends",
    "get_backend",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "random",
    "set_backend",
    "to_host",
    "use_backend",
]

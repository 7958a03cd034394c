"""Neural networks in the Python array API standard: one script on NumPy, CuPy, PyTorch, JAX and array-api-strict."""

from portanet import autodiff
from portanet.backends import asarray, available_backends, get_backend, set_backend, to_host, use_backend

__version__ = "0.1.0"

__all__ = ["asarray", "autodiff", "available_backends", "get_backend", "set_backend", "to_host", "use_backend"]

"""Neural networks in the Python array API standard: one script on NumPy, CuPy, PyTorch, JAX and array-api-strict."""

from portanet import autodiff
from portanet.backends import available_backends, get_backend, set_backend, use_backend

__version__ = "0.1.0"

__all__ = ["autodiff", "available_backends", "get_backend", "set_backend", "use_backend"]

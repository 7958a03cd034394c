"""How precise products of float32 arrays are, on hardware that has a choice."""

from __future__ import annotations

import sys

from portanet import checks
from portanet.backends.base import Backend
from portanet.backends.registry import BACKENDS, backend_class

PRECISIONS = ("highest", "high")


def set_float32_matmul_precision(precision: str) -> None:
    """Choose the precision of matrix products and convolutions of float32 arrays, for this process.

    NVIDIA GPUs multiply several times faster if they may round factors to TensorFloat-32, whose significands have 10
    bits in place of 23; sums are in float32 either way. Other dtypes and CPUs compute as before.

    The choice is passed on to the libraries: it sets PyTorch's `float32_matmul_precision` and `cudnn.allow_tf32` and
    JAX's `jax_default_matmul_precision`. Until it is made, they are left as they are on CPUs and set to `"highest"` on
    other devices.

    Args:
        precision: `"highest"` (all bits, the default) or `"high"` (TensorFloat-32, or products of similar precision).

    Raises:
        ValueError: The name is not known.
        ImportError: On CuPy, `"high"` needs nvmath-python, a part of the extras `cupy13` and `cupy12`.

    Example:
        >>> import portanet
        >>> portanet.get_float32_matmul_precision()
        'highest'
    """
    precision = checks.choice("precision", precision, PRECISIONS, "set_float32_matmul_precision")
    for cls in map(backend_class, BACKENDS):
        if cls.library in sys.modules:
            cls.use_float32_matmul_precision(precision)
    Backend.float32_matmul_precision = precision


def get_float32_matmul_precision() -> str:
    """The precision of products of float32 arrays; see `set_float32_matmul_precision`.

    Example:
        >>> get_float32_matmul_precision()
        'highest'
    """
    return Backend.float32_matmul_precision or "highest"

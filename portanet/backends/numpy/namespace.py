"""NumPy's array API namespace, with products of matrices of our own."""

from __future__ import annotations

from array_api_compat.numpy import *  # noqa: F403
from array_api_compat.numpy import __array_api_version__ as __array_api_version__
from array_api_compat.numpy import __array_namespace_info__ as __array_namespace_info__
from array_api_compat.numpy import fft as fft
from array_api_compat.numpy import linalg as linalg

from portanet.backends.numpy.products import matmul as matmul

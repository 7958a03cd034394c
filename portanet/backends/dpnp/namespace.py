"""dpnp's array API namespace, with products that are right for all operands and transforms of empty arrays."""

from __future__ import annotations

import dpnp
from dpnp import *  # noqa: F403
from dpnp import __array_api_version__ as __array_api_version__
from dpnp import __array_namespace_info__ as __array_namespace_info__

from portanet.backends.dpnp import linalg as linalg
from portanet.backends.dpnp.arrays import complete_arrays
from portanet.backends.dpnp.products import matmul as matmul
from portanet.backends.dpnp.products import tensordot as tensordot
from portanet.backends.dpnp.products import vecdot as vecdot
from portanet.backends.empty_transforms import with_empty_arrays

fft = with_empty_arrays(dpnp)
complete_arrays(dpnp.ndarray)

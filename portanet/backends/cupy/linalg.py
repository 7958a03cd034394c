"""CuPy's linear algebra, as the standard has it."""

from __future__ import annotations

import cupy
import numpy as np
from array_api_compat.cupy.linalg import *  # noqa: F403

from portanet.backends.base import Array
from portanet.backends.cupy.products import matmul as matmul
from portanet.backends.cupy.products import tensordot as tensordot
from portanet.backends.cupy.products import vecdot as vecdot


def solve(x1: Array, x2: Array, /) -> Array:
    """As in the standard: right sides with one axis are a vector, others matrices, and stacks broadcast.

    CuPy wants stacks of equal shapes.
    """
    if x2.ndim == 1:
        return solve(x1, x2[:, None])[..., 0]
    lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x1, x2 = (cupy.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (x1, x2))
    return cupy.linalg.solve(x1, x2)

"""dpnp's linear algebra, as the standard has it."""

from __future__ import annotations

from dpnp.linalg import *  # noqa: F403

from portanet.backends.dpnp.products import matmul as matmul
from portanet.backends.dpnp.products import tensordot as tensordot
from portanet.backends.dpnp.products import vecdot as vecdot

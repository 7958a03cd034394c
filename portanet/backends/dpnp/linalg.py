"""dpnp's linear algebra, as the standard has it."""

from __future__ import annotations

from typing import Any

import dpnp
from dpnp.linalg import *  # noqa: F403

from portanet.backends.base import Array
from portanet.backends.dpnp.products import matmul as matmul
from portanet.backends.dpnp.products import tensordot as tensordot
from portanet.backends.dpnp.products import vecdot as vecdot


def eig(x: Array, /) -> Any:
    """As in the standard; dpnp's results are real where all eigenvalues are."""
    found = dpnp.linalg.eig(x)
    return found._replace(eigenvalues=_complex(found.eigenvalues), eigenvectors=_complex(found.eigenvectors))


def eigvals(x: Array, /) -> Array:
    """As in the standard; see `eig`."""
    return _complex(dpnp.linalg.eigvals(x))


def _complex(x: Array) -> Array:
    return x.astype(dpnp.result_type(x, dpnp.complex64))

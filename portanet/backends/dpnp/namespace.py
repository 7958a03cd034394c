"""dpnp's array API namespace, with products that are right for all operands and transforms of empty arrays."""

from __future__ import annotations

from typing import Any

import dpnp
from dpnp import *  # noqa: F403
from dpnp import __array_api_version__ as __array_api_version__

from portanet.backends.base import Array
from portanet.backends.dpnp import linalg as linalg
from portanet.backends.dpnp.arrays import complete_arrays
from portanet.backends.dpnp.products import matmul as matmul
from portanet.backends.dpnp.products import tensordot as tensordot
from portanet.backends.dpnp.products import vecdot as vecdot
from portanet.backends.empty_transforms import with_empty_arrays


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """As in the standard; dpnp's returns a list."""
    return tuple(dpnp.broadcast_arrays(*arrays))


def meshgrid(*arrays: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """As in the standard; dpnp's returns a list."""
    return tuple(dpnp.meshgrid(*arrays, indexing=indexing))


class Info(type(dpnp.__array_namespace_info__())):  # type: ignore[misc]
    """What the standard asks about the namespace; dpnp's devices are a list."""

    def devices(self) -> tuple[Any, ...]:
        return tuple(super().devices())


fft, __array_namespace_info__ = with_empty_arrays(dpnp), Info
complete_arrays(dpnp.ndarray)

"""PyTorch's array API namespace, with functions of our own where array-api-compat's deviate from the standard."""

from __future__ import annotations

from typing import NamedTuple

import torch
from array_api_compat import torch as _compat
from array_api_compat.torch import *  # noqa: F403
from array_api_compat.torch import __array_api_version__ as __array_api_version__
from array_api_compat.torch import __array_namespace_info__ as __array_namespace_info__
from array_api_compat.torch import linalg as linalg

from portanet.backends.base import Array
from portanet.backends.empty_transforms import with_empty_arrays

fft = with_empty_arrays(_compat)


class UniqueAll(NamedTuple):
    """The result of `unique_all`."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


def unique_all(x: Array, /) -> UniqueAll:
    """As in the standard; PyTorch does not return the first index of each value."""
    flat = x.reshape(-1)
    values, inverse, counts = torch.unique(flat, return_inverse=True, return_counts=True)
    places = torch.arange(flat.numel(), device=x.device)
    indices = torch.full(values.shape, flat.numel(), device=x.device).scatter_reduce(0, inverse, places, "amin")
    return UniqueAll(values, indices, inverse.reshape(x.shape), counts)

"""From what a user has to batches on the device: converted once, checked on the host, never changed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from portanet import random
from portanet.autodiff.tree import tree_map
from portanet.backends import Array, Backend, asarray


def convert(x: Any, name: str, backend: Backend, check_finite: bool) -> Array:
    """A user's data as an array of the backend.

    Args:
        x: NumPy array, list, pandas object, or any DLPack or array API array.
        name: What it is called in error messages.
        backend: Where it goes.
        check_finite: Whether to look for NaN and infinity.

    Raises:
        ValueError: The data is empty, has no batch axis, or holds NaN or infinity.
    """
    array = asarray(x)
    if array.ndim == 0:
        raise ValueError(f"Argument `{name}` needs a batch axis. Received: an array of shape ()")
    if 0 in array.shape:
        raise ValueError(f"Argument `{name}` holds no data. Received: an array of shape {tuple(array.shape)}")
    xp = backend.xp
    if check_finite and xp.isdtype(array.dtype, ("real floating", "complex floating")):
        finite = xp.isfinite(array)
        if not bool(xp.all(finite)):
            bad = int(xp.sum(xp.astype(~finite, xp.int32)))
            raise ValueError(
                f"Argument `{name}` holds NaN or infinity, from which no model recovers. Replace or drop those "
                f"examples, or pass check_finite=False. Received: {bad} such elements of {math.prod(array.shape)}"
            )
    return array


def moved(tree: Any, home: Backend, backend: Backend) -> Any:
    """A tree of arrays of one backend as arrays of another, dtypes kept."""
    return tree_map(lambda x: backend.from_host(home.to_host(x)), tree)


def require_same_length(x: Array, **others: Array | None) -> None:
    """Refuse targets or weights of another number of examples."""
    for name, other in others.items():
        if other is not None and other.shape[0] != x.shape[0]:
            raise ValueError(
                f"Arguments `x` and `{name}` must hold the same number of examples. "
                f"Received: {x.shape[0]} in x, {other.shape[0]} in {name}"
            )


def split(arrays: list[Array | None], fraction: float) -> tuple[list[Array | None], list[Array | None]]:
    """Take the last examples off for validation, as Keras does."""
    if not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
        raise ValueError(f"Argument `validation_split` must be in (0, 1). Received: validation_split={fraction!r}")
    assert arrays[0] is not None
    count = int(arrays[0].shape[0])
    kept = int(count * (1 - fraction))
    if kept == 0 or kept == count:
        raise ValueError(
            f"Argument `validation_split` leaves no examples on one side. Received: {fraction} of {count} examples"
        )
    head = [None if a is None else a[:kept, ...] for a in arrays]
    tail = [None if a is None else a[kept:, ...] for a in arrays]
    return head, tail


def batches(
    arrays: list[Array | None], batch_size: int, backend: Backend, epoch: int | None = None, first: int = 0
) -> Iterator[list[Array | None]]:
    """Pieces of all arrays along the first axis, the last one as small as need be.

    Args:
        arrays: Arrays of equal length; None stays None.
        batch_size: Examples in a piece.
        backend: The arrays' backend.
        epoch: If given, the examples are shuffled for this epoch, on the host, by the seed.
        first: Number of the batch to begin with.
    """
    xp = backend.xp
    assert arrays[0] is not None
    count = int(arrays[0].shape[0])
    order = None
    if epoch is not None:
        shuffled = random.host_generator("shuffle", epoch).permutation(count)
        order = backend.from_host(shuffled.astype(np.int64 if count > 2**31 else np.int32))
    for start in range(first * batch_size, count, batch_size):
        stop = min(start + batch_size, count)
        if order is None:
            yield [None if a is None else a[start:stop, ...] for a in arrays]
        else:
            chosen = order[start:stop]
            yield [None if a is None else xp.take(a, chosen, axis=0) for a in arrays]

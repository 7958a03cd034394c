"""What preprocessing layers learn from data: passes over arrays and batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from portanet import checks
from portanet.backends import HostArray, to_host


def batches_of(data: Any, layer: Any, steps: int | None = None) -> Iterator[Any]:
    """The batches of what `adapt` takes: an array is one; a data set, a generator or a list has several.

    Args:
        data: An array, or an iterable of arrays or of tuples that begin with one.
        layer: The layer, for messages.
        steps: Number of batches to take from an iterable; by default all.
    """
    if steps is not None:
        steps = checks.positive_int("steps", steps, layer)
    if hasattr(data, "shape"):
        data = [data]
    if not isinstance(data, Iterable) or isinstance(data, (str, bytes, dict)):
        raise checks.invalid("data", data, "an array, or an iterable of batches", layer)
    for batch in itertools.islice(data, steps):
        yield batch[0] if isinstance(batch, tuple) else batch


def numbers_of(batch: Any, layer: Any) -> HostArray:
    """A batch as a host array of floating-point numbers."""
    host = to_host(batch)
    if host.dtype.kind not in "biuf":
        raise ValueError(
            f"Argument `data` of layer '{layer.name}' must hold numbers. Received: an array of dtype {host.dtype}"
        )
    return host.astype("float64")

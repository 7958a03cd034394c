"""Arrays as rows of elements, as they go into messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet.backends import HostArray

LARGE = 1 << 18
"""Bytes from which an array is sent as it lies: to copy it next to others costs more than a message."""

CHUNK = 1 << 22
"""Bytes of a sum that is begun as one."""


def part_of(count: int, rank: int, size: int) -> slice:
    """What one of several processes takes of so many elements or examples."""
    return slice(count * rank // size, count * (rank + 1) // size)


def groups_of(sizes: Sequence[int], dtypes: Sequence[Any]) -> list[list[int]]:
    """The numbers of arrays that go into one message: the small ones of each dtype.

    Args:
        sizes: Bytes of the whole arrays, the same in all processes.
        dtypes: Their dtypes.
    """
    groups: dict[Any, list[int]] = {}
    for i, (size, dtype) in enumerate(zip(sizes, dtypes, strict=True)):
        groups.setdefault(i if size >= LARGE else dtype, []).append(i)
    return list(groups.values())


def row_of(rows: Sequence[HostArray]) -> HostArray:
    """Rows of elements, one after the other; the row itself, if there is one."""
    return np.ascontiguousarray(rows[0]) if len(rows) == 1 else np.concatenate(rows)


def chunks(x: HostArray) -> list[HostArray]:
    """The elements of an array as they go into sums: many of them go faster in parts."""
    if x.nbytes <= CHUNK:
        return [x]
    row, step = x.reshape(-1), CHUNK // x.itemsize
    return [row[start : start + step] for start in range(0, row.size, step)]


def summable(dtype: Any) -> Any:
    """The dtype in which MPI adds up: it has no sums of float16."""
    return np.dtype("float32") if dtype.itemsize < 4 and dtype.kind == "f" else dtype


def as_bytes(x: HostArray) -> HostArray:
    """The bytes of an array: a view."""
    return x.reshape(-1).view("uint8")

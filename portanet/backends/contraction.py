"""`tensordot` by products of matrices, for libraries whose own does not do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from portanet.backends.base import Array


def tensordot(
    matmul: Callable[[Array, Array], Array], x1: Array, x2: Array, axes: int | Sequence[Sequence[int]]
) -> Array:
    """As in the standard, as one product of matrices.

    Raises:
        ValueError: The axes to sum over differ in size.
    """
    pairs = (range(x1.ndim - axes, x1.ndim), range(axes)) if isinstance(axes, int) else axes
    summed = [[a % x.ndim for a in of] for x, of in zip((x1, x2), pairs, strict=True)]
    if [x1.shape[a] for a in summed[0]] != [x2.shape[a] for a in summed[1]]:
        raise ValueError(f"Axes to sum over differ in size. Received: shapes {x1.shape} and {x2.shape}, axes={axes}")
    kept = [[a for a in range(x.ndim) if a not in of] for x, of in zip((x1, x2), summed, strict=True)]
    shape = (*(x1.shape[a] for a in kept[0]), *(x2.shape[a] for a in kept[1]))
    length = math.prod(x1.shape[a] for a in summed[0])
    rows, columns = (math.prod(x.shape[a] for a in of) for x, of in zip((x1, x2), kept, strict=True))
    left = x1.transpose(*kept[0], *summed[0]).reshape(rows, length)
    return matmul(left, x2.transpose(*summed[1], *kept[1]).reshape(length, columns)).reshape(shape)

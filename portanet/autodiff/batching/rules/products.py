"""Products of arrays: what all examples share is not repeated for each."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.batching.declare import Call, find, rule


@rule("linalg.matmul", "matmul")
def _matmul(c: Call, x1: Any, x2: Any, /) -> Any:
    xp = c.xp
    if not x1.shape or not x2.shape:
        raise ValueError(f"matmul needs arrays with at least one axis. Received: shapes {x1.shape} and {x2.shape}")
    row, column = len(x1.shape) == 1, len(x2.shape) == 1
    if c.batched(x1) and not c.batched(x2) and len(x2.shape) <= 2:  # the rows of all examples in one product
        a = x1.value
        if a.ndim == 2 or len(x2.shape) == 1:
            return xp.matmul(a, x2)
        rows = xp.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1]))
        return xp.reshape(xp.matmul(rows, x2), (*a.shape[:-1], x2.shape[-1]))
    if column and not c.batched(x1) and len(x1.shape) <= 2:  # the columns of all examples in one product
        return xp.matmul(x2.value, x1 if row else xp.matrix_transpose(x1))
    a = _with_axis(c, x1, -2) if row else x1
    b = _with_axis(c, x2, -1) if column else x2
    out = xp.matmul(*_stacks(c, a, b))
    if row:
        out = out[..., 0, :]
    return out[..., 0] if column else out


class _Value:
    """A batched operand after a change of shape."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.shape = tuple(value.shape)[1:]


def _with_axis(c: Call, x: Any, axis: int) -> Any:
    return _Value(c.xp.expand_dims(x.value, axis=axis)) if c.batched(x) else c.xp.expand_dims(x, axis=axis)


def _stacks(c: Call, a: Any, b: Any) -> list[Any]:
    """Values of matrices whose leading axes broadcast."""
    rank = max(len(a.shape), len(b.shape))
    out = []
    for x in (a, b):
        if c.batched(x) or isinstance(x, _Value):
            x = c.xp.reshape(x.value, (c.level.size, *(1,) * (rank - len(x.shape)), *x.shape))
        out.append(x)
    return out


@rule("linalg.vecdot", "vecdot")
def _vecdot(c: Call, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    if axis >= 0:
        axis -= min(len(x1.shape), len(x2.shape))
    a, b = c.aligned(x1, x2)
    return c(a, b, axis=axis)


@rule("linalg.tensordot", "tensordot")
def _tensordot(c: Call, x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    xp = c.xp
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if isinstance(axes, int):
        axes = (range(rank1 - axes, rank1), range(axes))
    ax, ay = [a % rank1 for a in axes[0]], [a % rank2 for a in axes[1]]
    if not c.batched(x2):
        return find(xp, "tensordot")(x1.value, x2, axes=(tuple(a + 1 for a in ax), tuple(ay)))
    if not c.batched(x1):
        out = find(xp, "tensordot")(x1, x2.value, axes=(tuple(ax), tuple(a + 1 for a in ay)))
        return xp.moveaxis(out, rank1 - len(ax), 0)
    rest1 = [i for i in range(rank1) if i not in ax]
    rest2 = [i for i in range(rank2) if i not in ay]
    count = math.prod(x1.shape[a] for a in ax)
    size1, size2 = (tuple(x.shape[i] for i in rest) for x, rest in ((x1, rest1), (x2, rest2)))
    left = xp.permute_dims(x1.value, (0, *(i + 1 for i in (*rest1, *ax))))
    right = xp.permute_dims(x2.value, (0, *(i + 1 for i in (*ay, *rest2))))
    left = xp.reshape(left, (c.level.size, math.prod(size1), count))
    right = xp.reshape(right, (c.level.size, count, math.prod(size2)))
    return xp.reshape(xp.matmul(left, right), (c.level.size, *size1, *size2))


@rule("linalg.outer")
def _outer(c: Call, x1: Any, x2: Any, /) -> Any:
    xp = c.xp
    a = xp.expand_dims(x1.value if c.batched(x1) else x1, axis=-1)
    return xp.multiply(a, xp.expand_dims(x2.value if c.batched(x2) else x2, axis=-2))


@rule("outer_product")
def _outer_product(c: Call, x1: Any, x2: Any) -> Any:
    return c.xp.matmul(c.value(x1)[:, :, None], c.value(x2)[:, None, :])


@rule("linalg.cross")
def _cross(c: Call, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    if axis >= 0:
        axis -= min(len(x1.shape), len(x2.shape))
    a, b = c.aligned(x1, x2)
    return c(*c.xp.broadcast_arrays(a, b), axis=axis)

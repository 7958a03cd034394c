"""Products of arrays: matmul in every broadcasting form, and what is made of it."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.dispatch import LinearMap, fit
from portanet.autodiff.rules.declare import composite, rule


def _matmul_pull_x(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
    shape, dtype = x.shape, x.dtype

    def pull(g: Any) -> Any:
        if y.ndim == 1:
            out = g * y if len(shape) == 1 else xp.expand_dims(g, axis=-1) * y
        elif len(shape) == 1:
            out = xp.matmul(y, xp.expand_dims(g, axis=-1))[..., 0]
        else:
            out = xp.matmul(g, xp.matrix_transpose(y))
        return fit(xp, out, shape, dtype)

    return pull


def _matmul_pull_y(xp: Any, ans: Any, x: Any, y: Any) -> LinearMap:
    shape, dtype = y.shape, y.dtype

    def pull(g: Any) -> Any:
        if x.ndim == 1:
            out = g * x if len(shape) == 1 else xp.expand_dims(x, axis=-1) * xp.expand_dims(g, axis=-2)
        elif len(shape) == 1:
            out = xp.matmul(xp.matrix_transpose(x), xp.expand_dims(g, axis=-1))[..., 0]
        elif len(shape) == 2 and x.ndim > 2:
            # One product over all rows, instead of one for each batch that is summed afterwards.
            rows = xp.reshape(x, (-1, x.shape[-1]))
            out = xp.matmul(xp.matrix_transpose(rows), xp.reshape(g, (-1, g.shape[-1])))
        else:
            out = xp.matmul(xp.matrix_transpose(x), g)
        return fit(xp, out, shape, dtype)

    return pull


rule(
    "matmul",
    (_matmul_pull_x, _matmul_pull_y),
    (lambda xp, ans, x, y: lambda t: xp.matmul(t, y), lambda xp, ans, x, y: lambda t: xp.matmul(x, t)),
)


@composite("vecdot")
def _vecdot(xp: Any, x: Any, y: Any, /, *, axis: int = -1) -> Any:
    x, y = xp.broadcast_arrays(x, y)
    return xp.sum(xp.conj(x) * y, axis=axis)


@composite("tensordot")
def _tensordot(xp: Any, x: Any, y: Any, /, *, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    ax, ay = [a % x.ndim for a in axes[0]], [a % y.ndim for a in axes[1]]
    rest_x = [i for i in range(x.ndim) if i not in ax]
    rest_y = [i for i in range(y.ndim) if i not in ay]
    count = math.prod(x.shape[a] for a in ax)
    shape = tuple(x.shape[i] for i in rest_x) + tuple(y.shape[i] for i in rest_y)
    left = xp.reshape(xp.permute_dims(x, (*rest_x, *ax)), (math.prod(x.shape[i] for i in rest_x), count))
    right = xp.reshape(xp.permute_dims(y, (*ay, *rest_y)), (count, math.prod(y.shape[i] for i in rest_y)))
    return xp.reshape(xp.matmul(left, right), shape)

"""Linear algebra: functions of matrices take stacks of them, so the batch axis is one more axis of the stack."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.batching.declare import Call, flattened, matrices, moved_all, rule, unary


@unary(
    "linalg.cholesky", "linalg.det", "linalg.diagonal", "linalg.eig", "linalg.eigh", "linalg.eigvals",
    "linalg.eigvalsh", "linalg.inv", "linalg.matrix_norm", "linalg.matrix_power", "linalg.qr", "linalg.slogdet",
    "linalg.svd", "linalg.svdvals", "linalg.trace", "nuclear_norm",
)  # fmt: skip
def _stacked(c: Call, x: Any, /, *args: Any, **options: Any) -> Any:
    return c(matrices(c, x), *args, **options)


@rule("linalg.matrix_rank", "linalg.pinv")
def _with_tolerance(c: Call, x: Any, /, *, rtol: Any = None) -> Any:
    if c.batched(rtol):
        rtol = c.aligned(rtol)[0]
        rank = len(x.shape) - 2
        if rtol.ndim - 1 < rank:
            rtol = c.xp.reshape(rtol, (rtol.shape[0], *(1,) * (rank - rtol.ndim + 1), *rtol.shape[1:]))
    return c(matrices(c, c.each(x)), rtol=rtol)


@rule("linalg.solve")
def _solve(c: Call, x1: Any, x2: Any, /) -> Any:
    vector = len(x2.shape) == 1
    a, b = c.aligned(x1, x2) if not vector else (x1.value if c.batched(x1) else x1, x2.value if c.batched(x2) else x2)
    if not vector:
        if not c.batched(x2):  # without a batch axis, its first axis would be taken for the batch
            b = c.value(x2)
        return c(a, b)
    if c.batched(x2) and not c.batched(x1) and len(x1.shape) == 2:  # the examples are columns
        return c.xp.matrix_transpose(c(a, c.xp.matrix_transpose(b)))
    if c.batched(x2):
        b = c.xp.reshape(b, (b.shape[0], *(1,) * (len(x1.shape) - 2), b.shape[1]))
    return c(a, c.xp.expand_dims(b, axis=-1))[..., 0]


@unary("linalg.vector_norm")
def _vector_norm(c: Call, x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:  # noqa: A002
    if axis is None or x.ndim == 1:
        out = c(flattened(c.xp, x), axis=1, ord=ord)
        return c.xp.reshape(out, (x.shape[0], *(1,) * (x.ndim - 1))) if keepdims else out
    axes = moved_all(axis, x.ndim - 1)
    return c(x, axis=axes[0] if len(axes) == 1 else axes, keepdims=keepdims, ord=ord)

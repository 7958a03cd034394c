"""Functions that move elements."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff.batching.declare import Call, flattened, matrices, moved, moved_all, one_of, rule, unary


@unary("reshape")
def _reshape(c: Call, x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in shape:  # the size of an empty batch does not tell
        known = -math.prod(shape)
        shape = tuple((math.prod(x.shape[1:]) // known if known else 0) if n == -1 else n for n in shape)
    options = {} if copy is None else {"copy": copy}
    return c(x, (x.shape[0], *shape), **options)


@unary("expand_dims")
def _expand_dims(c: Call, x: Any, /, axis: Any) -> Any:
    if isinstance(axis, tuple):
        return c(x, axis=moved_all(axis, x.ndim - 1 + len(axis)))
    return c(x, axis=moved(axis, x.ndim))


@unary("squeeze")
def _squeeze(c: Call, x: Any, /, axis: Any) -> Any:
    return c(x, axis=moved_all(axis, x.ndim - 1))


@unary("permute_dims")
def _permute_dims(c: Call, x: Any, /, axes: Any) -> Any:
    return c(x, (0, *moved_all(axes, x.ndim - 1)))


@unary("matrix_transpose", "linalg.matrix_transpose")
def _matrix_transpose(c: Call, x: Any, /) -> Any:
    return c(matrices(c, x))


@unary("tril", "triu")
def _triangle(c: Call, x: Any, /, *, k: int = 0) -> Any:
    return c(matrices(c, x), k=k)


@unary("moveaxis")
def _moveaxis(c: Call, x: Any, source: Any, destination: Any, /) -> Any:
    rank = x.ndim - 1
    if isinstance(source, int):
        return c(x, moved(source, rank), moved(destination, rank))
    return c(x, moved_all(source, rank), moved_all(destination, rank))


@unary("flip")
def _flip(c: Call, x: Any, /, *, axis: Any = None) -> Any:
    axes = moved_all(axis, x.ndim - 1)
    return c(x, axis=axes) if axes else x


@unary("roll")
def _roll(c: Call, x: Any, /, shift: Any, *, axis: Any = None) -> Any:
    if axis is None:
        return c.xp.reshape(c(flattened(c.xp, x), shift, axis=1), x.shape)
    rank = x.ndim - 1
    return c(x, shift, axis=moved(axis, rank) if isinstance(axis, int) else moved_all(axis, rank))


@unary("broadcast_to")
def _broadcast_to(c: Call, x: Any, /, shape: Any) -> Any:
    shape = tuple(shape)
    value = c.xp.reshape(x, (x.shape[0], *(1,) * (len(shape) - x.ndim + 1), *x.shape[1:]))
    return c(value, (x.shape[0], *shape))


@rule("broadcast_arrays")
def _broadcast_arrays(c: Call, *arrays: Any) -> Any:
    return c(*c.aligned(*arrays))


@rule("join")
def _join(c: Call, *arrays: Any, axis: int | None = 0) -> Any:
    return c(*_joinable(c, arrays, axis), axis=1 if axis is None else moved(axis, len(arrays[0].shape)))


@rule("concat")
def _concat(c: Call, arrays: Any, /, *, axis: int | None = 0) -> Any:
    arrays = _parts(c, arrays)
    return c(_joinable(c, arrays, axis), axis=1 if axis is None else moved(axis, len(arrays[0].shape)))


def _parts(c: Call, arrays: Any) -> Any:
    """The arrays to join; some libraries also take one array, for its rows."""
    return arrays.namespace.unstack(arrays) if c.batched(arrays) else arrays


def _joinable(c: Call, arrays: Any, axis: int | None) -> list[Any]:
    values = [c.each(x) for x in arrays]
    return [flattened(c.xp, x) for x in values] if axis is None else values


@rule("stack")
def _stack(c: Call, arrays: Any, /, *, axis: int = 0) -> Any:
    arrays = _parts(c, arrays)
    return c([c.each(x) for x in arrays], axis=moved(axis, len(arrays[0].shape) + 1))


@unary("unstack")
def _unstack(c: Call, x: Any, /, *, axis: int = 0) -> Any:
    return c(x, axis=moved(axis, x.ndim - 1))


@rule("meshgrid")
def _meshgrid(c: Call, *arrays: Any, indexing: str = "xy") -> Any:
    count = len(arrays)
    order = [1, 0, *range(2, count)] if indexing == "xy" and count > 1 else list(range(count))
    placed = []
    for i, x in enumerate(arrays):
        shape = [1] * count
        shape[order[i]] = x.shape[0]
        placed.append(c.xp.reshape(c.each(x), (c.level.size, *shape)))
    return c.xp.broadcast_arrays(*placed)


@unary("tile")
def _tile(c: Call, x: Any, repetitions: Any, /) -> Any:
    rank = max(x.ndim - 1, len(repetitions))
    value = c.xp.reshape(x, (x.shape[0], *(1,) * (rank - x.ndim + 1), *x.shape[1:]))
    return c(value, (*(1,) * (rank + 1 - len(repetitions)), *repetitions))


@rule("repeat")
def _repeat(c: Call, x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    if c.batched(repeats):
        c.refuse("the size of the result differs between examples if `repeats` does")
    value, along = one_of(c.xp, x.value, axis)
    return c(value, repeats, axis=along)


@rule("diff")
def _diff(c: Call, x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    ends = {name: c.each(a) for name, a in (("prepend", prepend), ("append", append)) if a is not None}
    return c(c.each(x), axis=moved(axis, len(x.shape)), n=n, **ends)

"""Functions that move elements: all linear, so each rule is the transpose."""

from __future__ import annotations

import math
from types import MethodType
from typing import Any

from portanet.autodiff.batching.array import batched_namespace
from portanet.autodiff.dispatch import LinearMap, fit
from portanet.autodiff.rules.declare import composite, linear, no_derivative, primitive, rule
from portanet.autodiff.traced import unwrap
from portanet.autodiff.tracing import rebuild
from portanet.backends.registry import to_device


def _reshape_back(xp: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> LinearMap:
    return MethodType(_reshaped, (xp, x.shape))


def _reshaped(target: tuple[Any, tuple[int, ...]], g: Any) -> Any:
    xp, shape = target
    return xp.reshape(g, shape)


linear("reshape", _reshape_back)
linear("expand_dims", _reshape_back)
linear("squeeze", _reshape_back)


def _broadcast_back(xp: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> LinearMap:
    return MethodType(_fit, (xp, x.shape, x.dtype))


def _fit(target: tuple[Any, tuple[int, ...], Any], g: Any) -> Any:
    xp, shape, dtype = target
    return fit(xp, g, shape, dtype)


linear("broadcast_to", _broadcast_back)
linear("astype", _broadcast_back)  # fit also restores the dtype


def _permute_back(xp: Any, ans: Any, x: Any, /, axes: tuple[int, ...]) -> LinearMap:
    inverse = [0] * len(axes)
    for i, axis in enumerate(axes):
        inverse[axis] = i
    return MethodType(_permuted, (xp, tuple(inverse)))


def _permuted(order: tuple[Any, tuple[int, ...]], g: Any) -> Any:
    xp, axes = order
    return xp.permute_dims(g, axes)


linear("permute_dims", _permute_back)
linear("matrix_transpose", lambda xp, ans, x: xp.matrix_transpose)
linear("moveaxis", lambda xp, ans, x, source, destination, /: lambda g: xp.moveaxis(g, destination, source))
linear("flip", lambda xp, ans, x, /, *, axis=None: lambda g: xp.flip(g, axis=axis))
linear("tril", lambda xp, ans, x, /, *, k=0: lambda g: xp.tril(g, k=k))
linear("triu", lambda xp, ans, x, /, *, k=0: lambda g: xp.triu(g, k=k))


def _roll_back(xp: Any, ans: Any, x: Any, /, shift: Any, *, axis: Any = None) -> LinearMap:
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return lambda g: xp.roll(g, back, axis=axis)


linear("roll", _roll_back)


def _to_device_back(xp: Any, ans: Any, x: Any, device: Any, /, *, stream: Any = None) -> LinearMap:
    home = xp.device_of(x)
    return lambda g: xp.to_device(g, home, stream=stream)


linear("to_device", _to_device_back)


@primitive("to_device")
def _to_device(raw: Any, x: Any, device: Any, /, *, stream: Any = None) -> Any:
    return to_device(x, device, stream=stream)


# Joining. The standard's `concat(arrays)` takes a list; the primitive takes the arrays one by one.


@primitive("join")
def _join(raw: Any, *arrays: Any, axis: int | None = 0) -> Any:
    return raw.concat(list(arrays), axis=axis)


def _concat_back(xp: Any, ans: Any, *arrays: Any, axis: int | None = 0, index: int) -> LinearMap:
    shape, dtype = arrays[index].shape, arrays[index].dtype
    if axis is None:
        start, size = sum(math.prod(a.shape) for a in arrays[:index]), math.prod(shape)
        return lambda g: fit(xp, xp.reshape(g[start : start + size], shape), shape, dtype)
    axis %= len(shape)
    start = sum(a.shape[axis] for a in arrays[:index])
    key = (slice(None),) * axis + (slice(start, start + shape[axis]),)
    return lambda g: fit(xp, g[(*key, ...)], shape, dtype)


def _concat_forward(xp: Any, ans: Any, *arrays: Any, axis: int | None = 0, index: int) -> LinearMap:
    def push(t: Any) -> Any:
        return xp.concat([t if i == index else xp.zeros_like(a) for i, a in enumerate(arrays)], axis=axis)

    return push


rule("join", (_concat_back,), (_concat_forward,), variadic=True)


@composite("concat")
def _concat(xp: Any, arrays: Any, /, *, axis: int | None = 0) -> Any:
    return xp.join(*arrays, axis=axis)


@composite("stack")
def _stack(xp: Any, arrays: Any, /, *, axis: int = 0) -> Any:
    return xp.concat([xp.expand_dims(a, axis=axis) for a in arrays], axis=axis)


@composite("unstack")
def _unstack(xp: Any, x: Any, /, *, axis: int = 0) -> Any:
    axis %= x.ndim
    before = (slice(None),) * axis
    after = (...,) if x.ndim > 1 else ()  # the elements of a vector are scalars in NumPy, not views
    return tuple(x[(*before, i, *after)] for i in range(x.shape[axis]))


@composite("broadcast_arrays")
def _broadcast_arrays(xp: Any, *arrays: Any) -> Any:
    xp = batched_namespace(arrays) or xp
    like = xp.raw.broadcast_arrays(*map(unwrap, arrays))  # a tuple, or a list for JAX
    shape = like[0].shape
    # NumPy's results of broadcast_to are read-only.
    return rebuild(like, [a[...] if a.shape == shape else xp.broadcast_to(a, shape) for a in arrays])


@composite("meshgrid")
def _meshgrid(xp: Any, *arrays: Any, indexing: str = "xy") -> Any:
    count = len(arrays)
    order = [1, 0, *range(2, count)] if indexing == "xy" and count > 1 else list(range(count))
    placed = []
    for i, a in enumerate(arrays):
        shape = [1] * count
        shape[order[i]] = math.prod(a.shape)
        placed.append(xp.reshape(a, tuple(shape)))
    return xp.broadcast_arrays(*placed)


@composite("tile")
def _tile(xp: Any, x: Any, repetitions: tuple[int, ...], /) -> Any:
    rank = max(x.ndim, len(repetitions))
    shape = (1,) * (rank - x.ndim) + tuple(x.shape)
    counts = (1,) * (rank - len(repetitions)) + tuple(repetitions)
    spread = xp.reshape(x, tuple(n for size in shape for n in (1, size)))
    spread = xp.broadcast_to(spread, tuple(n for pair in zip(counts, shape, strict=True) for n in pair))
    return xp.reshape(spread, tuple(n * size for n, size in zip(counts, shape, strict=True)))


@composite("repeat")
def _repeat(xp: Any, x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    if axis is None:
        x, axis = xp.reshape(x, (-1,)), 0
    positions = xp.arange(x.shape[axis], device=xp.device_of(x))
    return xp.take(x, xp.repeat(positions, repeats), axis=axis)


@composite("diff")
def _diff(xp: Any, x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    pieces = [p for p in (prepend, x, append) if p is not None]
    if len(pieces) > 1:
        x = xp.concat(pieces, axis=axis)
    before = (slice(None),) * (axis % x.ndim)
    for _ in range(n):
        x = x[(*before, slice(1, None), ...)] - x[(*before, slice(None, -1), ...)]
    return x


no_derivative("shapes only", "broadcast_shapes")

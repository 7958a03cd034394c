"""Creation and inspection: what depends on shapes and dtypes alone is the same for all examples."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.batching.array import BatchedArray
from portanet.autodiff.batching.declare import Call, find, rule, shared
from portanet.autodiff.traced import TracedArray


@shared("empty_like", "ones_like", "zeros_like")
def _like(c: Call, x: Any, /, *, dtype: Any = None, device: Any = None) -> Any:
    create = find(c.xp, c.name.removesuffix("_like"))
    return create(x.shape, dtype=dtype or x.dtype, device=device or x.device)


@rule("full_like")
def _full_like(c: Call, x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    dtype = dtype or x.dtype
    if not hasattr(fill_value, "dtype"):
        full = find(c.xp, "full")(x.shape, fill_value, dtype=dtype, device=device or x.device)
        return c.each(full)
    return _filled(c, x.shape, fill_value, dtype)


@rule("full")
def _full(c: Call, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    return _filled(c, (shape,) if isinstance(shape, int) else tuple(shape), fill_value, dtype or fill_value.dtype)


def _filled(c: Call, shape: tuple[int, ...], fill_value: Any, dtype: Any) -> Any:
    xp = c.xp
    value = c.each(fill_value)
    value = xp.astype(xp.reshape(value, (c.level.size, *(1,) * len(shape))), dtype)
    return xp.asarray(xp.broadcast_to(value, (c.level.size, *shape)), copy=True)


@rule("linspace")
def _linspace(
    c: Call, start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Any:
    xp = c.xp
    start, stop = c.aligned(start, stop)
    start, stop = (xp.expand_dims(x, axis=-1) if hasattr(x, "shape") else x for x in (start, stop))
    like = start - stop if hasattr(start, "shape") else stop - start
    steps = xp.arange(num, dtype=xp.real(like).dtype if xp.isdtype(like.dtype, "complex floating") else like.dtype)
    steps = xp.asarray(steps / max(num - endpoint, 1), device=device or like.device)
    out = xp.multiply(1 - steps, start) + xp.multiply(steps, stop)
    return out if dtype is None else xp.astype(out, dtype)


@rule("arange", "eye", "ones", "zeros", "empty", "fft.fftfreq", "fft.rfftfreq")
def _sizes(c: Call, *args: Any, **kwargs: Any) -> Any:
    c.refuse("sizes must be the same for all examples, as Python integers")


@rule("asarray")
def _asarray(c: Call, x: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    if isinstance(x, (list, tuple)):
        device = device or next(p.device for p in x if c.batched(p))
        parts = [p.value if c.batched(p) else c.each(_asarray_shared(c, p)) for p in x]
        return c.xp.stack([c.xp.asarray(p, dtype=dtype, device=device) for p in parts], axis=1)
    return c(x.value, dtype=dtype, device=device, copy=copy)


def _asarray_shared(c: Call, x: Any) -> Any:
    return x if isinstance(x, (BatchedArray, TracedArray)) else c.xp.asarray(x)


@rule("from_dlpack")
def _from_dlpack(c: Call, x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    return find(c.xp, "asarray")(x.value, device=device, copy=copy)


@rule("astype")
def _astype(c: Call, x: Any, dtype: Any, /, **options: Any) -> Any:
    return c(x.value, dtype, **options)


@rule("to_device")
def _to_device(c: Call, x: Any, device: Any, /, *, stream: Any = None) -> Any:
    return c(x.value, device, stream=stream)


@shared("broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type")
def _dtypes(c: Call, *args: Any) -> Any:
    return find(c.xp, c.name)(*(a.dtype if isinstance(a, BatchedArray) else a for a in args))

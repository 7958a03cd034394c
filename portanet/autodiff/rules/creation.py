"""Creation and inspection: nothing to differentiate, except where a traced value fills the new array."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.rules.declare import composite, creation, no_derivative
from portanet.autodiff.traced import unwrap

creation(
    "arange", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace", "ones", "ones_like",
    "zeros", "zeros_like", "fft.fftfreq", "fft.rfftfreq",
)  # fmt: skip
no_derivative("about dtypes", "can_cast", "finfo", "iinfo", "isdtype", "result_type")


@composite("arange")
def _arange(xp: Any, start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None) -> Any:
    if stop is None:
        start, stop = 0.0, start
    count = xp.arange(*(float(unwrap(end)) for end in (start, stop, step))).shape[0]
    like = start + stop + step
    out = start + step * xp.arange(count, dtype=like.dtype, device=device or like.device)
    return out if dtype is None else xp.astype(out, dtype)


@composite("from_dlpack")
def _from_dlpack(xp: Any, x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    return xp.asarray(x, device=device, copy=copy)


@composite("full")
def _full(xp: Any, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    shape = (shape,) if isinstance(shape, int) else shape
    spread = xp.broadcast_to(xp.asarray(fill_value, dtype=dtype, device=device), shape)
    return xp.asarray(spread, copy=True)


@composite("full_like")
def _full_like(xp: Any, x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    return xp.full(x.shape, fill_value, dtype=dtype or x.dtype, device=device)


@composite("linspace")
def _linspace(
    xp: Any, start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Any:
    like = xp.real(start - stop)
    steps = xp.arange(num, dtype=like.dtype, device=device or like.device) / max(num - endpoint, 1)
    # Both ends are weighted, so that both are exact.
    out = start * (1 - steps) + stop * steps
    return out if dtype is None else xp.astype(out, dtype)

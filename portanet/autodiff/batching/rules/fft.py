"""Fourier transforms along axes of each example."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.batching.declare import Call, moved, moved_all, unary


@unary("fft.fft", "fft.hfft", "fft.ifft", "fft.ihfft", "fft.irfft", "fft.rfft")
def _along(c: Call, x: Any, /, *, n: int | None = None, axis: int = -1, norm: Any = "backward") -> Any:
    return c(x, n=n, axis=moved(axis, x.ndim - 1), norm=norm)


@unary("fft.fftn", "fft.ifftn", "fft.irfftn", "fft.rfftn")
def _several(c: Call, x: Any, /, *, s: Any = None, axes: Any = None, norm: Any = "backward") -> Any:
    rank = x.ndim - 1
    if axes is None and s is not None:
        axes = tuple(range(rank - len(s), rank))
    return c(x, s=s, axes=moved_all(axes, rank), norm=norm)


@unary("fft.fftshift", "fft.ifftshift")
def _shift(c: Call, x: Any, /, *, axes: Any = None) -> Any:
    return c(x, axes=moved_all(axes, x.ndim - 1))

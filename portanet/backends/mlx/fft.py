"""The extension `fft` of the standard. MLX computes in complex64 whatever the dtype."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
from mlx.core.fft import fft as fft
from mlx.core.fft import fftn as fftn
from mlx.core.fft import fftshift as fftshift
from mlx.core.fft import ifft as ifft
from mlx.core.fft import ifftn as ifftn
from mlx.core.fft import ifftshift as ifftshift
from mlx.core.fft import irfft as irfft
from mlx.core.fft import irfftn as irfftn
from mlx.core.fft import rfft as rfft
from mlx.core.fft import rfftn as rfftn

from portanet.backends.base import Array

INVERSE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def hfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """As in the standard."""
    return irfft(mx.conj(x), n, axis, INVERSE[norm])


def ihfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """As in the standard."""
    return mx.conj(rfft(x, n, axis, INVERSE[norm]))


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard; MLX's has no dtype."""
    places = mx.arange(n, stream=device)
    return mx.where(places > (n - 1) // 2, places - n, places).astype(dtype or mx.float32) / (n * d)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """As in the standard; MLX's has no dtype."""
    return mx.arange(n // 2 + 1, stream=device).astype(dtype or mx.float32) / (n * d)

"""Kernels that compute Fourier transforms."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.extras import install_command
from portanet.initializers.base import Initializer

SIDES, SCALINGS = ("real", "imag"), ("density", "spectrum")
COSINES = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08)}


def window_values(window: str, length: int, periodic: bool) -> HostArray:
    """A window by its name: the amplitudes of `length` samples; those beside hann, hamming and blackman by SciPy.

    Example:
        >>> window_values("hann", 5, periodic=False)
        array([0. , 0.5, 1. , 0.5, 0. ])
    """
    if window in COSINES:
        angles = 2 * np.pi * np.arange(length) / max(1, length if periodic else length - 1)
        return np.asarray(
            sum((-1) ** n * a * np.cos(n * angles) for n, a in enumerate(COSINES[window])) if length > 1 else np.ones(1)
        )
    try:
        windows = importlib.import_module("scipy.signal")
    except ImportError as error:
        raise ImportError(
            f"Windows beside {', '.join(COSINES)} need SciPy. Type: {install_command('scipy')}. "
            f"Received: window={window!r}"
        ) from error
    try:
        return np.asarray(windows.get_window(window, length, periodic))
    except ValueError as error:
        raise checks.invalid("window", window, "the name of a window in scipy.signal.windows", "STFT") from error


def checked_window(window: Any, of: Any) -> Any:
    """A window that is a name, None, or a list of amplitudes."""
    if window is None:
        return None
    if isinstance(window, str):
        window_values(window, 2, periodic=False)
        return window
    host = to_host(window) if isinstance(window, (list, tuple)) or hasattr(window, "shape") else None
    if host is None or host.ndim != 1 or host.dtype.kind not in "iuf" or not np.isfinite(host).all():
        raise checks.invalid("window", window, "a name such as 'hann', a list of amplitudes, or None", of)
    return host.tolist()


class STFT(Initializer):
    """The real or the imaginary part of a Fourier transform of windows, as a kernel of convolution.

    As `keras.initializers.STFT`; for shapes (frame length, 1, transform length / 2 + 1).

    Args:
        side: `"real"` or `"imag"`.
        window: Name of a window, such as `"hann"`; amplitudes; or None.
        scaling: `"density"`: the squares of the window add up to 1; `"spectrum"`: its amplitudes do; None for neither.
        periodic: Whether the window is one period, rather than symmetric.

    Example:
        >>> STFT("real", None)((2, 1, 2)).ravel()
        array([ 1.,  1.,  1., -1.])
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        super().__init__()
        self.side = checks.choice("side", side, SIDES, type(self))
        self.window = checked_window(window, type(self))
        self.scaling = checks.choice("scaling", scaling, (*SCALINGS, None), type(self))
        self.periodic = checks.boolean("periodic", periodic, type(self))

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ValueError(
                "STFT initializes kernels of shape (frame length, 1, transform length / 2 + 1). "
                f"Received: shape={shape}"
            )
        length, _, bins = shape
        phases = -np.pi / (bins - 1) * np.arange(length)[:, None, None] * np.arange(bins)
        kernel = np.cos(phases) if self.side == "real" else np.sin(phases)
        if self.window is None:
            return np.asarray(kernel)
        named = isinstance(self.window, str)
        window = window_values(self.window, length, self.periodic) if named else np.asarray(self.window, dtype=float)
        if window.shape != (length,):
            expected = f"of the length of the frames, {length}"
            raise checks.invalid("window", self.window, expected, type(self))
        total = {"density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(np.abs(window)), None: 1.0}[self.scaling]
        return np.asarray(kernel * window[:, None, None] / total)

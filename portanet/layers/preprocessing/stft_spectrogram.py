"""Spectrograms by convolution."""

from __future__ import annotations

import math
import warnings
from typing import Any

from portanet import checks, initializers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.convolution import convolve
from portanet.fused.windows import Window, window_of
from portanet.layers.rearranging import Rearranging

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
LEAST = 1e-7


class STFTSpectrogram(Rearranging):
    """The spectrum of a signal over time, by convolution; as `keras.layers.STFTSpectrogram`.

    The kernels are those of the short-time Fourier transform at first, and are trained unless `trainable=False`.

    Args:
        mode: What to compute of the transform: `"log"` of its magnitude, `"magnitude"`, `"psd"` (power spectral
            density), `"real"`, `"imag"`, `"angle"`, or `"stft"`: real and imaginary part, one after the other.
        frame_length: Length of the frames.
        frame_step: Distance of the frames, at most `frame_length`; by default half of it.
        fft_length: Length of the transform, at least `frame_length`; by default the next power of two.
        window: Name of a window, such as `"hann"` (those beside hann, hamming and blackman need the extra `scipy`);
            amplitudes of `frame_length` samples; or None.
        periodic: Whether the window is one period, rather than symmetric.
        scaling: `"density"`: the squares of the window add up to 1; `"spectrum"`: its amplitudes do; None for neither.
        padding: `"valid"`, or `"same"` for frames around every `frame_step`-th sample.
        expand_dims: Whether channels keep an axis of their own.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, samples, channels), or (batch, channels, samples) for `"channels_first"`.
    Output: shape (batch, frames, channels * bins), or (batch, channels * bins, frames) for `"channels_first"`; with
    `expand_dims` (batch, frames, bins, channels), or (batch, channels, frames, bins). There are fft_length / 2 + 1
    bins, twice as many for `"stft"`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.STFTSpectrogram(frame_length=8)(np.ones((2, 32, 1), dtype="float32")).shape
        (2, 7, 5)
    """

    independent_examples = True
    keeps_values = False
    casts_integers = True

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.mode = checks.choice("mode", mode, MODES, self)
        self.frame_length = checks.integer("frame_length", frame_length, self, least=2)
        self.frame_step = self.frame_length // 2
        if frame_step is not None:
            self.frame_step = checks.positive_int("frame_step", frame_step, self)
            if self.frame_step > self.frame_length:
                raise checks.invalid("frame_step", frame_step, f"at most frame_length={frame_length}", self)
        self.length = 2 ** math.ceil(math.log2(self.frame_length))
        if fft_length is not None:
            self.length = checks.integer("fft_length", fft_length, self, least=self.frame_length)
            if self.length & -self.length != self.length:
                warnings.warn(
                    f"Argument `fft_length` of layer '{self.name}' should be a power of two. "
                    f"Received: fft_length={fft_length}",
                    stacklevel=3,
                )
        self.fft_length = None if fft_length is None else self.length
        # Checked by the initializers, which the layer needs when it is built.
        self._real, self._imag = (initializers.STFT(side, window, scaling, periodic) for side in ("real", "imag"))
        self.window, self.periodic, self.scaling = self._real.window, self._real.periodic, self._real.scaling
        self.padding = checks.padding(padding, ("valid", "same"), self)
        self.expand_dims = checks.boolean("expand_dims", expand_dims, self)
        self.data_format = checks.data_format(data_format, self)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        shape = (self.frame_length, 1, self.length // 2 + 1)
        if self.mode != "imag":
            self.real_kernel = self.add_weight(shape=shape, initializer=self._real, name="real_kernel")
        if self.mode != "real":
            self.imag_kernel = self.add_weight(shape=shape, initializer=self._imag, name="imag_kernel")

    def _window(self, samples: int) -> Window:
        return window_of((samples,), (self.frame_length,), (self.frame_step,), self.padding, (1,))

    def call(self, x: Array) -> Array:
        self.compute_output_shape(x.shape)
        xp = array_namespace(x)
        x = xp.permute_dims(x, (0, 2, 1)) if self.data_format == "channels_last" else x
        batch, channels, samples = x.shape
        x = xp.reshape(x, (batch * channels, samples, 1))
        kernels = [self.real_kernel] if self.mode == "real" else [self.imag_kernel]
        kernels = kernels if self.mode in ("real", "imag") else [self.real_kernel, self.imag_kernel]
        parts = [convolve(x, k.value, None, window=self._window(samples), groups=1) for k in kernels]
        out = self._of_mode(parts)
        out = array_namespace(out).reshape(out, (batch, channels, *out.shape[1:]))
        return self._arranged(out)

    def _of_mode(self, parts: list[Array]) -> Array:
        """What is computed of the real and the imaginary part, of shape (batch, frames, bins)."""
        if len(parts) == 1:
            return parts[0]
        real, imag = parts
        xp = array_namespace(real, imag)
        if self.mode == "angle":
            return xp.atan2(imag, real)
        if self.mode == "stft":
            return xp.concat([real, imag], axis=-1)
        power = real * real + imag * imag
        if self.mode == "psd":  # the inner bins stand for negative frequencies, too
            return xp.concat([power[..., :1], 2.0 * power[..., 1:-1], power[..., -1:]], axis=-1)
        magnitude = xp.sqrt(xp.maximum(power, LEAST))
        return magnitude if self.mode == "magnitude" else xp.log(xp.maximum(magnitude, LEAST))

    def _arranged(self, x: Array) -> Array:
        """An array of shape (batch, channels, frames, bins) in the form of the output."""
        xp = array_namespace(x)
        batch, channels, frames, bins = x.shape
        if self.data_format == "channels_last":
            if self.expand_dims:
                return xp.permute_dims(x, (0, 2, 3, 1))
            return xp.reshape(xp.permute_dims(x, (0, 2, 1, 3)), (batch, frames, channels * bins))
        if self.expand_dims:
            return x
        return xp.reshape(xp.permute_dims(x, (0, 1, 3, 2)), (batch, channels * bins, frames))

    def compute_output_shape(self, input_shape: Any) -> Any:
        last = self.data_format == "channels_last"
        if len(input_shape) != 3:
            form = "(batch, samples, channels)" if last else "(batch, channels, samples)"
            raise ValueError(f"Layer '{self.name}' needs inputs of shape {form}. Received: shape {tuple(input_shape)}")
        batch = input_shape[0]
        samples, channels = input_shape[1:] if last else input_shape[:0:-1]
        frames = None if samples is None else self._window(samples).positions((samples,))[0]
        if frames == 0:
            raise ValueError(
                f"Layer '{self.name}' needs at least {self.frame_length} samples. Received: shape {tuple(input_shape)}"
            )
        bins = (self.length // 2 + 1) * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (batch, frames, bins, channels) if last else (batch, channels, frames, bins)
        size = None if channels is None else channels * bins
        return (batch, frames, size) if last else (batch, size, frames)

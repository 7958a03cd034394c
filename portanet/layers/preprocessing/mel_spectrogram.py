"""Spectrograms on the mel scale."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, asarray, constant
from portanet.initializers.fourier import checked_window
from portanet.layers.normalization.affine_normalization import widened
from portanet.layers.rearranging import Rearranging


class MelSpectrogram(Rearranging):
    """The power of a signal in bands of the mel scale, over time; as `keras.layers.MelSpectrogram`.

    Bands are triangles, of equal width in mel (2595 log10(1 + f / 700)), with a peak of 1.

    Args:
        fft_length: Length of the Fourier transform.
        sequence_stride: Number of samples between two of its windows.
        sequence_length: Length of the windows, at most `fft_length`; by default the same.
        window: `"hann"`, `"hamming"`, amplitudes of `sequence_length` samples, or None.
        sampling_rate: Samples per second.
        num_mel_bins: Number of bands.
        min_freq: Lower end of the first band, in Hertz.
        max_freq: Upper end of the last band; by default half of `sampling_rate`.
        power_to_db: Whether the result is in decibels.
        top_db: Decibels below the largest value of the input at which the result is cut off.
        mag_exp: Exponent of the magnitude: 2 for power.
        min_power: Least power, for decibels.
        ref_power: Power of 0 decibels.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, samples), or one signal (samples,). Output: shape (batch, num_mel_bins, frames), or
    (num_mel_bins, frames), floating-point; there is a frame around every `sequence_stride`-th sample.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.MelSpectrogram(64, 16, num_mel_bins=8)(np.ones((2, 160), dtype="float32")).shape
        (2, 8, 11)
    """

    built_at_once = False
    keeps_values = False
    autocast = False  # half precision is not enough for a Fourier transform

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.fft_length = checks.positive_int("fft_length", fft_length, self)
        self.sequence_stride = checks.positive_int("sequence_stride", sequence_stride, self)
        self.sequence_length = self.fft_length
        if sequence_length is not None:
            self.sequence_length = checks.positive_int("sequence_length", sequence_length, self)
        if self.fft_length < self.sequence_length:
            raise checks.invalid("sequence_length", sequence_length, f"at most fft_length={fft_length}", self)
        self.window = checked_window(window, self)
        if isinstance(self.window, str):
            checks.choice("window", window, ("hann", "hamming"), self)
        elif self.window is not None and len(self.window) != self.sequence_length:
            raise checks.invalid("window", window, f"of the length of the windows, {self.sequence_length}", self)
        self.sampling_rate = checks.positive("sampling_rate", sampling_rate, self)
        self.num_mel_bins = checks.positive_int("num_mel_bins", num_mel_bins, self)
        self.min_freq = checks.non_negative("min_freq", min_freq, self)
        highest = int(self.sampling_rate / 2) if max_freq is None else max_freq
        self.max_freq = checks.positive("max_freq", highest, self)
        if self.max_freq <= self.min_freq:
            raise checks.invalid("max_freq", max_freq, f"above min_freq={min_freq}", self)
        self.power_to_db = checks.boolean("power_to_db", power_to_db, self)
        self.top_db = checks.non_negative("top_db", top_db, self)
        self.mag_exp = checks.positive("mag_exp", mag_exp, self)
        self.min_power = checks.positive("min_power", min_power, self)
        self.ref_power = checks.non_negative("ref_power", ref_power, self)

    def call(self, x: Array) -> Array:
        from portanet.ops.signal import stft  # few models need all operations

        self.compute_output_shape(x.shape)
        x, restore = widened(self, x)
        xp, like = array_namespace(x), storage(x)
        window = constant(like, self.window, x.dtype) if isinstance(self.window, list) else self.window
        real, imag = stft(x, self.sequence_length, self.sequence_stride, self.fft_length, window)
        power = real * real + imag * imag
        if self.mag_exp != 2:
            power = power ** (self.mag_exp / 2)
        bins, nyquist = self.fft_length // 2 + 1, self.sampling_rate / 2
        out = xp.matmul(power, _bands(xp, like, self.num_mel_bins, bins, nyquist, self.min_freq, self.max_freq))
        if self.power_to_db and 0 not in out.shape:
            out = self._decibels(xp, out)
        return restore(xp.matrix_transpose(out))

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> Array:
        """The weight of each frequency in each band, shape (num_spectrogram_bins, num_mel_bins), for a product with the
        power of frequencies.

        Args:
            num_mel_bins: Number of bands.
            num_spectrogram_bins: Number of frequencies, from 0 to half of `sampling_rate`.
            sampling_rate: Samples per second.
            lower_edge_hertz: Lower end of the first band.
            upper_edge_hertz: Upper end of the last band.
            dtype: Dtype of the weights.
        """
        count = checks.positive_int("num_mel_bins", num_mel_bins, self)
        bins = checks.integer("num_spectrogram_bins", num_spectrogram_bins, self, least=2)
        nyquist = checks.positive("sampling_rate", sampling_rate, self) / 2
        low = checks.non_negative("lower_edge_hertz", lower_edge_hertz, self)
        high = checks.number("upper_edge_hertz", upper_edge_hertz, f"({low}, inf)", self)
        like = asarray(0.0, dtype)
        return _bands(array_namespace(like), like, count, bins, nyquist, low, high)

    def _decibels(self, xp: Any, power: Array) -> Array:
        levels = 10.0 * xp.log10(xp.maximum(power, self.min_power))
        levels = levels - 10.0 * math.log10(max(abs(self.ref_power), self.min_power))
        return xp.maximum(levels, xp.max(levels) - self.top_db)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) not in (1, 2):
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (batch, samples) or (samples,). "
                f"Received: shape {tuple(input_shape)}"
            )
        *batch, samples = input_shape
        around = self.fft_length // 2
        if samples is not None and samples <= around:
            raise ValueError(
                f"Layer '{self.name}' needs more than {around} samples, half of fft_length. "
                f"Received: shape {tuple(input_shape)}"
            )
        frames = None if samples is None else (samples + 2 * around - self.fft_length) // self.sequence_stride + 1
        return (*batch, self.num_mel_bins, frames)


def _bands(xp: Any, like: Array, count: int, bins: int, nyquist: float, lowest: float, highest: float) -> Array:
    """The weight of each of some frequencies, from 0 to `nyquist`, in each of `count` bands."""
    mels = [_mel(nyquist * i / (bins - 1)) for i in range(1, bins)]
    first, last = _mel(lowest), _mel(highest)
    edges = [first + (last - first) * i / (count + 1) for i in range(count + 2)]
    bin_mels = xp.expand_dims(constant(like, mels, like.dtype), axis=1)
    low, center, high = (constant(like, edges[i : i + count], like.dtype) for i in range(3))
    rising, falling = (bin_mels - low) / (center - low), (high - bin_mels) / (high - center)
    triangles = xp.maximum(xp.minimum(rising, falling), 0.0)
    return xp.concat([xp.zeros_like(triangles[:1, :]), triangles], axis=0)  # the constant part is in no band


def _mel(frequency: float) -> float:
    """A frequency in Hertz on the mel scale."""
    return 1127.0 * math.log(1.0 + frequency / 700.0)

"""Spectrograms, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close

FIRST = {"data_format": "channels_first", "expand_dims": True}


def test_matrix(backend: Backend) -> None:
    kernels = {"real_kernel": (8, 1, 5), "imag_kernel": (8, 1, 5)}
    check_layer(lambda: layers.STFTSpectrogram(frame_length=8), (2, 20, 2), (2, 4, 10), kernels)
    if backend.name != "jax":  # slow to compile
        make = lambda: layers.STFTSpectrogram("psd", 8, 3, padding="same", **FIRST)
        check_layer(make, (2, 2, 20), (2, 2, 7, 5), kernels)
    mel = lambda: layers.MelSpectrogram(16, 8, num_mel_bins=3, min_freq=1000.0, power_to_db=False)
    check_layer(mel, (2, 40), (2, 3, 6), {})


def test_a_tone_is_in_its_band(backend: Backend) -> None:
    x = np.sin(2 * np.pi * 1000 / 8000 * np.arange(1024))
    layer = layers.MelSpectrogram(256, 64, 200, sampling_rate=8000, num_mel_bins=10, top_db=60.0)
    levels = portanet.to_host(layer(portanet.asarray(x)))
    assert levels.shape == (10, 17)
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 4000 / 700), 12)
    mel = 1127 * np.log(1 + 1000 / 700)
    band = int(np.argmin(np.abs(edges[1:-1] - mel)))
    assert (levels[:, 2:-2].argmax(axis=0) == band).all()
    assert levels.max() - levels.min() == pytest.approx(60.0, rel=1e-4)


def test_half_precision_computes_in_single(backend: Backend) -> None:
    if not hasattr(backend.xp, "float16"):
        pytest.skip("no half precision")
    x = np.random.default_rng(0).normal(size=(2, 300)) * 50
    half, single = (layers.MelSpectrogram(64, 16, num_mel_bins=4, dtype=d) for d in ("mixed_float16", "float32"))
    out = half(portanet.asarray(x))
    assert backend.dtype_name(out.dtype) == "float16"
    assert_close(out, portanet.to_host(single(portanet.asarray(x))), rtol=2e-3, atol=2e-2, dtype="float16")


def test_frozen_kernels_and_unknown_lengths(backend: Backend) -> None:
    model = portanet.Sequential([layers.Input((None, 1)), layers.STFTSpectrogram("stft", 8, trainable=False)])
    assert model.output_shape == (None, None, 10)
    assert model.trainable_weights == []
    assert model.predict(np.ones((2, 24, 1)), verbose=0).shape == (2, 5, 10)
    mel = layers.MelSpectrogram(16, 8, window=[0.5] * 16, num_mel_bins=3, min_freq=900.0)
    assert mel.compute_output_shape((None, None)) == (None, 3, None)
    assert type(mel).from_config(mel.get_config()).window == [0.5] * 16


def test_bad_arguments_and_inputs() -> None:
    with pytest.raises(ValueError, match=r"`frame_step` .*must be at most frame_length=8"):
        layers.STFTSpectrogram(frame_length=8, frame_step=9)
    with pytest.raises(ValueError, match=r"`fft_length` .*at least 8"):
        layers.STFTSpectrogram(frame_length=8, fft_length=4)
    with pytest.raises(ValueError, match=r"`window` .*must be the name of a window"):
        layers.STFTSpectrogram(window="glass")
    with pytest.raises(ValueError, match=r"`window` .*of the length of the frames, 8"):
        layers.STFTSpectrogram(frame_length=8, window=[1.0])(np.ones((1, 8, 1), "float32"))
    with pytest.warns(UserWarning, match="should be a power of two"):
        layers.STFTSpectrogram(frame_length=8, fft_length=12)
    with pytest.raises(ValueError, match="needs at least 8 samples"):
        layers.STFTSpectrogram(frame_length=8)(np.ones((1, 7, 1), "float32"))
    with pytest.raises(ValueError, match=r"`sequence_length` .*at most fft_length=8"):
        layers.MelSpectrogram(8, sequence_length=9)
    with pytest.raises(ValueError, match=r"`max_freq` .*above min_freq"):
        layers.MelSpectrogram(8, max_freq=10.0)
    with pytest.raises(ValueError, match="needs more than 4 samples"):
        layers.MelSpectrogram(8)(np.ones((1, 4), "float32"))

"""Spectrograms against Keras's: values and gradients in all modes and formats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.oracles.slopes import same_as_keras

keras = pytest.importorskip("keras")

FORMS: tuple[dict[str, Any], ...] = (
    {"frame_step": 3, "fft_length": 16, "window": "hamming", "periodic": True, "scaling": "spectrum"},
    {"padding": "same", "expand_dims": True},
    {"data_format": "channels_first", "expand_dims": True, "window": None},
    {"data_format": "channels_first", "scaling": None, "window": "bartlett"},
)


@pytest.mark.parametrize("form", range(len(FORMS)))
@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "real", "imag", "angle", "stft"])
def test_convolved_spectrograms(mode: str, form: int) -> None:
    options = FORMS[form]
    shape = (2, 3, 25) if "data_format" in options else (2, 25, 3)
    ours, theirs = (module.STFTSpectrogram(mode, 8, dtype="float64", **options) for module in (layers, keras.layers))
    same_as_keras(ours, theirs, np.random.default_rng(0).normal(size=shape))


MEL: tuple[dict[str, Any], ...] = (
    {"min_freq": 500.0},
    {"sequence_length": 50, "window": "hamming", "mag_exp": 1.0, "top_db": 20.0, "ref_power": 2.0, "min_freq": 800.0},
    {"window": None, "power_to_db": False, "max_freq": 3000.0, "sampling_rate": 8000, "min_freq": 400.0},
)


@pytest.mark.parametrize("options", MEL)
def test_mel_spectrograms(options: dict[str, Any]) -> None:
    x = np.random.default_rng(0).normal(size=(2, 400)).astype("float32")
    ours, theirs = (module.MelSpectrogram(64, 16, num_mel_bins=6, **options) for module in (layers, keras.layers))
    for signal in (x, x[0]):
        np.testing.assert_allclose(ours(signal), theirs(signal).numpy(), rtol=1e-3, atol=1e-3)


def test_gradients(backend: Backend) -> None:
    options = {"num_mel_bins": 4, "min_freq": 900.0, "dtype": "float64"}
    ours, theirs = (module.MelSpectrogram(32, 16, **options) for module in (layers, keras.layers))
    same_as_keras(ours, theirs, np.random.default_rng(0).normal(size=(2, 90)))
    ours, theirs = (module.STFTSpectrogram("log", 8, dtype="float64") for module in (layers, keras.layers))
    same_as_keras(ours, theirs, np.random.default_rng(0).normal(size=(2, 25, 2)))

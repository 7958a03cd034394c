"""Resizing and CenterCrop against Keras: values and gradients, of batches and single images, floats and bytes.

Keras on PyTorch has another bicubic kernel than on TensorFlow and JAX, and no Lanczos kernels; JAX is the oracle there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.oracles.slopes import same_as_keras

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(0)
RATIOS: tuple[dict[str, Any], ...] = (
    {},
    {"crop_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True, "fill_value": 0.5},
)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_resizing(interpolation: str, ratio: dict[str, Any]) -> None:
    for size in ((4, 9), (10, 3)):
        for antialias in (False, True):
            ours, theirs = (
                L.Resizing(*size, interpolation, antialias=antialias, **ratio) for L in (layers, keras.layers)
            )
            x = RNG.uniform(0, 255, (2, 7, 6, 3)).astype("float32")
            np.testing.assert_allclose(ours(x), theirs(x).numpy(), rtol=1e-4, atol=1e-3)
            single, own = (
                L.Resizing(*size, interpolation, data_format="channels_first") for L in (layers, keras.layers)
            )
            np.testing.assert_allclose(single(x[0]), own(x[0]).numpy(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3", "lanczos5"])
def test_resizing_with_wide_kernels(interpolation: str) -> None:
    jax = pytest.importorskip("jax")
    method = {"bicubic": "cubic"}.get(interpolation, interpolation)
    x = RNG.uniform(0, 255, (1, 7, 6, 2)).astype("float32")
    for antialias in (False, True):
        expected = jax.image.resize(x, (1, 4, 9, 2), method, antialias)
        ours = layers.Resizing(4, 9, interpolation, antialias=antialias)(x)
        np.testing.assert_allclose(ours, np.asarray(expected), rtol=1e-4, atol=1e-3)


def test_resizing_of_bytes() -> None:
    x = RNG.integers(0, 256, (2, 7, 6, 3)).astype("uint8")
    for kind in ("nearest", "bilinear"):
        ours, theirs = (L.Resizing(5, 9, kind)(x) for L in (layers, keras.layers))
        assert ours.dtype == np.uint8
        np.testing.assert_allclose(ours.astype("int32"), theirs.numpy().astype("int32"), atol=1)  # halves


@pytest.mark.parametrize("size", [(3, 4), (4, 3), (8, 4), (3, 9), (12, 5)])
def test_center_crop(size: tuple[int, int]) -> None:
    x = RNG.uniform(0, 255, (2, 7, 6, 5)).astype("float32")
    for data, form in ((x, "channels_last"), (x, "channels_first"), (x[0], "channels_last"), (x[0], "channels_first")):
        ours, theirs = (L.CenterCrop(*size, data_format=form)(data) for L in (layers, keras.layers))
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-4, atol=1e-3)


def test_gradients(backend: Backend) -> None:
    x = RNG.normal(size=(2, 5, 4, 2))
    for make in (
        lambda L: L.Resizing(3, 6, dtype="float64"),
        lambda L: L.Resizing(3, 6, "nearest", pad_to_aspect_ratio=True, dtype="float64"),
        lambda L: L.CenterCrop(3, 2, dtype="float64"),
        lambda L: L.CenterCrop(6, 2, dtype="float64"),
    ):
        same_as_keras(make(layers), make(keras.layers), x)


def test_in_a_model(backend: Backend) -> None:
    model = portanet.Sequential([layers.Input((None, None, 3)), layers.Resizing(4, 4), layers.CenterCrop(2, 2)])
    assert model.output_shape == (None, 2, 2, 3)
    assert model.predict(np.ones((3, 5, 6, 3)), verbose=0).shape == (3, 2, 2, 3)

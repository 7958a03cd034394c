"""Augmentation that changes the values of pixels, and zoom: each at a fixed factor, by its formula, and its range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer

IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (40, 3, 4, 3))

FIXED: dict[str, tuple[Any, Any]] = {
    "RandomBrightness": (lambda: layers.RandomBrightness((-0.2, -0.2)), np.clip(IMAGES - 51.0, 0, 255)),
    "RandomContrast": (lambda: layers.RandomContrast(0), IMAGES),
    "RandomGrayscale": (
        lambda: layers.RandomGrayscale(1.0),
        np.repeat(IMAGES @ np.asarray([[0.2989], [0.587], [0.114]]), 3, axis=-1),
    ),
    "RandomInvert": (lambda: layers.RandomInvert((1.0, 1.0)), 255.0 - IMAGES),
    "RandomPosterization": (lambda: layers.RandomPosterization((3, 3)), np.floor(IMAGES / 32) * 32),
    "Solarization": (
        lambda: layers.Solarization((0.1, 0.1), (0.5, 0.5)),
        np.where(np.minimum(IMAGES + 25.5, 255) < 127.5, IMAGES + 25.5, 255 - np.minimum(IMAGES + 25.5, 255)),
    ),
}

DRAWN: dict[str, Any] = {
    "brightness": lambda: layers.RandomBrightness(0.2, (-5, 5), seed=1),
    "contrast": lambda: layers.RandomContrast(0.5, (-5, 5), seed=1),
    "grayscale": lambda: layers.RandomGrayscale(seed=1),
    "invert": lambda: layers.RandomInvert(0.5, (-5, 5), seed=1),
    "posterization": lambda: layers.RandomPosterization(4, (-5, 5), seed=1),
    "solarization": lambda: layers.Solarization(0.2, (0.5, 0.5), (-5, 5), seed=1),
    "zoom": lambda: layers.RandomZoom(0.3, (-0.1, 0.6), seed=1),
    "blur": lambda: layers.RandomGaussianBlur((1.0, 1.0), (3, 5), (0.4, 0.9), (-5, 5), seed=1),
    "color degeneration": lambda: layers.RandomColorDegeneration((0.2, 0.9), (-5, 5), seed=1),
    "color jitter": lambda: layers.RandomColorJitter((-5, 5), 0.1, 0.2, 0.3, 0.4, seed=1),
    "erasing": lambda: layers.RandomErasing(1.0, (0.1, 0.6), value_range=(-5, 5), seed=1),
    "hue": lambda: layers.RandomHue(0.5, (-5, 5), seed=1),
    "saturation": lambda: layers.RandomSaturation(0.4, (-5, 5), seed=1),
    "auto contrast": lambda: layers.AutoContrast((-5, 5)),
    "equalization": lambda: layers.Equalization((-5, 5), 64),
    "equalization by tiles": lambda: layers.ContrastLimitedAdaptiveHistogramEqualization((-5, 5), 2.0, (2, 2)),
    "mix up": lambda: layers.MixUp(0.5, seed=1),
    "cut mix": lambda: layers.CutMix(seed=1),
    "sharpness": lambda: layers.RandomSharpness(1.0, (-5, 5), seed=1),
}


@pytest.mark.parametrize("name", DRAWN)
def test_layer(backend: Backend, name: str) -> None:
    """In training mode: results equal to NumPy's, derivatives, shapes."""
    if backend.name == "jax" and name in ("mix up", "cut mix"):
        pytest.skip("beta distributions compile for minutes")
    gradient = name not in ("posterization", "equalization", "equalization by tiles")  # steps
    check_layer(DRAWN[name], (3, 5, 4, 3), (3, 5, 4, 3), {}, training=True, gradient=gradient, atol=1e-4)


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_factor(backend: Backend, name: str) -> None:
    make, expected = FIXED[name]
    x = portanet.asarray(IMAGES)
    np.testing.assert_allclose(portanet.to_host(make()(x, training=True)), expected, rtol=2e-5, atol=1e-3)
    np.testing.assert_array_equal(portanet.to_host(make()(x, training=False)), portanet.to_host(x))
    config = make().get_config()
    turned = make().from_config({**config, "data_format": "channels_first"})
    first = portanet.asarray(np.moveaxis(IMAGES, -1, 1))
    expected = np.moveaxis(expected, -1, 1)
    np.testing.assert_allclose(portanet.to_host(turned(first, training=True)), expected, rtol=2e-5, atol=1e-3)


def test_values_from_0_to_1() -> None:
    x = IMAGES / 255.0
    for layer, whole in (
        (layers.RandomPosterization((2, 2), (0, 1)), layers.RandomPosterization((2, 2))),
        (layers.Solarization((0.1, 0.1), (0.5, 0.5), (0, 1)), layers.Solarization((0.1, 0.1), (0.5, 0.5))),
        (layers.RandomBrightness((0.3, 0.3), (0, 1)), layers.RandomBrightness((0.3, 0.3))),
    ):
        np.testing.assert_allclose(layer(x, training=True) * 255.0, whole(IMAGES, training=True), atol=1e-9)


def test_each_image_has_its_own_factor_in_the_range() -> None:
    x = np.tile(np.asarray([100.0, 110.0, 140.0, 150.0]).reshape(1, 2, 2, 1), (200, 1, 1, 1))
    added = (layers.RandomBrightness(0.2)(x, training=True) - x)[:, :, :, 0].reshape(200, 4)
    assert np.ptp(added, axis=1).max() < 1e-4
    assert -51.0 <= added.min() < -40.0
    assert 40.0 < added.max() <= 51.0
    ratio = ((layers.RandomContrast((0.5, 0.2))(x, training=True) - 125.0) / (x - 125.0)).reshape(200, 4)
    assert np.ptp(ratio, axis=1).max() < 1e-4
    assert 0.5 <= ratio.min() < 0.55
    assert 1.15 < ratio.max() <= 1.2
    gray = layers.RandomGrayscale(0.3)(IMAGES, training=True)
    assert 4 <= sum(np.allclose(a[..., 0], a[..., 1]) for a in gray) <= 20
    inverted = layers.RandomInvert((0.3, 0.3))(IMAGES, training=True)
    assert 4 <= sum(np.allclose(a, 255.0 - b) for a, b in zip(inverted, IMAGES, strict=True)) <= 20
    levels = layers.RandomPosterization(4)(np.full((200, 1, 1, 1), 255.0), training=True).ravel()
    assert set(levels) == {128.0, 192.0, 224.0}  # 1, 2 or 3 bits


def test_zoom_is_an_affine_map(backend: Backend) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    x = IMAGES[:2]
    for factors, scale in ((((0.5, 0.5),), (1.5, 1.5)), (((-0.25, -0.25), (0.4, 0.4)), (0.75, 1.4))):
        result = layers.RandomZoom(*factors, fill_mode="nearest")(portanet.asarray(x), training=True)
        offset = [(n - 1) / 2 * (1 - s) for n, s in zip(x.shape[1:3], scale, strict=True)]
        expected = np.stack(
            [
                np.stack(
                    [ndimage.affine_transform(i[..., c], scale, offset, order=1, mode="nearest") for c in range(3)], -1
                )
                for i in x
            ]
        )
        np.testing.assert_allclose(portanet.to_host(result), expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomBrightness(1.5), r"`factor` of layer 'random_brightness' must be a number in \[-1, 1\]"),
        (lambda: layers.RandomContrast(-0.1), r"`factor` of layer 'random_contrast' must be a number in \[0, 1\]"),
        (lambda: layers.RandomContrast((0.1, 0.2, 0.3)), "a list of 2 numbers"),
        (lambda: layers.RandomGrayscale(2), r"in \[0, 1\]"),
        (lambda: layers.RandomGrayscale()(np.ones((1, 2, 2, 1)), training=True), "images of 3 channels. Received: 1"),
        (lambda: layers.RandomInvert(-1), r"in \[0, 1\]"),
        (lambda: layers.RandomPosterization(9), "at most 8 bits"),
        (lambda: layers.Solarization(value_range=(1, 1)), "a pair of different numbers"),
        (lambda: layers.RandomZoom((-1.0, 0.0)), "greater than -1"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), r"`kernel_size` .* odd numbers"),
        (lambda: layers.RandomErasing(fill_value=(1.0, 2.0)), r"`fill_value` .* 3 numbers"),
        (lambda: layers.RandomPerspective(scale=1.5), r"`scale` of layer 'random_perspective' .* in \[0, 1\]"),
        (lambda: layers.RandomShear(-0.1), r"`x_factor` of layer 'random_shear' must be a number in \[0, 1\]"),
        (lambda: layers.RandomElasticTransform(fill_mode="edge"), "`fill_mode`"),
        (lambda: layers.MixUp(0.0), "`alpha` of layer 'mix_up' must be a positive"),
        (lambda: layers.Pipeline(["flip"]), "`layers` of layer 'pipeline' must be a list of layers"),
        (lambda: layers.AutoContrast((1, 1)), "a pair of different numbers"),
    ],
)
def test_messages(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

"""Operations on images without `data_format`, when `config.set_image_data_format("channels_first")` was called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

import portanet
from portanet.ops import image
from tests.support import asarray, to_numpy

X = np.random.default_rng(0).uniform(size=(2, 3, 8, 6)).astype("float32")
KERNEL = np.random.default_rng(1).normal(size=(3, 3, 3, 2)).astype("float32")
TURN = np.asarray([[1.0, 0.1, 0.0, 0.2, 1.0, 0.5, 0.0, 0.0]] * 2, dtype="float32")

CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "conv": lambda ops, image, array: ops.conv(array(X), array(KERNEL)),
    "max_pool": lambda ops, image, array: ops.max_pool(array(X), 2),
    "resize": lambda ops, image, array: image.resize(array(X), (4, 5)),
    "extract_patches": lambda ops, image, array: image.extract_patches(array(X), 2),
    "rgb_to_hsv": lambda ops, image, array: image.rgb_to_hsv(array(X)),
    "affine_transform": lambda ops, image, array: image.affine_transform(array(X), array(TURN)),
    "gaussian_blur": lambda ops, image, array: image.gaussian_blur(array(X)),
}


@pytest.fixture
def channels_first() -> Iterator[None]:
    for library in (portanet, keras):
        library.config.set_image_data_format("channels_first")
    yield
    for library in (portanet, keras):
        library.config.set_image_data_format("channels_last")


@pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning")
@pytest.mark.parametrize("name", CALLS)
def test_as_keras(xp: Any, channels_first: None, name: str) -> None:
    expected = CALLS[name](keras.ops, keras.ops.image, keras.ops.convert_to_tensor)
    result = CALLS[name](portanet.ops, image, asarray)
    np.testing.assert_allclose(to_numpy(result), keras.ops.convert_to_numpy(expected), rtol=1e-4, atol=1e-5)


def test_layers_of_colours_and_ssim(xp: Any, channels_first: None) -> None:
    """They move channels to the end, whatever the setting says."""
    x = asarray(X)
    hue = portanet.layers.RandomHue(0.0, value_range=(0, 1))
    saturation = portanet.layers.RandomSaturation((0.5, 0.5), value_range=(0, 1))
    for layer in (hue, saturation):
        np.testing.assert_allclose(to_numpy(layer(x, training=True)), X, rtol=1e-4, atol=1e-5)
    assert float(to_numpy(image.ssim(x, x, 1.0, filter_size=3)).min()) == pytest.approx(1.0, abs=1e-4)

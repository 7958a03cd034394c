"""Images pixel by pixel: which part is kept, how values are scaled, and where channels are."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

from portanet import utils

image_module = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize(
    ("shape", "target", "kept"),
    [
        ((2, 8), (2, 2), (slice(0, 2), slice(3, 5))),
        ((8, 2), (2, 2), (slice(3, 5), slice(0, 2))),
        ((4, 12), (2, 4), (slice(0, 4), slice(2, 10))),
        ((12, 4), (4, 2), (slice(2, 10), slice(0, 4))),
        ((2, 4), (4, 8), (slice(0, 2), slice(0, 4))),
    ],
)
def test_the_middle_is_kept(shape: Any, target: Any, kept: Any, tmp_path: pathlib.Path) -> None:
    pixels = np.arange(np.prod(shape), dtype="uint8").reshape(shape)
    image_module.fromarray(pixels).save(tmp_path / "x.png")
    part = pixels[kept]
    expected = np.asarray(image_module.fromarray(part).resize(target[::-1], image_module.Resampling.NEAREST))
    loaded = utils.load_img(tmp_path / "x.png", "grayscale", target, "nearest", keep_aspect_ratio=True)
    np.testing.assert_array_equal(np.asarray(loaded), expected)
    stretched = utils.load_img(tmp_path / "x.png", "grayscale", target, "nearest")
    whole = image_module.fromarray(pixels).resize(target[::-1], image_module.Resampling.NEAREST)
    np.testing.assert_array_equal(np.asarray(stretched), np.asarray(whole))


def test_channels_and_scale() -> None:
    x = np.arange(24.0).reshape(2, 4, 3)
    scaled = np.asarray(utils.array_to_img(x))
    np.testing.assert_array_equal(scaled, (x / 23 * 255).astype("float32").astype("uint8"))
    first = np.asarray(utils.array_to_img(np.transpose(x, (2, 0, 1)), "channels_first"))
    np.testing.assert_array_equal(first, scaled)
    np.testing.assert_array_equal(np.asarray(utils.array_to_img(x, scale=False)), x.astype("uint8"))
    constant = np.asarray(utils.array_to_img(np.full((2, 2, 1), 7.0)))
    assert (constant.dtype, constant.tolist()) == (np.uint8, [[0, 0], [0, 0]])
    for largest, dtype in ((255.0, np.uint8), (256.0, np.int32)):
        one = np.asarray(utils.array_to_img(np.full((1, 2, 1), largest), scale=False))
        assert (one.dtype, one.tolist()) == (dtype, [[largest, largest]])
    for shape, order in (((2, 2), None), ((2, 2, 2), None), ((2, 2, 5), None), ((2, 2, 3), "channels_first")):
        with pytest.raises(ValueError, match=r"with 1, 3 or 4 channels"):
            utils.array_to_img(np.zeros(shape), order)
    assert utils.array_to_img(np.zeros((2, 3, 4))).mode == "RGBA"


def test_arrays_of_images() -> None:
    x = np.arange(6, dtype="uint8").reshape(2, 3)
    array = utils.img_to_array(image_module.fromarray(x))
    assert (array.shape, array.dtype) == ((2, 3, 1), np.float32)
    np.testing.assert_array_equal(array[:, :, 0], x)
    assert utils.img_to_array(image_module.fromarray(x), "channels_first", "uint8").shape == (1, 2, 3)
    colors = np.arange(18, dtype="uint8").reshape(2, 3, 3)
    first = utils.img_to_array(image_module.fromarray(colors), "channels_first", "float64")
    np.testing.assert_array_equal(first, np.transpose(colors, (2, 0, 1)))
    assert first.dtype == np.float64

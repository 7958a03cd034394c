"""Resizing against its definition: every weight on its own, by the formulas of the kernels."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from portanet import ops
from portanet.autodiff import check_grads, vmap
from tests.support import asarray, assert_close, to_numpy

IMAGES = np.random.default_rng(3).uniform(size=(2, 5, 7, 2))


def keys(x: float) -> float:
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


KERNELS: dict[str, Any] = {
    "linear": lambda x: max(1 - x, 0.0),
    "cubic": keys,
    "lanczos3": lambda x: np.sinc(x) * np.sinc(x / 3) if x < 3 else 0.0,
    "lanczos5": lambda x: np.sinc(x) * np.sinc(x / 5) if x < 5 else 0.0,
}


def along(x: Any, axis: int, count: int, scale: float, shift: float, kernel: Any, antialias: bool) -> Any:
    """An axis with `count` positions; position i is at `(i + 0.5 - shift) / scale - 0.5` of the old ones."""
    size = x.shape[axis]
    weights = np.zeros((count, size))
    for i in range(count):
        place = (i + 0.5 - shift) / scale - 0.5
        if -0.5 <= place <= size - 0.5:
            row = [kernel(abs(place - j) * (min(scale, 1.0) if antialias else 1.0)) for j in range(size)]
            weights[i] = np.asarray(row) / np.sum(row)
    return np.moveaxis(np.tensordot(weights, x, axes=((1,), (axis,))), 0, axis)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_resize(backend: Any, method: str) -> None:
    """Larger, smaller, and much smaller than the width of the kernels."""
    kernel = KERNELS[method.removeprefix("bi")]
    for (height, width), antialias in itertools.product(((8, 9), (3, 2), (1, 12), (5, 4)), (False, True)):
        result = ops.image.resize(asarray(IMAGES, "float32"), (height, width), method, antialias)
        expected = along(IMAGES, 1, height, height / 5, 0.0, kernel, antialias)
        expected = along(expected, 2, width, width / 7, 0.0, kernel, antialias)
        np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-4, atol=1e-5, err_msg=f"{height, width}")


@pytest.mark.parametrize("method", ["linear", "cubic", "lanczos3", "lanczos5"])
def test_scale_and_translate(backend: Any, method: str) -> None:
    """Positions outside of the images are zeros."""
    for scales, shifts, antialias in (((1.7, 0.4), (0.6, 1.2), True), ((0.6, 2.1), (-1.1, -3.3), False)):
        result = ops.image.scale_and_translate(
            asarray(IMAGES, "float32"), (2, 6, 8, 2), asarray(scales), asarray(shifts), (1, -2), method, antialias
        )
        expected = IMAGES
        for axis, count, scale, shift in zip((1, 2), (6, 8), scales, shifts, strict=True):
            expected = along(expected, axis, count, scale, shift, KERNELS[method], antialias)
        np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["linear", "cubic", "lanczos3", "lanczos5"])
def test_derivatives_by_scale_and_translation(method: str) -> None:
    def f(x: Any, scale: Any, shift: Any) -> Any:
        return ops.image.scale_and_translate(x, (6, 3), scale, shift, (0, 1), method)

    args = (IMAGES[0, :, :, 0], np.asarray([1.31, 0.43]), np.asarray([0.17, 0.39]))
    check_grads(f, args)
    each = vmap(lambda s: f(args[0], s, args[2]))(np.stack([args[1], args[1] * 0.9]))
    np.testing.assert_allclose(each, [f(args[0], args[1], args[2]), f(args[0], args[1] * 0.9, args[2])])


NAMES = {"bilinear": "linear", "trilinear": "linear", "triangle": "linear", "bicubic": "cubic", "tricubic": "cubic"}


@pytest.mark.parametrize("name", NAMES)
def test_other_names_of_methods(name: str) -> None:
    results = (
        ops.image.scale_and_translate(IMAGES[0, 0, :, 0], (9,), [1.3], [0.2], (0,), each)
        for each in (name, NAMES[name])
    )
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_whole_numbers_are_rounded_within_their_dtype(backend: Any, method: str) -> None:
    for dtype, low, high in (("uint8", 0, 255), ("int8", -128, 127)):
        x = np.random.default_rng(0).choice([low, high], (1, 6, 7, 1)).astype(dtype)
        whole = to_numpy(ops.image.resize(asarray(x.astype("float32")), (9, 4), method))
        result = to_numpy(ops.image.resize(asarray(x, dtype), (9, 4), method))
        assert result.dtype == dtype
        assert np.abs(result - np.clip(whole, low, high)).max() <= 0.51


@pytest.mark.parametrize(("height", "width"), [(4, 4), (10, 4), (3, 10), (5, 7)])
def test_cropped_and_padded_in_the_middle(backend: Any, height: int, width: int) -> None:
    """To the ratio of the new size: a part of the images, or a frame around them."""
    for h, w in ((5, 7), (7, 5)):
        image = np.random.default_rng(1).uniform(size=(2, h, w, 2))
        x = asarray(image, "float32")
        rows, columns = min(h, w * height // width), min(w, h * width // height)
        top, left = (h - rows) // 2, (w - columns) // 2
        part = asarray(image[:, top : top + rows, left : left + columns], "float32")
        for method in ("nearest", "bilinear"):
            actual = ops.image.resize(x, (height, width), method, crop_to_aspect_ratio=True)
            assert_close(actual, to_numpy(ops.image.resize(part, (height, width), method)))
            down, across = (max((n - old) // 2, 0) for n, old in ((w * height // width, h), (h * width // height, w)))
            wide = np.pad(image, ((0, 0), (down, down), (across, across), (0, 0)), constant_values=0.4)
            actual = ops.image.resize(x, (height, width), method, pad_to_aspect_ratio=True, fill_value=0.4)
            assert_close(actual, to_numpy(ops.image.resize(asarray(wide, "float32"), (height, width), method)))


@pytest.mark.parametrize("method", ["nearest", "bilinear", "lanczos3"])
def test_formats_and_single_images(backend: Any, method: str) -> None:
    x = asarray(IMAGES, "float32")
    expected = to_numpy(ops.image.resize(x, (3, 9), method))
    first = ops.image.resize(
        asarray(np.moveaxis(IMAGES, -1, 1), "float32"), (3, 9), method, data_format="channels_first"
    )
    assert_close(first, np.moveaxis(expected, -1, 1))
    assert_close(ops.image.resize(x[1, ...], (3, 9), method), expected[1])
    places = np.ix_([0, 2, 4], [0, 1, 1, 2, 3, 4, 5, 5, 6])
    if method == "nearest":
        np.testing.assert_array_equal(expected, IMAGES.astype("float32")[:, places[0], places[1]])

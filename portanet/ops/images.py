"""Colours, crops and patches of images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, device_of
from portanet.ops.convolutions import conv
from portanet.ops.dtypes import floating
from portanet.ops.matrices import pad
from portanet.ops.operation import channels_are_first, operation
from portanet.ops.resizing import spatial_first

Size = int | Sequence[int]
ROWS, COLUMNS = "top, bottom and target_height", "left, right and target_width"


@operation
def rgb_to_grayscale(images: Array, data_format: str | None = None) -> Array:
    """Brightness: 0.2989 red + 0.587 green + 0.114 blue.

    Args:
        images: Shape (height, width, 3), or a batch of them; channels first if `data_format` says so.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> round(float(rgb_to_grayscale([[[1.0, 0.0, 0.0]]])[0, 0, 0]), 4)
        0.2989
    """
    x, back = spatial_first(images, data_format, "rgb_to_grayscale")
    if x.shape[-1] == 1:
        return images
    red, green, blue = _channels(floating(x), "rgb_to_grayscale")
    gray = 0.2989 * red + 0.587 * green + 0.114 * blue
    return back(array_namespace(gray).astype(gray, x.dtype)[..., None])


def _channels(x: Array, of: str) -> tuple[Array, Array, Array]:
    if x.shape[-1] != 3:
        raise ValueError(f"Argument `images` of {of} must have three channels. Received: shape {tuple(x.shape)}")
    return x[..., 0], x[..., 1], x[..., 2]


@operation
def rgb_to_hsv(images: Array, data_format: str | None = None) -> Array:
    """Hue, saturation and value of colours between 0 and 1; see `rgb_to_grayscale`.

    Args:
        images: Red, green and blue in [0, 1] on the axis of channels.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> rgb_to_hsv([[[0.0, 0.5, 0.0]]])[0, 0].round(4)
        array([0.3333, 1.    , 0.5   ], dtype=float32)
    """
    x, back = spatial_first(floating(images), data_format, "rgb_to_hsv")
    red, green, blue = _channels(x, "rgb_to_hsv")
    xp = array_namespace(x)
    value = xp.maximum(xp.maximum(red, green), blue)
    span = value - xp.minimum(xp.minimum(red, green), blue)
    gray = span == 0
    saturation = xp.where(value > 0, span / xp.where(value > 0, value, 1.0), 0.0)
    unit = 1.0 / (6.0 * xp.where(gray, 1.0, span))
    hue = xp.where(value == green, unit * (blue - red) + 2 / 6, unit * (red - green) + 4 / 6)
    hue = xp.where(gray, 0.0, xp.where(value == red, unit * (green - blue), hue))
    return back(xp.stack([xp.where(hue < 0, hue + 1.0, hue), saturation, value], axis=-1))


@operation
def hsv_to_rgb(images: Array, data_format: str | None = None) -> Array:
    """Red, green and blue from hue, saturation and value; the inverse of `rgb_to_hsv`.

    Args:
        images: Hue, saturation and value in [0, 1] on the axis of channels.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> hsv_to_rgb([[[0.0, 0.0, 0.5]]]).tolist()
        [[[0.5, 0.5, 0.5]]]
    """
    x, back = spatial_first(floating(images), data_format, "hsv_to_rgb")
    hue, saturation, value = _channels(x, "hsv_to_rgb")
    xp = array_namespace(x)
    place = xp.remainder(hue, xp.ones_like(hue)) * 6.0
    distances = (xp.abs(place - 3.0) - 1.0, 2.0 - xp.abs(place - 2.0), 2.0 - xp.abs(place - 4.0))
    parts = [value * (1.0 - saturation + saturation * xp.clip(d, 0.0, 1.0)) for d in distances]
    return back(xp.stack(parts, axis=-1))


def _margins(before: int | None, after: int | None, size: int | None, own: int, names: str, of: str) -> tuple[int, int]:
    """Two margins between an image's own size and another, from two of the three that are not its own."""
    if [before, after, size].count(None) != 1:
        raise ValueError(f"{of} takes two of {names}. Received: {before}, {after} and {size}")
    if size is not None:
        checks.integer(f"target_{'height' if names == ROWS else 'width'}", size, of, least=0)
    total = 0 if size is None else own - size if of == "crop_images" else size - own
    first = total - (after or 0) if before is None else before
    second = total - first if after is None else after
    if min(first, second) < 0:
        raise ValueError(f"Margins of {of} must not be negative. Received: {first} and {second}")
    return first, second


@operation
def crop_images(
    images: Array,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Array:
    """Images without margins; of the margins and the target size, two are given for each axis.

    Args:
        images: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        top_cropping: Rows to leave out at the top.
        left_cropping: Columns to leave out on the left.
        bottom_cropping: Rows to leave out at the bottom.
        right_cropping: Columns to leave out on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> from portanet import ops
        >>> ops.shape(crop_images(ops.ones((5, 6, 3)), 1, 2, target_height=2, target_width=3))
        (2, 3, 3)
    """
    x, back = spatial_first(images, data_format, "crop_images")
    h, w = x.shape[1:3]
    top, bottom = _margins(top_cropping, bottom_cropping, target_height, h, ROWS, "crop_images")
    left, right = _margins(left_cropping, right_cropping, target_width, w, COLUMNS, "crop_images")
    return back(x[:, top : h - bottom, left : w - right, :])


@operation
def pad_images(
    images: Array,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Array:
    """Images with margins of zeros; of the margins and the target size, two are given for each axis; see `crop_images`.

    Args:
        images: See `crop_images`.
        top_padding: Rows to add at the top.
        left_padding: Columns to add on the left.
        bottom_padding: Rows to add at the bottom.
        right_padding: Columns to add on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: See `crop_images`.

    Example:
        >>> from portanet import ops
        >>> ops.shape(pad_images(ops.ones((2, 3, 3)), 1, 2, target_height=5, target_width=6))
        (5, 6, 3)
    """
    x, back = spatial_first(images, data_format, "pad_images")
    h, w = x.shape[1:3]
    rows = _margins(top_padding, bottom_padding, target_height, h, ROWS, "pad_images")
    columns = _margins(left_padding, right_padding, target_width, w, COLUMNS, "pad_images")
    return back(pad(x, ((0, 0), rows, columns, (0, 0))))


def _patches(
    images: Array,
    size: Size,
    strides: Size | None,
    dilation: Size,
    padding: str,
    data_format: str | None,
    rank: int,
    of: str,
) -> Array:
    sizes = checks.integers("size", size, rank, of, least=1)
    single = len(images.shape) == rank + 1
    x = floating(images)
    xp = array_namespace(x)
    x = xp.expand_dims(x, axis=0) if single else x
    channels = x.shape[1] if channels_are_first(data_format, of) else x.shape[-1]
    count = math.prod(sizes) * channels
    kernel = xp.reshape(xp.eye(count, dtype=x.dtype, device=device_of(storage(x))), (*sizes, channels, count))
    result = conv(x, kernel, sizes if strides is None else strides, padding, data_format, dilation)
    return result[0, ...] if single else result


@operation
def extract_patches(
    images: Array,
    size: Size,
    strides: Size | None = None,
    dilation_rate: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Patches of images as channels.

    Args:
        images: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        size: Height and width of the patches, or one number for both; three sizes for volumes.
        strides: Steps of the patches; None for their size.
        dilation_rate: Distances between neighbouring elements of a patch.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> from portanet import ops
        >>> ops.shape(extract_patches(ops.ones((2, 6, 6, 3)), 2))
        (2, 3, 3, 12)
    """
    rank = 3 if not isinstance(size, int) and len(size) == 3 else 2
    return _patches(images, size, strides, dilation_rate, padding, data_format, rank, "extract_patches")


@operation
def extract_patches_3d(
    volumes: Array,
    size: Size,
    strides: Size | None = None,
    dilation_rate: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Patches of volumes as channels; see `extract_patches`.

    Args:
        volumes: Shape (batch, depth, height, width, channels), or with channels second; the batch axis may be missing.
        size: Size of a patch: one number, or one per axis.
        strides: Steps between patches; by default their size.
        dilation_rate: Distance of the elements of a patch.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> import numpy as np
        >>> extract_patches_3d(np.ones((1, 4, 4, 4, 1)), 2).shape
        (1, 2, 2, 2, 8)
    """
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3, "extract_patches_3d")

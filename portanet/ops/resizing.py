"""Resizing of images."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, array_like, device_of
from portanet.ops.dtypes import floating
from portanet.ops.operation import channels_are_first, operation
from portanet.ops.products import tensordot

METHODS = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "triangle": "linear"}
METHODS |= {"cubic": "cubic", "bicubic": "cubic", "tricubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}


def spatial_first(images: Array, data_format: str | None, of: str) -> tuple[Array, Callable[[Array], Array]]:
    """Images of shape (batch, height, width, channels), and a function that undoes the change."""
    first = channels_are_first(data_format, of)
    if len(images.shape) not in (3, 4):
        raise ValueError(
            f"Argument `images` of {of} must have shape (height, width, channels), or a batch axis before. "
            f"Received: shape {tuple(images.shape)}"
        )
    single = len(images.shape) == 3
    xp = array_namespace(images)
    images = xp.expand_dims(images, axis=0) if single else images
    images = xp.moveaxis(images, 1, -1) if first else images

    def back(x: Array) -> Array:
        xp = array_namespace(x)
        x = xp.moveaxis(x, -1, 1) if first else x
        return x[0, ...] if single else x

    return images, back


def rounded(x: Array, like: Array) -> Array:
    """Results for images of integers, rounded and cast back."""
    xp = array_namespace(x)
    if x.dtype == like.dtype or not xp.isdtype(like.dtype, "integral"):
        return x
    limits = xp.iinfo(like.dtype)
    return xp.astype(xp.clip(xp.round(x), float(limits.min), float(limits.max)), like.dtype)


def _triangle(xp: Any, x: Array) -> Array:
    return xp.where(x < 1, 1.0 - x, 0.0)


def _cubic(xp: Any, x: Array) -> Array:
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return xp.where(x >= 2, 0.0, xp.where(x >= 1, far, near))


def _lanczos(radius: float) -> Callable[[Any, Array], Array]:
    def kernel(xp: Any, x: Array) -> Array:
        safe = xp.where(x > 1e-3, x, 1.0)
        value = radius * xp.sin(math.pi * safe) * xp.sin(math.pi * safe / radius) / (math.pi * safe) ** 2
        return xp.where(x > radius, 0.0, xp.where(x > 1e-3, value, 1.0))

    return kernel


KERNELS = {"linear": _triangle, "cubic": _cubic, "lanczos3": _lanczos(3.0), "lanczos5": _lanczos(5.0)}


def _weights(x: Array, size: int, result: int, scale: Any, shift: Any, kernel: Any, antialias: bool) -> Array:
    """Weights of the `size` positions of an axis for each of `result` positions, shape (size, result)."""
    fixed = type(scale) is float  # not a number of NumPy
    own = array_namespace(unwrap(x)) if fixed else array_namespace(x, scale, shift)
    plain = {"dtype": x.dtype, "device": device_of(storage(x))}
    places = (own.arange(result, **plain) + 0.5 - shift) / scale - 0.5
    inputs = own.arange(size, **plain)
    width: Any = 1.0
    if antialias:
        width = max(1.0, 1.0 / scale) if fixed else own.maximum(1.0 / scale, own.ones_like(scale))
    weights = kernel(own, own.abs(places[None, :] - inputs[:, None]) / width)
    total = own.sum(weights, axis=0, keepdims=True)
    enough = own.abs(total) > 1000 * 1.2e-7
    weights = own.where(enough, weights / own.where(enough, total, 1.0), 0.0)
    return own.where((places >= -0.5) & (places <= size - 0.5), weights, 0.0)


@operation
def resize(
    images: Array,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Array:
    """Images in another size.

    Args:
        images: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        size: The height and the width.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` (Keys, a = -0.5), `"lanczos3"` or `"lanczos5"`.
        antialias: Whether to average where the images become smaller.
        crop_to_aspect_ratio: Whether to crop the images to the aspect ratio of `size` first.
        pad_to_aspect_ratio: Whether to pad them.
        fill_mode: Must be `"constant"`.
        fill_value: The padding.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> from portanet import ops
        >>> resize(ops.reshape([1.0, 3.0], (1, 2, 1)), (1, 4))[0, :, 0]
        array([1. , 1.5, 2.5, 3. ], dtype=float32)
    """
    names = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    checks.choice("interpolation", interpolation, names, "resize")
    checks.choice("fill_mode", fill_mode, ("constant",), "resize")
    height, width = checks.integers("size", size, 2, "resize", least=1)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize takes one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`. Received: both")
    x, back = spatial_first(images, data_format, "resize")
    fit = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else None
    return back(resized(x, height, width, interpolation, antialias, fit, fill_value))


def resized(
    x: Array,
    height: int,
    width: int,
    interpolation: str = "bilinear",
    antialias: bool = False,
    fit: str | None = None,
    fill_value: float = 0.0,
) -> Array:
    """Images (batch, height, width, channels) of any library in another size.

    Args:
        x: The images.
        height: The height.
        width: The width.
        interpolation: See `resize`.
        antialias: See `resize`.
        fit: `"crop"` or `"pad"`, to the ratio of the sizes first.
        fill_value: The padding.
    """
    if fit is not None:
        x = (_cropped if fit == "crop" else functools.partial(_padded, value=fill_value))(x, height, width)
    xp = array_namespace(x)
    if interpolation == "nearest":
        for axis, n in ((1, height), (2, width)):
            old = x.shape[axis]
            places = [min(int((i + 0.5) * old / n), old - 1) for i in range(n)]
            x = xp.take(x, array_like(storage(x), places), axis=axis)
        return x
    y, kernel = floating(x), KERNELS[METHODS.get(interpolation, interpolation)]
    for axis, n in ((1, height), (2, width)):
        if n == y.shape[axis]:
            continue  # weights of 1 at the same positions
        weights = _weights(y, y.shape[axis], n, n / y.shape[axis], 0.0, kernel, antialias)
        y = xp.moveaxis(xp.tensordot(y, weights, axes=((axis,), (0,))), -1, axis)
    return rounded(y, x)


def _cropped(x: Array, height: int, width: int) -> Array:
    """Images cropped in the middle to the ratio of two sizes."""
    h, w = x.shape[1:3]
    rows = max(min(h, int(w * height / width)), 1)
    columns = max(min(w, int(h * width / height)), 1)
    top, left = (h - rows) // 2, (w - columns) // 2
    return x[:, top : top + rows, left : left + columns, :]


def _padded(x: Array, height: int, width: int, value: float) -> Array:
    """Images padded on all sides to the ratio of two sizes."""
    xp = array_namespace(x)
    h, w = x.shape[1:3]
    for axis, margin in ((1, (int(w * height / width) - h) // 2), (2, (int(h * width / height) - w) // 2)):
        if margin > 0:
            shape = tuple(margin if i == axis else n for i, n in enumerate(x.shape))
            edge = xp.full(shape, value, dtype=x.dtype, device=device_of(storage(x)))
            x = xp.concat([edge, x, edge], axis=axis)
    return x


@operation
def scale_and_translate(
    images: Array,
    output_shape: Sequence[int],
    scale: Array,
    translation: Array,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Array:
    """Images, scaled and shifted along axes.

    Args:
        images: Array.
        output_shape: Shape of the result.
        scale: Factor for each of the axes, shape (axes,).
        translation: Shift in positions of the result, likewise.
        spatial_dims: The axes.
        method: `"linear"`, `"cubic"`, `"lanczos3"`, `"lanczos5"`, or a name such as `"bilinear"`.
        antialias: Whether to average where the images become smaller.

    Example:
        >>> scale_and_translate([1.0, 3.0], (4,), [2.0], [0.0], (0,), "linear")
        array([1. , 1.5, 2.5, 3. ], dtype=float32)
    """
    checks.choice("method", method, tuple(METHODS), "scale_and_translate")
    kernel = KERNELS[METHODS[method]]
    y = floating(images)
    for i, axis in enumerate(spatial_dims):
        axis = checks.axis("spatial_dims", axis, len(y.shape), "scale_and_translate") % len(y.shape)
        xp = array_namespace(y, scale, translation)
        factor, shift = (xp.astype(v[i], y.dtype) for v in (scale, translation))
        weights = _weights(xp.asarray(y), y.shape[axis], output_shape[axis], factor, shift, kernel, antialias)
        y = xp.moveaxis(tensordot(y, weights, axes=((axis,), (0,))), -1, axis)
    return rounded(y, images)

"""Resizing and sampling of images."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, array_like, device_of
from portanet.ops.conversion import as_array
from portanet.ops.dtypes import floating
from portanet.ops.indexing import take
from portanet.ops.matrices import pad
from portanet.ops.operation import operation
from portanet.ops.products import tensordot

METHODS = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "triangle": "linear"}
METHODS |= {"cubic": "cubic", "bicubic": "cubic", "tricubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def spatial_first(images: Array, data_format: str | None, of: str) -> tuple[Array, Callable[[Array], Array]]:
    """Images of shape (batch, height, width, channels), and a function that undoes the change."""
    first = checks.choice("data_format", data_format, (None, "channels_last", "channels_first"), of) == "channels_first"
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
    xp = array_namespace(x)
    plain = {"dtype": x.dtype, "device": device_of(storage(x))}
    own = array_namespace(unwrap(x)) if isinstance(scale, float) else xp
    places = (own.arange(result, **plain) + 0.5 - shift) / scale - 0.5
    inputs = own.arange(size, **plain)
    width: Any = 1.0
    if antialias:
        width = max(1.0, 1.0 / scale) if isinstance(scale, float) else xp.maximum(1.0 / scale, xp.ones_like(scale))
    weights = kernel(array_namespace(places), own.abs(places[None, :] - inputs[:, None]) / width)
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
        data_format: `"channels_last"` (also None) or `"channels_first"`.

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
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        x = _to_ratio(x, height, width, crop_to_aspect_ratio, fill_value)
    if interpolation == "nearest":
        xp = array_namespace(x)
        for axis, n in ((1, height), (2, width)):
            old = x.shape[axis]
            places = [min(int((i + 0.5) * old / n), old - 1) for i in range(n)]
            x = xp.take(x, array_like(storage(x), places), axis=axis)
        return back(x)
    y, kernel = floating(x), KERNELS[METHODS.get(interpolation, interpolation)]
    for axis, n in ((1, height), (2, width)):
        weights = _weights(y, y.shape[axis], n, n / y.shape[axis], 0.0, kernel, antialias)
        y = array_namespace(y).moveaxis(tensordot(y, weights, axes=((axis,), (0,))), -1, axis)
    return back(rounded(y, x))


def _to_ratio(x: Array, height: int, width: int, crop: bool, fill_value: float) -> Array:
    """Images cropped or padded in the middle to the ratio of two sizes."""
    h, w = x.shape[1:3]
    if crop:
        rows = max(min(h, int(w * height / width)), 1)
        columns = max(min(w, int(h * width / height)), 1)
        top, left = int((h - rows) / 2), int((w - columns) / 2)
        return x[:, top : top + rows, left : left + columns, :]
    rows, columns = max(h, int(w * height / width)), max(w, int(h * width / height))
    top, left = int((rows - h) / 2), int((columns - w) / 2)
    return pad(x, ((0, 0), (top, top), (left, left), (0, 0)), constant_values=fill_value)


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


def _inside(index: Array, size: int, mode: str) -> Array:
    """Indices, brought into an axis."""
    xp = array_namespace(index)
    if mode in ("constant", "nearest"):
        return xp.clip(index, 0, size - 1)
    if mode == "wrap":
        return xp.remainder(index, size)
    period = 2 * size - 2 if mode == "mirror" else 2 * size
    if period == 0:
        return xp.zeros_like(index)
    place = xp.remainder(index, period)
    mirrored = period - place if mode == "mirror" else period - 1 - place
    return xp.where(place < size, place, mirrored)


@operation
def map_coordinates(
    inputs: Array, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0.0
) -> Array:
    """Values at coordinates between the positions of an array.

    Args:
        inputs: Array.
        coordinates: For each axis of `inputs`, an array of coordinates, all of one shape.
        order: 0: the nearest value; 1: linear interpolation.
        fill_mode: What is outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` (at the first value) or `"reflect"`
            (before it).
        fill_value: The constant.

    Example:
        >>> map_coordinates([1.0, 3.0], [[0.5, 5.0]], order=1)
        array([2., 0.], dtype=float32)
    """
    checks.choice("fill_mode", fill_mode, FILL_MODES, "map_coordinates")
    if order not in (0, 1):
        raise checks.invalid("order", order, "0 or 1", "map_coordinates")
    rows = coordinates if isinstance(coordinates, (list, tuple)) else _rows(as_array(coordinates, like=inputs))
    points = [floating(as_array(c, like=inputs)) for c in rows]
    if len(points) != len(inputs.shape):
        expected = f"one array for each of {len(inputs.shape)} axes"
        raise checks.invalid("coordinates", len(points), expected, "map_coordinates")
    return sampled(inputs, points, order, fill_mode, fill_value)


def _rows(x: Array) -> list[Array]:
    return list(array_namespace(x).unstack(x))


def sampled(inputs: Array, points: Sequence[Array], order: int, fill_mode: str, fill_value: float) -> Array:
    """Values of an array at coordinates; axes after those of the coordinates stay."""
    shape = tuple(inputs.shape)
    rank = len(points)
    x = floating(inputs)
    xp = array_namespace(x, *points)
    flat = xp.reshape(x, (math.prod(shape[:rank]), *shape[rank:]))
    choices = []
    for point, size in zip(points, shape, strict=False):
        plain = unwrap(point)
        own = array_namespace(plain)
        low = own.round(plain) if order == 0 else own.floor(plain)
        corners: list[tuple[Array, Array, Any]] = [(low, own.astype(low, own.int64), None)]
        if order == 1:
            fraction = xp.subtract(point, low)
            first = own.astype(low, own.int64)
            corners = [(low, first, 1.0 - fraction), (low, first + 1, fraction)]
        choices.append(
            [(_inside(index, size, fill_mode), (index >= 0) & (index < size), weight) for _, index, weight in corners]
        )
    total = None
    trailing = (...,) + (None,) * (len(shape) - rank)
    for corner in itertools.product(*choices):
        place, valid, weight = 0, None, None
        for (index, inside, part), size in zip(corner, shape, strict=False):
            place = place * size + index
            valid = inside if valid is None else valid & inside
            weight = part if weight is None or part is None else weight * part
        value = take(flat, place, axis=0)
        if fill_mode == "constant" and valid is not None:
            value = xp.where(valid[trailing], value, fill_value)
        value = value if weight is None else xp.multiply(value, xp.astype(weight, x.dtype)[trailing])
        total = value if total is None else xp.add(total, value)
    return rounded(total, inputs)

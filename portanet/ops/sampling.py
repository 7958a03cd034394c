"""Images between their pixels: values at coordinates, affine, perspective and elastic transformations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, device_of
from portanet.ops.conversion import as_array
from portanet.ops.dtypes import at_least_float32, floating
from portanet.ops.filters import gaussian_filtered
from portanet.ops.operation import operation
from portanet.ops.resizing import rounded, spatial_first
from portanet.random import SeedGenerator, normal

INTERPOLATIONS = ("nearest", "bilinear")
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _inside(index: Array, size: int, mode: str) -> Array:
    """Whole numbers in floating point, mapped into an axis."""
    xp = array_namespace(index)
    if mode == "wrap":
        index = index - size * xp.floor(index / size)
    elif mode in ("mirror", "reflect"):
        last = size - 1 if mode == "mirror" else size  # of the first half of a period
        period = max(2 * last, 1)
        index = index - period * xp.floor(index / period)
        index = xp.minimum(index, (period if mode == "mirror" else period - 1) - index)
    return xp.clip(index, 0.0, float(size - 1))


def _corners(point: Array, size: int, order: int, mode: str, dtype: Any) -> Iterator[tuple[Array, Array, Any]]:
    """The indices next to a coordinate on one axis: the index, whether it is inside, and its weight."""
    plain = unwrap(point)
    own = array_namespace(plain)
    low = own.floor(plain) if order else own.round(plain)
    xp = array_namespace(point)
    fraction = xp.astype(xp.subtract(point, low), dtype, copy=False) if order else None
    for shift in range(order + 1):
        index = low + float(shift)
        weight = None if fraction is None else fraction if shift else 1.0 - fraction
        yield _inside(index, size, mode), (index >= 0) & (index < size), weight


def sampled(
    x: Array, points: Sequence[Array], order: int, fill_mode: str, fill_value: Any, batched: bool = False
) -> Array:
    """Values of an array at coordinates between its positions.

    Args:
        x: Floating-point array.
        points: Coordinates along the first axes, or those after the first if `batched`, floating-point arrays that
            broadcast to one shape; axes of `x` after these axes remain.
        order: 0: the nearest value; 1: linear interpolation.
        fill_mode: One of `FILL_MODES`.
        fill_value: What is outside, for `"constant"`.
        batched: Whether the first axis of `x` and of the points is that of examples.
    """
    xp = array_namespace(x, *points)
    first = int(batched)
    sizes, rest = x.shape[first : first + len(points)], x.shape[first + len(points) :]
    flat = xp.reshape(x, (math.prod(x.shape[: first + len(points)]), *rest))
    own = _plain_namespace(points)
    integer = own.int32 if flat.shape[0] < 2**31 else own.int64
    start: Any = 0
    if batched:
        examples = own.arange(x.shape[0], dtype=integer, device=device_of(storage(points[0])))
        start = own.reshape(examples, (-1, *(1 for _ in points[0].shape[1:])))
    trailing = (..., *(None for _ in rest))
    total = None
    axes = [list(_corners(p, n, order, fill_mode, x.dtype)) for p, n in zip(points, sizes, strict=True)]
    for corner in itertools.product(*axes):
        place, valid, weight = start, None, None
        for (index, inside, part), size in zip(corner, sizes, strict=True):
            place = own.add(own.astype(index, integer), place * size)
            valid = inside if valid is None else own.logical_and(valid, inside)
            weight = part if weight is None or part is None else xp.multiply(weight, part)
        value = xp.reshape(xp.take(flat, own.reshape(place, (-1,)), axis=0), (*place.shape, *rest))
        if fill_mode == "constant" and valid is not None:
            value = xp.where(valid[trailing], value, fill_value)
        value = value if weight is None else xp.multiply(value, weight[trailing])
        total = value if total is None else xp.add(total, value)
    return total


def _plain_namespace(points: Sequence[Array]) -> Any:
    """The namespace without derivatives of several arrays: that of `vmap` if one has values per example."""
    namespaces = [array_namespace(unwrap(point)) for point in points]
    return next((xp for xp in namespaces if hasattr(xp, "wrapped_library")), namespaces[0])


def _coordinates(points: Any) -> Array:
    """Coordinates in at least float32, in which those of large images are exact."""
    return at_least_float32(floating(points))


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
    if not isinstance(coordinates, (list, tuple)):
        whole = as_array(coordinates, like=inputs)
        coordinates = array_namespace(whole).unstack(whole)
    points = [_coordinates(as_array(c, like=inputs)) for c in coordinates]
    if len(points) != len(inputs.shape):
        expected = f"one array for each of {len(inputs.shape)} axes"
        raise checks.invalid("coordinates", len(points), expected, "map_coordinates")
    return rounded(sampled(floating(inputs), points, order, fill_mode, fill_value), inputs)


def sampled_images(x: Array, rows: Array, columns: Array, interpolation: str, fill_mode: str, fill_value: Any) -> Array:
    """Images (batch, height, width, channels) at rows and columns that broadcast to (batch, height, width)."""
    order = INTERPOLATIONS.index(interpolation)
    return rounded(sampled(floating(x), (rows, columns), order, fill_mode, fill_value, batched=True), x)


def grid(x: Array, dtype: Any, sizes: tuple[int, int] | None = None) -> tuple[Array, Array]:
    """The indices of rows and columns of images, or of as many, shapes (1, height, 1) and (1, 1, width)."""
    plain = unwrap(x)
    xp, device = array_namespace(plain), device_of(storage(plain))
    rows, columns = (xp.arange(float(n), dtype=dtype, device=device) for n in sizes or x.shape[1:3])
    return xp.reshape(rows, (1, -1, 1)), xp.reshape(columns, (1, 1, -1))


def projected(x: Array, transform: Array, interpolation: str, fill_mode: str, fill_value: Any) -> Array:
    """Images with each pixel from where a projective map of 8 numbers, shape (batch, 8) or (1, 8), sends it."""
    rows, columns = grid(x, transform.dtype)
    xp = array_namespace(x, transform)
    a0, a1, a2, b0, b1, b2, c0, c1 = (transform[:, i, None, None] for i in range(8))

    def linear(across: Array, down: Array, offset: Any) -> Array:
        return xp.add(xp.add(xp.multiply(across, columns), xp.multiply(down, rows)), offset)

    depth = linear(c0, c1, 1.0)
    points = linear(b0, b1, b2) / depth, linear(a0, a1, a2) / depth
    return sampled_images(x, *points, interpolation, fill_mode, fill_value)


def _one_per_image(name: str, value: Array, shape: tuple[int, ...], images: Array, of: str) -> Array:
    """Parameters of transformations with an axis for the images."""
    got = tuple(value.shape)
    if got == shape:
        return array_namespace(value).expand_dims(value, axis=0)
    if got[1:] == shape and got[0] in (1, images.shape[0]):
        return value
    sizes = ", ".join(map(str, shape))
    expected = f"an array of shape ({sizes}{',' if len(shape) == 1 else ''}), or (images, {sizes})"
    raise ValueError(f"Argument `{name}` of {of} must be {expected}. Received: shape {got}")


@operation
def affine_transform(
    images: Array,
    transform: Array,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Array:
    """Images, transformed by an affine or projective map.

    The pixel at column x and row y comes from column (a0 x + a1 y + a2) / k and row (b0 x + b1 y + b2) / k, where
    k = c0 x + c1 y + 1.

    Args:
        images: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        transform: The numbers a0, a1, a2, b0, b1, b2, c0, c1, shape (8,); or (batch, 8), one map per image.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: What is outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` (at the first pixel) or `"reflect"`
            (before it).
        fill_value: The constant.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> from portanet import ops
        >>> x = ops.reshape([1.0, 2.0, 3.0], (1, 3, 1))
        >>> affine_transform(x, [1.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0])[0, :, 0]
        array([1.5, 2.5, 1.5], dtype=float32)
    """
    checks.choice("interpolation", interpolation, INTERPOLATIONS, "affine_transform")
    checks.choice("fill_mode", fill_mode, FILL_MODES, "affine_transform")
    x, back = spatial_first(images, data_format, "affine_transform")
    transform = _one_per_image("transform", _coordinates(transform), (8,), x, "affine_transform")
    return back(projected(x, transform, interpolation, fill_mode, fill_value))


def homography(start_points: Array, end_points: Array) -> Array:
    """The projective maps that take four points of the result to four of the image, shape (batch, 8)."""
    xp = array_namespace(start_points, end_points)
    x, y = end_points[..., 0], end_points[..., 1]
    one, zero = xp.ones_like(x), xp.zeros_like(x)
    u, v = start_points[..., 0], start_points[..., 1]
    across = xp.stack([x, y, one, zero, zero, zero, -(u * x), -(u * y)], axis=-1)
    down = xp.stack([zero, zero, zero, x, y, one, -(v * x), -(v * y)], axis=-1)
    equations = xp.concat([across, down], axis=-2)
    values = xp.expand_dims(xp.concat([u, v], axis=-1), axis=-1)
    return xp.linalg.solve(equations, values)[..., 0]


@operation
def perspective_transform(
    images: Array,
    start_points: Array,
    end_points: Array,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Array:
    """Images, transformed by the projective map that takes four points to four others.

    Args:
        images: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        start_points: Columns and rows of four points of the images, shape (4, 2); or (batch, 4, 2), per image.
        end_points: Where they are in the result, likewise. No three may be on a line.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: What is outside.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> from portanet import ops
        >>> x = ops.reshape([1.0, 2.0, 3.0, 4.0], (2, 2, 1))
        >>> corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
        >>> swapped = [corners[i] for i in (1, 0, 3, 2)]
        >>> perspective_transform(x, corners, swapped)[:, :, 0].round(4)
        array([[2., 1.],
               [4., 3.]], dtype=float32)
    """
    of = "perspective_transform"
    checks.choice("interpolation", interpolation, INTERPOLATIONS, of)
    x, back = spatial_first(images, data_format, of)
    start = _one_per_image("start_points", _coordinates(start_points), (4, 2), x, of)
    end = _one_per_image("end_points", _coordinates(end_points), (4, 2), x, of)
    return back(projected(x, homography(start, end), interpolation, "constant", fill_value))


@operation
def elastic_transform(
    images: Array,
    alpha: Any = 20.0,
    sigma: Any = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: int | SeedGenerator | None = None,
    data_format: str | None = None,
) -> Array:
    """Images whose pixels come from places that are shifted at random, neighbours by similar distances.

    Source: P. Simard et al., Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis,
    2003.

    Args:
        images: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        alpha: Factor of the shifts.
        sigma: Standard deviation of the shifts, and of the Gaussian kernel that blurs them.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: See `affine_transform`.
        fill_value: See `affine_transform`.
        seed: A number, a `portanet.random.SeedGenerator`, or None for new numbers in each call.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> from portanet import ops
        >>> ops.shape(elastic_transform(ops.ones((4, 4, 3)), seed=1))
        (4, 4, 3)
    """
    checks.choice("interpolation", interpolation, INTERPOLATIONS, "elastic_transform")
    checks.choice("fill_mode", fill_mode, FILL_MODES, "elastic_transform")
    alpha = checks.number("alpha", alpha, of="elastic_transform")
    sigma = checks.number("sigma", sigma, "(0, inf)", "elastic_transform")
    x, back = spatial_first(images, data_format, "elastic_transform")
    noise = as_array(normal((*x.shape[:3], 2), seed=seed), like=storage(x))
    return back(shifted(x, noise, alpha, sigma, sigma, interpolation, fill_mode, fill_value))


def shifted(
    x: Array,
    noise: Array,
    alpha: Any,
    sigma: Any,
    most: float,
    interpolation: str,
    fill_mode: str,
    fill_value: Any,
) -> Array:
    """Images with pixels from places that are shifted by blurred noise.

    Args:
        x: Shape (batch, height, width, channels).
        noise: Normal numbers, shape (batch, height, width, 2).
        alpha: See `elastic_transform`.
        sigma: See `elastic_transform`; may be an array.
        most: The largest `sigma` can be, which determines the size of the kernel.
        interpolation: See `elastic_transform`.
        fill_mode: See `elastic_transform`.
        fill_value: See `elastic_transform`.
    """
    size = int(6 * most) | 1
    shifts = gaussian_filtered(noise * sigma, (size, size), (sigma, sigma)) * alpha
    rows, columns = grid(x, shifts.dtype)
    xp = array_namespace(shifts)
    points = xp.add(rows, shifts[..., 1]), xp.add(columns, shifts[..., 0])
    return sampled_images(x, *points, interpolation, fill_mode, fill_value)

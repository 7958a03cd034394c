"""Filters of images: blurs, edges and structural similarity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, array_like, device_of
from portanet.ops.convolutions import depthwise_conv
from portanet.ops.dtypes import floating
from portanet.ops.operation import operation
from portanet.ops.resizing import spatial_first


def _gaussian(x: Array, size: int, sigma: Any) -> Array:
    xp = array_namespace(x)
    places = xp.arange(size, dtype=x.dtype, device=device_of(storage(x))) - (size - 1) / 2
    if not isinstance(sigma, float):
        xp = array_namespace(places, sigma)
        sigma = xp.astype(sigma, x.dtype, copy=False)
    weights = xp.exp(-0.5 * xp.divide(places, sigma) ** 2)
    return weights / xp.sum(weights)


def _filtered(x: Array, kernel: Array, padding: str) -> Array:
    """Each channel, filtered by a kernel of two axes."""
    xp = array_namespace(kernel)
    shape = (*kernel.shape, x.shape[-1], 1)
    return depthwise_conv(x, xp.broadcast_to(kernel[..., None, None], shape), 1, padding, "channels_last")


def gaussian_filtered(x: Array, sizes: Sequence[int], sigma: Sequence[Any]) -> Array:
    """Images (batch, height, width, channels), blurred.

    Args:
        x: The images.
        sizes: Height and width of the kernel.
        sigma: Standard deviations along the height and the width: numbers, or arrays of shape ().
    """
    rows, columns = (_gaussian(x, size, each) for size, each in zip(sizes, sigma, strict=True))
    return _filtered(_filtered(x, rows[:, None], "same"), columns[None, :], "same")


def smoothed(x: Array) -> Array:
    """Images (batch, height, width, channels), each pixel averaged with its neighbours: 5/13 of it, 1/13 of each."""
    return _filtered(x, array_like(storage(x), [[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13.0, "same")


@operation
def gaussian_blur(
    images: Array, kernel_size: Sequence[int] = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Array:
    """Images, blurred by a Gaussian kernel.

    Args:
        images: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        kernel_size: Height and width of the kernel, odd numbers.
        sigma: Standard deviations along the width and the height.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> from portanet import ops
        >>> ops.shape(gaussian_blur(ops.ones((4, 4, 3))))
        (4, 4, 3)
    """
    rows, columns = checks.integers("kernel_size", kernel_size, 2, "gaussian_blur", least=1)
    x, back = spatial_first(floating(images), data_format, "gaussian_blur")
    widths = [each if hasattr(each, "dtype") else float(each) for each in (sigma[1], sigma[0])]
    return back(gaussian_filtered(x, (rows, columns), widths))


@operation
def sobel_edges(images: Array, data_format: str | None = None) -> Array:
    """Differences of brightness along the height and the width of images, by Sobel's filter.

    Args:
        images: Shape (batch, height, width, channels), or (batch, channels, height, width) if `data_format` says so.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Returns:
        The shape of the images with an axis of size 2 at the end: the differences down, and to the right. The images
        are continued by zeros.

    Example:
        >>> from portanet import ops
        >>> sobel_edges(ops.reshape([1.0, 2.0, 4.0], (1, 1, 3, 1)))[0, 0, 1, 0, :]
        array([0., 6.], dtype=float32)
    """
    if len(images.shape) != 4:
        raise checks.invalid("images", tuple(images.shape), "a batch of images, of 4 axes", "sobel_edges")
    x, back = spatial_first(floating(images), data_format, "sobel_edges")
    smooth, difference = (array_like(storage(x), taps) for taps in ([1.0, 2.0, 1.0], [-1.0, 0.0, 1.0]))
    down = _filtered(_filtered(x, difference[:, None], "same"), smooth[None, :], "same")
    right = _filtered(_filtered(x, smooth[:, None], "same"), difference[None, :], "same")
    return array_namespace(x).stack([back(down), back(right)], axis=-1)


@operation
def ssim(
    image1: Array,
    image2: Array,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Array:
    """Structural similarity of images: 1 for equal ones.

    Source: Z. Wang et al., Image quality assessment: from error visibility to structural similarity, 2004.

    Args:
        image1: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        image2: Likewise.
        max_val: The largest value that pixels may have.
        filter_size: Size of the Gaussian filter.
        filter_sigma: Its standard deviation.
        k1: Constant for the means.
        k2: Constant for the variances.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Returns:
        One value per image.

    Example:
        >>> from portanet import ops
        >>> float(ssim(ops.ones((12, 12, 1)), ops.ones((12, 12, 1))).round(4))
        1.0
    """
    x, _ = spatial_first(floating(image1), data_format, "ssim")
    y, _ = spatial_first(floating(image2), data_format, "ssim")
    weights = _gaussian(x, checks.positive_int("filter_size", filter_size, "ssim"), filter_sigma)
    kernel = weights[:, None] * weights
    mean1, mean2 = _filtered(x, kernel, "valid"), _filtered(y, kernel, "valid")
    var1 = _filtered(x * x, kernel, "valid") - mean1 * mean1
    var2 = _filtered(y * y, kernel, "valid") - mean2 * mean2
    covariance = _filtered(x * y, kernel, "valid") - mean1 * mean2
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    numerator = (2.0 * mean1 * mean2 + c1) * (2.0 * covariance + c2)
    similarity = numerator / ((mean1 * mean1 + mean2 * mean2 + c1) * (var1 + var2 + c2))
    xp = array_namespace(similarity)
    result = xp.mean(similarity, axis=(1, 2, 3))
    return result[0] if len(image1.shape) == 3 else result

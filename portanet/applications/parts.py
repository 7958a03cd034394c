"""Parts of several networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet.layers import BatchNormalization, Concatenate, Dense, GlobalAveragePooling2D, ZeroPadding2D
from portanet.settings import settings


def channel_axis() -> int:
    """The axis of the channels, in the format of images in use."""
    return 1 if settings.image_data_format == "channels_first" else -1


def channels(x: Any) -> int:
    """The number of channels of a symbolic array of images."""
    return int(x.shape[channel_axis()])


def batch_norm(x: Any, name: str | None = None, **options: Any) -> Any:
    """Batch normalization of each channel."""
    return BatchNormalization(axis=channel_axis(), name=name, **options)(x)


def padded(x: Any, size: int, name: str | None) -> Any:
    """Images padded for a convolution with stride 2 that begins at the same pixel for even and odd sizes.

    Args:
        x: A symbolic array of images.
        size: The size of the convolution's kernel.
        name: The name of the layer.
    """
    sides = x.shape[2:] if channel_axis() == 1 else x.shape[1:3]
    surplus = [1 if sides[0] is None else 1 - side % 2 for side in sides]
    return ZeroPadding2D([(size // 2 - more, size // 2) for more in surplus], name=name)(x)


def rounded(filters: float, divisor: int = 8, bounded: bool = True) -> int:
    """A number of filters that the divisor divides, close to the given one.

    Args:
        filters: The number of filters.
        divisor: What divides the result.
        bounded: Whether to round up rather than to lose more than a tenth.

    Example:
        >>> rounded(16 * 0.35), rounded(24 * 0.35)
        (8, 8)
    """
    result = max(divisor, math.floor(filters + divisor / 2) // divisor * divisor)
    return result + divisor if bounded and result < 0.9 * filters else result


def chained(conv: Callable[..., Any], x: Any, *convolutions: tuple[Any, ...], halving: bool = False) -> Any:
    """Convolutions one after the other, the last with stride 2 if `halving`.

    Args:
        conv: Adds a convolution: `conv(x, *convolution, strides=..., padding=...)`.
        x: A symbolic array of images.
        *convolutions: Filters and sizes of the kernels.
        halving: Whether to halve the size.
    """
    for index, convolution in enumerate(convolutions, 1):
        last = halving and index == len(convolutions)
        x = conv(x, *convolution, strides=2 if last else 1, padding="valid" if last else "same")
    return x


def joined(branches: list[Any], name: str | None) -> Any:
    """Symbolic arrays of images, side by side as channels."""
    return Concatenate(axis=channel_axis(), name=name)(branches)


def pooled_top(x: Any, classes: int, activation: Any, pool: str | None = "avg_pool") -> Any:
    """Global average pooling and a dense layer."""
    return Dense(classes, activation=activation, name="predictions")(GlobalAveragePooling2D(name=pool)(x))

"""Convolution and pooling over one, two or three spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused import pooling
from portanet.fused.convolution import conv_nd, conv_transpose_nd, transposed_cropping, transposed_space
from portanet.fused.windows import window
from portanet.ops.dtypes import floating
from portanet.ops.operation import Operand, channels_are_first, operation

Size = int | Sequence[int]


def channels_last(x: Array, data_format: str | None, of: str) -> tuple[Array, bool]:
    """The array with channels on the last axis, and whether they were on the second."""
    first = channels_are_first(data_format, of)
    if len(x.shape) < 3:
        raise ValueError(
            f"{of} takes a batch with spatial axes and channels. Received: an array of shape {tuple(x.shape)}"
        )
    return (array_namespace(x).moveaxis(x, 1, -1) if first else x), first


def _back(x: Array, first: bool) -> Array:
    return array_namespace(x).moveaxis(x, -1, 1) if first else x


@operation
def conv(
    inputs: Operand,
    kernel: Operand,
    strides: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """Convolution; with groups of channels if the kernel has fewer input channels than `inputs`.

    Args:
        inputs: Shape (batch, *space, channels), or (batch, channels, *space) if `data_format` is `"channels_first"`.
        kernel: Shape (*size, channels / groups, filters).
        strides: Steps of the kernel, one for all axes or one per axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.
        dilation_rate: Distances between neighbouring elements of the kernel.

    Example:
        >>> from portanet import ops
        >>> ops.shape(conv(ops.ones((1, 5, 5, 2)), ops.ones((3, 3, 2, 4)), padding="same"))
        (1, 5, 5, 4)
    """
    return _conv(floating(inputs), floating(kernel), strides, padding, data_format, dilation_rate, "conv")


def _conv(
    x: Array, kernel: Array, strides: Size, padding: str, data_format: str | None, dilation: Size, of: str
) -> Array:
    padding = checks.padding(padding, ("valid", "same", "causal"), of)
    x, first = channels_last(x, data_format, of)
    if len(kernel.shape) != len(x.shape) or x.shape[-1] % kernel.shape[-2]:
        raise ValueError(
            f"Argument `kernel` of {of} must have as many axes as the input, and channels that divide those of the "
            f"input. Received: kernel of shape {tuple(kernel.shape)}, input of shape {tuple(x.shape)}"
        )
    groups = x.shape[-1] // kernel.shape[-2]
    return _back(conv_nd(x, kernel, None, strides, padding, dilation, groups), first)


@operation
def depthwise_conv(
    inputs: Operand,
    kernel: Operand,
    strides: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """Convolution of each channel by kernels of its own; see `conv`.

    Args:
        inputs: See `conv`.
        kernel: Shape (*size, channels, multiplier).
        strides: See `conv`.
        padding: See `conv`.
        data_format: See `conv`.
        dilation_rate: See `conv`.

    Returns:
        As `conv`, with channels * multiplier channels.

    Example:
        >>> depthwise_conv([[[1.0], [2.0], [3.0]]], [[[1.0]], [[-1.0]]]).tolist()
        [[[-1.0], [-1.0]]]
    """
    return _depthwise(
        floating(inputs), floating(kernel), strides, padding, data_format, dilation_rate, "depthwise_conv"
    )


def _depthwise(
    x: Array, kernel: Array, strides: Size, padding: str, data_format: str | None, dilation: Size, of: str
) -> Array:
    shape = tuple(kernel.shape)
    if len(shape) < 3:
        raise ValueError(f"The kernel of {of} has shape (*size, channels, multiplier). Received: {shape}")
    grouped = array_namespace(kernel).reshape(kernel, (*shape[:-2], 1, shape[-2] * shape[-1]))
    return _conv(x, grouped, strides, padding, data_format, dilation, of)


@operation
def separable_conv(
    inputs: Operand,
    depthwise_kernel: Operand,
    pointwise_kernel: Operand,
    strides: Size = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """`depthwise_conv`, then `conv` with a kernel of size 1.

    Args:
        inputs: See `conv`.
        depthwise_kernel: Shape (*size, channels, multiplier).
        pointwise_kernel: Shape (1, ..., channels * multiplier, filters).
        strides: See `conv`.
        padding: See `conv`.
        data_format: See `conv`.
        dilation_rate: See `conv`.

    Example:
        >>> separable_conv([[[1.0], [2.0], [3.0]]], [[[1.0]], [[-1.0]]], [[[2.0]]]).tolist()
        [[[-2.0], [-2.0]]]
    """
    x, depthwise, pointwise = floating(inputs), floating(depthwise_kernel), floating(pointwise_kernel)
    x = _depthwise(x, depthwise, strides, padding, data_format, dilation_rate, "separable_conv")
    return _conv(x, pointwise, 1, "valid", data_format, 1, "separable_conv")


@operation
def conv_transpose(
    inputs: Operand,
    kernel: Operand,
    strides: Size = 1,
    padding: str = "valid",
    output_padding: Size | None = None,
    data_format: str | None = None,
    dilation_rate: Size = 1,
) -> Array:
    """Transposed convolution: each element of the input adds a scaled kernel to the result.

    Args:
        inputs: See `conv`.
        kernel: Shape (*size, filters, channels).
        strides: Distances in the result between the kernels of neighbouring inputs.
        padding: `"valid"`: the full result; `"same"`: strides times the input's size.
        output_padding: Elements to add to the smallest size of the result; None: as `padding`.
        data_format: See `conv`.
        dilation_rate: Distances between neighbouring elements of the kernel.

    Example:
        >>> from portanet import ops
        >>> ops.shape(conv_transpose(ops.ones((1, 5, 2)), ops.ones((3, 4, 2)), strides=2, padding="same"))
        (1, 10, 4)
    """
    padding = checks.padding(padding, ("valid", "same"), "conv_transpose")
    x, first = channels_last(floating(inputs), data_format, "conv_transpose")
    kernel = floating(kernel)
    rank, size = len(x.shape) - 2, tuple(kernel.shape[:-2])
    steps = checks.integers("strides", strides, rank, "conv_transpose", least=1)
    dilation = checks.integers("dilation_rate", dilation_rate, rank, "conv_transpose", least=1)
    extra = None
    if output_padding is not None:
        extra = checks.integers("output_padding", output_padding, rank, "conv_transpose", least=0)
    space = transposed_space(x.shape[1:-1], size, steps, padding, extra, dilation)
    cropping = [(n, 0) for n in transposed_cropping(size, steps, padding, extra, dilation)]
    return _back(conv_transpose_nd(x, kernel, None, steps, cropping, dilation, space=space), first)


def _pool(
    function: Any, x: Array, pool_size: Size, strides: Size | None, padding: str, data_format: str | None, of: str
) -> Array:
    padding = checks.padding(padding, ("valid", "same"), of)
    x, first = channels_last(x, data_format, of)
    size = checks.integers("pool_size", pool_size, len(x.shape) - 2, of, least=1)
    return _back(function(x, window=window(x.shape[1:-1], size, size if strides is None else strides, padding)), first)


@operation
def max_pool(
    inputs: Array,
    pool_size: Size,
    strides: Size | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """The maximum over a window at each position.

    Args:
        inputs: Shape (batch, *space, channels), or (batch, channels, *space) if `data_format` is `"channels_first"`.
        pool_size: Size of the window, one for all axes or one per axis.
        strides: Steps of the window; None for its size.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; None for that of `portanet.config`.

    Example:
        >>> max_pool([[[1.0], [3.0], [2.0], [5.0]]], 2)
        array([[[3.],
                [5.]]], dtype=float32)
    """
    return _pool(pooling.max_pool, floating(inputs), pool_size, strides, padding, data_format, "max_pool")


@operation
def average_pool(
    inputs: Array,
    pool_size: Size,
    strides: Size | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """The mean over a window at each position, without padding; see `max_pool`.

    Args:
        inputs: Array of shape (batch, ..., channels), or with channels second.
        pool_size: Size of the window: one number for all axes, or a tuple.
        strides: Steps of the window; None for its size.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default the one in use.

    Example:
        >>> average_pool([[[1.0], [2.0], [3.0], [4.0]]], 2).tolist()
        [[[1.5], [3.5]]]
    """
    return _pool(pooling.average_pool, floating(inputs), pool_size, strides, padding, data_format, "average_pool")


@operation
def adaptive_average_pool(inputs: Array, output_size: Size, data_format: str | None = None) -> Array:
    """The mean over a given number of bins on each axis.

    Args:
        inputs: See `max_pool`.
        output_size: Number of bins, one for all axes or one per axis.
        data_format: See `max_pool`.

    Example:
        >>> adaptive_average_pool([[[1.0], [3.0], [2.0], [6.0]]], 2)
        array([[[2.],
                [4.]]], dtype=float32)
    """
    return _adaptive(inputs, output_size, data_format, "mean", "adaptive_average_pool")


@operation
def adaptive_max_pool(inputs: Array, output_size: Size, data_format: str | None = None) -> Array:
    """The maximum over a given number of bins on each axis; see `adaptive_average_pool`.

    Args:
        inputs: Array of shape (batch, ..., channels), or with channels second.
        output_size: Size of the output along the spatial axes: one number for all, or a tuple.
        data_format: `"channels_last"` or `"channels_first"`; by default the one in use.

    Example:
        >>> adaptive_max_pool([[[1.0], [2.0], [3.0], [4.0]]], 2).tolist()
        [[[2.0], [4.0]]]
    """
    return _adaptive(inputs, output_size, data_format, "max", "adaptive_max_pool")


def _adaptive(inputs: Array, output_size: Size, data_format: str | None, reduce: str, of: str) -> Array:
    x, first = channels_last(floating(inputs), data_format, of)
    counts = checks.integers("output_size", output_size, len(x.shape) - 2, of, least=1)
    return _back(pooling.adaptive_pool(x, counts, reduce), first)

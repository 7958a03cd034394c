"""Blocks of images as channels or columns, and back."""

from __future__ import annotations

from collections.abc import Sequence

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.indexing import summed
from portanet.ops.matrices import pad
from portanet.ops.operation import operation

Size = int | Sequence[int]


@operation
def depth_to_space(x: Array, block_size: int, data_format: str = "channels_last") -> Array:
    """Channels as blocks of `block_size` times `block_size` positions.

    Args:
        x: Shape (batch, height, width, channels), or (batch, channels, height, width) for `"channels_first"`.
        block_size: Size of the blocks; its square divides the channels.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> from portanet import ops
        >>> ops.shape(depth_to_space(ops.ones((1, 2, 2, 8)), 2))
        (1, 4, 4, 2)
    """
    b, first = _checked(x, block_size, data_format, "depth_to_space")
    xp = array_namespace(x)
    if first:
        n, c, h, w = x.shape
        blocks = xp.permute_dims(xp.reshape(x, (n, c // b**2, b, b, h, w)), (0, 1, 4, 2, 5, 3))
        return xp.reshape(blocks, (n, c // b**2, h * b, w * b))
    n, h, w, c = x.shape
    blocks = xp.permute_dims(xp.reshape(x, (n, h, w, b, b, c // b**2)), (0, 1, 3, 2, 4, 5))
    return xp.reshape(blocks, (n, h * b, w * b, c // b**2))


@operation
def space_to_depth(x: Array, block_size: int, data_format: str = "channels_last") -> Array:
    """Blocks of `block_size` times `block_size` positions as channels; the inverse of `depth_to_space`.

    Args:
        x: Images, shape (batch, height, width, channels), or with channels second.
        block_size: Height and width of the blocks.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> space_to_depth([[[[1], [2]], [[3], [4]]]], 2).tolist()
        [[[[1, 2, 3, 4]]]]
    """
    b, first = _checked(x, block_size, data_format, "space_to_depth")
    xp = array_namespace(x)
    if first:
        n, c, h, w = x.shape
        blocks = xp.permute_dims(xp.reshape(x, (n, c, h // b, b, w // b, b)), (0, 1, 3, 5, 2, 4))
        return xp.reshape(blocks, (n, c * b**2, h // b, w // b))
    n, h, w, c = x.shape
    blocks = xp.permute_dims(xp.reshape(x, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return xp.reshape(blocks, (n, h // b, w // b, c * b**2))


def _checked(x: Array, block_size: int, data_format: str, of: str) -> tuple[int, bool]:
    first = checks.choice("data_format", data_format, ("channels_last", "channels_first"), of) == "channels_first"
    if len(x.shape) != 4:
        raise ValueError(f"Argument `x` of {of} must have four axes. Received: shape {tuple(x.shape)}")
    b = checks.positive_int("block_size", block_size, of)
    channels, space = (x.shape[1], x.shape[2:]) if first else (x.shape[3], x.shape[1:3])
    if (channels % b**2) if of == "depth_to_space" else any(n % b for n in space):
        raise checks.invalid("block_size", block_size, f"one that fits the shape {tuple(x.shape)}", of)
    return b, first


def _pairs(kernel_size: Size, dilation: Size, padding: Size, stride: Size, of: str) -> tuple[tuple[int, ...], ...]:
    return (
        checks.integers("kernel_size", kernel_size, 2, of, least=1),
        checks.integers("dilation", dilation, 2, of, least=1),
        checks.integers("padding", padding, 2, of, least=0),
        checks.integers("stride", stride, 2, of, least=1),
    )


@operation
def unfold(x: Array, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Array:
    """Sliding blocks of images as columns.

    Args:
        x: Shape (batch, channels, height, width).
        kernel_size: Height and width of the blocks, or one number for both; likewise the other arguments.
        dilation: Distances between neighbouring elements of a block.
        padding: Zeros at each side.
        stride: Steps of the blocks.

    Returns:
        Shape (batch, channels * height * width of a block, blocks).

    Example:
        >>> from portanet import ops
        >>> ops.shape(unfold(ops.ones((1, 3, 4, 4)), 2))
        (1, 12, 9)
    """
    size, steps, margin, strides = _pairs(kernel_size, dilation, padding, stride, "unfold")
    xp = array_namespace(x)
    x = pad(x, ((0, 0), (0, 0), (margin[0],) * 2, (margin[1],) * 2))
    counts = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(x.shape[2:], size, steps, strides, strict=True)]
    columns = []
    for i in range(size[0]):
        for j in range(size[1]):
            starts = (i * steps[0], j * steps[1])
            key = [slice(a, a + s * (c - 1) + 1, s) for a, s, c in zip(starts, strides, counts, strict=True)]
            columns.append(xp.reshape(x[:, :, key[0], key[1]], (*x.shape[:2], counts[0] * counts[1])))
    return xp.reshape(xp.stack(columns, axis=2), (x.shape[0], -1, counts[0] * counts[1]))


@operation
def fold(
    x: Array, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Array:
    """Columns as blocks of images, summed where they overlap: the transpose of `unfold`.

    Args:
        x: Shape (batch, channels * height * width of a block, blocks).
        output_size: Height and width of the images.
        kernel_size: See `unfold`; likewise the other arguments.
        dilation: See `unfold`.
        padding: See `unfold`.
        stride: See `unfold`.

    Returns:
        Shape (batch, channels, height, width).

    Example:
        >>> from portanet import ops
        >>> fold(ops.ones((1, 2, 2)), (1, 3), (1, 2))
        array([[[[1., 2., 1.]]]], dtype=float32)
    """
    size, steps, margin, strides = _pairs(kernel_size, dilation, padding, stride, "fold")
    space = checks.integers("output_size", output_size, 2, "fold", least=1)
    padded = [n + 2 * m for n, m in zip(space, margin, strict=True)]
    counts = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(padded, size, steps, strides, strict=True)]
    if len(x.shape) != 3 or x.shape[1] % (size[0] * size[1]) or x.shape[2] != counts[0] * counts[1]:
        raise ValueError(
            f"Argument `x` of fold must have shape (batch, channels * {size[0] * size[1]}, {counts[0] * counts[1]}). "
            f"Received: shape {tuple(x.shape)}"
        )
    places = [
        (i * steps[0] + p * strides[0]) * padded[1] + j * steps[1] + q * strides[1]
        for i in range(size[0])
        for j in range(size[1])
        for p in range(counts[0])
        for q in range(counts[1])
    ]
    xp = array_namespace(x)
    batch, channels = x.shape[0], x.shape[1] // (size[0] * size[1])
    rows = xp.permute_dims(xp.reshape(x, (batch * channels, len(places))), (1, 0))
    whole = xp.reshape(xp.permute_dims(summed(rows, places, padded[0] * padded[1]), (1, 0)), (batch, channels, *padded))
    return whole[:, :, margin[0] : margin[0] + space[0], margin[1] : margin[1] + space[1]]

"""PyTorch's convolutions as overrides of `portanet.fused.convolution_plain`, which defines them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array


def convolve(
    x: Array, kernel: Array, bias: Array | None, *, window: Any, groups: int, activation: str | None = None
) -> Array:
    """The convolution."""
    from torch.nn import functional

    conv = (functional.conv1d, functional.conv2d, functional.conv3d)[window.rank - 1]
    x, margin = _padded(_channels_first(x), window)
    out = conv(x, _filters_first(kernel), bias, window.strides, margin, window.dilation, groups)
    return _channels_last(out if activation is None else functional.relu(out))


def convolve_input(g: Array, kernel: Array, *, window: Any, groups: int, space: tuple[int, ...]) -> Array:
    """The adjoint with respect to the input."""
    from torch.nn import grad

    back = (grad.conv1d_input, grad.conv2d_input, grad.conv3d_input)[window.rank - 1]
    margin, extra = _split_padding(window)
    size = [n + before + after for n, (before, after) in zip(space, extra, strict=True)]
    shape = (g.shape[0], kernel.shape[-2] * groups, *size)
    out = back(
        shape, _filters_first(kernel), _channels_first(g).contiguous(), window.strides, margin, window.dilation, groups
    )
    for axis, (n, (before, _)) in enumerate(zip(space, extra, strict=True), 2):
        out = out.narrow(axis, before, n)
    return _channels_last(out)


def convolve_kernel(x: Array, g: Array, *, window: Any, groups: int) -> Array:
    """The adjoint with respect to the kernel."""
    from torch.nn import grad

    back = (grad.conv1d_weight, grad.conv2d_weight, grad.conv3d_weight)[window.rank - 1]
    x, margin = _padded(_channels_first(x), window)
    shape = (g.shape[-1], x.shape[1] // groups, *window.size)
    out = back(x, shape, _channels_first(g), window.strides, margin, window.dilation, groups)
    return out.permute((*range(2, window.rank + 2), 1, 0))


def _channels_first(x: Array) -> Array:
    return x.movedim(-1, 1)


def _channels_last(x: Array) -> Array:
    return x.movedim(1, -1)


def _filters_first(kernel: Array) -> Array:
    rank = kernel.ndim - 2
    return kernel.permute((rank + 1, rank, *range(rank)))


def _split_padding(window: Any) -> tuple[list[int], list[tuple[int, int]]]:
    """What is equal on both sides, which PyTorch takes, and the rest."""
    margin = [min(pair) for pair in window.padding]
    return margin, [(a - m, b - m) for (a, b), m in zip(window.padding, margin, strict=True)]


def _padded(x: Array, window: Any) -> tuple[Array, list[int]]:
    """The input with the rest of the padding, and what PyTorch is to add."""
    from torch.nn import functional

    margin, extra = _split_padding(window)
    if any(sum(pair) for pair in extra):
        x = functional.pad(x, [n for pair in reversed(extra) for n in pair])
    return x, margin


OVERRIDES: dict[str, Callable[..., Any]] = {
    "convolve": convolve,
    "convolve_input": convolve_input,
    "convolve_kernel": convolve_kernel,
}

"""MLX's convolution and its adjoints as overrides of `portanet.fused.convolution_plain`, which defines them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array


def convolve(
    x: Array, kernel: Array, bias: Array | None, *, window: Any, groups: int, activation: str | None = None
) -> Any:
    """The convolution, for which MLX puts the filters first."""
    import mlx.core as mx

    if not _has(x):
        return NotImplemented
    rank = window.rank
    before, after = zip(*window.padding, strict=True)
    out = mx.conv_general(
        x,
        mx.transpose(kernel, (rank + 1, *range(rank), rank)),
        stride=list(window.strides),
        padding=(list(before), list(after)),
        kernel_dilation=list(window.dilation),
        groups=groups,
    )
    out = out if bias is None else out + bias
    return out if activation is None else mx.maximum(out, 0.0)


def convolve_input(g: Array, kernel: Array, *, window: Any, groups: int, space: tuple[int, ...]) -> Any:
    """The adjoint with respect to the input."""
    import mlx.core as mx

    if not _has(g):
        return NotImplemented
    x = mx.zeros((g.shape[0], *space, kernel.shape[-2] * groups), g.dtype)
    return mx.vjp(lambda x: convolve(x, kernel, None, window=window, groups=groups), [x], [g])[1][0]


def convolve_kernel(x: Array, g: Array, *, window: Any, groups: int) -> Any:
    """The adjoint with respect to the kernel."""
    import mlx.core as mx

    if not _has(g):
        return NotImplemented
    kernel = mx.zeros((*window.size, x.shape[-1] // groups, g.shape[-1]), x.dtype)
    return mx.vjp(lambda kernel: convolve(x, kernel, None, window=window, groups=groups), [kernel], [g])[1][0]


def _has(x: Array) -> bool:
    """Whether MLX has convolutions of such arrays: not of float64, and it fails for no elements."""
    import mlx.core as mx

    return bool(x.dtype != mx.float64) and x.size > 0


OVERRIDES: dict[str, Callable[..., Any]] = {
    "convolve": convolve,
    "convolve_input": convolve_input,
    "convolve_kernel": convolve_kernel,
}

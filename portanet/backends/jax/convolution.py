"""XLA's convolution and its transposes as overrides of `portanet.fused.convolution_plain`, which defines them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array


def convolve(
    x: Array, kernel: Array, bias: Array | None, *, window: Any, groups: int, activation: str | None = None
) -> Array:
    """The convolution."""
    import jax

    space = "DHW"[3 - window.rank :]
    out = jax.lax.conv_general_dilated(
        x,
        kernel,
        window.strides,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
        feature_group_count=groups,
    )
    out = out if bias is None else out + bias
    return out if activation is None else jax.numpy.maximum(out, 0.0)


def convolve_input(g: Array, kernel: Array, *, window: Any, groups: int, space: tuple[int, ...]) -> Array:
    """The adjoint with respect to the input."""
    import jax

    like = jax.ShapeDtypeStruct((g.shape[0], *space, kernel.shape[-2] * groups), g.dtype)
    return jax.linear_transpose(lambda x: convolve(x, kernel, None, window=window, groups=groups), like)(g)[0]


def convolve_kernel(x: Array, g: Array, *, window: Any, groups: int) -> Array:
    """The adjoint with respect to the kernel."""
    import jax

    like = jax.ShapeDtypeStruct((*window.size, x.shape[-1] // groups, g.shape[-1]), x.dtype)
    return jax.linear_transpose(lambda kernel: convolve(x, kernel, None, window=window, groups=groups), like)(g)[0]


OVERRIDES: dict[str, Callable[..., Any]] = {
    "convolve": convolve,
    "convolve_input": convolve_input,
    "convolve_kernel": convolve_kernel,
}

"""ONNX's operators for convolution as overrides of `portanet.fused.convolution_plain`, which defines them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array


def convolve(
    x: Array, kernel: Array, bias: Array | None, *, window: Any, groups: int, activation: str | None = None
) -> Array:
    """The convolution, for which ONNX puts the channels first."""
    import ndonnx as xp
    import spox.opset.ai.onnx.v21 as operators

    rank = window.rank
    out = operators.conv(
        _channels_first(x).unwrap_spox(),
        xp.permute_dims(kernel, (rank + 1, rank, *range(rank))).unwrap_spox(),
        None if bias is None else bias.unwrap_spox(),
        **_attributes(window, groups),
    )
    return _channels_last(xp.asarray(out if activation is None else operators.relu(out)))


def convolve_input(g: Array, kernel: Array, *, window: Any, groups: int, space: tuple[int, ...]) -> Array:
    """The adjoint with respect to the input."""
    import ndonnx as xp
    import spox.opset.ai.onnx.v21 as operators

    rank = window.rank
    reached = [(n - 1) * s + span for n, s, span in zip(g.shape[1:-1], window.strides, window.spans, strict=True)]
    # `output_padding` adds positions at the end that no element of g reaches.
    missing = [n + before + after - r for n, (before, after), r in zip(space, window.padding, reached, strict=True)]
    out = operators.conv_transpose(
        _channels_first(g).unwrap_spox(),
        xp.permute_dims(kernel, (rank + 1, rank, *range(rank))).unwrap_spox(),
        output_padding=missing,
        **_attributes(window, groups),
    )
    return _channels_last(xp.asarray(out))


def _attributes(window: Any, groups: int) -> dict[str, Any]:
    before, after = zip(*window.padding, strict=True)
    return {
        "kernel_shape": window.size,
        "strides": window.strides,
        "pads": (*before, *after),
        "dilations": window.dilation,
        "group": groups,
    }


def _channels_first(x: Array) -> Array:
    import ndonnx as xp

    return xp.permute_dims(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def _channels_last(x: Array) -> Array:
    import ndonnx as xp

    return xp.permute_dims(x, (0, *range(2, x.ndim), 1))


OVERRIDES: dict[str, Callable[..., Any]] = {"convolve": convolve, "convolve_input": convolve_input}

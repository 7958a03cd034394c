"""Convolution over one, two or three spatial axes, with derivatives of any order.

Three functions are bilinear, and the pullbacks of each are the other two. So the same fast code computes derivatives
of every order.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from portanet import checks
from portanet.autodiff import primitive
from portanet.backends import Array, overridable
from portanet.fused import convolution_plain as plain
from portanet.fused.epilogues import before_activation
from portanet.fused.products import sum_rows
from portanet.fused.windows import Window, window


def conv_nd(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    strides: int | Sequence[int] = 1,
    padding: Any = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Array:
    """Convolution as in neural networks: the sum over a window of x times the kernel, which is not flipped.

    Args:
        x: Shape (batch, *space, channels), with one, two or three spatial axes.
        kernel: Shape (*size, channels / groups, filters).
        bias: Shape (filters,), or None.
        strides: Steps of the window, one for all axes or one per axis.
        padding: `"valid"`, `"same"`, `"full"`, `"causal"`, an integer, or an integer or pair per axis; see
            `portanet.fused.windows.window`.
        dilation: Distances between neighbouring elements of the window.
        groups: Number of groups of channels that do not mix.
        activation: Of the result: `"relu"`, or None.

    Returns:
        Shape (batch, *positions, filters), dtype of the input.

    Raises:
        ValueError: Shapes or arguments do not fit.

    Example:
        >>> import numpy as np
        >>> x = np.asarray([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1)
        >>> conv_nd(x, np.asarray([1.0, 10.0]).reshape(2, 1, 1)).ravel()
        array([21., 32., 43.])
    """
    size, inputs, filters = tuple(kernel.shape[:-2]), kernel.shape[-2], kernel.shape[-1]
    _require_fit("x", x, len(size), inputs * groups, groups, filters)
    if activation is not None:
        checks.choice("activation", activation, ("relu",))
    slid = window(tuple(x.shape[1:-1]), size, strides, padding, dilation)
    return convolve(x, kernel, bias, window=slid, groups=groups, activation=activation)


def conv_transpose_nd(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    strides: int | Sequence[int] = 1,
    padding: Sequence[tuple[int, int]] | None = None,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    space: Sequence[int] | None = None,
) -> Array:
    """The adjoint of `conv_nd` with respect to its input: each element of x adds a scaled kernel to the result.

    Args:
        x: Shape (batch, *positions, channels).
        kernel: Shape (*size, filters / groups, channels): that of the convolution whose adjoint this is.
        bias: Shape (filters,), or None.
        strides: Steps between the kernels in the result.
        padding: A pair (before, after) per axis, cropped from the full result. None: nothing.
        dilation: Distances between neighbouring elements of the kernel.
        groups: Number of groups of channels that do not mix.
        space: Size of the result on each axis; by default
            `(positions - 1) * strides + (size - 1) * dilation + 1` less `padding`.

    Returns:
        Shape (batch, *space, filters).

    Example:
        >>> import numpy as np
        >>> x = np.asarray([1.0, 2.0]).reshape(1, 2, 1)
        >>> conv_transpose_nd(x, np.asarray([1.0, 10.0, 100.0]).reshape(3, 1, 1), strides=2).ravel()
        array([  1.,  10., 102.,  20., 200.])
    """
    size, channels = tuple(kernel.shape[:-2]), kernel.shape[-1]
    _require_fit("x", x, len(size), channels, groups, channels)
    adjoint = window((0,) * len(size), size, strides, ((0, 0),) * len(size) if padding is None else padding, dilation)
    full = [(n - 1) * s + span for n, s, span in zip(x.shape[1:-1], adjoint.strides, adjoint.spans, strict=True)]
    if space is None:
        space = [n - sum(cut) for n, cut in zip(full, adjoint.padding, strict=True)]
    # The convolution of a result of that size must have the shape of x.
    excess = [n - before - size for n, (before, _), size in zip(full, adjoint.padding, space, strict=True)]
    if any(-extra >= s for extra, s in zip(excess, adjoint.strides, strict=True)):
        raise ValueError(
            f"Argument `space` is larger than the result can be: {tuple(full)} before padding is cropped. "
            f"Received: space={tuple(space)}, padding={padding!r}"
        )
    cut = tuple((before, max(0, extra)) for (before, _), extra in zip(adjoint.padding, excess, strict=True))
    adjoint = replace(adjoint, padding=cut)
    out = convolve_input(x, kernel, window=adjoint, groups=groups, space=tuple(space))
    return out if bias is None else out + bias


def transposed_cropping(
    size: Sequence[int],
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilation: Sequence[int],
) -> list[int]:
    """Number of elements that Keras's convention crops at the start of a full transposed convolution, on each axis.

    Example:
        >>> transposed_cropping((3,), (2,), "same", None, (1,)), transposed_cropping((3,), (2,), "valid", None, (1,))
        ([0], [0])
    """
    cropping = []
    for axis, (k, s, d) in enumerate(zip(size, strides, dilation, strict=True)):
        span = (k - 1) * d + 1
        if padding == "valid":
            cropping.append(0)
            continue
        extra = None if output_padding is None else output_padding[axis]
        margin = s + span - 2 if extra is None else span + span % 2 - 2 + extra
        cropping.append(span - 1 - min(margin - margin // 2, span - 1))
    return cropping


def transposed_space(
    space: Sequence[int | None],
    size: Sequence[int],
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilation: Sequence[int],
) -> tuple[Any, ...]:
    """The size of the result of a transposed convolution in Keras's convention, on each axis; None where unknown.

    Example:
        >>> transposed_space((5, None), (3, 3), (2, 2), "valid", None, (1, 1))
        (11, None)
    """
    sizes: list[int | None] = []
    for axis, (n, k, s, d) in enumerate(zip(space, size, strides, dilation, strict=True)):
        span = (k - 1) * d + 1
        extra = None if output_padding is None else output_padding[axis]
        if n is None:
            sizes.append(None)
        elif padding == "valid":
            sizes.append((n - 1) * s + (max(span, s) if extra is None else span + extra))
        else:
            sizes.append(n * s if extra is None else (n - 1) * s + span % 2 + extra)
    return tuple(sizes)


def _require_fit(name: str, x: Array, rank: int, channels: int, groups: int, split: int) -> None:
    if rank not in (1, 2, 3):
        raise ValueError(f"The kernel must have one, two or three spatial axes. Received: {rank}")
    if len(x.shape) != rank + 2 or x.shape[-1] != channels:
        raise ValueError(
            f"The kernel has {rank} spatial axes and, in {groups} groups, {channels} channels, so `{name}` must have "
            f"shape (batch, {', '.join(['...'] * rank)}, {channels}). Received: {name}.shape={tuple(x.shape)}"
        )
    if groups < 1 or split % groups:
        raise ValueError(f"Argument `groups` must divide the {split} filters. Received: groups={groups}")


# The three bilinear functions: the pullbacks of each are the other two.


def _pull_convolve(
    out: Array,
    x: Array,
    kernel: Array,
    bias: Array | None,
    *,
    window: Window,
    groups: int,
    activation: str | None = None,
) -> Any:
    space = tuple(x.shape[1:-1])

    def pull(g: Array) -> Any:
        behind = [g, activation]  # a cotangent, and what is still to be done to it

        def to_input() -> Array:
            behind[:] = before_activation(behind[0], out, behind[1]), None
            return convolve_input(behind[0], kernel, window=window, groups=groups, space=space)

        @functools.cache
        def to_weights() -> tuple[Array, Array | None]:
            g, activation = behind
            return convolve_weights(
                x, g, out, window=window, groups=groups, activation=activation, biased=bias is not None
            )

        return to_input, lambda: to_weights()[0], None if bias is None else lambda: to_weights()[1]

    return pull


@overridable
def convolve_weights(
    x: Array, g: Array, y: Array, *, window: Window, groups: int, activation: str | None, biased: bool
) -> tuple[Array, Array | None]:
    """The adjoints of `convolve` with respect to kernel and bias, if there is one, for its input and result (y).

    Returns:
        Shapes (*size, channels / groups, filters) and (filters,), or None for the latter.
    """
    g = before_activation(g, y, activation)
    return convolve_kernel(x, g, window=window, groups=groups), sum_rows(g) if biased else None


def _pull_convolve_input(
    out: Array, g: Array, kernel: Array, *, window: Window, groups: int, space: tuple[int, ...]
) -> Any:
    return lambda h: (
        lambda: convolve(h, kernel, None, window=window, groups=groups),
        lambda: convolve_kernel(h, g, window=window, groups=groups),
    )


def _pull_convolve_kernel(out: Array, x: Array, g: Array, *, window: Window, groups: int) -> Any:
    space = tuple(x.shape[1:-1])
    return lambda k: (
        lambda: convolve_input(g, k, window=window, groups=groups, space=space),
        lambda: convolve(x, k, None, window=window, groups=groups),
    )


convolve = primitive(plain.convolve, _pull_convolve, examples=[0])
convolve_input = primitive(plain.convolve_input, _pull_convolve_input, examples=[0])
convolve_kernel = primitive(plain.convolve_kernel, _pull_convolve_kernel)

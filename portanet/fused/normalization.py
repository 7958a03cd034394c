"""Normalisation over axes, followed by a scale and an offset, fused: few passes over the data, forward and backward."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, elementwise, map_rows, overridable


@custom_vjp
@overridable
def normalize(
    x: Array, *affine: Array, axes: tuple[int, ...], epsilon: float, scale: bool = False, offset: bool = False
) -> Any:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with mean and variance over `axes`.

    The derivative follows Ioffe and Szegedy 2015, section 3, in terms of the result.

    Args:
        x: Floating-point array.
        *affine: The scale and the offset, if any, each with as many axes as `x` and a shape that broadcasts to it.
        axes: Axes to take mean and variance over, non-negative.
        epsilon: Added to the variance.
        scale: Whether `affine` has a scale.
        offset: Whether it has an offset.

    Returns:
        The result in the shape of `x`, the mean and the (biased) variance; the last two have size 1 on `axes`.

    Example:
        >>> import numpy as np
        >>> y, mean, variance = normalize(np.asarray([[1.0, 3.0]]), axes=(1,), epsilon=0.0)
        >>> y, mean, variance
        (array([[-1.,  1.]]), array([[2.]]), array([[1.]]))
    """

    def forward(x: Array) -> tuple[Array, ...]:
        xp = array_namespace(x, *affine)
        mean = _mean(xp, x, axes)
        y = x - mean
        variance = _mean_of_product(xp, y, y, axes)
        rstd = 1 / xp.sqrt(variance + epsilon)
        y *= rstd
        gamma, beta = affine[0] if scale else None, affine[-1] if offset else None
        return _affine(y, gamma, beta), mean, variance, y, rstd

    out, mean, variance, y, rstd = _by_example(forward, axes, affine, x)
    size = math.prod(x.shape[a] for a in axes)

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g, g_mean, g_variance = cotangents
        xp = array_namespace(*(c for c in cotangents if c is not None), x, *affine)
        dx, rest = None, (None,) * len(affine)
        if g is not None:
            dx, rest = _backward(xp, g, y, rstd, affine, axes, scale, offset, centered=True)
        for term in (
            None if g_mean is None else xp.broadcast_to(g_mean / size, x.shape),
            None if g_variance is None else g_variance * (2 / size) * (x - mean),
        ):
            if term is not None:
                dx = term if dx is None else dx + term
        return dx, *rest

    return (out, mean, variance), pullback


@custom_vjp
@overridable
def rms_normalize(x: Array, *affine: Array, axes: tuple[int, ...], epsilon: float) -> Any:
    """`x / sqrt(mean(x**2) + epsilon) * scale`, with the mean over `axes` (Zhang and Sennrich 2019).

    Args:
        x: Floating-point array.
        *affine: The scale, if any, with as many axes as `x` and a shape that broadcasts to it.
        axes: Axes to take the mean over, non-negative.
        epsilon: Added to the mean.

    Example:
        >>> import numpy as np
        >>> rms_normalize(np.asarray([[3.0, 3.0]]), axes=(1,), epsilon=0.0)
        array([[1., 1.]])
    """
    scale = bool(affine)

    def forward(x: Array) -> tuple[Array, ...]:
        xp = array_namespace(x, *affine)
        rstd = 1 / xp.sqrt(_mean_of_product(xp, x, x, axes) + epsilon)
        y = x * rstd
        return _affine(y, affine[0] if scale else None, None), y, rstd

    out, y, rstd = _by_example(forward, axes, affine, x)

    def pullback(g: Array) -> Any:
        xp = array_namespace(g, x, *affine)
        dx, rest = _backward(xp, g, y, rstd, affine, axes, scale, offset=False, centered=False)
        return dx, *rest

    return out, pullback


def _by_example(function: Callable[..., Any], axes: tuple[int, ...], affine: tuple[Array, ...], *arrays: Array) -> Any:
    """Call a function of arrays with the batch first; if examples are independent, a backend may divide the batch."""
    if 0 in axes or not arrays[0].shape or any(v.shape[0] != 1 for v in affine):
        return function(*arrays)
    return map_rows(function, *arrays, size=5 * math.prod(arrays[0].shape[1:]))


@elementwise
def _affine(y: Array, gamma: Array | None, beta: Array | None) -> Array:
    """`y * gamma + beta`, in a new array unless both are None."""
    if gamma is None:
        return y if beta is None else y + beta
    out = y * gamma
    if beta is not None:
        out += beta
    return out


def _backward(
    xp: Any,
    g: Array,
    y: Array,
    rstd: Array,
    affine: tuple[Array, ...],
    axes: tuple[int, ...],
    scale: bool,
    offset: bool,
    centered: bool,
) -> tuple[Array, tuple[Any, ...]]:
    """Cotangents of the input, and of scale and offset, from that of the result."""
    gamma = affine[0] if scale else None
    rest: tuple[Any, ...] = ()
    if all(v.shape[a] == 1 for v in affine for a in axes):
        # The same sums serve the input, the scale and the offset.
        mean_g = _mean(xp, g, axes) if centered else None  # as with every offset
        mean_gy = _mean_of_product(xp, g, y, axes)
        size = math.prod(y.shape[a] for a in axes)
        if gamma is not None:
            rest += (sum_to(xp, mean_gy * size, gamma.shape),)
            rstd = rstd * gamma
        if offset:
            rest += (sum_to(xp, mean_g * size, affine[-1].shape),)
    else:
        cotangent = g
        if gamma is not None:
            rest += (lambda: _sum_by_example(operator.mul, affine[0].shape, cotangent, y),)
        if offset:
            rest += (lambda: _sum_by_example(lambda g: g, affine[-1].shape, cotangent),)

        def input_cotangent(g: Array, y: Array, rstd: Array) -> Array:
            xp = array_namespace(g, y, rstd)
            g = g if gamma is None else g * gamma
            mean_g = _mean(xp, g, axes) if centered else None
            return _combined(g, y, rstd, mean_g, _mean_of_product(xp, g, y, axes))

        return _by_example(input_cotangent, axes, affine, cotangent, y, rstd), rest
    return _combined(g, y, rstd, mean_g, mean_gy), rest


def _sum_by_example(function: Callable[..., Array], shape: tuple[int, ...], *arrays: Array) -> Array:
    """The sum of a function of arrays over the axes on which `shape` is 1, the batch axis among them."""

    def total(*arrays: Array) -> Array:
        return sum_to(array_namespace(*arrays), function(*arrays), shape)

    if shape[0] != 1:
        return total(*arrays)
    return map_rows(total, *arrays, size=2 * math.prod(arrays[0].shape[1:]), total=True)


def _combined(g: Array, y: Array, rstd: Array, mean_g: Array | None, mean_gy: Array) -> Array:
    """`rstd * (g - mean_g - y * mean_gy)`: the cotangent of the input."""
    dx = y * -mean_gy
    dx += g
    if mean_g is not None:
        dx -= mean_g
    dx *= rstd
    return dx


def _mean(xp: Any, x: Array, axes: tuple[int, ...]) -> Array:
    """The mean over axes, with `keepdims`."""
    if axes == (x.ndim - 1,) and xp.finfo(x.dtype).bits > 16:  # sums in half precision overflow
        return xp.sum(x, axis=-1, keepdims=True) / x.shape[-1]
    return xp.mean(x, axis=axes, keepdims=True)


def _mean_of_product(xp: Any, a: Array, b: Array, axes: tuple[int, ...]) -> Array:
    """The mean of `a * b` over axes, with `keepdims`."""
    if axes == (a.ndim - 1,):
        return xp.expand_dims(xp.vecdot(a, b), axis=-1) / a.shape[-1]  # without an array of the products
    return xp.mean(a * b, axis=axes, keepdims=True)


def sum_to(xp: Any, x: Array, shape: tuple[int, ...]) -> Array:
    """The sum of `x` over the axes on which `shape` is 1, with `keepdims`.

    Example:
        >>> import numpy as np
        >>> sum_to(np, np.ones((2, 3)), (1, 3))
        array([[2., 2., 2.]])
    """
    axes = tuple(i for i, (n, m) in enumerate(zip(x.shape, shape, strict=True)) if n != m)
    return xp.sum(x, axis=axes, keepdims=True) if axes else x

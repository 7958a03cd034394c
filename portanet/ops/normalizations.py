"""Normalization over axes."""

from __future__ import annotations

import math

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused import normalization
from portanet.ops.conversion import promoted
from portanet.ops.dtypes import floating
from portanet.ops.operation import Axes, Operand, axes_of, operation

EPSILON = 1e-7


def _shaped(x: Array, parameter: Array, axes: tuple[int, ...]) -> Array:
    """A parameter with as many axes as `x`, at those that are normalized."""
    if len(parameter.shape) == len(x.shape):
        return parameter
    shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
    return array_namespace(parameter).reshape(parameter, shape)


@operation
def batch_normalization(
    x: Operand,
    mean: Operand,
    variance: Operand,
    axis: int,
    offset: Operand | None = None,
    scale: Operand | None = None,
    epsilon: float = 1e-3,
) -> Array:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Args:
        x: Array.
        mean: Shape (n,), n being the size of `axis`; likewise `variance`, `offset` and `scale`.
        variance: See above.
        axis: The axis of the features.
        offset: None for none.
        scale: None for none.
        epsilon: Added to the variance.

    Example:
        >>> batch_normalization([[1.0], [3.0]], [2.0], [1.0], -1, epsilon=0.0)
        array([[-1.],
               [ 1.]], dtype=float32)
    """
    axes = axes_of(axis, len(x.shape), "batch_normalization")
    x, mean, variance = floating(x), floating(mean), floating(variance)
    xp = array_namespace(x, mean, variance)
    factor = 1.0 / xp.sqrt(_shaped(x, variance, axes) + epsilon)
    result = (x - _shaped(x, mean, axes)) * (factor if scale is None else factor * _shaped(x, floating(scale), axes))
    return result if offset is None else result + _shaped(x, floating(offset), axes)


@operation
def layer_normalization(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    axis: Axes = -1,
    epsilon: float | None = None,
) -> Array:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with mean and variance over axes.

    Args:
        x: Array; the result has its dtype, also if the factor and the summand have a wider one.
        gamma: Factor, in the shape of the axes; None for none.
        beta: Summand, likewise.
        axis: The axes.
        epsilon: Added to the variance; None for 1e-7.

    Example:
        >>> layer_normalization([1.0, 3.0])
        array([-1.,  1.], dtype=float32)
    """
    axes = tuple(sorted(axes_of(axis, len(x.shape), "layer_normalization")))
    x = floating(x)
    wide, *affine = promoted(x, *(_shaped(x, floating(p), axes) for p in (gamma, beta) if p is not None))
    y = normalization.normalize(
        wide,
        *affine,
        axes=axes,
        epsilon=EPSILON if epsilon is None else epsilon,
        scale=gamma is not None,
        offset=beta is not None,
    )[0]
    return array_namespace(y).astype(y, x.dtype, copy=False)


@operation
def rms_normalization(x: Array, scale: Array | None = None, axis: Axes = -1, epsilon: float | None = None) -> Array:
    """`x / sqrt(mean(x**2) + epsilon) * scale`, with the mean over axes; see `layer_normalization`.

    Args:
        x: An array.
        scale: Factors of the normalized values; None for 1.
        axis: Axis or axes over which to normalize.
        epsilon: What is added to the mean of squares.

    Example:
        >>> rms_normalization([3.0, 3.0])
        array([1., 1.], dtype=float32)
    """
    axes = tuple(sorted(axes_of(axis, len(x.shape), "rms_normalization")))
    x = floating(x)
    wide, *affine = promoted(x, *(_shaped(x, floating(p), axes) for p in (scale,) if p is not None))
    y = normalization.rms_normalize(wide, *affine, axes=axes, epsilon=EPSILON if epsilon is None else epsilon)
    return array_namespace(y).astype(y, x.dtype, copy=False)


@operation
def normalize(x: Array, axis: Axes = -1, order: int = 2, epsilon: float | None = None) -> Array:
    """`x / max(norm(x), epsilon)`, with the norm over axes.

    Args:
        x: Array.
        axis: The axes.
        order: The order of the norm, at least 1.
        epsilon: The least norm; None for 1e-7.

    Example:
        >>> normalize([3.0, 4.0])
        array([0.6, 0.8], dtype=float32)
    """
    checks.positive_int("order", order, "normalize")
    x = floating(x)
    xp = array_namespace(x)
    least = EPSILON if epsilon is None else epsilon
    if order == 2:
        squares = xp.sum(x * x, axis=axis, keepdims=True)
        zero = squares == 0
        inverse = 1.0 / xp.sqrt(xp.where(zero, 1.0, squares))
        return x * xp.where(zero, 1.0 / least, xp.minimum(inverse, xp.full_like(inverse, 1.0 / least)))
    norm = xp.linalg.vector_norm(x, axis=axis, keepdims=True, ord=order)
    return x / xp.maximum(norm, xp.full_like(norm, least))


@operation
def psnr(x1: Operand, x2: Operand, max_val: float) -> Array:
    """Peak signal-to-noise ratio of two arrays of one shape, in decibels.

    Args:
        x1: Array.
        x2: Array of the same shape.
        max_val: The largest value that elements may have.

    Example:
        >>> float(psnr([1.0, 0.0], [0.9, 0.1], 1.0).round(3))
        20.0
    """
    if tuple(x1.shape) != tuple(x2.shape):
        raise ValueError(f"psnr takes arrays of one shape. Received: {tuple(x1.shape)} and {tuple(x2.shape)}")
    difference = floating(x1) - floating(x2)
    xp = array_namespace(difference)
    return 20.0 * math.log10(max_val) - 10.0 * xp.log10(xp.mean(difference * difference))

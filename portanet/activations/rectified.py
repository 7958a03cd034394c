"""Activations that are linear, or close to it, for positive inputs."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.activations.pointwise import pointwise
from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array
from portanet.fused.epilogues import rectified, where_positive


@custom_vjp
def relu(x: Array, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`max(x, 0)`; the derivative at 0 is 0, as in Keras and PyTorch.

    Args:
        x: Floating-point array.
        negative_slope: Slope below the threshold, where the value is `negative_slope * (x - threshold)`.
        max_value: Upper bound of the value, or None.
        threshold: Above it, the value is x.

    Example:
        >>> import numpy as np
        >>> relu(np.asarray([-1.0, 0.0, 2.0]))
        array([0., 0., 2.])
        >>> relu(np.asarray([-1.0, 0.5, 2.0]), negative_slope=0.1, max_value=1.5, threshold=1.0)
        array([-0.2 , -0.05,  1.5 ])
    """
    xp = array_namespace(x)
    if type(negative_slope) is not float or type(threshold) is not float or negative_slope or threshold:
        negative_slope = checks.number("negative_slope", negative_slope, of="relu")
        threshold = checks.number("threshold", threshold, of="relu")
    if negative_slope == 0 and threshold == 0:
        y = rectified(x)
        if max_value is None:
            return y, lambda g: (where_positive(g, y), None, None, None)
    else:
        y = xp.where(x > threshold, x, negative_slope * (x - threshold))
    if max_value is not None:
        checks.positive("max_value", max_value, "relu")
        y = xp.minimum(y, float(max_value))

    def pullback(g: Array) -> tuple[Array | None, ...]:
        xp = array_namespace(g, x)
        inside = x > threshold if max_value is None else (x > threshold) & (x < max_value)
        if not negative_slope:
            return xp.where(inside, g, 0.0), None, None, None
        return xp.where(inside, g, xp.where(x > threshold, 0.0, negative_slope * g)), None, None, None

    return y, pullback


def relu6(x: Array) -> Array:
    """`min(max(x, 0), 6)`.

    Example:
        >>> import numpy as np
        >>> relu6(np.asarray([-1.0, 2.0, 7.0]))
        array([0., 2., 6.])
    """
    return relu(x, max_value=6.0)


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """The input where positive, else `negative_slope * x` (Maas et al. 2013).

    Args:
        x: A floating-point array.
        negative_slope: Slope below 0.

    Args:
        x: A floating-point array.
        negative_slope: Slope below 0.

    Example:
        >>> import numpy as np
        >>> leaky_relu(np.asarray([-1.0, 2.0]))
        array([-0.2,  2. ])
    """
    return relu(x, negative_slope=checks.number("negative_slope", negative_slope, of="leaky_relu"))


def prelu(x: Array, alpha: Array) -> Array:
    """The input where positive, else `alpha * x`, with alpha learned (He et al. 2015).

    Args:
        x: Floating-point array.
        alpha: Array that broadcasts against `x`.

    Example:
        >>> import numpy as np
        >>> prelu(np.asarray([[-1.0, 2.0]]), np.asarray([0.5, 0.5]))
        array([[-0.5,  2. ]])
    """
    array_namespace(alpha)  # rejects numbers
    xp = array_namespace(x, alpha)
    return xp.where(x > 0, x, alpha * x)


@pointwise
def elu(x: Array, alpha: float = 1.0) -> Any:
    """The input where positive, else `alpha (exp(x) - 1)` (Clevert et al. 2016).

    Args:
        x: A floating-point array.
        alpha: Scale of the values below 0.

    Args:
        x: A floating-point array.
        alpha: Scale of the values below 0.

    Example:
        >>> import numpy as np
        >>> elu(np.asarray([-1.0, 2.0])).round(6)
        array([-0.632121,  2.      ])
    """
    alpha = checks.number("alpha", alpha, of="elu")
    xp = array_namespace(x)
    below = alpha * xp.expm1(xp.minimum(x, 0.0))
    return xp.where(x > 0, x, below), lambda xp: xp.where(x > 0, 1.0, below + alpha)


@pointwise
def selu(x: Array) -> Any:
    """`1.0507 elu(x, 1.6733)`: keeps mean 0 and variance 1 from layer to layer (Klambauer et al. 2017).

    Example:
        >>> import numpy as np
        >>> selu(np.asarray([-1.0, 1.0])).round(6)
        array([-1.111331,  1.050701])
    """
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    xp = array_namespace(x)
    below = (scale * alpha) * xp.expm1(xp.minimum(x, 0.0))
    return xp.where(x > 0, scale * x, below), lambda xp: xp.where(x > 0, scale, below + scale * alpha)


@pointwise
def celu(x: Array, alpha: float = 1.0) -> Any:
    """The input where positive, else `alpha (exp(x / alpha) - 1)`, which has slope 1 at 0 for any alpha (Barron 2017).

    Args:
        x: A floating-point array.
        alpha: Scale of the values below 0.

    Args:
        x: A floating-point array.
        alpha: Scale of the values below 0.

    Example:
        >>> import numpy as np
        >>> celu(np.asarray([-2.0, 1.0]), alpha=2.0).round(6)
        array([-1.264241,  1.      ])
    """
    checks.positive("alpha", alpha, "celu")
    xp = array_namespace(x)
    below = alpha * xp.expm1(xp.minimum(x, 0.0) / alpha)
    return xp.where(x > 0, x, below), lambda xp: xp.where(x > 0, 1.0, below / alpha + 1)


@pointwise
def softplus(x: Array) -> Any:
    """`log(1 + exp(x))`, computed as `max(x, 0) + log(1 + exp(-|x|))`, which cannot overflow.

    Example:
        >>> import numpy as np
        >>> softplus(np.asarray([-1.0, 0.0, 1.0, 1000.0])).round(6)
        array([3.132620e-01, 6.931470e-01, 1.313262e+00, 1.000000e+03])
    """
    xp = array_namespace(x)
    y = xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))
    return y, lambda xp: 0.5 * xp.tanh(0.5 * x) + 0.5


@pointwise
def squareplus(x: Array, b: float = 4.0) -> Any:
    """`(x + sqrt(x^2 + b)) / 2`: like softplus, without exponentials (Barron 2021).

    Computed as `max(x, 0) + (b/2) / (sqrt(x^2 + b) + |x|)`, without cancellation.

    Args:
        x: A floating-point array.
        b: Smoothness.

    Args:
        x: A floating-point array.
        b: Smoothness.

    Example:
        >>> import numpy as np
        >>> squareplus(np.asarray([-1.5, 0.0, 1.5]))
        array([0.5, 1. , 2. ])
    """
    checks.positive("b", b, "squareplus")
    xp = array_namespace(x)
    root = xp.sqrt(x * x + b)
    y = xp.maximum(x, 0.0) + (0.5 * b) / (root + xp.abs(x))
    return y, lambda xp: y / root


@pointwise
def sparse_plus(x: Array) -> Any:
    """0 below -1, x above 1, and the parabola `(x + 1)^2 / 4` between.

    Example:
        >>> import numpy as np
        >>> sparse_plus(np.asarray([-2.0, 0.0, 2.0]))
        array([0.  , 0.25, 2.  ])
    """
    xp = array_namespace(x)
    rise = xp.minimum(xp.maximum(0.5 * x + 0.5, 0.0), 1.0)
    return xp.where(x > 1, x, rise * rise), lambda xp: rise


@pointwise
def threshold(x: Array, threshold: float, default_value: float) -> Any:
    """The input where it is above the threshold, else the default value.

    Args:
        x: A floating-point array.
        threshold: Values up to it are replaced.
        default_value: By what.

    Args:
        x: A floating-point array.
        threshold: Values up to it are replaced.
        default_value: By what.

    Example:
        >>> import numpy as np
        >>> threshold(np.asarray([0.5, 2.0]), 1.0, -1.0)
        array([-1.,  2.])
    """
    threshold = checks.number("threshold", threshold, "[-inf, inf]", "threshold")
    default_value = checks.number("default_value", default_value, "[-inf, inf]", "threshold")
    xp = array_namespace(x)
    return xp.where(x > threshold, x, default_value), lambda xp: xp.astype(x > threshold, x.dtype)


@pointwise
def soft_shrink(x: Array, threshold: float = 0.5) -> Any:
    """The input shrunk towards 0 by the threshold, and 0 within it.

    Args:
        x: A floating-point array.
        threshold: What absolute values lose.

    Args:
        x: A floating-point array.
        threshold: What absolute values lose.

    Example:
        >>> import numpy as np
        >>> soft_shrink(np.asarray([-1.0, 0.2, 2.0]))
        array([-0.5,  0. ,  1.5])
    """
    checks.non_negative("threshold", threshold, "soft_shrink")
    xp = array_namespace(x)
    y = x - xp.minimum(xp.maximum(x, -float(threshold)), float(threshold))
    return y, lambda xp: xp.astype(xp.abs(x) > threshold, x.dtype)


@pointwise
def hard_shrink(x: Array, threshold: float = 0.5) -> Any:
    """The input, and 0 where it is within the threshold of 0.

    Args:
        x: A floating-point array.
        threshold: Values between `-threshold` and `threshold` become 0.

    Args:
        x: A floating-point array.
        threshold: Values between `-threshold` and `threshold` become 0.

    Example:
        >>> import numpy as np
        >>> hard_shrink(np.asarray([-1.0, 0.2, 2.0]))
        array([-1.,  0.,  2.])
    """
    checks.non_negative("threshold", threshold, "hard_shrink")
    xp = array_namespace(x)
    return xp.where(xp.abs(x) <= threshold, 0.0, x), lambda xp: xp.astype(xp.abs(x) > threshold, x.dtype)


@pointwise
def tanh_shrink(x: Array) -> Any:
    """`x - tanh(x)`.

    Example:
        >>> import numpy as np
        >>> tanh_shrink(np.asarray([0.0, 1.0])).round(6)
        array([0.      , 0.238406])
    """
    t = array_namespace(x).tanh(x)
    return x - t, lambda xp: t * t

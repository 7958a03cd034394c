"""Activations that multiply the input by a gate."""

from __future__ import annotations

import functools
import math
from typing import Any

from portanet import checks
from portanet.activations.bounded import hard_sigmoid, sigmoid
from portanet.activations.pointwise import pointwise
from portanet.autodiff import array_namespace
from portanet.autodiff.special import erfc
from portanet.backends import Array


@pointwise
def silu(x: Array) -> Any:
    """`x sigmoid(x)`, also called swish (Hendrycks and Gimpel 2016).

    Example:
        >>> import numpy as np
        >>> silu(np.asarray([-1.0, 0.0, 1.0])).round(6)
        array([-0.268941,  0.      ,  0.731059])
    """
    s = sigmoid(x)
    y = x * s
    return y, lambda xp: s + y * (1 - s)


def hard_silu(x: Array) -> Array:
    """`x hard_sigmoid(x)`, also called hard swish (Howard et al. 2019).

    Example:
        >>> import numpy as np
        >>> hard_silu(np.asarray([-4.0, 1.5, 4.0]))
        array([-0.   ,  1.125,  4.   ])
    """
    gate = hard_sigmoid(x)
    return x * gate


@pointwise
def mish(x: Array) -> Any:
    """`x tanh(softplus(x))` (Misra 2019).

    With e = exp(-|x|), tanh(log(1 + exp(x))) is (1 + 2e) / (1 + 2e + 2e^2) for positive x and
    (e^2 + 2e) / (e^2 + 2e + 2) for negative x: one exponential.

    Example:
        >>> import numpy as np
        >>> mish(np.asarray([-1.0, 0.0, 1.0])).round(6)
        array([-0.303401,  0.      ,  0.865098])
    """
    xp = array_namespace(x)
    e = xp.exp(-xp.abs(x))
    numerator = xp.where(x > 0, 1 + 2 * e, e * e + 2 * e)
    t = numerator / (numerator + xp.where(x > 0, 2 * e * e, 2.0))
    return x * t, lambda xp: t + x * (1 - t * t) * (0.5 * xp.tanh(0.5 * x) + 0.5)


@functools.partial(pointwise, may_override=True)
def gelu(x: Array, approximate: bool = False) -> Any:
    """`x` times the probability that a standard normal variable is below x (Hendrycks and Gimpel 2016).

    Args:
        x: Floating-point array.
        approximate: Whether to approximate the probability, within 5e-4, by
            `(1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2`.

    Example:
        >>> import numpy as np
        >>> gelu(np.asarray([-1.0, 0.0, 1.0])).round(6)
        array([-0.158655,  0.      ,  0.841345])
        >>> gelu(np.asarray([-1.0, 0.0, 1.0]), approximate=True).round(6)
        array([-0.158808,  0.      ,  0.841192])
    """
    xp = array_namespace(x)
    if checks.boolean("approximate", approximate, "gelu"):
        scale = math.sqrt(2 / math.pi)
        square = x * x
        t = xp.tanh(scale * x * (1 + 0.044715 * square))
        half = 0.5 + 0.5 * t
        return x * half, lambda xp: half + (0.5 * scale) * x * (1 - t * t) * (1 + (3 * 0.044715) * square)
    below = 0.5 * erfc(x * -math.sqrt(0.5))

    def slope(xp: Any) -> Array:
        near = xp.clip(x, -40.0, 40.0)  # exp(-800) is 0, no square overflows, and 0 * inf is NaN
        return below + near * (xp.exp(-0.5 * near * near) * (1 / math.sqrt(2 * math.pi)))

    return xp.maximum(x, -40.0) * below, slope


def glu(x: Array, axis: int = -1) -> Array:
    """The first half of an axis times the sigmoid of the second half (Dauphin et al. 2017).

    Args:
        x: Floating-point array.
        axis: Axis of even size, halved in the result.

    Example:
        >>> import numpy as np
        >>> glu(np.asarray([[2.0, 4.0, 0.0, 0.0]]))
        array([[1., 2.]])
    """
    array_namespace(x)
    size = x.shape[checks.axis("axis", axis, x.ndim, "glu")]
    if size % 2:
        raise ValueError(
            f"Argument `axis` of glu must be an axis of even size. Received: axis={axis} of shape {tuple(x.shape)}"
        )
    before = (slice(None),) * (axis % x.ndim)
    return x[(*before, slice(0, size // 2), ...)] * sigmoid(x[(*before, slice(size // 2, size), ...)])

"""Activations with bounded results: sigmoids and steps."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.activations.pointwise import pointwise
from portanet.activations.rectified import relu
from portanet.autodiff import array_namespace
from portanet.backends import Array


@pointwise
def sigmoid(x: Array) -> Any:
    """`1 / (1 + exp(-x))`, computed as `(1 + tanh(x/2)) / 2`, which cannot overflow.

    Example:
        >>> import numpy as np
        >>> sigmoid(np.asarray([-1.0, 0.0, 1.0])).round(6)
        array([0.268941, 0.5     , 0.731059])
    """
    y = 0.5 * array_namespace(x).tanh(0.5 * x) + 0.5
    return y, lambda xp: y * (1 - y)


@pointwise
def tanh(x: Array) -> Any:
    """The hyperbolic tangent.

    Example:
        >>> import numpy as np
        >>> tanh(np.asarray([0.0, 1.0])).round(6)
        array([0.      , 0.761594])
    """
    y = array_namespace(x).tanh(x)
    return y, lambda xp: 1 - y * y


@pointwise
def scaled_tanh(x: Array) -> Any:
    """`1.7159 tanh(2x/3)`: close to 1 at 1, so that it is steep at targets of -1 and 1 (LeCun et al. 1998).

    Example:
        >>> import numpy as np
        >>> float(scaled_tanh(np.asarray(1.0)).round(7))
        0.9999973
    """
    t = array_namespace(x).tanh(x * (2 / 3))
    return 1.7159 * t, lambda xp: (1.7159 * 2 / 3) * (1 - t * t)


@pointwise
def tanh_linear(x: Array, slope: float = 0.1) -> Any:
    """`tanh(x) + slope x`, whose derivative is never below `slope` (LeCun et al., Efficient BackProp, 1998).

    Args:
        x: Floating-point array.
        slope: The derivative far from 0.

    Example:
        >>> import numpy as np
        >>> tanh_linear(np.asarray([0.0, 10.0]), slope=0.5)
        array([0., 6.])
    """
    checks.non_negative("slope", slope, "tanh_linear")
    t = array_namespace(x).tanh(x)
    return t + slope * x, lambda xp: 1 - t * t + slope


@pointwise
def softsign(x: Array) -> Any:
    """`x / (1 + |x|)`.

    Example:
        >>> import numpy as np
        >>> softsign(np.asarray([-1.0, 0.0, 3.0]))
        array([-0.5 ,  0.  ,  0.75])
    """
    size = 1 + array_namespace(x).abs(x)
    return x / size, lambda xp: 1 / (size * size)


@pointwise
def elliot(x: Array, steepness: float = 1.0) -> Any:
    """`s x / (2 (1 + |s x|)) + 1/2`: a sigmoid without exponentials (D. L. Elliot 1993).

    Args:
        x: Floating-point array.
        steepness: `s` above.

    Example:
        >>> import numpy as np
        >>> elliot(np.asarray([-1.0, 0.0, 1.0]), steepness=3.0)
        array([0.125, 0.5  , 0.875])
    """
    checks.positive("steepness", steepness, "elliot")
    size = 1 + array_namespace(x).abs(x * steepness)
    return (0.5 * steepness) * x / size + 0.5, lambda xp: (0.5 * steepness) / (size * size)


@pointwise
def symmetric_elliot(x: Array, steepness: float = 1.0) -> Any:
    """`s x / (1 + |s x|)`: `elliot` with values between -1 and 1.

    Args:
        x: Floating-point array.
        steepness: `s` above.

    Example:
        >>> import numpy as np
        >>> symmetric_elliot(np.asarray([-1.0, 0.0, 1.0]), steepness=3.0)
        array([-0.75,  0.  ,  0.75])
    """
    checks.positive("steepness", steepness, "symmetric_elliot")
    size = 1 + array_namespace(x).abs(x * steepness)
    return x * steepness / size, lambda xp: steepness / (size * size)


def hard_sigmoid(x: Array) -> Array:
    """`relu6(x + 3) / 6`: a line from 0 at -3 to 1 at 3.

    Example:
        >>> import numpy as np
        >>> hard_sigmoid(np.asarray([-4.0, 0.0, 1.5]))
        array([0.  , 0.5 , 0.75])
    """
    return relu(array_namespace(x).add(x, 3.0), max_value=6.0) * (1 / 6)


@pointwise
def ultra_fast_sigmoid(x: Array) -> Any:
    """A piecewise approximation of the sigmoid, within 0.028 of it, as in Theano.

    The derivative is that of the pieces. The value jumps by 0.0045 at |x| = 3.4, where the curve ends.

    Example:
        >>> import numpy as np
        >>> ultra_fast_sigmoid(np.asarray([-2.0, 0.0, 2.0]))
        array([0.125, 0.5  , 0.875])
    """
    xp = array_namespace(x)
    half = 0.5 * xp.abs(x)
    near, far = half < 1.7, half >= 3
    # 1.5 z / (1 + z), then a line, then a constant, for z = |x| / 2.
    line = 0.0458812946797165 * half + (0.935409070603099 - 0.0458812946797165 * 1.7)
    z = xp.where(near, 1.5 * half / (1 + half), xp.where(far, 0.99505475368673, line))

    def slope(xp: Any) -> Array:
        steep = 0.375 / ((1 + half) * (1 + half))
        return xp.where(near, steep, xp.where(far, 0.0 * half, 0.25 * 0.0458812946797165 + 0.0 * half))

    return 0.5 + 0.5 * xp.where(x < 0, -z, z), slope


@pointwise
def sparse_sigmoid(x: Array) -> Any:
    """`(x + 1) / 2`, clipped to [0, 1].

    Example:
        >>> import numpy as np
        >>> sparse_sigmoid(np.asarray([-2.0, 0.0, 0.5]))
        array([0.  , 0.5 , 0.75])
    """
    xp = array_namespace(x)
    y = xp.minimum(xp.maximum(0.5 * x + 0.5, 0.0), 1.0)
    return y, lambda xp: 0.5 * xp.astype((x > -1) & (x < 1), x.dtype)


@pointwise
def hard_tanh(x: Array) -> Any:
    """The input, clipped to [-1, 1].

    Example:
        >>> import numpy as np
        >>> hard_tanh(np.asarray([-2.0, 0.5, 2.0]))
        array([-1. ,  0.5,  1. ])
    """
    xp = array_namespace(x)
    return xp.minimum(xp.maximum(x, -1.0), 1.0), lambda xp: xp.astype((x > -1) & (x < 1), x.dtype)


@pointwise
def step(x: Array) -> Any:
    """1 for positive inputs, else 0. Its derivative is 0, so it learns by the perceptron rule only.

    Example:
        >>> import numpy as np
        >>> step(np.asarray([-1.0, 0.0, 2.0]))
        array([0., 0., 1.])
    """
    return array_namespace(x).astype(x > 0, x.dtype), lambda xp: xp.zeros_like(x)


@pointwise
def sign(x: Array) -> Any:
    """-1, 0 or 1. Its derivative is 0.

    Example:
        >>> import numpy as np
        >>> sign(np.asarray([-3.0, 0.0, 2.0]))
        array([-1.,  0.,  1.])
    """
    return array_namespace(x).sign(x), lambda xp: xp.zeros_like(x)

"""Activation functions: elementwise, except softmax."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array
from portanet.lookup import lookup, names


def linear(x: Array) -> Array:
    """The input itself."""
    return x


@custom_vjp
def relu(x: Array) -> Any:
    """`max(x, 0)`; the derivative at 0 is 0, as in Keras and PyTorch.

    Example:
        >>> import numpy as np
        >>> relu(np.asarray([-1.0, 0.0, 2.0]))
        array([0., 0., 2.])
    """
    xp = array_namespace(x)
    y = xp.maximum(x, 0.0)

    def pullback(g: Array) -> tuple[Array]:
        xp = array_namespace(g, y)
        return (xp.where(y > 0, g, 0.0),)

    return y, pullback


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`, computed as `(1 + tanh(x/2)) / 2`, which cannot overflow.

    Example:
        >>> import numpy as np
        >>> sigmoid(np.asarray([-1.0, 0.0, 1.0])).round(6)
        array([0.268941, 0.5     , 0.731059])
    """
    return 0.5 * array_namespace(x).tanh(0.5 * x) + 0.5


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return array_namespace(x).tanh(x)


@custom_vjp
def softmax(x: Array, axis: int = -1) -> Any:
    """`exp(x) / sum(exp(x))` over an axis; the maximum is taken off first, so that nothing overflows.

    Example:
        >>> import numpy as np
        >>> softmax(np.asarray([-1.0, 0.0, 1.0])).round(6)
        array([0.090031, 0.244728, 0.665241])
    """
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    y = e / xp.sum(e, axis=axis, keepdims=True)

    def pullback(g: Array) -> tuple[Array]:
        xp = array_namespace(g, y)
        gy = g * y
        return (gy - y * xp.sum(gy, axis=axis, keepdims=True),)

    return y, pullback


ACTIVATIONS = names(linear, relu, sigmoid, tanh, softmax)


def get(identifier: Any) -> Any:
    """An activation by name, the function given, or `linear` for None."""
    return lookup("activation", "linear" if identifier is None else identifier, ACTIVATIONS)

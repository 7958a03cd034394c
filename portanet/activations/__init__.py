"""Activation functions: elementwise, except softmax, log_softmax, sparsemax, glu and maxout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet.activations.bounded import (
    elliot,
    hard_sigmoid,
    hard_tanh,
    scaled_tanh,
    sigmoid,
    sign,
    softsign,
    sparse_sigmoid,
    step,
    symmetric_elliot,
    tanh,
    tanh_linear,
    ultra_fast_sigmoid,
)
from portanet.activations.gated import gelu, glu, hard_silu, mish, silu
from portanet.activations.normalized import log_softmax, maxout, softmax, sparsemax
from portanet.activations.pointwise import pointwise
from portanet.activations.rectified import (
    celu,
    elu,
    hard_shrink,
    leaky_relu,
    prelu,
    relu,
    relu6,
    selu,
    soft_shrink,
    softplus,
    sparse_plus,
    squareplus,
    tanh_shrink,
    threshold,
)
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.lookup import created, described, lookup, names, no_attribute


def linear(x: Array) -> Array:
    """The input itself.

    Example:
        >>> linear(3.0)
        3.0
    """
    return x


@pointwise
def exponential(x: Array) -> Any:
    """`exp(x)`: infinite for large inputs, with a warning from NumPy.

    Example:
        >>> import numpy as np
        >>> exponential(np.asarray([0.0, 1.0])).round(6)
        array([1.      , 2.718282])
    """
    y = array_namespace(x).exp(x)
    return y, lambda xp: y


def log_sigmoid(x: Array) -> Array:
    """`log(sigmoid(x))`, computed as `-softplus(-x)`: no logarithm of 0.

    Example:
        >>> import numpy as np
        >>> log_sigmoid(np.asarray([-1000.0, 0.0])).round(6)
        array([-1.00000e+03, -6.93147e-01])
    """
    xp = array_namespace(x)
    return xp.negative(softplus(xp.negative(x)))


ACTIVATIONS = names(
    celu, elliot, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
    log_sigmoid, log_softmax, mish, relu, relu6, scaled_tanh, selu, sigmoid, sign, silu, soft_shrink, softmax, softplus,
    softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, step, symmetric_elliot, tanh, tanh_linear,
    tanh_shrink, ultra_fast_sigmoid,
)  # fmt: skip
swish, hard_swish = silu, hard_silu
ACTIVATIONS |= {"swish": swish, "hard_swish": hard_swish}


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """An activation by name, the given function, or `linear` for None.

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> from portanet import activations
        >>> activations.get("relu") is activations.relu
        True
    """
    return lookup("activation", "linear" if identifier is None else identifier, ACTIVATIONS, name, of)


def serialize(activation: Any) -> Any:
    """The description of an activation that Keras would write, for `deserialize`.

    Args:
        activation: The activation.

    Example:
        >>> from portanet import activations
        >>> activations.deserialize(activations.serialize(activations.relu)) is activations.relu
        True
    """
    return described(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation of a description by `serialize` or Keras's own, or of its name.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> deserialize("relu").__name__
        'relu'
    """
    return created("activation", config, ACTIVATIONS, custom_objects)


__all__ = [
    "celu",
    "deserialize",
    "elliot",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "maxout",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "scaled_tanh",
    "selu",
    "serialize",
    "sigmoid",
    "sign",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "step",
    "swish",
    "symmetric_elliot",
    "tanh",
    "tanh_linear",
    "tanh_shrink",
    "threshold",
    "ultra_fast_sigmoid",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)

"""Activation functions: those of `portanet.activations`; integers are taken in the default floating-point dtype."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from portanet import activations
from portanet.backends import Array
from portanet.ops.dtypes import floating
from portanet.ops.operation import operation

F = TypeVar("F", bound=Callable[..., Any])


def _activation(function: F) -> F:
    @functools.wraps(function)
    def apply(x: Array, *args: Any, **kwargs: Any) -> Any:
        return function(floating(x), *args, **kwargs)

    return cast(F, operation(apply))


celu = _activation(activations.celu)
elu = _activation(activations.elu)
glu = _activation(activations.glu)
hard_shrink = _activation(activations.hard_shrink)
hard_sigmoid = _activation(activations.hard_sigmoid)
hard_silu = hard_swish = _activation(activations.hard_silu)
hard_tanh = _activation(activations.hard_tanh)
leaky_relu = _activation(activations.leaky_relu)
log_sigmoid = _activation(activations.log_sigmoid)
log_softmax = _activation(activations.log_softmax)
relu = _activation(activations.relu)
relu6 = _activation(activations.relu6)
selu = _activation(activations.selu)
sigmoid = _activation(activations.sigmoid)
silu = swish = _activation(activations.silu)
soft_shrink = _activation(activations.soft_shrink)
softmax = _activation(activations.softmax)
softplus = _activation(activations.softplus)
softsign = _activation(activations.softsign)
sparse_plus = _activation(activations.sparse_plus)
sparse_sigmoid = _activation(activations.sparse_sigmoid)
sparsemax = _activation(activations.sparsemax)
squareplus = _activation(activations.squareplus)
tanh_shrink = _activation(activations.tanh_shrink)
threshold = _activation(activations.threshold)


@operation
def gelu(x: Array, approximate: bool = True) -> Array:
    """`x` times the normal distribution function, by tanh if `approximate`; see `portanet.activations.gelu`.

    Args:
        x: A floating-point array.
        approximate: Whether to compute the approximation with tanh.

    Example:
        >>> gelu([0.0, 1.0]).round(4)
        array([0.    , 0.8412], dtype=float32)
    """
    return activations.gelu(floating(x), approximate)

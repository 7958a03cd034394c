"""What several update rules have in common."""

from __future__ import annotations

import math
from typing import Any

from portanet.backends import Array, overridable


def running_mean(mean: Array, x: Array, decay: Any) -> Array:
    """`decay * mean + (1 - decay) * x`, in place in `mean` where arrays are mutable."""
    mean *= decay
    mean += x * (1 - decay)
    return mean


def running_square(mean: Array, x: Array, decay: Any) -> Array:
    """`decay * mean + (1 - decay) * x^2`, in place in `mean` where arrays are mutable."""
    square = x * x
    square *= 1 - decay
    mean *= decay
    mean += square
    return mean


@overridable
def quotient(x: Array, y: Array) -> Array:
    """`x / y`, for which y may be overwritten: of updates of weights, which memory limits, one array less.

    Example:
        >>> import numpy as np
        >>> quotient(np.asarray([1.0, 2.0]), np.asarray([2.0, 2.0]))
        array([0.5, 1. ])
    """
    return x / y


def one_minus_power(xp: Any, beta: Any, t: Array) -> Array:
    """`1 - beta^t`, exact also where beta^t is close to 1."""
    if not isinstance(beta, (int, float)):
        return 1 - beta**t
    return -xp.expm1(t * math.log(beta)) if beta else t * 0 + 1

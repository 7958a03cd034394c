"""Activations that an op applies to its result before it writes it ("epilogues").

The slope follows from the result alone, so nothing else is kept for it.
"""

from __future__ import annotations

from portanet.autodiff import array_namespace
from portanet.backends import Array, elementwise


@elementwise
def rectified(x: Array) -> Array:
    """`max(x, 0)`.

    Example:
        >>> import numpy as np
        >>> rectified(np.asarray([-1.0, 2.0]))
        array([0., 2.])
    """
    return array_namespace(x).maximum(x, 0.0)


@elementwise
def where_positive(g: Array, y: Array) -> Array:
    """The elements of g where y is positive, else 0: the cotangent before `rectified`, for one of its result y.

    Example:
        >>> import numpy as np
        >>> where_positive(np.asarray([1.0, 1.0]), np.asarray([0.0, 3.0]))
        array([0., 1.])
    """
    return array_namespace(g, y).where(y > 0, g, 0.0)


def finished(x: Array, bias: Array | None, activation: str | None) -> Array:
    """`activation(x + bias)`, where x may be overwritten.

    Args:
        x: The result of an op, of which nobody else knows.
        bias: To add along the last axis, or None.
        activation: `"relu"`, or None.

    Example:
        >>> import numpy as np
        >>> finished(np.asarray([-1.0, 2.0]), np.asarray([0.5, 0.5]), "relu")
        array([0. , 2.5])
    """
    if activation is not None:
        return rectified(x) if bias is None else _rectified_sum(x, bias)
    if bias is not None:
        x += bias
    return x


@elementwise
def _rectified_sum(x: Array, bias: Array) -> Array:
    x += bias
    return array_namespace(x).maximum(x, 0.0)


def before_activation(g: Array, y: Array, activation: str | None) -> Array:
    """The cotangent before an epilogue, for one of its result y.

    Example:
        >>> import numpy as np
        >>> before_activation(np.asarray([1.0, 1.0]), np.asarray([0.0, 3.0]), "relu")
        array([0., 1.])
    """
    return g if activation is None else where_positive(g, y)

"""Dense layers in one op, with their activation; sums over rows as products."""

from __future__ import annotations

import functools
import math
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, overridable
from portanet.fused.epilogues import before_activation, finished


@overridable
def affine(x: Array, kernel: Array, bias: Array | None, *, activation: str | None = None) -> Array:
    """The value of `dense`.

    Example:
        >>> import numpy as np
        >>> affine(np.asarray([[1.0, 2.0]]), np.asarray([[1.0], [10.0]]), np.asarray([-100.0]), activation="relu")
        array([[0.]])
    """
    xp = array_namespace(x, kernel, bias)
    # One product over all rows: batched matmul is a loop over small products in most libraries.
    out = xp.matmul(x if x.ndim == 2 else xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])), kernel)
    if activation is not None:
        out = finished(out, bias, activation)
    elif bias is not None:
        out += bias
    return out if x.ndim == 2 else xp.reshape(out, (*x.shape[:-1], kernel.shape[-1]))


@functools.partial(custom_vjp, value=affine)
def dense(x: Array, kernel: Array, bias: Array | None, *, activation: str | None = None) -> Any:
    """`activation(x @ kernel + bias)` over the last axis.

    Args:
        x: Shape (..., features).
        kernel: Shape (features, units).
        bias: Shape (units,), or None.
        activation: Of the result: `"relu"`, or None.

    Returns:
        Shape (..., units).

    Example:
        >>> import numpy as np
        >>> dense(np.asarray([[1.0, 2.0]]), np.asarray([[1.0], [10.0]]), np.asarray([100.0]))
        array([[121.]])
    """
    out = affine(x, kernel, bias, activation=activation)

    def pullback(g: Array) -> Any:
        xp = array_namespace(g, x, kernel)
        count = math.prod(x.shape[:-1])
        rows = xp.reshape(x, (count, x.shape[-1]))
        g = xp.reshape(before_activation(g, out, activation), (count, kernel.shape[-1]))
        of_bias: list[Array | None] = []

        def to_kernel() -> Array:
            of_kernel, total = dense_weights(rows, g, biased=bias is not None)
            of_bias.append(total)
            return of_kernel

        return (
            lambda: xp.reshape(xp.matmul(g, xp.matrix_transpose(kernel)), x.shape),
            to_kernel,
            None if bias is None else lambda: of_bias[0] if of_bias else sum_rows(g),  # its kernel may be frozen
        )

    return out, pullback


@overridable
def dense_weights(rows: Array, g: Array, *, biased: bool) -> tuple[Array, Array | None]:
    """The cotangents of kernel and bias, if there is one, for inputs and cotangents before the activation, as rows.

    Example:
        >>> import numpy as np
        >>> dense_weights(np.asarray([[1.0, 2.0]]), np.asarray([[10.0]]), biased=True)
        (array([[10.],
               [20.]]), array([10.]))
    """
    xp = array_namespace(rows, g)
    return xp.matmul(xp.matrix_transpose(rows), g), sum_rows(g) if biased else None


@overridable
def sum_rows(x: Array) -> Array:
    """The sum over all axes but the last; as a product, which is the fastest way with BLAS.

    Example:
        >>> import numpy as np
        >>> sum_rows(np.asarray([[1.0, 2.0], [10.0, 20.0]]))
        array([11., 22.])
    """
    xp = array_namespace(x)
    rows = xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
    return xp.reshape(xp.matmul(xp.ones_like(rows[:, :1]).T, rows), (x.shape[-1],))

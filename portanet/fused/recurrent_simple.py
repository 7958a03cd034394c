"""A fully connected recurrent layer over a sequence, fused."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, overridable
from portanet.fused.recurrent_scan import (
    arriving,
    extras,
    given,
    joined,
    optional,
    product,
    product_before,
    project,
    scan,
)


@custom_vjp
@overridable
def simple_rnn(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    h0: Array,
    *,
    mask: Array | None = None,
    recurrent_keep: Array | None = None,
) -> Any:
    """A layer of fully connected recurrent units (Elman 1990): h' = tanh(x_t @ kernel + h @ recurrent_kernel + bias).

    Args:
        x: Inputs, shape (time, batch, features).
        kernel: Shape (features, units).
        recurrent_kernel: Shape (units, units).
        bias: Shape (units,), or None.
        h0: Output before the first step, shape (batch, units).
        mask: Boolean, shape (time, batch, 1): False where the state is passed on unchanged.
        recurrent_keep: Factor of h before its product with the recurrent kernel (dropout), shape (batch, units).

    Returns:
        `(h, h_last)`: outputs, shape (time, batch, units), and the last one.

    Example:
        >>> import numpy as np
        >>> one = np.ones((1, 1))
        >>> h, _ = simple_rnn(np.ones((3, 1, 1)), one, one, None, 0 * one)
        >>> h.ravel().round(4)
        array([0.7616, 0.9427, 0.9597])
    """
    xp = array_namespace(x, kernel, recurrent_kernel, bias, h0)
    z = project(xp, x, kernel)

    def step(carry: tuple[Array], z: Array, *rest: Array) -> Any:
        m, keep = optional(rest, mask is not None, recurrent_keep is not None)
        (h,) = carry
        a = xp.matmul(h if keep is None else h * keep, recurrent_kernel)
        a += z
        if bias is not None:
            a += bias
        y = xp.tanh(a)
        new_h = y if m is None else xp.where(m, y, h)
        return (new_h,), (new_h, y)

    more = extras(xp, x.shape[0], mask, recurrent_keep)
    (h_last,), (steps, values) = scan(step, (h0,), [z, *more])
    outputs = joined(xp, steps)

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g_outputs, g_h = cotangents
        xp = array_namespace(*given(cotangents), x, kernel, recurrent_kernel, bias, h0)
        transposed = xp.matrix_transpose(recurrent_kernel)

        def back(carry: tuple[Array], y: Array, *rest: Array) -> Any:
            g, m, keep = optional(rest, g_outputs is not None, mask is not None, recurrent_keep is not None)
            dh, passed = arriving(xp, carry[0], g, m)
            da = dh * (1.0 - y * y)
            to_h = xp.matmul(da, transposed)
            if keep is not None:
                to_h *= keep
            return (to_h if passed is None else to_h + passed,), (da,)

        start = (xp.zeros_like(h_last) if g_h is None else g_h,)
        inputs = [values, *given((g_outputs,)), *more]
        (dh,), (steps,) = scan(back, start, inputs, reverse=True)
        da = joined(xp, steps)
        return (
            lambda: project(xp, da, xp.matrix_transpose(kernel)),
            product(xp, x, da),
            product_before(xp, h0, outputs, recurrent_keep, da),
            None if bias is None else xp.sum(da, axis=(0, 1)),
            dh,
        )

    return (outputs, h_last), pullback

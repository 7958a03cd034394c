"""Gated recurrent units over a sequence, fused, in both reset conventions."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, elementwise, overridable
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
    sigmoid,
)


@custom_vjp
@overridable
def gru(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    recurrent_bias: Array | None,
    h0: Array,
    *,
    mask: Array | None = None,
    recurrent_keep: Array | None = None,
) -> Any:
    """A layer of gated recurrent units whose reset gate acts after the product with the recurrent kernel.

    With the gates z, r, c in this order in the kernels, a = x_t @ kernel + bias and b = h @ recurrent_kernel +
    recurrent_bias: z = sigmoid(a_z + b_z); r = sigmoid(a_r + b_r); h' = z h + (1 - z) tanh(a_c + r b_c). This is the
    form of cuDNN and of Keras with `reset_after=True`.

    Args:
        x: Inputs, shape (time, batch, features).
        kernel: Shape (features, 3 units).
        recurrent_kernel: Shape (units, 3 units).
        bias: Shape (3 units,), or None.
        recurrent_bias: Shape (3 units,), or None.
        h0: Output before the first step, shape (batch, units).
        mask: Boolean, shape (time, batch, 1): False where the state is passed on unchanged.
        recurrent_keep: Factor of h before its product with the recurrent kernel (dropout), shape (batch, units).

    Returns:
        `(h, h_last)`: outputs, shape (time, batch, units), and the last one.

    Example:
        >>> import numpy as np
        >>> h, _ = gru(np.ones((3, 1, 1)), np.ones((1, 3)), np.zeros((1, 3)), None, None, np.zeros((1, 1)))
        >>> h.ravel().round(4)
        array([0.2048, 0.3546, 0.464 ])
    """
    xp = array_namespace(x, kernel, recurrent_kernel, bias, recurrent_bias, h0)
    units = h0.shape[-1]
    z = project(xp, x, kernel)

    def step(carry: tuple[Array], z: Array, *rest: Array) -> Any:
        m, keep = optional(rest, mask is not None, recurrent_keep is not None)
        (h,) = carry
        b = xp.matmul(h if keep is None else h * keep, recurrent_kernel)
        if recurrent_bias is not None:
            b += recurrent_bias
        a = z if bias is None else z + bias
        gates = _gates(a[:, : 2 * units], b[:, : 2 * units])
        update, reset = gates[:, :units], gates[:, units:]
        inner = b[:, 2 * units :]
        new_h, candidate = _output(h, update, reset, inner, a[:, 2 * units :])
        if m is not None:
            new_h = xp.where(m, new_h, h)
        return (new_h,), (new_h, gates, inner, candidate, h)

    more = extras(xp, x.shape[0], mask, recurrent_keep)
    (h_last,), (steps, *saved) = scan(step, (h0,), [z, *more])
    outputs = joined(xp, steps)

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g_outputs, g_h = cotangents
        xp = array_namespace(*given(cotangents), x, kernel, recurrent_kernel, bias, recurrent_bias, h0)
        transposed = xp.matrix_transpose(recurrent_kernel)

        def back(carry: tuple[Array], gates: Array, inner: Array, candidate: Array, h: Array, *rest: Array) -> Any:
            g, m, keep = optional(rest, g_outputs is not None, mask is not None, recurrent_keep is not None)
            dh, passed = arriving(xp, carry[0], g, m)
            update, reset = gates[:, :units], gates[:, units:]
            da_c = dh * (1.0 - update) * (1.0 - candidate * candidate)
            da = xp.concat([dh * (h - candidate), da_c * inner], axis=-1)
            da *= gates * (1.0 - gates)
            db = xp.concat([da, da_c * reset], axis=-1)
            to_h = xp.matmul(db, transposed)
            if keep is not None:
                to_h *= keep
            to_h += dh * update
            return (to_h if passed is None else to_h + passed,), (xp.concat([da, da_c], axis=-1), db)

        start = (xp.zeros_like(h_last) if g_h is None else g_h,)
        inputs = [*saved, *given((g_outputs,)), *more]
        (dh,), (steps_a, steps_b) = scan(back, start, inputs, reverse=True)
        da, db = joined(xp, steps_a), joined(xp, steps_b)
        return (
            lambda: project(xp, da, xp.matrix_transpose(kernel)),
            product(xp, x, da),
            product_before(xp, h0, outputs, recurrent_keep, db),
            None if bias is None else xp.sum(da, axis=(0, 1)),
            None if recurrent_bias is None else xp.sum(db, axis=(0, 1)),
            dh,
        )

    return (outputs, h_last), pullback


@elementwise
def _gates(a: Array, b: Array) -> Array:
    return sigmoid(array_namespace(a, b), a + b)


@elementwise
def _output(h: Array, update: Array, reset: Array | None, inner: Array, a: Array) -> tuple[Array, Array]:
    """The new h (h where the update gate is 1, the candidate where it is 0), and the candidate."""
    xp = array_namespace(h, update, inner, a)
    candidate = xp.tanh(inner + a if reset is None else reset * inner + a)
    return candidate + update * (h - candidate), candidate


@custom_vjp
@overridable
def gru_reset_before(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    h0: Array,
    *,
    mask: Array | None = None,
    recurrent_keep: Array | None = None,
) -> Any:
    """A layer of gated recurrent units whose reset gate acts on the output before its product (Cho et al. 2014).

    As `gru`, without recurrent bias, and with the candidate tanh(a_c + (r h) @ recurrent_kernel_c), as Keras with
    `reset_after=False`.

    Example:
        >>> import numpy as np
        >>> h, _ = gru_reset_before(np.ones((3, 1, 1)), np.ones((1, 3)), np.zeros((1, 3)), None, np.zeros((1, 1)))
        >>> h.ravel().round(4)
        array([0.2048, 0.3546, 0.464 ])
    """
    xp = array_namespace(x, kernel, recurrent_kernel, bias, h0)
    units = h0.shape[-1]
    z = project(xp, x, kernel)
    for_gates, for_candidate = recurrent_kernel[:, : 2 * units], recurrent_kernel[:, 2 * units :]

    def step(carry: tuple[Array], z: Array, *rest: Array) -> Any:
        m, keep = optional(rest, mask is not None, recurrent_keep is not None)
        (h,) = carry
        a = z if bias is None else z + bias
        dropped = h if keep is None else h * keep
        gates = _gates(a[:, : 2 * units], xp.matmul(dropped, for_gates))
        update = gates[:, :units]
        reset_h = gates[:, units:] * dropped
        new_h, candidate = _output(h, update, None, xp.matmul(reset_h, for_candidate), a[:, 2 * units :])
        if m is not None:
            new_h = xp.where(m, new_h, h)
        return (new_h,), (new_h, reset_h, gates, candidate, h)

    more = extras(xp, x.shape[0], mask, recurrent_keep)
    (h_last,), (steps, reset_h, *saved) = scan(step, (h0,), [z, *more])
    outputs = joined(xp, steps)

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g_outputs, g_h = cotangents
        xp = array_namespace(*given(cotangents), x, kernel, recurrent_kernel, bias, h0)
        back_gates, back_candidate = xp.matrix_transpose(for_gates), xp.matrix_transpose(for_candidate)

        def back(carry: tuple[Array], gates: Array, candidate: Array, h: Array, *rest: Array) -> Any:
            g, m, keep = optional(rest, g_outputs is not None, mask is not None, recurrent_keep is not None)
            dh, passed = arriving(xp, carry[0], g, m)
            update, reset = gates[:, :units], gates[:, units:]
            da_c = dh * (1.0 - update) * (1.0 - candidate * candidate)
            to_reset_h = xp.matmul(da_c, back_candidate)
            dropped = h if keep is None else h * keep
            da = xp.concat([dh * (h - candidate), to_reset_h * dropped], axis=-1)
            da *= gates * (1.0 - gates)
            to_h = xp.matmul(da, back_gates)
            to_h += to_reset_h * reset
            if keep is not None:
                to_h *= keep
            to_h += dh * update
            return (to_h if passed is None else to_h + passed,), (xp.concat([da, da_c], axis=-1),)

        start = (xp.zeros_like(h_last) if g_h is None else g_h,)
        inputs = [*saved, *given((g_outputs,)), *more]
        (dh,), (steps,) = scan(back, start, inputs, reverse=True)
        da = joined(xp, steps)
        return (
            lambda: project(xp, da, xp.matrix_transpose(kernel)),
            product(xp, x, da),
            xp.concat(
                [
                    product_before(xp, h0, outputs, recurrent_keep, da[..., : 2 * units]),
                    product(xp, joined(xp, reset_h), da[..., 2 * units :]),
                ],
                axis=-1,
            ),
            None if bias is None else xp.sum(da, axis=(0, 1)),
            dh,
        )

    return (outputs, h_last), pullback

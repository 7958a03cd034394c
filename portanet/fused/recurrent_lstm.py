"""Long short-term memory over a sequence, fused."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace, custom_vjp, unwrap
from portanet.backends import Array, device_of, elementwise, map_rows, overridable
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
def lstm(
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    h0: Array,
    c0: Array,
    *,
    mask: Array | None = None,
    recurrent_keep: Array | None = None,
) -> Any:
    """A layer of LSTM units with a forget gate (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    With the gates i, f, u, o in this order in the kernels, and a = x_t @ kernel + h @ recurrent_kernel + bias:
    c' = sigmoid(a_f) c + sigmoid(a_i) tanh(a_u); h' = sigmoid(a_o) tanh(c').

    Args:
        x: Inputs, shape (time, batch, features).
        kernel: Shape (features, 4 units).
        recurrent_kernel: Shape (units, 4 units).
        bias: Shape (4 units,), or None.
        h0: Output before the first step, shape (batch, units).
        c0: Cell state before the first step, shape (batch, units).
        mask: Boolean, shape (time, batch, 1): False where the state is passed on unchanged.
        recurrent_keep: Factor of h before its product with the recurrent kernel (dropout), shape (batch, units).

    Returns:
        `(h, h_last, c_last)`: outputs, shape (time, batch, units), and the state after the last step.

    Example:
        >>> import numpy as np
        >>> one = np.ones((1, 1))
        >>> h, _, c = lstm(np.ones((3, 1, 1)), np.ones((1, 4)), np.zeros((1, 4)), None, 0 * one, 0 * one)
        >>> h.ravel().round(4)
        array([0.3696, 0.5453, 0.6225])
    """
    xp = array_namespace(x, kernel, recurrent_kernel, bias, h0, c0)
    units = h0.shape[-1]
    scale, shift = _gate_constants(xp, kernel, units)
    # One tanh for all gates: sigmoid(a) is (1 + tanh(a/2)) / 2. The inner factor 1/2 goes to the weights, or to the
    # products if these are fewer.
    few = x.shape[0] * x.shape[1] < units
    z, recurrent = (
        project(xp, x, kernel if few else kernel * scale),
        recurrent_kernel if few else recurrent_kernel * scale,
    )
    if bias is not None:
        z += xp.reshape(bias if few else bias * scale, (1, 1, 4 * units))

    def step(carry: tuple[Array, Array], z: Array, *rest: Array) -> Any:
        m, keep = optional(rest, mask is not None, recurrent_keep is not None)
        h, c = carry
        a = xp.matmul(h if keep is None else h * keep, recurrent)
        gates = _gates(a, z, scale if few else None, scale, shift)
        new_h, new_c, tanh_c = _cell(c, *_quarters(gates, units))
        if m is not None:
            new_h, new_c = xp.where(m, new_h, h), xp.where(m, new_c, c)
        return (new_h, new_c), (new_h, gates, c, tanh_c)

    more = extras(xp, x.shape[0], mask, recurrent_keep)
    (h_last, c_last), (steps, *saved) = scan(step, (h0, c0), [z, *more])
    outputs = joined(xp, steps)

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g_outputs, g_h, g_c = cotangents
        xp = array_namespace(*given(cotangents), x, kernel, recurrent_kernel, bias, h0, c0)
        transposed = xp.matrix_transpose(recurrent_kernel)
        # Independent of the cotangents, so for all steps at once: few large computations instead of many small ones.
        gates, cells, tanh_cells = (joined(xp, s) for s in saved)
        slopes, to_cell = map_rows(_slopes, gates, cells, tanh_cells, size=8 * math.prod(cells.shape[1:]))
        forget = gates[..., units : 2 * units]

        def back(carry: tuple[Array, Array], slopes: Array, to_cell: Array, forget: Array, *rest: Array) -> Any:
            g, m, keep = optional(rest, g_outputs is not None, mask is not None, recurrent_keep is not None)
            dh, passed_h = arriving(xp, carry[0], g, m)
            dc, passed_c = arriving(xp, carry[1], None, m)
            dc = dh * to_cell + dc
            da = xp.concat([dc, dc, dc, dh], axis=-1)
            da *= slopes
            dh = xp.matmul(da, transposed)
            if keep is not None:
                dh *= keep
            dc *= forget
            return (dh, dc) if passed_h is None else (dh + passed_h, dc + passed_c), (da,)

        start = tuple(xp.zeros_like(s) if g is None else g for s, g in ((h_last, g_h), (c_last, g_c)))
        inputs = [slopes, to_cell, forget, *given((g_outputs,)), *more]
        (dh, dc), (steps,) = scan(back, start, inputs, reverse=True)
        da = joined(xp, steps)
        return (
            lambda: project(xp, da, xp.matrix_transpose(kernel)),
            product(xp, x, da),
            product_before(xp, h0, outputs, recurrent_keep, da),
            None if bias is None else xp.sum(da, axis=(0, 1)),
            dh,
            dc,
        )

    return (outputs, h_last, c_last), pullback


@elementwise
def _gates(a: Array, z: Array, inner: Array | None, scale: Array, shift: Array) -> Array:
    """`tanh((a + z) inner) scale + shift`; `a` may be overwritten."""
    a += z
    if inner is not None:
        a *= inner
    gates = array_namespace(a, z).tanh(a)
    gates *= scale
    gates += shift
    return gates


@elementwise
def _cell(c: Array, i: Array, f: Array, u: Array, o: Array) -> tuple[Array, Array, Array]:
    """The new h, the new c and its tanh."""
    new_c = f * c
    new_c += i * u
    tanh_c = array_namespace(c, i).tanh(new_c)
    return o * tanh_c, new_c, tanh_c


def _slopes(gates: Array, c: Array, tanh_c: Array) -> tuple[Array, Array]:
    """Slopes of c' (for i, f, u) and h' (for o) with respect to the gates, and of h' with respect to c'.

    The slope of a sigmoid s is (1 - s) s, that of a tanh t is 1 - t^2.
    """
    xp = array_namespace(gates, c, tanh_c)
    i, f, u, o = _quarters(gates, c.shape[-1])
    slopes = [(1.0 - i) * i * u, (1.0 - f) * f * c, (1.0 - u * u) * i, (1.0 - o) * o * tanh_c]
    return xp.concat(slopes, axis=-1), (1.0 - tanh_c * tanh_c) * o


def _quarters(gates: Array, units: int) -> list[Array]:
    return [gates[..., k * units : (k + 1) * units] for k in range(4)]


def _gate_constants(xp: Any, like: Array, units: int) -> tuple[Array, Array]:
    """Per gate: the factor before and after tanh, and the shift after it, shape (1, 4 units) as one example's gates."""
    half = xp.full((1, units), 0.5, dtype=like.dtype, device=device_of(unwrap(like)))
    one, zero = half + half, half - half
    return xp.concat([half, half, one, half], axis=-1), xp.concat([half, half, zero, half], axis=-1)

"""Recurrent layers with one kernel for each time step next to the product, forward and backward, as overrides.

Gates are computed in place of what the inputs contribute to them, and kept for the backward pass. In it, `skips` is the
part of an output's cotangent that does not go through the product: where the mask is False, or the update gate open.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from portanet.backends.base import Array
from portanet.backends.cupy import products
from portanet.backends.cupy.rows import ACCUMULATED, typed_kernel


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
    """As the op of that name."""
    import cupy

    if not takes(recurrent_keep, x, kernel, recurrent_kernel, bias, h0, c0):
        return NotImplemented
    time, units, dtype, masked = len(x), h0.shape[-1], x.dtype.name, mask is not None
    with x.device:
        gates, h, c = project(x, kernel, bias), states_after(h0, time), states_after(c0, time)
        tanh_c, step = cupy.empty_like(c[1:]), _lstm(masked)(dtype)
        forward_in_time(step, recurrent_kernel, h, [mask, h if masked else None, c], [units], [h, c], [gates, tanh_c])

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g, g_h, g_c = cotangents
        with x.device:
            da, dc, skips = cupy.empty_like(gates), last_cotangent(g_c, c0), [cupy.zeros_like(h0)] * masked
            back, read = _lstm_back(g is not None, masked)(dtype), [g, mask, c, tanh_c, gates]
            dh = back_in_time(back, recurrent_kernel, last_cotangent(g_h, h0), read, [units], [da], [dc, *skips])
            dh = dh + skips[0] if masked else dh
            return *of_inputs(x, kernel, da), of_states(h, da), of_bias(bias, da), dh, dc

    return (h[1:], h[time].copy(), c[time].copy()), pullback


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
    """As the op of that name."""
    import cupy

    if not takes(recurrent_keep, x, kernel, recurrent_kernel, bias, h0):
        return NotImplemented
    time, dtype, masked = len(x), x.dtype.name, mask is not None
    with x.device:
        values, h = project(x, kernel, bias), states_after(h0, time)
        forward_in_time(_simple(masked)(dtype), recurrent_kernel, h, [mask, h if masked else None], [], [h], [values])

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g, g_h = cotangents
        with x.device:
            da, skips = cupy.empty_like(values), [cupy.zeros_like(h0)] * masked
            back, read = _simple_back(g is not None, masked)(dtype), [g, mask, values]
            dh = back_in_time(back, recurrent_kernel, last_cotangent(g_h, h0), read, [], [da], skips)
            dh = dh + skips[0] if masked else dh
            return *of_inputs(x, kernel, da), of_states(h, da), of_bias(bias, da), dh

    return (h[1:], h[time].copy()), pullback


OVERRIDES: dict[str, Callable[..., Any]] = {"lstm": lstm, "simple_rnn": simple_rnn}


def takes(recurrent_keep: Array | None, x: Array, *others: Array | None) -> bool:
    """Whether the kernels serve: they have no recurrent dropout."""
    dtypes = {x.dtype, *(each.dtype for each in others if each is not None)}
    return recurrent_keep is None and len(dtypes) == 1 and x.dtype.name in ACCUMULATED and x.size > 0


def project(x: Array, kernel: Array, bias: Array | None) -> Array:
    """What the inputs of all time steps contribute."""
    z = products.matmul(flat(x), kernel).reshape(*x.shape[:-1], kernel.shape[-1])
    if bias is not None:
        z += bias
    return z


def states_after(first: Array, time: int) -> Array:
    """Room for the states of all time steps after the first one, which is there."""
    import cupy

    states = cupy.empty((time + 1, *first.shape), dtype=first.dtype)
    states[0] = first
    return states


def last_cotangent(g: Array | None, like: Array) -> Array:
    """The cotangent of the last state, which may be overwritten."""
    import cupy

    return cupy.zeros_like(like) if g is None else g.copy()


def forward_in_time(
    step: Any,
    recurrent_kernel: Array,
    h: Array,
    read: Sequence[Array | None],
    others: Sequence[Any],
    after: Sequence[Array],
    written: Sequence[Array],
) -> None:
    """A product and a kernel for each time step.

    Args:
        step: The kernel: its arguments are the product, and then those below.
        recurrent_kernel: Of the product with the state.
        h: All states, of which the kernel writes the next.
        read: Arrays of which the kernel reads a time step; without those that are None.
        others: Arguments that are the same for all time steps.
        after: Arrays of states, of which the kernel writes those after the time step.
        written: Arrays of which it writes the time step.
    """
    for t in range(len(h) - 1):
        product = products.matmul(h[t], recurrent_kernel)
        step(product, *at_step(t, *read), *others, *at_step(t + 1, *after), *at_step(t, *written))


def back_in_time(
    step: Any,
    recurrent_kernel: Array,
    dh: Array,
    read: Sequence[Array | None],
    others: Sequence[Any],
    written: Sequence[Array],
    carried: Sequence[Array],
) -> Array:
    """The cotangent of the first state, by a kernel and a product for each time step, from the last to the first.

    Args:
        step: The kernel: its arguments are the cotangent of a state, and then those below.
        recurrent_kernel: Of the product with the state.
        dh: The cotangent of the last state.
        read: See `forward_in_time`.
        others: See `forward_in_time`.
        written: Arrays of which the kernel writes the time step; the last is the cotangent of the product.
        carried: Arrays that it reads and writes in every time step.
    """
    import cupy

    transposed = cupy.ascontiguousarray(recurrent_kernel.T)
    for t in reversed(range(len(written[-1]))):
        step(dh, *at_step(t, *read), *others, *at_step(t, *written), *carried)
        dh = products.matmul(written[-1][t], transposed)
    return dh


def at_step(t: int, *arrays: Array | None) -> list[Array]:
    """Those that are given, at a time step."""
    return [x[t] for x in arrays if x is not None]


def flat(x: Array) -> Array:
    """All time steps and examples as rows."""
    return x.reshape(-1, x.shape[-1])


def of_inputs(x: Array, kernel: Array, da: Array) -> tuple[Callable[[], Array], Array]:
    """Cotangents of the inputs and of their kernel."""

    def by_x() -> Array:
        return products.matmul(flat(da), kernel.T).reshape(x.shape)

    return by_x, products.matmul(flat(x).T, flat(da))


def of_states(h: Array, da: Array) -> Array:
    """The cotangent of the recurrent kernel."""
    return products.matmul(flat(h[:-1]).T, flat(da))


def of_bias(bias: Array | None, da: Array) -> Array | None:
    """The cotangent of a bias, if there is one."""
    from portanet.backends.cupy import namespace

    return None if bias is None else namespace.sum(da, axis=(0, 1))


# The kernels: an element of the state each

SIGMOID = "#define SIGMOID(v) (A(0.5) * tanh(A(0.5) * (v)) + A(0.5))\n"


def place(gates: int) -> str:
    """Where the first of the gates of an element is; the others follow at distances of `units`."""
    return f"const long long o = i / units * {gates} * units + i % units;\n"


def parameters(*named: tuple[bool, str]) -> str:
    """Those of a kernel that are given, before others."""
    return "".join(f"{name}, " for given, name in named if given)


def chosen(masked: bool, new: str, old: str) -> str:
    """The new value, or where a mask is False the old one."""
    return f"mask ? {new} : (A){old}" if masked else new


def arriving(with_g: bool, skips: bool) -> str:
    """The cotangent of an output."""
    return f"const A d = (A)dh{' + (A)skips' * skips}{' + (A)g' * with_g};\n"


@functools.cache
def _lstm(masked: bool) -> Any:
    return typed_kernel(
        f"lstm_{masked:d}",
        f"raw T a, {parameters((masked, 'bool mask'), (masked, 'T h'))}T c, int64 units",
        "T new_h, T new_c, raw T gates, T tanh_c",
        f"""
        {place(4)}
        const A in = SIGMOID((A)a[o] + (A)gates[o]), forget = SIGMOID((A)a[o + units] + (A)gates[o + units]);
        const A cell = tanh((A)a[o + 2 * units] + (A)gates[o + 2 * units]);
        const A out = SIGMOID((A)a[o + 3 * units] + (A)gates[o + 3 * units]);
        const A sum = forget * (A)c + in * cell, value = tanh(sum);
        gates[o] = (T)in;
        gates[o + units] = (T)forget;
        gates[o + 2 * units] = (T)cell;
        gates[o + 3 * units] = (T)out;
        tanh_c = (T)value;
        new_c = (T)({chosen(masked, "sum", "c")});
        new_h = (T)({chosen(masked, "out * value", "h")});
        """,
        SIGMOID,
    )


@functools.cache
def _lstm_back(with_g: bool, masked: bool) -> Any:
    skipped = """
        if (!mask) {
            for (int k = 0; k < 4; ++k) da[o + k * units] = (T)A(0);
            skips = (T)d;
        } else {
            skips = (T)A(0);
    """
    return typed_kernel(
        f"lstm_back_{with_g:d}{masked:d}",
        f"T dh, {parameters((with_g, 'T g'), (masked, 'bool mask'))}T c, T tanh_c, raw T gates, int64 units",
        f"raw T da, T dc{', T skips' * masked}",
        f"""
        {place(4)}
        {arriving(with_g, masked)}
        {skipped * masked}
        const A in = gates[o], forget = gates[o + units], cell = gates[o + 2 * units], out = gates[o + 3 * units];
        const A value = tanh_c, e = (A)dc + d * out * (1 - value * value);
        da[o] = (T)(e * cell * in * (1 - in));
        da[o + units] = (T)(e * (A)c * forget * (1 - forget));
        da[o + 2 * units] = (T)(e * in * (1 - cell * cell));
        da[o + 3 * units] = (T)(d * value * out * (1 - out));
        dc = (T)(e * forget);
        {"}" * masked}
        """,
    )


@functools.cache
def _simple(masked: bool) -> Any:
    return typed_kernel(
        f"simple_rnn_{masked:d}",
        f"T a{', bool mask, T h' * masked}",
        "T new_h, T value",
        f"""
        const A result = tanh((A)a + (A)value);
        value = (T)result;
        new_h = (T)({chosen(masked, "result", "h")});
        """,
    )


@functools.cache
def _simple_back(with_g: bool, masked: bool) -> Any:
    return typed_kernel(
        f"simple_rnn_back_{with_g:d}{masked:d}",
        f"T dh, {parameters((with_g, 'T g'), (masked, 'bool mask'))}T value",
        f"T da{', T skips' * masked}",
        f"""
        {arriving(with_g, masked)}
        da = (T)({chosen(masked, "d * (1 - (A)value * (A)value)", "A(0)")});
        {"skips = (T)(mask ? A(0) : d);" * masked}
        """,
    )

"""Gated recurrent units with one kernel for each time step and product, forward and backward, as overrides."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array
from portanet.backends.cupy import joining, products
from portanet.backends.cupy.recurrent import (
    SIGMOID,
    arriving,
    at_step,
    back_in_time,
    chosen,
    flat,
    forward_in_time,
    last_cotangent,
    of_bias,
    of_inputs,
    of_states,
    parameters,
    place,
    project,
    states_after,
    takes,
)
from portanet.backends.cupy.rows import typed_kernel


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
    """As the op of that name."""
    import cupy

    if not takes(recurrent_keep, x, kernel, recurrent_kernel, bias, recurrent_bias, h0):
        return NotImplemented
    time, units, dtype, masked = len(x), h0.shape[-1], x.dtype.name, mask is not None
    with x.device:
        gates, h = project(x, kernel, bias), states_after(h0, time)
        added = [] if recurrent_bias is None else [cupy.ascontiguousarray(recurrent_bias)]
        inner, step = cupy.empty_like(h[1:]), _gru(bool(added), masked)(dtype)
        forward_in_time(step, recurrent_kernel, h, [mask, h], [*added, units], [h], [gates, inner])

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g, g_h = cotangents
        with x.device:
            da, db, skips = cupy.empty_like(gates), cupy.empty_like(gates), cupy.zeros_like(h0)
            back, read = _gru_back(g is not None, masked)(dtype), [g, mask, h, inner, gates]
            dh = back_in_time(back, recurrent_kernel, last_cotangent(g_h, h0), read, [units], [da, db], [skips]) + skips
            return (
                *(*of_inputs(x, kernel, da), of_states(h, db)),
                *(of_bias(bias, da), of_bias(recurrent_bias, db), dh),
            )

    return (h[1:], h[time].copy()), pullback


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
    """As the op of that name: a step has two products, and a kernel next to each."""
    import cupy

    if not takes(recurrent_keep, x, kernel, recurrent_kernel, bias, h0):
        return NotImplemented
    time, units, dtype, masked = len(x), h0.shape[-1], x.dtype.name, mask is not None
    with x.device:
        parts = recurrent_kernel[:, : 2 * units], recurrent_kernel[:, 2 * units :]
        for_gates, for_candidate = map(cupy.ascontiguousarray, parts)
        gates, h = project(x, kernel, bias), states_after(h0, time)
        reset_h, first, second = cupy.empty_like(h[1:]), _reset(dtype), _candidate(masked)(dtype)
        for t in range(time):
            first(products.matmul(h[t], for_gates), h[t], units, gates[t], reset_h[t])
            second(products.matmul(reset_h[t], for_candidate), *at_step(t, mask), h[t], units, h[t + 1], gates[t])

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        g, g_h = cotangents
        with x.device:
            back_gates, back_candidate = (cupy.ascontiguousarray(each.T) for each in parts)
            of_gates, of_candidate = cupy.empty((*h[1:].shape[:-1], 2 * units), dtype=dtype), cupy.empty_like(h[1:])
            dh, skips, given = last_cotangent(g_h, h0), cupy.zeros_like(h0), (g is not None, masked)
            to_candidate, to_gates = _candidate_back(*given)(dtype), _reset_back(*given)(dtype)
            for t in reversed(range(time)):
                to_candidate(dh, *at_step(t, g, mask), skips, gates[t], units, of_candidate[t])
                to_reset_h = products.matmul(of_candidate[t], back_candidate)
                to_gates(dh, *at_step(t, g, mask), h[t], to_reset_h, gates[t], units, of_gates[t], skips)
                dh = products.matmul(of_gates[t], back_gates)
            da = joining.concat([of_gates, of_candidate], -1)
            recurrent = [of_states(h, of_gates), products.matmul(flat(reset_h).T, flat(of_candidate))]
            return *of_inputs(x, kernel, da), joining.concat(recurrent, -1), of_bias(bias, da), dh + skips

    return (h[1:], h[time].copy()), pullback


OVERRIDES: dict[str, Callable[..., Any]] = {"gru": gru, "gru_reset_before": gru_reset_before}


@functools.cache
def _gru(with_bias: bool, masked: bool) -> Any:
    b = [f"((A)b[o + {k} * units]{f' + (A)bias[i % units + {k} * units]' * with_bias})" for k in range(3)]
    return typed_kernel(
        f"gru_{with_bias:d}{masked:d}",
        f"raw T b, {parameters((masked, 'bool mask'))}T h, {parameters((with_bias, 'raw T bias'))}int64 units",
        "T new_h, raw T gates, T inner",
        f"""
        {place(3)}
        const A update = SIGMOID((A)gates[o] + {b[0]}), reset = SIGMOID((A)gates[o + units] + {b[1]});
        const A within = {b[2]}, candidate = tanh((A)gates[o + 2 * units] + reset * within);
        gates[o] = (T)update;
        gates[o + units] = (T)reset;
        gates[o + 2 * units] = (T)candidate;
        inner = (T)within;
        new_h = (T)({chosen(masked, "candidate + update * ((A)h - candidate)", "h")});
        """,
        SIGMOID,
    )


@functools.cache
def _gru_back(with_g: bool, masked: bool) -> Any:
    skipped = """
        if (!mask) {
            for (int k = 0; k < 3; ++k) da[o + k * units] = db[o + k * units] = (T)A(0);
            skips = (T)d;
        } else {
    """
    return typed_kernel(
        f"gru_back_{with_g:d}{masked:d}",
        f"T dh, {parameters((with_g, 'T g'), (masked, 'bool mask'))}T h, T inner, raw T gates, int64 units",
        "raw T da, raw T db, T skips",
        f"""
        {place(3)}
        {arriving(with_g, True)}
        {skipped * masked}
        const A update = gates[o], reset = gates[o + units], candidate = gates[o + 2 * units];
        const A of_candidate = d * (1 - update) * (1 - candidate * candidate);
        da[o] = db[o] = (T)(d * ((A)h - candidate) * update * (1 - update));
        da[o + units] = db[o + units] = (T)(of_candidate * (A)inner * reset * (1 - reset));
        da[o + 2 * units] = (T)of_candidate;
        db[o + 2 * units] = (T)(of_candidate * reset);
        skips = (T)(d * update);
        {"}" * masked}
        """,
    )


_reset = typed_kernel(
    "gru_reset",
    "raw T b, T h, int64 units",
    "raw T gates, T reset_h",
    f"""
    {place(3)}
    const long long p = i / units * 2 * units + i % units;
    const A update = SIGMOID((A)gates[o] + (A)b[p]), reset = SIGMOID((A)gates[o + units] + (A)b[p + units]);
    gates[o] = (T)update;
    gates[o + units] = (T)reset;
    reset_h = (T)(reset * (A)h);
    """,
    SIGMOID,
)


@functools.cache
def _candidate(masked: bool) -> Any:
    return typed_kernel(
        f"gru_candidate_{masked:d}",
        f"T inner, {parameters((masked, 'bool mask'))}T h, int64 units",
        "T new_h, raw T gates",
        f"""
        {place(3)}
        const A update = gates[o], candidate = tanh((A)gates[o + 2 * units] + (A)inner);
        gates[o + 2 * units] = (T)candidate;
        new_h = (T)({chosen(masked, "candidate + update * ((A)h - candidate)", "h")});
        """,
    )


@functools.cache
def _candidate_back(with_g: bool, masked: bool) -> Any:
    return typed_kernel(
        f"gru_candidate_back_{with_g:d}{masked:d}",
        f"T dh, {parameters((with_g, 'T g'), (masked, 'bool mask'))}T skips, raw T gates, int64 units",
        "T da",
        f"""
        {place(3)}
        {arriving(with_g, True)}
        const A update = gates[o], candidate = gates[o + 2 * units];
        da = (T)({chosen(masked, "d * (1 - update) * (1 - candidate * candidate)", "A(0)")});
        """,
    )


@functools.cache
def _reset_back(with_g: bool, masked: bool) -> Any:
    skipped = """
        if (!mask) {
            da[p] = da[p + units] = (T)A(0);
            skips = (T)d;
        } else {
    """
    return typed_kernel(
        f"gru_reset_back_{with_g:d}{masked:d}",
        f"T dh, {parameters((with_g, 'T g'), (masked, 'bool mask'))}T h, T to_reset_h, raw T gates, int64 units",
        "raw T da, T skips",
        f"""
        {place(3)}
        const long long p = i / units * 2 * units + i % units;
        {arriving(with_g, True)}
        {skipped * masked}
        const A update = gates[o], reset = gates[o + units], candidate = gates[o + 2 * units];
        da[p] = (T)(d * ((A)h - candidate) * update * (1 - update));
        da[p + units] = (T)((A)to_reset_h * (A)h * reset * (1 - reset));
        skips = (T)(d * update + (A)to_reset_h * reset);
        {"}" * masked}
        """,
    )

"""Gated recurrent units on NumPy, as overrides; see `recurrent_lstm` on sigmoids and slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.memory import aligned
from portanet.backends.numpy.recurrent import Units, flat, layer, of_one_bias, stacked


class _Gated(Units):
    """With the gates z and r and a candidate c: h' = z h + (1 - z) c."""

    order, recurrent_order = (2, 0, 1), (0, 1, 2)
    factors, terms = 5, 3
    has_zeros = True

    def slopes(self, times: slice, out: Array) -> Array | None:
        """Of h' to c, z and r, to what r multiplies, and to h past the product."""
        z, r, c = self.saved[times, :3].swapaxes(0, 1)
        closed = np.subtract(1, z, out=out[4])
        np.multiply(c, c, out=out[0])
        np.subtract(1, out[0], out=out[0])
        out[0] *= closed
        np.subtract(self.h[times], c, out=out[1])
        out[1] *= z
        out[1] *= closed
        np.subtract(1, r, out=out[2])
        self.of_reset(times, r, out)
        out[4] = z
        if self.skipped is not None:
            np.copyto(out[:4], 0, where=self.skipped[times])
            np.copyto(out[4], 1, where=self.skipped[times])
        return out[4]

    saved: Array
    """The gates z and r, the candidate, and maybe more, for each step."""

    def of_reset(self, times: slice, r: Array, out: Array) -> None:
        """The slopes that r is part of, given 1 - r in the place of its own."""
        raise NotImplementedError

    def of_inputs(self, some: Array) -> Array:
        return some[:3]


class GRU(_Gated):
    """c = tanh(a + r b), where b is the product of the output before: two sums for the candidate.

    All that gates see is in both, with zeros among the weights: so a step has one product, not three.
    """

    @classmethod
    def arranged(cls, kernel: Array, recurrent_kernel: Array, *biases: Array | None) -> Any:
        (bias, recurrent_bias), units = biases, len(recurrent_kernel)
        weights = stacked(kernel, recurrent_kernel, bias, (0, 1, 2, 2))
        weights[2, :units] = 0.0
        weights[3, units:] = 0.0
        if recurrent_bias is not None:
            weights[:2, units] += recurrent_bias[: 2 * units].reshape(2, units)
            weights[3, units] = recurrent_bias[2 * units :]
        weights[:2] *= 0.5
        return weights

    def begin(self) -> None:
        time, *shape = self.shape
        self.saved, self.part = self.empty(time, 4, *shape), self.empty(*shape)

    def views(self) -> list[Array]:
        saved = self.saved
        return [self.seen, saved, saved[:, :2], *(saved[:, i] for i in range(4)), self.h[:-1], self.h[1:]]

    def step(
        self,
        seen: Array,
        sums: Array,
        gates: Array,
        z: Array,
        r: Array,
        c: Array,
        inner: Array,
        h: Array,
        new_h: Array,
    ) -> None:
        part = self.part
        np.matmul(seen, self.weights, out=sums)
        np.tanh(gates, out=gates)
        gates *= self.half
        gates += self.half
        np.multiply(r, inner, out=part)
        c += part
        np.tanh(c, out=c)
        np.subtract(h, c, out=part)
        part *= z
        np.add(part, c, out=new_h)

    def of_reset(self, times: slice, r: Array, out: Array) -> None:
        np.multiply(out[0], r, out=out[3])
        out[2] *= out[3]
        out[2] *= self.saved[times, 3]

    def back_views(self, some: Array) -> list[Array]:
        by_step = some.swapaxes(0, 1)
        return [by_step[:, :4], by_step[:, 1:4]]

    def back(self, weights: Array, dh: Array, terms: Array, slopes: Array, db: Array) -> None:
        slopes *= dh
        np.matmul(db, weights, out=terms)

    def of_weights(self, times: slice, some: Array) -> list[Array]:
        units, rows = self.shape[-1], flat(self.rows[times])[:, : self.width].T
        of_c, *of_gates, of_inner = flat(some[:4])
        return [
            *(np.matmul(rows, each) for each in of_gates),
            np.matmul(rows[units:], of_c),
            np.matmul(rows[: units + 1], of_inner),
        ]

    @classmethod
    def arranged_back(cls, units: int, *totals: Array) -> list[Array | None]:
        z, r, c, inner = totals
        recurrent = np.concatenate([z[: units + 1], r[: units + 1], inner], axis=-1)
        by_inputs = np.concatenate([z[units:], r[units:], c], axis=-1)
        return [by_inputs[1:], recurrent[:units], by_inputs[0], recurrent[units]]


class GRUResetBefore(_Gated):
    """c = tanh(a + (r h) @ weights): a second product in a step. The first has zeros among its weights, as above."""

    @classmethod
    def arranged(cls, kernel: Array, recurrent_kernel: Array, *biases: Array | None) -> Any:
        units = len(recurrent_kernel)
        weights = stacked(kernel, recurrent_kernel, biases[0], (0, 1, 2))
        weights[2, :units] = 0.0
        weights[:2] *= 0.5
        of_c = aligned((units, units), kernel.dtype)
        of_c[...] = recurrent_kernel[:, 2 * units :]
        return weights, of_c

    def begin(self) -> None:
        time, *shape = self.shape
        self.saved, self.reset_h, self.part = self.empty(time, 3, *shape), self.empty(*self.shape), self.empty(*shape)

    def views(self) -> list[Array]:
        saved = self.saved
        gates = [saved, saved[:, :2], *(saved[:, i] for i in range(3))]
        return [self.seen, *gates, self.dropped, self.reset_h, self.h[:-1], self.h[1:]]

    def step(
        self,
        seen: Array,
        sums: Array,
        gates: Array,
        z: Array,
        r: Array,
        c: Array,
        dropped: Array,
        reset_h: Array,
        h: Array,
        new_h: Array,
    ) -> None:
        part, (weights, of_c) = self.part, self.weights
        np.matmul(seen, weights, out=sums)
        np.tanh(gates, out=gates)
        gates *= self.half
        gates += self.half
        np.multiply(r, dropped, out=reset_h)
        np.matmul(reset_h, of_c, out=part)
        c += part
        np.tanh(c, out=c)
        np.subtract(h, c, out=part)
        part *= z
        np.add(part, c, out=new_h)

    def of_reset(self, times: slice, r: Array, out: Array) -> None:
        out[2] *= r
        out[2] *= self.dropped[times]
        out[3] = r

    def back_views(self, some: Array) -> list[Array]:
        by_step = some.swapaxes(0, 1)
        return [by_step[:, :2], by_step[:, 1:3], *(by_step[:, i] for i in (0, 2, 3))]

    def back(
        self,
        weights: Array,
        dh: Array,
        terms: Array,
        slopes: Array,
        of_gates: Array,
        of_c: Array,
        of_r: Array,
        r: Array,
    ) -> None:
        slopes *= dh
        to_reset_h = np.matmul(of_c, weights[2], out=self.part)
        of_r *= to_reset_h
        np.multiply(r, to_reset_h, out=terms[2])
        np.matmul(of_gates, weights[:2], out=terms[:2])

    def of_weights(self, times: slice, some: Array) -> list[Array]:
        units, rows = self.shape[-1], flat(self.rows[times])[:, : self.width].T
        of_c, *of_gates = flat(some[:3])
        return [
            *(np.matmul(rows, each) for each in of_gates),
            np.matmul(rows[units:], of_c),
            np.matmul(flat(self.reset_h[times]).T, of_c),
        ]

    @classmethod
    def arranged_back(cls, units: int, *totals: Array) -> list[Array | None]:
        z, r, c, recurrent_c = totals
        by_inputs = np.concatenate([z[units:], r[units:], c], axis=-1)
        return [by_inputs[1:], np.concatenate([z[:units], r[:units], recurrent_c], axis=-1), by_inputs[0]]


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
    return layer(GRU, x, kernel, recurrent_kernel, [bias, recurrent_bias], [h0], mask, recurrent_keep)


OVERRIDES: dict[str, Callable[..., Any]] = {"gru": gru, "gru_reset_before": of_one_bias(GRUResetBefore)}

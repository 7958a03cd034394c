"""LSTM and fully connected recurrent units on NumPy, as overrides.

The sigmoid of a is (1 + tanh(a / 2)) / 2: the weights of sigmoids bring the first factor 1/2 along, and all gates of a
step are one tanh. The slope of a sigmoid s is (1 - s) s, that of a tanh t is 1 - t^2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.recurrent import Units, divided, layer, of_one_bias, stacked


class Simple(Units):
    """h' = tanh(a)."""

    order = recurrent_order = (0,)
    factors, terms = 1, 1

    @classmethod
    def arranged(cls, kernel: Array, recurrent_kernel: Array, *biases: Array | None) -> Any:
        return stacked(kernel, recurrent_kernel, biases[0], cls.order)[0]

    def begin(self) -> None:
        self.sum = self.empty(*self.shape[1:])

    def views(self) -> list[Array]:
        return [self.seen, self.h[1:]]

    def step(self, seen: Array, h: Array) -> None:
        np.matmul(seen, self.weights, out=self.sum)
        np.tanh(self.sum, out=h)

    def slopes(self, times: slice, out: Array) -> Array | None:
        h = self.h[1:][times]
        np.multiply(h, h, out=out[0])
        np.subtract(1, out, out=out)
        if self.skipped is None:
            return None
        np.copyto(out, 0, where=self.skipped[times])
        return self.skipped[times]

    def back_views(self, some: Array) -> list[Array]:
        return [some[0]]

    def back(self, weights: Array, dh: Array, terms: Array, slope: Array) -> None:
        slope *= dh
        np.matmul(slope, weights[0], out=terms[0])

    def of_inputs(self, some: Array) -> Array:
        return some

    @classmethod
    def arranged_back(cls, units: int, *totals: Array) -> list[Array | None]:
        return [*divided(units, totals[0])]


class LSTM(Units):
    """With the gates o, i, f, u: c' = f c + i u and h' = o tanh(c').

    A step is one row of tanh(c'), o, i, f, u, c: so i and f are next to each other, as are u and c that they multiply.
    """

    order = recurrent_order = (3, 0, 1, 2)
    factors, terms = 6, 4

    @classmethod
    def arranged(cls, kernel: Array, recurrent_kernel: Array, *biases: Array | None) -> Any:
        weights = stacked(kernel, recurrent_kernel, biases[0], cls.order)
        weights[:3] *= 0.5
        return weights

    def begin(self) -> None:
        time, *shape = self.shape
        self.saved = self.empty(time + 1, 6, *shape)
        self.products = self.empty(2, *shape)
        self.kept, self.added = self.products

    def states(self) -> list[Array]:
        return [self.h, self.saved[:, 5]]

    def views(self) -> list[Array]:
        saved = self.saved
        rows = [saved[:, 1:5], saved[:, 1:4], saved[:, 2:4], saved[:, 4:6], saved[:, 1], saved[:, 0]]
        return [self.seen, *rows, saved[1:, 5], self.h[1:]]

    def step(
        self,
        seen: Array,
        gates: Array,
        sigmoids: Array,
        first: Array,
        second: Array,
        o: Array,
        tanh_c: Array,
        c: Array,
        h: Array,
    ) -> None:
        np.matmul(seen, self.weights, out=gates)
        np.tanh(gates, out=gates)
        sigmoids *= self.half
        sigmoids += self.half
        np.multiply(first, second, out=self.products)
        np.add(self.kept, self.added, out=c)
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h)

    def begin_back(self, dstates: Sequence[Array]) -> None:
        self.dc = dstates[1]

    def end_back(self, dstates: Sequence[Array]) -> None:
        dstates[1][...] = self.dc
        self.dc = dstates[1]

    def slopes(self, times: slice, out: Array) -> Array | None:
        """Of c' with respect to h'; of h' to o; of c' to i, f and u; and what goes from c' to c."""
        saved = self.saved[times].swapaxes(0, 1)
        np.multiply(saved[:5], saved[:5], out=out[:5])
        np.subtract(saved[1:4], out[1:4], out=out[1:4])
        np.subtract(1, out[:5:4], out=out[:5:4])
        out[:2] *= saved[1::-1]
        out[2:4] *= saved[4:]
        out[4] *= saved[2]
        out[5] = saved[3]
        if self.skipped is None:
            return None
        skipped = self.skipped[times]
        np.copyto(out[:5], 0, where=skipped)
        np.copyto(out[5], 1, where=skipped)
        return skipped

    def back_views(self, some: Array) -> list[Array]:
        by_step = some.swapaxes(0, 1)
        return [by_step[:, :2], by_step[:, 0], by_step[:, 2:], by_step[:, 5], by_step[:, 1:5]]

    def back(
        self, weights: Array, dh: Array, terms: Array, of_h: Array, to_c: Array, of_c: Array, dc: Array, da: Array
    ) -> None:
        of_h *= dh
        to_c += self.dc
        of_c *= to_c
        self.dc = dc
        np.matmul(da, weights, out=terms)

    def of_inputs(self, some: Array) -> Array:
        return some[1:5]

    @classmethod
    def arranged_back(cls, units: int, *totals: Array) -> list[Array | None]:
        return [*divided(units, [totals[0][i] for i in (1, 2, 3, 0)])]


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
    return layer(LSTM, x, kernel, recurrent_kernel, [bias], [h0, c0], mask, recurrent_keep)


OVERRIDES: dict[str, Callable[..., Any]] = {"lstm": lstm, "simple_rnn": of_one_bias(Simple)}

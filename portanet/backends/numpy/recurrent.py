"""Layers of recurrent units on NumPy, as overrides of ops of `portanet.fused`, which define them.

Pieces of the batch run through time on all available cores, each step in place in arrays that the backward pass needs.
What all kinds of units share is here; what they differ in, their gates, is in `recurrent_lstm` and
`recurrent_gru`.

The time goes to products, and to the interpreter, which threads wait for: so a step is few calls. What gates see is one
row: the output before, a 1 for the bias, and the inputs. A gate is a block of memory, next to those that are computed
alike. And factors of cotangents are computed for several steps at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.memory import aligned
from portanet.backends.numpy.threads import map_pieces, slices

BLOCK = 2**10
"""Examples in time steps whose factors, and products for the weights, are computed at once: few enough to stay near,
and enough that threads seldom wait for each other.
"""

REARRANGED = 2**11
"""Weights that are rearranged in the time that is gained for one example in one time step."""

ENOUGH = 2**21
"""Multiplications of a step that are worth a thread: with fewer, it waits for the interpreter more than it gains."""

MOST = 64
"""Examples that a piece has at most, if there are enough multiplications: of more, the steps leave the cache."""

LANES = 16
"""Rows of what gates see begin at multiples of so many numbers."""


def stacked(kernel: Array, recurrent_kernel: Array, bias: Array | None, order: Sequence[int]) -> Array:
    """The weights of everything that gates see, shape (gates, units + 1 + features, units), gates in an order."""
    units = len(recurrent_kernel)
    weights = aligned((len(order), units + 1 + len(kernel), units), kernel.dtype)
    for block, gate in zip(weights, order, strict=True):
        columns = slice(gate * units, (gate + 1) * units)
        block[:units] = recurrent_kernel[:, columns]
        block[units] = 0.0 if bias is None else bias[columns]
        block[units + 1 :] = kernel[:, columns]
    return weights


def divided(units: int, total: Sequence[Array]) -> tuple[Array, Array, Array]:
    """The inverse of `stacked`: cotangents of the kernel, of the recurrent kernel and of the bias."""
    joined = np.concatenate(total, axis=-1)
    return joined[units + 1 :], joined[:units], joined[units]


def transposed(weights: Array, order: Sequence[int]) -> Array:
    """The weights of each gate, transposed, shape (gates, units, rows), gates in an order."""
    units = weights.shape[1] // len(order)
    result = aligned((len(order), units, len(weights)), weights.dtype)
    for block, gate in zip(result, order, strict=True):
        block[...] = weights[:, gate * units : (gate + 1) * units].T
    return result


def rows_of_a_piece(batch: int, weights: int) -> int:
    """The number of examples in a piece: half of the batch or less, unless the weights are few."""
    size = max(16, -(-ENOUGH // weights), min(MOST, -(-batch // 2)))
    return -(-batch // max(1, batch // size))


class Units:
    """A piece of the batch, run through time, and what its backward pass needs.

    Args:
        weights: What `arranged` gives.
        x: Inputs, shape (time, batch, features).
        states: Those before the first step, the output first, shape (batch, units) each.
        skipped: Where the states are kept, shape (time, batch, 1).
        keep: Factor of the output before its product.
    """

    order: ClassVar[tuple[int, ...]]
    """The gates, as they are in the kernels, in the order of `of_inputs`."""
    recurrent_order: ClassVar[tuple[int, ...]]
    """Likewise, in the order of the products of a step back."""
    factors: ClassVar[int]
    """Blocks that `slopes` writes for each step."""
    terms: ClassVar[int]
    """Parts of an output's cotangent that come through its product, and so are dropped like it."""
    has_zeros: ClassVar[bool] = False
    """Whether there are zeros among the weights of what gates see, which make no number of what is infinite."""

    def __init__(
        self, weights: Any, x: Array, states: Sequence[Array], skipped: Array | None, keep: Array | None
    ) -> None:
        (time, batch, features), units, self.dtype = x.shape, states[0].shape[1], x.dtype
        self.weights, self.skipped, self.keep = weights, skipped, keep
        self.shape, self.width = (time, batch, units), units + 1 + features
        self.rows = self.empty(time + 1, batch, -(-self.width // LANES) * LANES)
        self.rows[:-1, :, units] = 1.0
        self.rows[:-1, :, units + 1 : self.width] = x
        self.seen, self.dropped = self.rows[:-1, :, : self.width], self.rows[:, :, :units]
        self.half = np.full((), 0.5, dtype=x.dtype)
        self.h = self.dropped if keep is None else self.empty(time + 1, batch, units)
        self.begin()
        for whole, first in zip(self.states(), states, strict=True):
            whole[0] = first
        self._run()

    def empty(self, *shape: int) -> Array:
        """Room for results."""
        return aligned(shape, self.dtype)

    # What kinds of units differ in

    @classmethod
    def arranged(cls, kernel: Array, recurrent_kernel: Array, *biases: Array | None) -> Any:
        """The weights, as the products of a step need them."""
        raise NotImplementedError

    def begin(self) -> None:
        """Make room for all time steps."""

    def states(self) -> list[Array]:
        """The states before and after each step, the output first, shape (time + 1, batch, units) each."""
        return [self.h]

    def views(self) -> list[Array]:
        """What `step` is called with, for each time step."""
        raise NotImplementedError

    def step(self, *views: Array) -> None:
        """Compute the states after a step."""
        raise NotImplementedError

    def begin_back(self, dstates: Sequence[Array]) -> None:
        """Take over the cotangents of states other than the output."""

    def end_back(self, dstates: Sequence[Array]) -> None:
        """Write the cotangents of states other than the output, after some steps: what they are in is overwritten."""

    def slopes(self, times: slice, out: Array) -> Array | None:
        """Write what cotangents of some steps are multiplied by, shape (factors, steps, batch, units).

        Returns:
            The factor of an output's cotangent on its way to the output before that passes by the product, if any does.
        """
        raise NotImplementedError

    def back_views(self, some: Array) -> list[Array]:
        """What `back` is called with, for each of some steps."""
        raise NotImplementedError

    def back(self, weights: Array, dh: Array, terms: Array, *views: Array) -> None:
        """Write the terms of the cotangent of the output before, given that of the output."""
        raise NotImplementedError

    def of_inputs(self, some: Array) -> Array:
        """The cotangents of what the inputs contribute to each gate, after steps back."""
        raise NotImplementedError

    def of_weights(self, times: slice, some: Array) -> list[Array]:
        """Cotangents of the weights, as far as they come from some steps."""
        return [np.matmul(flat(self.rows[times])[:, : self.width].T, flat(self.of_inputs(some)))]

    @classmethod
    def arranged_back(cls, units: int, *totals: Array) -> list[Array | None]:
        """Cotangents of the kernel, of the recurrent kernel and of each bias, from the sums of `of_weights`."""
        raise NotImplementedError

    # What they share

    def _run(self) -> None:
        skipped, keep, step, states = self.skipped, self.keep, self.step, self.states()
        if keep is not None:
            np.multiply(self.h[0], keep, out=self.dropped[0])
        for t, views in enumerate(list(zip(*self.views(), strict=False))):
            step(*views)
            if skipped is not None:
                for state in states:
                    np.copyto(state[t + 1], state[t], where=skipped[t])
            if keep is not None:
                np.multiply(self.h[t + 1], keep, out=self.dropped[t + 1])

    def backward(
        self, weights: Array, g: Array | None, dstates: Sequence[Array], to_x: tuple[Array, Array] | None
    ) -> list[Array]:
        """The sums of `of_weights`.

        Args:
            weights: Those of the products of a step back.
            g: The cotangent of the outputs, if there is one.
            dstates: Those of the last states, and after it of the first.
            to_x: The weights of the inputs, transposed, and where to write the cotangent of x, if it is needed.
        """
        (time, batch, units), dh = self.shape, dstates[0]
        totals: list[Array] = []
        steps = min(time, -(-BLOCK // batch))
        block = self.empty(self.factors, steps, batch, units)
        terms = self.empty(self.terms + 1, batch, units)
        dropped = terms[: self.terms]
        self.begin_back(dstates)
        for stop in range(time, 0, -steps):
            times = slice(max(0, stop - steps), stop)
            some = block[:, : stop - times.start]
            passing = self.slopes(times, some)
            added = dropped if passing is None else terms
            by_step = [range(times.start, stop), *self.back_views(some)]
            for t, *views in reversed(list(zip(*by_step, strict=True))):
                if g is not None:
                    dh += g[t]
                if passing is not None:
                    np.multiply(dh, passing[t - times.start], out=terms[-1])
                self.back(weights, dh, dropped, *views)
                if self.keep is not None:
                    dropped *= self.keep
                np.add.reduce(added, axis=0, out=dh)
            self.end_back(dstates)
            sums = self.of_weights(times, some)
            totals = [np.add(a, b, out=a) for a, b in zip(totals, sums, strict=True)] if totals else sums
            if to_x is not None:
                np.matmul(self.of_inputs(some), to_x[0][:, None]).sum(axis=0, out=to_x[1][times])
        return totals


def flat(x: Array) -> Array:
    """Time steps and examples as rows."""
    return x.reshape(*x.shape[:-3], -1, x.shape[-1])


def layer(
    kind: type[Units],
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    biases: Sequence[Array | None],
    states: Sequence[Array],
    mask: Array | None,
    keep: Array | None,
) -> Any:
    """The results of an op and its pullback; what loses by it is left to the definition."""
    (time, batch, features), units = x.shape, states[0].shape[1]
    count = len(kind.order) * units * (features + units)
    if time * batch * REARRANGED < count:
        return NotImplemented
    given = [a for a in (x, kernel, recurrent_kernel, *biases, *states, keep) if a is not None]
    if x.dtype.kind != "f" or x.dtype.itemsize < 4 or any(a.dtype != x.dtype for a in given) or 0 in x.shape:
        return NotImplemented
    if kind.has_zeros and not all(np.isfinite(each).all() for each in (x, states[0])):
        return NotImplemented
    rows, skipped = slices(batch, rows_of_a_piece(batch, count)), None if mask is None else ~mask
    weights = kind.arranged(kernel, recurrent_kernel, *biases)
    outputs, last = np.empty((time, batch, units), dtype=x.dtype), [np.empty_like(each) for each in states]

    def forward(part: slice) -> Units:
        some = [None if each is None else each[..., part, :] for each in (skipped, keep)]
        piece = kind(weights, x[:, part], [each[part] for each in states], *some)
        outputs[:, part] = piece.h[1:]
        for whole, each in zip(last, piece.states(), strict=True):
            whole[part] = each[-1]
        return piece

    pieces = map_pieces(forward, rows)

    def pullback(cotangents: Sequence[Array | None]) -> tuple[Any, ...]:
        """Cotangents of x, the kernels, the biases and the first states, each when it is asked for.

        All are known as soon as one is, but that of x only if it is the one: it is the first argument.
        """
        g, *g_states = cotangents
        found: list[Any] = []

        def all_of_them(with_x: bool) -> list[Any]:
            if not found or (with_x and found[0] is None):
                found[:] = backward(g, g_states, with_x)
            return found

        given = [True, True, True, *(each is not None for each in biases), *(True for _ in states)]
        return tuple(functools.partial(_entry, all_of_them, i) if each else None for i, each in enumerate(given))

    def backward(g: Array | None, g_states: Sequence[Array | None], with_x: bool) -> list[Any]:
        back_weights = transposed(recurrent_kernel, kind.recurrent_order)
        dx, input_weights = (np.empty_like(x), transposed(kernel, kind.order)) if with_x else (None, None)
        dstates = [np.zeros_like(s) if d is None else d.copy() for s, d in zip(states, g_states, strict=True)]

        def of_piece(i: int) -> list[Array]:
            some, piece = rows[i], pieces[i]
            to_x = None if dx is None else (input_weights, dx[:, some])
            sums: list[Array] = piece.backward(
                back_weights, None if g is None else g[:, some], [d[some] for d in dstates], to_x
            )
            return sums

        sums = zip(*map_pieces(of_piece, range(len(rows))), strict=True)
        return [dx, *kind.arranged_back(units, *(functools.reduce(np.add, each) for each in sums)), *dstates]

    return (outputs, *last), pullback


def _entry(values: Callable[[bool], list[Any]], i: int) -> Any:
    return values(i == 0)[i]


def of_one_bias(kind: type[Units]) -> Callable[..., Any]:
    """The op of units that have one bias, and no state but the output."""

    def op(
        x: Array,
        kernel: Array,
        recurrent_kernel: Array,
        bias: Array | None,
        h0: Array,
        *,
        mask: Array | None = None,
        recurrent_keep: Array | None = None,
    ) -> Any:
        return layer(kind, x, kernel, recurrent_kernel, [bias], [h0], mask, recurrent_keep)

    return op

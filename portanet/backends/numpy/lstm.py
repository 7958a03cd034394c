"""A layer of LSTM units on NumPy, as an override of `portanet.fused.recurrent_lstm`, which defines it.

Pieces of the batch run through time on all available cores, each step in place in arrays that the backward pass needs:
half of the time had gone not to arithmetic but to arrays that came and went, and to rows of them. So the gates are the
first axis, in the order o, i, f, u: what belongs together is in one block of memory, the sigmoids are neighbours, and
so are the gates that the cell's cotangent goes to. A step is one product for each gate, small enough for BLAS not to
rearrange its factors first, of everything the gates see: the inputs, a 1 for the bias, and the output before.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.scan import rows_of_a_piece
from portanet.backends.numpy.threads import map_pieces, slices

BLOCK = 8
"""Time steps whose slopes, and products for the weights, are computed at once, while they are in the cache."""

REARRANGED = 2**10
"""Weights that are rearranged in the time that is gained for one example in one time step."""


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
    """The results of the op of that name and its pullback; what loses by it is left to the definition."""
    (time, batch, features), units = x.shape, h0.shape[1]
    if time * batch * REARRANGED < 4 * units * (features + units):
        return NotImplemented
    given = [a for a in (x, kernel, recurrent_kernel, bias, h0, c0, recurrent_keep) if a is not None]
    if x.dtype.kind != "f" or x.dtype.itemsize < 4 or any(a.dtype != x.dtype for a in given) or 0 in x.shape:
        return NotImplemented
    rows, skipped = slices(batch, rows_of_a_piece(batch)), None if mask is None else ~mask
    weights = np.concatenate([kernel, *([] if bias is None else [bias[None]]), recurrent_kernel])
    weights = np.roll(weights.reshape(-1, 4, units).swapaxes(0, 1), 1, axis=0)
    # sigmoid(a) is (1 + tanh(a / 2)) / 2: the weights of the sigmoids bring the first factor 1/2 along.
    scaled = weights * np.asarray([0.5, 0.5, 0.5, 1.0], dtype=x.dtype)[:, None, None]
    outputs, c_last = np.empty((time, *h0.shape), dtype=x.dtype), np.empty_like(c0)

    def forward(part: slice) -> _Piece:
        passed, kept = (None if each is None else each[..., part, :] for each in (skipped, recurrent_keep))
        piece = _Piece(x[:, part], scaled, h0[part], c0[part], passed, kept, outputs[:, part])
        c_last[part] = piece.cells[-1]
        return piece

    pieces = map_pieces(forward, rows)

    def pullback(cotangents: tuple[Array | None, ...]) -> tuple[Any, ...]:
        """Cotangents of x, the kernels, the bias and the first states, given those of the results."""
        g_outputs, g_h, g_c = cotangents
        dh, dc = (np.zeros_like(h0) if g is None else g.copy() for g in (g_h, g_c))
        transposed = weights.swapaxes(1, 2).copy()

        def backward(i: int) -> tuple[Array, Array]:
            g = None if g_outputs is None else g_outputs[:, rows[i]]
            grads: tuple[Array, Array] = pieces[i].backward(transposed[:, :, -units:], g, dh[rows[i]], dc[rows[i]])
            return grads

        def by_x() -> Array:
            parts = map_pieces(lambda da: np.matmul(da, transposed[:, None, :, :features]).sum(axis=0), das)
            return np.concatenate(parts, axis=1)

        das, parts = zip(*map_pieces(backward, range(len(rows))), strict=True)
        total = functools.reduce(np.add, parts)
        total = np.roll(total, -1, axis=0).swapaxes(0, 1).reshape(-1, 4 * units)
        return by_x, total[:features], total[-units:], None if bias is None else total[features], dh, dc

    return (outputs, outputs[-1].copy(), c_last), pullback


class _Piece:
    """A piece of the batch, run through time, and what its backward pass needs.

    Args:
        x: Its inputs, shape (time, batch, features).
        weights: Of everything the gates see, shape (4, features [+ 1] + units, units).
        h: Its first output.
        c: The first state of its cells.
        skipped: Where the state is kept, shape (time, batch, 1).
        keep: Factor of h before its product.
        outputs: Where to write its outputs, shape (time, batch, units).
    """

    def __init__(
        self, x: Array, weights: Array, h: Array, c: Array, skipped: Array | None, keep: Array | None, outputs: Array
    ) -> None:
        (time, batch, features), units = x.shape, h.shape[1]
        self.skipped, self.keep = skipped, keep
        self.seen = np.ones((time, batch, weights.shape[1]), dtype=x.dtype)
        self.seen[:, :, :features] = x
        self.gates = np.empty((4, time, *h.shape), dtype=x.dtype)
        self.tanh_cells = np.empty((time, *h.shape), dtype=x.dtype)
        self.cells = np.empty((time + 1, *h.shape), dtype=x.dtype)
        self.cells[0] = c
        part = np.empty_like(h)
        for t in range(time):
            seen, gates, tanh_c, c, new_c = self.seen[t], self.gates[:, t], self.tanh_cells[t], *self.cells[t : t + 2]
            seen[:, -units:] = h if keep is None else h * keep
            np.matmul(seen, weights, out=gates)
            np.tanh(gates, out=gates)
            sigmoids, (o, i, f, u) = gates[:3], gates
            sigmoids *= 0.5
            sigmoids += 0.5
            np.multiply(f, c, out=new_c)
            np.multiply(i, u, out=part)
            new_c += part
            np.tanh(new_c, out=tanh_c)
            np.multiply(o, tanh_c, out=outputs[t])
            if skipped is not None:
                np.copyto(outputs[t], h, where=skipped[t])
                np.copyto(new_c, c, where=skipped[t])
            h = outputs[t]

    def backward(self, weights: Array, g_outputs: Array | None, dh: Array, dc: Array) -> tuple[Array, Array]:
        """Cotangents of the gates' arguments (4, time, batch, units) and of the weights; `dh` and `dc` hold those of
        the last states, and after it of the first.
        """
        time, _, width = self.seen.shape
        da, part, parts = np.empty_like(self.gates), np.empty_like(dh), np.empty((4, *dh.shape), dtype=dh.dtype)
        units, total = dh.shape[1], np.zeros((4, width, dh.shape[1]), dtype=dh.dtype)
        for stop in range(time, 0, -BLOCK):
            start = max(0, stop - BLOCK)
            block = da[:, start:stop]
            to_cells, forgets = self._slopes(slice(start, stop), block)
            for t in range(stop - start - 1, -1, -1):
                da_t = block[:, t]
                if g_outputs is not None:
                    dh += g_outputs[start + t]
                np.multiply(dh, to_cells[t], out=part)
                dc += part
                da_t[0] *= dh
                da_t[1:] *= dc
                dc *= forgets[t]
                np.matmul(da_t, weights, out=parts)
                if self.skipped is not None:
                    np.multiply(dh, self.skipped[start + t], out=part)
                np.add.reduce(parts, axis=0, out=dh)
                if self.keep is not None:
                    dh *= self.keep
                if self.skipped is not None:
                    dh += part
            total += np.matmul(self.seen[start:stop].reshape(-1, width).T, block.reshape(4, -1, units))
        return da, total

    def _slopes(self, times: slice, out: Array) -> tuple[Array, Array]:
        """What the cotangent of c' is multiplied by on its way to i, f and u, and that of h' on its way to o, written
        to `out`; what that of h' is on its way to c', and that of c' on its way to c.

        The slope of a sigmoid s is (1 - s) s, that of a tanh t is 1 - t^2.
        """
        gates, tanh_c = self.gates[:, times], self.tanh_cells[times]
        o, i, f, u = gates
        np.subtract(1, gates[:3], out=out[:3])
        out[:3] *= gates[:3]
        out[0] *= tanh_c
        out[1] *= u
        out[2] *= self.cells[times]
        np.multiply(u, u, out=out[3])
        np.subtract(1, out[3], out=out[3])
        out[3] *= i
        to_cells = tanh_c * tanh_c
        np.subtract(1, to_cells, out=to_cells)
        to_cells *= o
        if self.skipped is not None:
            skipped = self.skipped[times]
            np.copyto(out, 0, where=skipped)
            np.copyto(to_cells, 0, where=skipped)
            f = np.where(skipped, f.dtype.type(1), f)
        return to_cells, f

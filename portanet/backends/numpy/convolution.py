"""Convolution on NumPy, as overrides of `portanet.fused.convolution_plain`, which defines it.

Small inputs and long kernels go to `patches`. For others, the rows that a row of outputs sees are brought side by side.
All that a column of outputs sees are then neighbours in memory, and the columns of a piece are one batch of products,
of views, for all rows of all its examples: nothing is copied but the rows, which stay in a core's cache. Kernels of
three rows take fewer products: see `winograd`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy import patches, winograd
from portanet.backends.numpy.maxima import have_bits, write_where_positive
from portanet.backends.numpy.memory import aligned
from portanet.backends.numpy.patches import patches_of
from portanet.backends.numpy.planes import as_plane
from portanet.backends.numpy.threads import map_pieces, run_pieces


def convolve(
    x: Array, kernel: Array, bias: Array | None, *, window: Any, groups: int, activation: str | None = None
) -> Any:
    """The convolution; where it gains nothing, it is left to the definition."""
    filters, in_patches = kernel.shape[-1], patches_of(x.shape[1:], window, groups)
    if in_patches.suit(x.shape[0], filters):
        return patches.convolve(x, kernel, bias, in_patches, activation)
    positions = in_patches.positions
    plane = as_plane(x, kernel, filters, window, groups, positions)
    if plane is None:
        return NotImplemented
    (oh, ow), dtype = plane.positions, plane.dtype
    x = x.reshape(*x.shape[:2], -1, x.shape[-1]).astype(dtype, copy=False)
    kernel = kernel.reshape(*plane.size, -1, filters).astype(dtype, copy=False)
    if plane.in_pairs:
        matrices = winograd.of_kernel(kernel)
    else:
        matrices = aligned((kernel.shape[1], kernel.shape[0], *kernel.shape[2:]), dtype)
        matrices[...] = kernel.swapaxes(0, 1)
    matrices = matrices.reshape(4 if plane.in_pairs else 1, 1, -1, filters)
    out = np.empty((x.shape[0], oh, ow * filters), dtype=dtype)
    added = None if bias is None else np.tile(bias, ow)
    pieces = plane.pieces(x.shape[0], multiplied=True)

    def run(i: int) -> None:
        part, columns = pieces[i]
        area = slice(columns.start * filters, columns.stop * filters)
        target = out[part, :, area]
        if plane.in_pairs:
            seen = plane.in_sums(x[part], columns)
            sums = aligned((*seen.shape[:3], target.shape[-1]), dtype)
            plane.products(seen, matrices, sums)
            if added is not None:
                sums[1] += added[area]  # the product that is added to both rows of a pair
            winograd.to_outputs(sums, target)
        else:
            plane.products(plane.side_by_side(x[part], columns)[None], matrices, target[None])
            if added is not None:
                target += added[area]
        if activation is not None:
            np.maximum(target, 0.0, out=target)

    run_pieces(run, len(pieces))
    return out.reshape(x.shape[0], *positions, filters)


def convolve_input(g: Array, kernel: Array, *, window: Any, groups: int, space: tuple[int, ...]) -> Any:
    """The adjoint of `convolve` with respect to x, by patches."""
    in_patches = patches_of((*space, kernel.shape[-2] * groups), window, groups)
    if in_patches.positions == g.shape[1:-1] and in_patches.suit_input(g.shape[0], g.shape[-1]):
        return patches.convolve_input(g, kernel, in_patches, space)
    return NotImplemented


def convolve_kernel(x: Array, g: Array, *, window: Any, groups: int) -> Any:
    """The adjoint of `convolve` with respect to the kernel."""
    in_patches = patches_of(x.shape[1:], window, groups)
    if in_patches.suit(x.shape[0], g.shape[-1]):
        return patches.convolve_kernel(x, g, in_patches)
    weights = convolve_weights(x, g, None, window=window, groups=groups, activation=None, biased=False)
    return weights if weights is NotImplemented else weights[0]


def convolve_weights(
    x: Array, g: Array, y: Array | None, *, window: Any, groups: int, activation: str | None, biased: bool
) -> Any:
    """The adjoints with respect to kernel and bias, in one visit to each piece of x, g and y."""
    channels, filters = x.shape[-1], g.shape[-1]
    if patches_of(x.shape[1:], window, groups).suit(x.shape[0], filters):
        return NotImplemented
    plane = as_plane(x, g, filters, window, groups, g.shape[1:-1])
    if plane is None or (activation is not None and not have_bits(g, y)):
        return NotImplemented
    pieces = plane.pieces(x.shape[0], multiplied=False)
    x = x.reshape(*x.shape[:2], -1, channels).astype(plane.dtype, copy=False)
    g = g.reshape(*g.shape[:2], -1).astype(plane.dtype, copy=False)
    y = None if y is None or activation is None else y.reshape(g.shape)

    def gradients_of(piece: tuple[slice, slice]) -> tuple[Array, ...]:
        part, columns = piece
        area = (part, slice(None), slice(columns.start * filters, columns.stop * filters))
        gs = g[area]
        if y is not None:
            gs = write_where_positive(np.empty(gs.shape, dtype=gs.dtype), gs, y[area])
        rows = gs.reshape(-1, filters)
        bias = (np.ones((1, len(rows)), dtype=rows.dtype) @ rows,) if biased else ()
        if plane.in_pairs:
            seen, gs = plane.in_sums(x[part], columns), winograd.of_outputs(gs)
        else:
            seen, gs = plane.side_by_side(x[part], columns)[None], gs[None]
        return plane.sums(seen, gs), *bias

    sums = [functools.reduce(np.add, parts) for parts in zip(*map_pieces(gradients_of, pieces), strict=True)]
    if plane.in_pairs:
        kernel = winograd.to_kernel(sums[0])
    else:
        kernel = sums[0].reshape(*reversed(plane.size), channels, filters).swapaxes(0, 1)
    return kernel.reshape(*window.size, channels, filters), sums[1].reshape(filters) if biased else None

"""Softmax and cross-entropies as one kernel for the value and one for the derivative, as overrides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array
from portanet.backends.cupy.rows import ACCUMULATED, contiguous, launch, row_kernel


def softmax(x: Array, axis: int | tuple[int, ...] = -1) -> Any:
    """As `portanet.activations.softmax`, over the last axis."""
    import cupy

    if type(axis) is not int or not x.ndim or axis not in (-1, x.ndim - 1) or not _takes(x):
        return NotImplemented
    (x,) = contiguous(x)
    columns = x.shape[-1]
    rows = x.size // columns
    with x.device:
        y = cupy.empty_like(x)
        launch(_softmax, x.dtype, rows, columns, x, y)

    def pullback(g: Array) -> tuple[Array, None]:  # it does not keep x
        (g,) = contiguous(g)
        with y.device:
            dx = cupy.empty_like(y)
            launch(_softmax_slope, y.dtype, rows, columns, g, y, dx)
        return dx, None

    return y, pullback


def softmax_crossentropy(targets: Array, logits: Array) -> Any:
    """As `portanet.fused.softmax_crossentropy`."""
    if not _matches(targets, logits):
        return NotImplemented
    targets, logits = contiguous(targets, logits)
    losses, sums = _losses(_softmax_crossentropy, targets, logits)

    def log_p() -> Array:
        return (logits - sums[..., :1] - _log(sums[..., 1:2])).astype(logits.dtype, copy=False)

    return losses, _pullback(_softmax_crossentropy_slope, targets, logits, sums, log_p)


def crossentropy(targets: Array, probabilities: Array) -> Any:
    """As `portanet.fused.crossentropy`."""
    import cupy

    if not _matches(targets, probabilities):
        return NotImplemented
    targets, probabilities = contiguous(targets, probabilities)
    low = max(1e-7, 0.5 * float(cupy.finfo(probabilities.dtype).eps))
    losses, sums = _losses(_crossentropy, targets, probabilities, low)

    def log_p() -> Array:
        return _log(cupy.maximum(probabilities, low) / sums[..., :1]).astype(probabilities.dtype, copy=False)

    return losses, _pullback(_crossentropy_slope, targets, probabilities, sums, log_p, low)


OVERRIDES: dict[str, Callable[..., Any]] = {
    "softmax": softmax,
    "softmax_crossentropy": softmax_crossentropy,
    "crossentropy": crossentropy,
}


def _takes(x: Array) -> bool:
    return x.dtype.name in ACCUMULATED and x.size > 0


def _matches(targets: Array, x: Array) -> bool:
    return targets.dtype == x.dtype and targets.shape == x.shape and x.ndim > 0 and _takes(x)


def _log(x: Array) -> Array:
    import cupy

    return cupy.log(x)


def _losses(kernel: Any, targets: Array, x: Array, *numbers: float) -> tuple[Array, Array]:
    """The losses, and three numbers for each row that the derivative needs."""
    import cupy

    with x.device:
        losses = cupy.empty(x.shape[:-1], dtype=x.dtype)
        sums = cupy.empty((*x.shape[:-1], 3), dtype=ACCUMULATED[x.dtype.name])
        launch(kernel, x.dtype, losses.size, x.shape[-1], targets, x, *numbers, losses, sums)
    return losses, sums


def _pullback(kernel: Any, targets: Array, x: Array, sums: Array, log_p: Any, *numbers: float) -> Any:
    def pullback(g: Array) -> tuple[Any, Any]:
        import cupy

        def of_targets() -> Array:
            return -g[..., None] * log_p()

        (flat,) = contiguous(g)
        with x.device:
            dx = cupy.empty_like(x)
            launch(kernel, x.dtype, math.prod(x.shape[:-1]), x.shape[-1], flat, targets, x, sums, *numbers, dx)
        return of_targets, dx

    return pullback


_softmax = row_kernel(
    "softmax",
    "raw T x",
    "raw T y",
    """
    A top = x[at], sum = 0;
    EACH(c) top = greater_of(top, (A)x[at + c]);
    top = largest(top);
    EACH(c) sum += exp((A)x[at + c] - top);
    sum = total(sum);
    EACH(c) y[at + c] = (T)(exp((A)x[at + c] - top) / sum);
    """,
)
_softmax_slope = row_kernel(
    "softmax_slope",
    "raw T g, raw T y",
    "raw T dx",
    """
    A sum = 0;
    EACH(c) sum += (A)g[at + c] * (A)y[at + c];
    sum = total(sum);
    EACH(c) dx[at + c] = (T)((A)y[at + c] * ((A)g[at + c] - sum));
    """,
)
_softmax_crossentropy = row_kernel(
    "softmax_crossentropy",
    "raw T targets, raw T x",
    "raw T losses, raw W sums",
    """
    A top = x[at], sum = 0, mass = 0, loss = 0;
    EACH(c) top = greater_of(top, (A)x[at + c]);
    top = largest(top);
    EACH(c) { sum += exp((A)x[at + c] - top); mass += (A)targets[at + c]; }
    sum = total(sum);
    mass = total(mass);
    const A log_sum = log(sum);
    EACH(c) loss -= (A)targets[at + c] * ((A)x[at + c] - top - log_sum);
    loss = total(loss);
    if (threadIdx.x == 0) {
        losses[row] = (T)loss;
        sums[3 * row] = top;
        sums[3 * row + 1] = sum;
        sums[3 * row + 2] = mass;
    }
    """,
)
_softmax_crossentropy_slope = row_kernel(
    "softmax_crossentropy_slope",
    "raw T g, raw T targets, raw T x, raw W sums",
    "raw T dx",
    """
    const A factor = g[row], top = sums[3 * row], sum = sums[3 * row + 1], mass = sums[3 * row + 2];
    EACH(c) dx[at + c] = (T)(factor * (exp((A)x[at + c] - top) / sum * mass - (A)targets[at + c]));
    """,
)
_crossentropy = row_kernel(
    "crossentropy",
    "raw T targets, raw T x, W low",
    "raw T losses, raw W sums",
    """
    A sum = 0, mass = 0, loss = 0;
    EACH(c) { sum += greater_of((A)low, (A)x[at + c]); mass += (A)targets[at + c]; }
    sum = total(sum);
    mass = total(mass);
    EACH(c) loss -= (A)targets[at + c] * log(greater_of((A)low, (A)x[at + c]) / sum);
    loss = total(loss);
    if (threadIdx.x == 0) {
        losses[row] = (T)loss;
        sums[3 * row] = sum;
        sums[3 * row + 1] = mass;
        sums[3 * row + 2] = 0;
    }
    """,
)
_crossentropy_slope = row_kernel(
    "crossentropy_slope",
    "raw T g, raw T targets, raw T x, raw W sums, W low",
    "raw T dx",
    """
    const A factor = g[row], sum = sums[3 * row], mass = sums[3 * row + 1];
    EACH(c) {
        const A p = x[at + c];
        dx[at + c] = (T)(p > low ? factor * (mass / sum - (A)targets[at + c] / p) : A(0));
    }
    """,
)

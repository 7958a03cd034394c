"""Steps of Dormand and Prince's method for real vectors, in the standard.

Source: J. Dormand and P. Prince, A family of embedded Runge-Kutta formulae (1980); step sizes as in E. Hairer,
S. Norsett and G. Wanner, Solving ordinary differential equations I (1993), II.4.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.batches import largest_of_examples
from portanet.autodiff.solvers.vectors import ConvergenceError
from portanet.backends import Array

Slope: TypeAlias = Callable[[Array, Any], Array]
"""`slope(y, t)`, the derivative of a vector y by the time."""

NODES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
"""The difference of the results of order 5 and 4."""


class Step(NamedTuple):
    """A step that was taken: from `time`, of length `size`; `output` says whether it ends at an output time."""

    time: float
    size: float
    output: bool


def step(slope: Slope, y: Array, t: Any, h: Any, first: Array | None = None) -> tuple[Array, list[Array]]:
    """The result of order 5 after a step of length `h`, and all seven slopes; `first` is the one at the start.

    The last slope is that at the end of the step. `t` and `h` are numbers or arrays of no dimension.
    """
    slopes = [slope(y, t) if first is None else first]
    for node, weights in zip(NODES, STAGES, strict=True):
        y_stage = y + combined(slopes, weights) * h
        slopes.append(slope(y_stage, t + h * node))
    return y_stage, slopes


def combined(slopes: list[Array], weights: tuple[float, ...]) -> Array:
    """A linear combination of vectors."""
    parts = [k * w for k, w in zip(slopes, weights, strict=True) if w]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def adaptive(
    slope: Slope, y: Array, times: list[float], rtol: float, atol: float, max_steps: int
) -> tuple[list[Array], list[Step]]:
    """The solution at each of the times, for plain vectors, and the steps that were taken."""
    outputs = [y]
    steps: list[Step] = []
    k = slope(y, times[0])
    size = 0.0
    for start, end in itertools.pairwise(times):
        t, sign = start, math.copysign(1.0, end - start)
        size = size or _first_size(slope, y, t, sign, k, rtol, atol)
        while t != end:
            h = min(size, abs(end - t))
            last = h >= abs(end - t) * (1 - 1e-9)
            h = abs(end - t) if last else h
            if len(steps) >= max_steps or t + sign * h == t:
                reason = (
                    "the limit of steps was reached" if len(steps) >= max_steps else "the step size became too small"
                )
                if size == 0.0:
                    reason = "the solution or its derivative is not finite"
                raise ConvergenceError(
                    f"odeint did not reach the end: {reason}. Raise `max_steps`, `rtol` or `atol`, or use a method for "
                    f'stiff equations, such as method="Radau". Received: time {t:.6g} after {len(steps)} steps, '
                    f"the last of size {h:.3g}"
                )
            new, slopes = step(slope, y, t, sign * h, k)
            error = _norm(combined(slopes, ERROR) * h, y, new, rtol, atol)
            if error <= 1.0:
                steps.append(Step(t, sign * h, last))
                t, y, k = end if last else t + sign * h, new, slopes[-1]
            if error <= 1.0 and h < size:
                continue  # a step that was cut at an output time says little about the next
            factor = 0.9 * error**-0.2 if error > 0.0 and math.isfinite(error) else 0.0
            size = h * (min(10.0, max(0.2, factor)) if error > 0.0 else 10.0)
        outputs.append(y)
    return outputs, steps


def _norm(x: Array, y: Array, new: Array, rtol: float, atol: float) -> float:
    """The size of an error, relative to the tolerances; the largest of the examples of vmap."""
    if not x.shape[0]:
        return 0.0
    xp = array_namespace(x)
    scale = atol + rtol * xp.maximum(xp.abs(y), xp.abs(new))
    return largest_of_examples(xp.sqrt(xp.mean((x / scale) ** 2)))


def _first_size(slope: Slope, y: Array, t: float, sign: float, k: Array, rtol: float, atol: float) -> float:
    """A first step size from the sizes of the solution and of its first two derivatives; 0 if they are not finite."""
    of_y, of_k = _norm(y, y, y, rtol, atol), _norm(k, y, y, rtol, atol)
    if not math.isfinite(of_y + of_k):
        return 0.0
    size = 1e-6 if of_y < 1e-5 or of_k < 1e-5 else 0.01 * of_y / of_k
    changed = slope(y + k * (sign * size), t + sign * size)
    of_second = _norm(changed - k, y, y, rtol, atol) / size
    most = max(of_k, of_second)
    if not math.isfinite(most):
        return size
    return min(100 * size, max(1e-6, size * 1e-3) if most <= 1e-15 else (0.01 / most) ** 0.2)

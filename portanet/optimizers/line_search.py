"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from portanet.backends import Array


@dataclass
class Point:
    """A point on a line: its step along the line, the function's value and slope, x and the gradient."""

    step: float
    value: float
    slope: float
    x: Array
    gradient: Array


def wolfe(
    at: Callable[[float], Point],
    start: Point,
    step: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    slack: float = 0.0,
    limit: int = 30,
) -> Point | None:
    """A point where the Wolfe conditions hold: `f <= f0 + c1 * step * slope0` and `|slope| <= c2 * |slope0|`.

    Source: J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed., algorithms 3.5 and 3.6.

    Args:
        at: Returns the point at a step.
        start: The point at step 0, with a negative slope.
        step: The first step to try.
        c1: Fraction of the predicted decrease to reach.
        c2: Fraction of the slope that may remain.
        slack: Rounding error of the values; near a minimum slopes are more accurate than values.
        limit: Maximum number of evaluations.

    Returns:
        The point; the lowest one if rounding lets none satisfy both; None if none is lower than the start.

    Example:
        >>> def at(step):  # (x - 3)^2 from 0
        ...     return Point(step, (step - 3.0) ** 2, 2 * (step - 3.0), None, None)
        >>> wolfe(at, at(0.0), 1.0, c2=0.1).step
        3.0
    """
    low, high = start, None
    for _ in range(limit):
        point = at(step)
        highest = start.value + c1 * point.step * start.slope + slack
        rises = low is not start and point.value >= low.value + slack
        if not math.isfinite(point.value) or point.value > highest or rises:
            high = point
        else:
            if abs(point.slope) <= -c2 * start.slope:
                return point
            if high is None:
                if point.slope >= 0:
                    high = low
            elif point.slope * (high.step - low.step) >= 0:
                high = low
            low = point
        if high is None:
            step = 2.0 * low.step
        elif abs(high.step - low.step) <= 1e-12 * max(low.step, high.step):
            break
        else:
            step = _between(low, high)
    return low if low.value < start.value else None


def _between(low: Point, high: Point) -> float:
    """The minimum of the cubic through both points, kept away from the ends; the middle if it has none."""
    width = high.step - low.step
    fraction = 0.5
    if math.isfinite(high.value) and math.isfinite(high.slope):
        d1 = low.slope + high.slope - 3 * (high.value - low.value) / width
        square = d1 * d1 - low.slope * high.slope
        if square >= 0:
            d2 = math.copysign(math.sqrt(square), width)
            bottom = high.slope - low.slope + 2 * d2
            if bottom:
                fraction = 1 - (high.slope + d2 - d1) / bottom
    return low.step + min(max(fraction, 0.1), 0.9) * width

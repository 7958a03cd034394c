"""Intervals of integration, finite or not, and the points of Gauss and Kronrod's rules on parts of them.

Under `vmap` there may be one interval per example. All are images of [0, 1], so that parts of them are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from portanet.autodiff.batching.array import BatchedArray, Level, storage, wrappers
from portanet.autodiff.batching.transform import batch, whole
from portanet.autodiff.boundary import plain
from portanet.autodiff.transforms import stop_gradient
from portanet.backends import Array, device_of, raw_namespace, to_host

TINY = 1e-150
"""Where rounding would give a distance of 0 from an infinite limit."""
KRONROD = (
    (0.991455371120812639206854697526329, 0.022935322010529224963732008058970, 0.0),
    (0.949107912342758524526189684047851, 0.063092092629978553290700663189204, 0.129484966168869693270611432679082),
    (0.864864423359769072789712788640926, 0.104790010322250183839876322541518, 0.0),
    (0.741531185599394439863864773280788, 0.140653259715525918745189590510238, 0.279705391489276667901467771423780),
    (0.586087235467691130294144691692390, 0.169004726639267902826583426598550, 0.0),
    (0.405845151377397166906606412076961, 0.190350578064785409913256402421014, 0.381830050505118944950369775488975),
    (0.207784955007898467600689403773245, 0.204432940075298892414161999234649, 0.0),
)
"""Positive nodes of the rule of 15 points, its weights, and those of the rule of 7 points."""
CENTER = (0.209482141084727828012999174891714, 0.417959183673469387755102040816327)
ALL = ((0.0, *CENTER), *((s * u, w, g) for u, w, g in KRONROD for s in (-1.0, 1.0)))
FINE = tuple((u, w) for u, w, _ in ALL)
COARSE = tuple((u, g) for u, _, g in ALL if g)
"""Nodes on [-1, 1] and weights of the rules of 15 and 7 points."""


class Points(NamedTuple):
    """Points and weights of a rule: arrays of shape (points,), batched where intervals differ between examples."""

    x: Any
    weights: Any


class Span(NamedTuple):
    """The image of u in [low, high] under a change of variables, which returns x and its derivative."""

    low: float
    high: float
    change: Callable[[float], tuple[float, float]]


class Intervals:
    """The intervals of all examples; of one if the limits are the same for all.

    Args:
        limits: Two arrays of no dimension, or numbers.
    """

    def __init__(self, limits: tuple[Any, Any]) -> None:
        levels = {w.level: None for x in limits for w in wrappers(x) if isinstance(w, BatchedArray)}
        self.levels: list[Level] = sorted(levels, key=lambda level: level.serial)
        values = [self._values(x) for x in limits]
        self.spans = [span(a, b) for a, b in zip(*values, strict=True)]

    def _values(self, x: Any) -> list[float]:
        """The values of a limit for all examples, those of the innermost level next to each other."""
        count = math.prod(level.size for level in self.levels)
        if not hasattr(x, "shape") or not any(isinstance(w, BatchedArray) for w in wrappers(x)):
            return [float(storage(x))] * count
        x = stop_gradient(x)
        for level in reversed(self.levels):
            x = whole(x, level)
        return [float(v) for v in to_host(storage(x)).reshape(-1)]

    def points(self, rule: Any, start: float, end: float, like: Array) -> Points:
        """A rule of nodes on [-1, 1] and weights, on the part from `start` to `end` of [0, 1]."""
        middle, half = (start + end) / 2, (end - start) / 2
        rows = []
        for low, high, change in self.spans:
            width = high - low
            pairs = [(change(low + width * (middle + half * u)), w * half * width) for u, w in rule]
            rows.append([(x, w * slope) for (x, slope), w in pairs])
        return Points(*(self._array([[pair[i] for pair in row] for row in rows], len(rule), like) for i in (0, 1)))

    def _array(self, rows: list[list[float]], count: int, like: Array) -> Any:
        sizes = [level.size for level in self.levels]
        raw = raw_namespace(like)
        out = raw.asarray(rows if self.levels else rows[0], dtype=like.dtype, device=device_of(like))
        if self.levels:
            out = raw.reshape(out, (*sizes, count))
        for level in self.levels:
            out = batch(plain(out), level)
        return out

    def too_narrow(self, start: float, end: float) -> bool:
        """Whether a part can't be halved."""
        return all((end - start) * abs(s.high - s.low) <= 1e-14 * max(1.0, abs(s.low), abs(s.high)) for s in self.spans)


def span(a: float, b: float) -> Span:
    """A finite interval, and the change of variables to the one from `a` to `b`."""
    if math.isfinite(a) and math.isfinite(b):
        return Span(a, b, lambda u: (u, 1.0))
    if math.isinf(a) and math.isinf(b):
        if a == b:
            return Span(0.0, 0.0, lambda u: (u, 1.0))
        sign = 1.0 if b > a else -1.0

        def both(u: float) -> tuple[float, float]:
            rest = max(1 - u * u, TINY)
            return u / rest, (1 + u * u) / rest**2

        return Span(-sign, sign, both)
    finite, infinite = (a, b) if math.isinf(b) else (b, a)
    sign = math.copysign(1.0, infinite)

    def change(u: float) -> tuple[float, float]:  # from u in (0, 1) to the half-line
        rest = max(1 - u, TINY)
        return finite + sign * u / rest, sign / rest**2

    return Span(0.0, 1.0, change) if math.isinf(b) else Span(1.0, 0.0, change)

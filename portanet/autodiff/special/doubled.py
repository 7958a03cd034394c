"""Numbers of twice the digits, as sums of two arrays.

T. J. Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18, 1971.
"""

from __future__ import annotations

from typing import Any

from portanet.backends import Array


def _sum(x: Any, y: Any) -> tuple[Any, Any]:
    """`x + y`, rounded, and what the rounding left."""
    total = x + y
    of_y = total - x
    return total, (x - (total - of_y)) + (y - of_y)


def _ordered_sum(large: Array, small: Array) -> tuple[Any, Any]:
    """The same for `|large| >= |small|`."""
    total = large + small
    return total, small - (total - large)


def _halves(xp: Any, x: Array | float) -> tuple[Any, Any]:
    """X as a sum of two arrays, whose products are exact; a Python number is a small integer."""
    if isinstance(x, float):
        return x, 0.0
    digits = 53 if xp.finfo(x.dtype).bits == 64 else 24
    moved = x * (2.0 ** ((digits + 1) // 2) + 1)
    high = moved - (moved - x)
    return high, x - high


def _product(xp: Any, x: Array, y: Array | float) -> tuple[Any, Any]:
    """`x y`, rounded, and what the rounding left."""
    (a, b), (c, d) = _halves(xp, x), _halves(xp, y)
    total = x * y
    return total, ((a * c - total) + a * d + b * c) + b * d


class Doubled:
    """The number `high + low`; operators have a relative error of a few squares of the machine epsilon.

    Python numbers beside it must be integers below 2,000.
    """

    def __init__(self, xp: Any, high: Array, low: Array) -> None:
        self.xp, self.high, self.low = xp, high, low

    def __add__(self, other: Doubled | float) -> Doubled:
        if isinstance(other, float):
            high, low = _sum(self.high, other)
            return Doubled(self.xp, *_ordered_sum(high, low + self.low))
        high, low = _sum(self.high, other.high)
        rest, least = _sum(self.low, other.low)
        high, low = _ordered_sum(high, low + rest)
        return Doubled(self.xp, *_ordered_sum(high, low + least))

    def __mul__(self, other: Doubled | Array | float) -> Doubled:
        if isinstance(other, Doubled):
            high, low = _product(self.xp, self.high, other.high)
            return Doubled(self.xp, *_ordered_sum(high, low + (self.high * other.low + self.low * other.high)))
        high, low = _product(self.xp, self.high, other)
        return Doubled(self.xp, *_ordered_sum(high, low + self.low * other))

    def __truediv__(self, other: Doubled) -> Doubled:
        first = self.high / other.high
        second = (self + other * -first).high / other.high
        return Doubled(self.xp, *_ordered_sum(first, second))

    def scaled(self, powers: Array) -> Doubled:
        """Times powers of 2."""
        return Doubled(self.xp, self.high * powers, self.low * powers)


def exact(xp: Any, x: Array) -> Doubled:
    """An array as a number of twice the digits."""
    return Doubled(xp, x, xp.zeros_like(x))


def difference(xp: Any, x: Array, y: Array) -> Doubled:
    """`x - y`, without rounding."""
    return Doubled(xp, *_sum(x, -y))

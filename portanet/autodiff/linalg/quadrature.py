"""Nodes and weights of Gauss-Legendre quadrature."""

from __future__ import annotations

import functools
import math


@functools.cache
def gauss_legendre(count: int) -> list[tuple[float, float]]:
    """Nodes and weights for integrals from 0 to 1, by Newton's method for the roots of the Legendre polynomial.

    Example:
        >>> gauss_legendre(1)
        [(0.5, 1.0)]
    """
    rule = []
    for k in range(count):
        x = math.cos(math.pi * (k + 0.75) / (count + 0.5))
        for _ in range(10):
            before, p = 1.0, x
            for n in range(1, count):
                before, p = p, ((2 * n + 1) * x * p - n * before) / (n + 1)
            slope = count * (before - x * p) / (1 - x * x)
            x -= p / slope
        rule.append(((1 - x) / 2, 1 / ((1 - x * x) * slope * slope)))
    return rule

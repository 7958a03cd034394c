"""Divided differences of a function, accurate at points of any distance from each other.

f[a, b] = (f(a) - f(b)) / (a - b) loses digits where a and b are near each other, the integral of f'(a + t (b - a)) over
t from 0 to 1 where they are not. Near points get both, with estimates of the errors, and the better one counts.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.solvers.quadrature import gauss_legendre
from portanet.autodiff.transforms import jvp
from portanet.backends import Array, constant, raw_namespace

NEAR = 0.5
"""Part of the largest point, up to which the distance of others lets the integral be tried."""
NODES, FEWER_NODES = 10, 7
ELEMENTS = 2**20
"""At which functions are evaluated at once."""


def divided_difference(f: Callable[[Any], Any], points: Sequence[Array], scale: Array) -> Any:
    """f[x0, ..., xk] for plain arrays of points, which broadcast; `scale` is the size of the largest ones.

    `f` must compute each element of its result from that of its argument alone.

    Source: N. Higham, Functions of Matrices (SIAM, 2008), appendix B.16.
    """
    xp = raw_namespace(points[0])
    x = xp.sort(xp.stack(xp.broadcast_arrays(*points)), axis=0)
    scale = xp.broadcast_to(scale, x.shape[1:])
    eps = float(xp.finfo(x.dtype).eps)
    table = [f(x[i, ...]) for i in range(len(points))]
    errors = [eps * xp.abs(value) for value in table]
    for order in range(1, len(points)):
        for i in range(len(points) - order):
            gap = x[i + order, ...] - x[i, ...]
            distinct = gap > 0
            divisor = xp.where(distinct, gap, 1.0)
            value = (table[i + 1] - table[i]) / divisor
            error = xp.where(distinct, (errors[i + 1] + errors[i]) / divisor, xp.inf) + eps * xp.abs(value)
            near = x[i : i + order + 1, ...], gap <= NEAR * scale
            table[i], errors[i] = _better_of_integral(f, *near, value, error)
    return table[0]


def _better_of_integral(f: Callable[[Any], Any], x: Array, near: Array, value: Array, error: Array) -> tuple[Any, Any]:
    """Where points are near, the integral instead of `value`, if its error is smaller."""
    xp = raw_namespace(value)
    flat = xp.reshape(near, (-1,))
    chosen = xp.nonzero(flat)[0]
    if not chosen.shape[0]:
        return value, error
    points = xp.take(xp.reshape(x, (x.shape[0], -1)), chosen, axis=1)
    derivative = _derivative(f, x.shape[0] - 1)
    integral, rough = (_mean_over_simplex(derivative, points, count) for count in (NODES, FEWER_NODES))
    # The estimate is the error of the rougher rule: that of the other is about its square root further down.
    estimate = xp.abs(integral - rough) + float(xp.finfo(x.dtype).eps) * xp.abs(integral)
    place = xp.clip(xp.cumulative_sum(xp.astype(flat, xp.int64)) - 1, 0)

    def spread(values: Array) -> Any:
        return xp.reshape(xp.take(values, place), value.shape)

    estimate = spread(estimate)
    better = near & (estimate <= error)
    return xp.where(better, spread(integral), value), xp.where(better, estimate, error)


def _mean_over_simplex(derivative: Callable[[Any], Any], points: Array, count: int) -> Any:
    """The integral of a function over the simplex with these corners, one set of corners in each column."""
    order = points.shape[0] - 1
    parts, weights = [], []
    rule = [((1 + u) / 2, w / 2) for u, w in zip(*gauss_legendre(count), strict=True)]
    for nodes in itertools.product(rule, repeat=order):
        parts.append(list(itertools.accumulate((node for node, _ in nodes), operator.mul)))
        weights.append(math.prod(w * node ** (order - 1 - i) for i, (node, w) in enumerate(nodes)))
    steps, total = points[1:, :] - points[:-1, :], 0.0
    block = max(1, ELEMENTS // points.shape[1])
    for start in range(0, len(parts), block):
        part = constant(points, parts[start : start + block], points.dtype)
        weight = constant(points, weights[start : start + block], points.dtype)
        total = total + weight @ derivative(points[:1, :] + part @ steps)
    return total


def _derivative(f: Callable[[Any], Any], order: int) -> Callable[[Any], Any]:
    """The derivative of this order of an elementwise function."""

    def slope(x: Any) -> Any:
        return jvp(f, (x,), (array_namespace(x).ones_like(x),))[1]

    if order == 0:
        return f
    return slope if order == 1 else _derivative(slope, order - 1)

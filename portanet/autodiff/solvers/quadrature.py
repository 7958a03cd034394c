"""Integrals over an interval: `quadrature`, by fixed or adaptive rules of Gauss."""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.batching.array import storage
from portanet.autodiff.closures import at_level, frozen, has_derivative, probed, traces_in
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.solvers.batches import is_batched
from portanet.autodiff.solvers.intervals import COARSE, FINE, Intervals, Points
from portanet.autodiff.solvers.vectors import ConvergenceError, largest, on_host_now
from portanet.autodiff.traced import is_traced
from portanet.autodiff.tracing import is_array, melted_inside
from portanet.autodiff.transforms import stop_gradient
from portanet.backends import Array, raw_namespace, to_host
from portanet.tree import tree_leaves, tree_map

AT_LIMITS = 4
"""Nodes of the rule at a limit: its derivatives up to order 8 are exact."""


def quadrature(
    f: Callable[..., Any],
    a: Any,
    b: Any,
    *args: Any,
    n: int | None = None,
    rtol: float | None = None,
    atol: float = 0.0,
    max_intervals: int = 1000,
) -> Any:
    """The integral of `f(x, *args)` over x from `a` to `b`.

    Differentiable by `a`, `b` (up to order 8), `args` and all arrays that `f` closes over, forward and reverse.
    The derivative by a limit is the value of `f` there, not that of the rule. Points are chosen by the values of `f`.

    Source: R. Piessens et al., QUADPACK (1983); rules of G. Golub and J. Welsch (1969).

    Args:
        f: Function of an array of points, shape (points,), and of `args`. It returns an array of shape (points, ...),
            or a tree of them.
        a: Lower limit: a number, or an array of no dimension; `-inf` is possible with `n=None`.
        b: Upper limit, likewise; it may be below `a`. If both limits are numbers and no argument is an array, the
            points are arrays of the current backend, whatever `f` closes over.
        args: Further arguments of `f`: arrays or trees of them.
        n: Number of points of Gauss and Legendre's rule, exact for polynomials up to degree 2 n - 1. None for Gauss
            and Kronrod's with adaptive intervals.
        rtol: Relative tolerance of the adaptive rule; None for the square root of the precision (1.5e-8 in float64).
        atol: Absolute tolerance of the adaptive rule.
        max_intervals: Largest number of intervals of the adaptive rule.

    Returns:
        An array of the shape of `f` at one point, or a tree of them.

    Raises:
        ConvergenceError: The tolerance was not reached; with the estimated error.
        ValueError: A limit is no number, or infinite with `n`; or `f` returns another first axis.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace, grad, quadrature
        >>> area = lambda rate, end: quadrature(lambda x: array_namespace(x, rate).exp(rate * x), 0.0, end)
        >>> rate, end = np.asarray(1.0), np.asarray(2.0)
        >>> round(float(area(rate, end)), 6)
        6.389056
        >>> [round(float(g), 6) for g in grad(area, (0, 1))(rate, end)]  # (e**2 + 1, e**2)
        [8.389056, 7.389056]
    """
    checks.function("f", f, "quadrature")
    n = None if n is None else checks.positive_int("n", n, "quadrature")
    rtol = None if rtol is None else checks.non_negative("rtol", rtol, "quadrature")
    atol = checks.non_negative("atol", atol, "quadrature")
    max_intervals = checks.positive_int("max_intervals", max_intervals, "quadrature")
    a, b = melted_inside(a), melted_inside(b)
    low, high = _limit("a", a, n), _limit("b", b, n)
    intervals = Intervals((low, high))
    integrand = functools.partial(_checked, f, args)
    rule = FINE if n is None else tuple(zip(*gauss_legendre(n), strict=True))
    given = _like([a, b, args])
    total = _weighted(integrand, intervals.points(rule, 0.0, 1.0, given))
    like = _wider(given, total)
    if n is None:
        points = _adaptive(integrand, intervals, total, like, rtol, atol, max_intervals)
        total = _weighted(integrand, points)
    elif like is not given:
        total = _weighted(integrand, intervals.points(rule, 0.0, 1.0, like))
    for limit, value, sign in ((b, high, 1.0), (a, low, -1.0)):
        if has_derivative(limit):
            total = tree_map(lambda x, y, sign=sign: lift(x) + y * sign, total, _at_limit(integrand, limit, value))
    return total


def _limit(name: str, x: Any, n: int | None) -> Any:
    """A limit without its derivative: a number, or a constant array where it differs between the examples of vmap."""
    value, given = storage(x), x
    if is_array(value) and not x.shape and raw_namespace(value).isdtype(value.dtype, "real floating"):
        numbers = [float(v) for v in to_host(on_host_now(value)).reshape(-1)]
        x = stop_gradient(x) if value.shape else numbers[0]
    else:
        numbers = [value] if type(value) in (int, float) else [math.nan]
    if any(v != v for v in numbers):
        raise checks.invalid(name, given, "a number or a floating-point array of no dimension", "quadrature")
    if n is not None and any(map(math.isinf, numbers)):
        raise checks.invalid(name, given, "finite for a fixed rule; use n=None", "quadrature")
    return x if is_array(x) else float(x)


def _like(trees: Any) -> Array:
    """An array with the library, dtype and device of the points."""
    arrays = [storage(x) for x in tree_leaves(trees) if is_array(x)]
    floating = [x for x in arrays if raw_namespace(x).isdtype(x.dtype, "real floating")]
    return floating[0] if floating else boundary.like(arrays, 0.0)


def _wider(like: Array, tree: Any) -> Array:
    """`like`, or an array of the higher precision of results: an integrand may close over such arrays."""
    raw = raw_namespace(like)
    for x in map(storage, tree_leaves(tree)):
        if raw.finfo(x.dtype).eps < raw.finfo(like.dtype).eps:
            like = raw.real(x) if raw.isdtype(x.dtype, "complex floating") else x
    return like


def _checked(f: Callable[..., Any], args: Any, x: Array) -> Any:
    """Values of the integrand, whose first axis is checked; integers and booleans as floating-point numbers."""
    out = f(x, *args)
    for y in tree_leaves(out):
        if not is_array(y) or tuple(y.shape)[:1] != tuple(x.shape):
            shape = tuple(y.shape) if is_array(y) else type(y).__name__
            raise ValueError(
                "Argument `f` of quadrature must return an array with one entry per point along the first axis, or a "
                f"tree of them. Received: {shape} for {x.shape[0]} points"
            )

    def inexact(y: Array) -> Array:
        xp = array_namespace(y)
        return y if xp.isdtype(y.dtype, ("real floating", "complex floating")) else xp.astype(y, x.dtype)

    return tree_map(inexact, out)


def _weighted(f: Callable[[Array], Any], points: Points) -> Any:
    """The sum of values times weights."""

    def total(y: Any) -> Any:
        weights = points.weights
        if is_traced(y) or is_traced(weights):
            y, weights = lift(y), lift(weights)
        xp = array_namespace(weights)
        weights = xp.astype(xp.reshape(weights, (-1,) + (1,) * (len(y.shape) - 1)), y.dtype, copy=False)
        return array_namespace(y).sum(y * weights, axis=0)

    return tree_map(total, probed(f, points.x)[0])


def _at_limit(f: Callable[[Array], Any], limit: Any, value: float) -> Any:
    """An integral from the value of a limit to the limit: 0, with the derivatives of the integral."""
    nodes, weights = gauss_legendre(AT_LIMITS)
    xp = array_namespace(limit)
    step = limit - value
    x = xp.stack([(step * ((1 + u) / 2)) + value for u in nodes])

    def total(y: Any) -> Any:
        parts = [y[i, ...] * (w / 2) for i, w in enumerate(weights)]
        return functools.reduce(lambda p, q: p + q, parts) * step

    return tree_map(total, f(x))


@functools.cache
def gauss_legendre(n: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes and weights on [-1, 1], by Newton's method for the roots of the Legendre polynomial.

    Example:
        >>> [round(x, 6) for x in gauss_legendre(2)[0]], gauss_legendre(1)[1]
        ([-0.57735, 0.57735], (2.0,))
    """
    nodes, weights = [], []
    for i in range(n):
        x = -math.cos(math.pi * (i + 0.75) / (n + 0.5))
        for _ in range(6):  # five steps reach the root, and the last one has the slope there, which the weight needs
            before, value = 1.0, x
            for k in range(2, n + 1):
                before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
            slope = n * (before - x * value) / (1 - x * x)
            x -= value / slope
        nodes.append(x)
        weights.append(2 / ((1 - x * x) * slope * slope))
    return tuple(nodes), tuple(weights)


def _adaptive(
    f: Callable[[Array], Any],
    intervals: Intervals,
    probe: Any,
    like: Array,
    rtol: float | None,
    atol: float,
    most: int,
) -> Points:
    """Points and weights of Gauss and Kronrod's rule, on intervals that are halved where the error is largest.

    Under `vmap` all examples share the parts of [0, 1], and each has to reach its tolerance.
    """
    rtol = float(raw_namespace(like).finfo(like.dtype).eps) ** 0.5 if rtol is None else rtol

    def goals(sizes: list[float]) -> list[float]:
        return [max(atol, rtol * size) for size in sizes]

    with frozen(*traces_in(probe)):

        def part(start: float, end: float) -> Part:
            fine = intervals.points(FINE, start, end, like)
            values, others = (
                tree_leaves(stop_gradient(tree_map(at_level, _weighted(f, points))))
                for points in (fine, intervals.points(COARSE, start, end, like))
            )
            return Part(start, end, values, _sizes([x - y for x, y in zip(values, others, strict=True)]), fine)

        whole = part(0.0, 1.0)
        scales = goals(_sizes(whole.values))
        count = 0  # orders parts with equal errors
        queue: list[tuple[float, int, Part]] = [(0.0, count, whole)]
        total = whole.values
        while True:
            parts = [entry for _, _, entry in queue]
            errors = [sum(each) for each in zip(*(entry.errors for entry in parts), strict=True)]
            sizes = _sizes(total)
            if all(e <= goal < math.inf for e, goal in zip(errors, goals(sizes), strict=True)) or not total:
                return Points(*(_joined([getattr(entry.points, name) for entry in parts]) for name in Points._fields))
            worst = queue[0][2]
            finite = all(map(math.isfinite, (*errors, *sizes)))
            if len(queue) >= most or intervals.too_narrow(worst.start, worst.end) or not finite:
                error, size = max(zip(errors, sizes, strict=True), key=lambda pair: _excess(pair[0], pair[1]))
                raise ConvergenceError(
                    "quadrature did not reach its tolerance. Split the interval at singular points, or raise `rtol`, "
                    f"`atol` or `max_intervals`. Received: an estimated error of {error:.3g} for an integral of size "
                    f"{size:.3g}, after {len(queue)} intervals"
                )
            heapq.heappop(queue)
            middle = (worst.start + worst.end) / 2
            halves = [part(worst.start, middle), part(middle, worst.end)]
            for half in halves:
                count += 1
                most_urgent = max(map(_excess, half.errors, scales)) if len(scales) > 1 else half.errors[0]
                heapq.heappush(queue, (-most_urgent, count, half))
            first, second = (half.values for half in halves)
            total = [x - w + p + q for x, w, p, q in zip(total, worst.values, first, second, strict=True)]


class Part(NamedTuple):
    """The integral over a part: its leaves, the estimated error of each example, and the points."""

    start: float
    end: float
    values: list[Any]
    errors: list[float]
    points: Points


def _excess(error: float, scale: float) -> float:
    return error / scale if scale else math.inf if error else 0.0


def _sizes(leaves: list[Any]) -> list[float]:
    """The largest absolute element for each example, or one for all."""
    batched = [x for x in map(lift, leaves) if is_batched(x) and math.prod(x.shape)]
    shared = max((largest(x) for x in leaves if not is_batched(x)), default=0.0)
    if not batched:
        return [shared]
    tops = [array_namespace(x).max(array_namespace(x).abs(x)) for x in batched]
    top = functools.reduce(lambda x, y: array_namespace(x, y).maximum(x, y), tops)
    return [float(v) if not v < shared else shared for v in to_host(on_host_now(storage(top))).reshape(-1)]


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else array_namespace(*parts).concat(parts)

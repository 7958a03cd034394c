"""Integrals over an interval: `quadrature`, by fixed or adaptive rules of Gauss."""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.closures import at_level, frozen, innermost, probed, traces_in
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.solvers.vectors import ConvergenceError, largest
from portanet.autodiff.traced import TracedArray, unwrap
from portanet.autodiff.tracing import is_array
from portanet.backends import Array, device_of, raw_namespace
from portanet.tree import tree_leaves, tree_map

AT_LIMITS = 4
"""Nodes of the rule at a limit: its derivatives up to order 8 are exact."""
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
        b: Upper limit, likewise; it may be below `a`.
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
    low, high = _limit("a", a, n), _limit("b", b, n)
    like = _like([a, b, args])
    integrand = functools.partial(_checked, f, args)
    if n is not None:
        nodes, weights = gauss_legendre(n)
        half = (high - low) / 2
        points = [((low + high) / 2 + half * u, half * w) for u, w in zip(nodes, weights, strict=True)]
    else:
        points = _adaptive(integrand, low, high, like, rtol, atol, max_intervals)
    total = _weighted(integrand, points, like)
    for limit, value, sign in ((b, high, 1.0), (a, low, -1.0)):
        if innermost(limit) is not None:
            total = tree_map(lambda x, y, sign=sign: lift(x) + y * sign, total, _at_limit(integrand, limit, value))
    return total


def _limit(name: str, x: Any, n: int | None) -> float:
    value = unwrap(x)
    if is_array(value) and not value.shape and raw_namespace(value).isdtype(value.dtype, "real floating"):
        value = float(value)
    if type(value) not in (int, float) or value != value:
        raise checks.invalid(name, x, "a number or a floating-point array of no dimension", "quadrature")
    if n is not None and math.isinf(value):
        raise checks.invalid(name, x, "finite for a fixed rule; use n=None", "quadrature")
    return float(value)


def _like(trees: Any) -> Array:
    """An array with the library, dtype and device of the points."""
    arrays = [unwrap(x) for x in tree_leaves(trees) if is_array(x)]
    floating = [x for x in arrays if raw_namespace(x).isdtype(x.dtype, "real floating")]
    return floating[0] if floating else boundary.like(arrays, 0.0)


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


def _weighted(f: Callable[[Array], Any], points: list[tuple[float, float]], like: Array) -> Any:
    """The sum of values times weights."""
    raw, device = raw_namespace(like), device_of(like)
    x = raw.asarray([x for x, _ in points], dtype=like.dtype, device=device)

    def total(y: Any) -> Any:
        weights = raw.asarray([w for _, w in points], dtype=like.dtype, device=device)
        weights = raw.astype(raw.reshape(weights, (len(points),) + (1,) * (len(y.shape) - 1)), y.dtype, copy=False)
        return array_namespace(y).sum(y * (lift(weights) if type(y) is TracedArray else weights), axis=0)

    return tree_map(total, probed(f, x)[0])


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
        for _ in range(100):
            before, value = 1.0, x
            for k in range(2, n + 1):
                before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
            slope = n * (before - x * value) / (1 - x * x)
            change = value / slope
            x -= change
            if abs(change) < 1e-15:
                break
        nodes.append(x)
        weights.append(2 / ((1 - x * x) * slope * slope))
    return tuple(nodes), tuple(weights)


def _adaptive(
    f: Callable[[Array], Any], a: float, b: float, like: Array, rtol: float | None, atol: float, most: int
) -> list[tuple[float, float]]:
    """Points and weights of Gauss and Kronrod's rule, on intervals that are halved where the error is largest."""
    low, high, change = _finite(a, b)
    rtol = float(raw_namespace(like).finfo(like.dtype).eps) ** 0.5 if rtol is None else rtol
    first = _rule(low, high, change)
    probe = _weighted(f, first[0], like)
    with frozen(*traces_in(probe)):

        def measured(start: float, end: float) -> tuple[float, float, float, list[Any], list[Any]]:
            fine, coarse = _rule(start, end, change)
            values = [tree_map(at_level, _weighted(f, points, like)) for points in (fine, coarse)]
            fine_leaves, coarse_leaves = (tree_leaves(v) for v in values)
            error = max((largest(x - y) for x, y in zip(fine_leaves, coarse_leaves, strict=True)), default=0.0)
            return -error, start, end, fine_leaves, fine

        entries = [measured(low, high)]
        count = 0  # orders entries with equal errors
        queue: list[tuple[float, int, Any]] = [(entries[0][0], count, entries[0])]
        total = entries[0][3]
        while True:
            error = -sum(entry[0] for entry in queue)
            size = max((largest(x) for x in total), default=0.0)
            if error <= max(atol, rtol * size) < math.inf or not total:
                return [point for _, _, entry in queue for point in entry[4]]
            narrow = abs(queue[0][2][2] - queue[0][2][1]) <= 1e-14 * max(1.0, abs(low), abs(high))
            if len(queue) >= most or narrow or not math.isfinite(error + size):
                raise ConvergenceError(
                    "quadrature did not reach its tolerance. Split the interval at singular points, or raise `rtol`, "
                    f"`atol` or `max_intervals`. Received: an estimated error of {error:.3g} for an integral of size "
                    f"{size:.3g}, after {len(queue)} intervals"
                )
            _, _, worst = heapq.heappop(queue)
            middle = (worst[1] + worst[2]) / 2
            halves = [measured(worst[1], middle), measured(middle, worst[2])]
            for half in halves:
                count += 1
                heapq.heappush(queue, (half[0], count, half))
            total = [x - w + p + q for x, w, p, q in zip(total, worst[3], halves[0][3], halves[1][3], strict=True)]


def _rule(start: float, end: float, change: Any) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Points and weights of both rules on an interval, after the change of variables."""
    middle, half = (start + end) / 2, (end - start) / 2
    fine, coarse = [], []
    for u, w, g in ((0.0, *CENTER), *((s * u, w, g) for u, w, g in KRONROD for s in (-1.0, 1.0))):
        x, slope = change(middle + half * u)
        fine.append((x, w * half * slope))
        if g:
            coarse.append((x, g * half * slope))
    return fine, coarse


def _finite(a: float, b: float) -> tuple[float, float, Callable[[float], tuple[float, float]]]:
    """A finite interval, and the change of variables to the given one: x and its derivative."""
    if math.isfinite(a) and math.isfinite(b):
        return a, b, lambda u: (u, 1.0)
    if math.isinf(a) and math.isinf(b):
        if a == b:
            return 0.0, 0.0, lambda u: (u, 1.0)
        sign = 1.0 if b > a else -1.0

        def both(u: float) -> tuple[float, float]:
            rest = max(1 - u * u, TINY)
            return u / rest, (1 + u * u) / rest**2

        return -sign, sign, both
    finite, infinite = (a, b) if math.isinf(b) else (b, a)
    sign = math.copysign(1.0, infinite)

    def change(u: float) -> tuple[float, float]:  # from u in (0, 1) to the half-line
        rest = max(1 - u, TINY)
        return finite + sign * u / rest, sign / rest**2

    return (0.0, 1.0, change) if math.isinf(b) else (1.0, 0.0, change)

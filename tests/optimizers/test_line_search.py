"""The strong Wolfe conditions, the steps tried, and the point between two points."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.optimizers.line_search import Point, _between, wolfe

Line = tuple[Callable[[float], float], Callable[[float], float]]

QUADRATIC: Line = (lambda a: (a - 3.0) ** 2, lambda a: 2 * (a - 3.0))
LINES: dict[str, Line] = {
    "quadratic": QUADRATIC,
    "quartic": (lambda a: (a - 2.0) ** 4, lambda a: 4 * (a - 2.0) ** 3),
    "waves": (lambda a: math.cos(a) + 0.05 * a, lambda a: 0.05 - math.sin(a) if a else -0.5),
    "concave first": (lambda a: a**4 - a**2 - 0.1 * a, lambda a: 4 * a**3 - 2 * a - 0.1),
    "barrier": (
        lambda a: a**2 - 4 * a - math.log(3 - a) if a < 3 else math.inf,
        lambda a: 2 * a - 4 + 1 / (3 - a) if a < 3 else math.nan,
    ),
    "far": (lambda a: (a / 1e4 - 1) ** 2, lambda a: 2 * (a / 1e4 - 1) / 1e4),
    "near": (lambda a: (a * 1e4 - 1) ** 2, lambda a: 2 * (a * 1e4 - 1) * 1e4),
}


def searched(line: Line, step: float, **options: Any) -> tuple[Point | None, list[float]]:
    """The result, and the steps that were tried."""
    value, slope = line
    tried: list[float] = []

    def at(a: float) -> Point:
        tried.append(a)
        return Point(a, value(a), slope(a), None, None)

    return wolfe(at, Point(0.0, value(0.0), slope(0.0), None, None), step, **options), tried


@pytest.mark.parametrize("c2", [0.9, 0.1])
@pytest.mark.parametrize("step", [1e-3, 0.3, 1.0, 2.9, 40.0])
@pytest.mark.parametrize("name", LINES)
def test_both_conditions(name: str, step: float, c2: float) -> None:
    value, slope = LINES[name]
    result, tried = searched(LINES[name], step, c2=c2)
    assert result is not None
    assert result.value == value(result.step)
    assert result.value <= value(0) + 1e-4 * result.step * slope(0)
    assert abs(result.slope) <= c2 * abs(slope(0))
    assert tried[0] == step
    assert tried[-1] == result.step
    assert len(tried) <= 26


@pytest.mark.parametrize(
    ("line", "step", "options", "expected"),
    [
        (QUADRATIC, 1.0, {}, [1.0]),
        (QUADRATIC, 0.2, {}, [0.2, 0.4]),
        (QUADRATIC, 0.3, {}, [0.3]),  # the slope is 0.9 of the first, which is enough
        (QUADRATIC, 1.0, {"c2": 0.1}, [1.0, 2.0, 4.0, 3.0]),
        (QUADRATIC, 5.0, {"c2": 0.1}, [5.0, 3.0]),
        (QUADRATIC, 6.0, {"c2": 0.1}, [6.0, 3.0]),
        (QUADRATIC, 5.0, {"c2": 0.9, "c1": 0.5}, [5.0, 3.0]),
        (QUADRATIC, 3.0, {"c1": 0.5}, [3.0]),  # just low enough
        (QUADRATIC, 30.0, {}, [30.0, 3.0]),
        (QUADRATIC, 3000.0, {"c2": 0.1}, [3000.0, 300.0, 30.0, 3.0]),  # a tenth at least
        (QUADRATIC, 0.1, {"c2": 0.1, "limit": 3}, [0.1, 0.2, 0.4]),
    ],
)
def test_steps_tried(line: Line, step: float, options: dict[str, Any], expected: list[float]) -> None:
    result, tried = searched(line, step, **options)
    np.testing.assert_allclose(tried, expected, rtol=1e-12)
    assert result is not None
    assert result.step == tried[-1]


def test_infinite_values_halve_the_step() -> None:
    wall: Line = (lambda a: (a - 3.0) ** 2 if a < 4 else math.inf, lambda a: 2 * (a - 3.0) if a < 4 else math.nan)
    for far in (16.0, 20.0):
        result, tried = searched(wall, far, c2=0.1)
        assert tried[:3] == [far, far / 2, far / 4]
        assert result is not None
        assert abs(result.step - 3) < 0.3
    nowhere: Line = (lambda a: 0.0 if a == 0 else math.nan, lambda a: -1.0)
    result, tried = searched(nowhere, 1.0)
    assert result is None
    assert tried == [0.5**i for i in range(30)]


def test_the_lowest_point_where_none_satisfies_both() -> None:
    falling: Line = (lambda a: -a, lambda a: -1.0)
    result, tried = searched(falling, 1.0, limit=5)
    assert tried == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert result is not None
    assert result.step == 16.0
    rising: Line = (lambda a: a, lambda a: 1.0 if a else -1.0)
    result, tried = searched(rising, 1.0, limit=7)
    assert result is None
    assert len(tried) == 7
    corner: Line = (lambda a: abs(a - 1.0), lambda a: 1.0 if a > 1 else -1.0)
    result, tried = searched(corner, 1.5)
    assert result is not None
    assert abs(result.step - 1) < 1e-3
    flat: Line = (lambda a: 5.0, lambda a: -1e-30)
    assert searched(flat, 1.0)[0] is None


def test_an_interval_as_small_as_rounding_ends_the_search() -> None:
    jump: Line = (lambda a: -a if a < 1 else 1.0, lambda a: -1.0)
    result, tried = searched(jump, 1.0, limit=1000)
    assert result is not None
    assert 1 - 1e-10 < result.step < 1
    assert len(tried) < 300
    at_once: Line = (lambda a: 1.0 if a else 0.0, lambda a: -1.0)
    result, tried = searched(at_once, 1.0, limit=1000)
    assert result is None


def test_rounding_of_values_is_allowed_for() -> None:
    """A value above the start by less than `slack`, where the slope is small enough."""
    above: Line = (lambda a: 1.0 + (1e-9 if a else 0.0), lambda a: -1e-6 if a == 0 else 1e-8)
    result, tried = searched(above, 1.0, slack=2e-9)
    assert tried == [1.0]
    assert result is not None
    assert result.step == 1.0
    assert searched(above, 1.0, slack=5e-10, limit=4)[0] is None
    second: Line = (lambda a: {0.0: 1.0, 1.0: 0.5}.get(a, 0.5 + 1e-9), lambda a: -1.0 if a < 2 else 0.0)
    assert searched(second, 1.0, slack=2e-9)[1] == [1.0, 2.0]
    assert searched(second, 1.0, slack=5e-10, limit=3)[1][2] < 2.0
    equal: Line = (lambda a: {0.0: 1.0}.get(a, 0.5), lambda a: -1.0 if a < 2 else 0.0)
    assert searched(equal, 1.0, limit=3)[1][2] < 2.0  # no lower than the last: between them


def point(step: float, value: float, slope: float) -> Point:
    return Point(step, value, slope, None, None)


@pytest.mark.parametrize("reverse", [False, True])
def test_between_is_the_minimum_of_the_cubic(reverse: bool) -> None:
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(200):
        cubic = np.polynomial.Polynomial(rng.normal(size=4))
        ends = sorted(rng.uniform(-2, 2, size=2), reverse=reverse)
        a, b = (point(s, cubic(s), cubic.deriv()(s)) for s in ends)
        result = _between(a, b)
        fraction = (result - a.step) / (b.step - a.step)
        assert 0.1 - 1e-12 <= fraction <= 0.9 + 1e-12
        minima = [r.real for r in cubic.deriv().roots() if abs(r.imag) < 1e-12 and cubic.deriv(2)(r.real) > 0]
        inside = [m for m in minima if 0.1 < (m - a.step) / (b.step - a.step) < 0.9]
        if inside:
            kept += 1
            np.testing.assert_allclose(result, inside[0], rtol=1e-7, atol=1e-9)
        elif not minima:
            np.testing.assert_allclose(fraction, 0.5, rtol=1e-12)
    assert kept > 20


def test_between_where_there_is_no_cubic() -> None:
    assert _between(point(1, 0, -1), point(3, math.inf, 1)) == 2.0
    assert _between(point(1, 0, -1), point(3, 1, math.nan)) == 2.0
    assert _between(point(1, 0, -1), point(3, -2, -1)) == 2.0  # a straight line
    assert _between(point(3, 0, 1), point(1, math.inf, -1)) == 2.0
    np.testing.assert_allclose(_between(point(0, 0, -1), point(10, 1e9, 1)), 1.0)
    np.testing.assert_allclose(_between(point(0, 0, -1), point(10, -9.9, 1e-3)), 9.0)

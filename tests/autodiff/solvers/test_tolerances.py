"""Tolerances at their bounds: what is within one is returned as it is, what is not is improved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, cg, fixed_point, gmres
from portanet.optimizers import minimize
from tests.support import asarray, to_numpy

TOLERANCE = 1e-3
RIGHT = [2.0, 0.0]


def half_way(goal: float) -> Callable[[float], Any]:
    """Of the fixed point, the residual is half the distance."""
    call = lambda x: goal + 0.5 * (x - goal)
    return lambda shift: fixed_point(call, asarray([goal + 2 * shift], "float64"), tolerance=TOLERANCE, memory=0)


def linear(solver: Callable[..., Any], **options: float) -> Callable[[float], Any]:
    start = lambda shift: asarray([1 + shift / 2, 0.0], "float64")
    return lambda shift: solver(lambda x: 2.0 * x, asarray(RIGHT, "float64"), start(shift), **options)


def minimum(method: str) -> Callable[[float], Any]:
    """Of half the square, whose gradient is x."""
    f = lambda x: 0.5 * array_namespace(x).sum(x * x)
    return lambda shift: minimize(f, asarray([0.0, shift], "float64"), method, tolerance=TOLERANCE).x


CASES: dict[str, tuple[Callable[[float], Any], Any, float]] = {
    # A call for a residual to start with, the solution, and the largest residual that is within the tolerance
    "fixed point": (half_way(0.0), [0.0], TOLERANCE),
    "fixed point below 1": (half_way(0.5), [0.5], TOLERANCE),
    "large fixed point": (half_way(1000.0), [1000.0], 1000 * TOLERANCE),
    **{
        f"{solver.__name__} {options}": (linear(solver, **options), [1.0, 0.0], bound)
        for solver in (cg, gmres)
        for options, bound in (
            ({"rtol": TOLERANCE}, 2 * TOLERANCE),
            ({"rtol": 0.0, "atol": TOLERANCE}, TOLERANCE),
            ({"rtol": TOLERANCE, "atol": TOLERANCE}, 2 * TOLERANCE),
            ({"rtol": TOLERANCE, "atol": 3 * TOLERANCE}, 3 * TOLERANCE),
        )
    },
    **{
        method: (minimum(method), [0.0, 0.0], TOLERANCE) for method in ("cg", "gradient-descent", "l-bfgs", "newton-cg")
    },
}


@pytest.mark.parametrize("name", CASES)
def test_bounds(xp: Any, name: str) -> None:
    call, solution, bound = CASES[name]

    def distance(part: float) -> float:
        """From the solution, for a start with a part of the largest residual, in units of that of the start."""
        return float(np.max(np.abs(to_numpy(call(part * bound)) - np.asarray(solution)))) / part

    start = distance(0.5)
    np.testing.assert_allclose(distance(0.9), start)
    assert all(distance(part) < 0.75 * start for part in (1.1, 1.5, 1.9))

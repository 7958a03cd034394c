"""The definitions of special functions where they change: at the constants of their source.

On NumPy the values of many are SciPy's; here the definitions run, which other libraries use.
"""

from __future__ import annotations

import ast
import inspect
import math
import pathlib
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import special
from portanet.backends.overrides import OVERRIDABLE
from tests.autodiff.special_cases import ARGUMENTS, WHOLE
from tests.autodiff.test_special_edges import DIFFERENT

scipy_special = pytest.importorskip("scipy.special")
HALVES = {k / 2 for k in range(-80, 81)}
INF, NAN = math.inf, math.nan


def definition(name: str) -> Callable[..., Any]:
    function = getattr(special, name)
    found = OVERRIDABLE.get(name)
    return function if found is None else found.definition


@cache
def constants(path: str) -> frozenset[float]:
    """The numbers in a module, of either sign."""
    nodes = ast.walk(ast.parse(pathlib.Path(path).read_text(encoding="utf-8")))
    found = {node.value for node in nodes if isinstance(node, ast.Constant) and type(node.value) in (int, float)}
    return frozenset(sign * float(value) for value in found for sign in (1, -1) if abs(value) < 200)


@pytest.mark.parametrize("name", [name for name, kinds in ARGUMENTS.items() if len(kinds) == 1])
def test_at_the_constants_of_the_definition(name: str) -> None:
    different = DIFFERENT.get(name, (lambda p: False, ""))[0]
    values = HALVES | constants(inspect.getfile(getattr(special, name)))
    x = np.asarray([value for value in sorted(values) if not different((value,))])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected, result = getattr(scipy_special, name)(x), definition(name)(x)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", [name for name, kinds in ARGUMENTS.items() if len(kinds) > 1])
def test_at_combinations_of_the_constants(name: str) -> None:
    """Of each operand half the elements are constants of its domain, a quarter any constants, a quarter random."""
    rng, count = np.random.default_rng(7), 400
    switches = np.asarray(sorted({k / 2 for k in range(-6, 7)} | constants(inspect.getfile(getattr(special, name)))))
    columns = []
    for i, (low, high) in enumerate(ARGUMENTS[name]):
        inside = switches[(low <= switches) & (switches <= high)]
        drawn = rng.choice(inside if inside.size else [low], count), rng.choice(switches, count)
        kind = rng.integers(0, 4, count)
        x = np.where(kind < 2, drawn[0], np.where(kind == 2, drawn[1], rng.uniform(low, high, count)))
        columns.append(np.round(x) if i in WHOLE.get(name, ()) else x)
    different = DIFFERENT.get(name, (lambda p: False, ""))[0]
    points = np.asarray([p for p in zip(*columns, strict=True) if not different(p)]).T
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected, result = getattr(scipy_special, name)(*points), definition(name)(*points)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("a", "x", "lower"),
    [
        (0.0, 2.0, 1.0),
        (0.0, 0.0, NAN),
        (0.0, -1.0, NAN),
        (0.0, INF, 1.0),
        (2.0, 0.0, 0.0),
        (2.0, INF, 1.0),
        (2.0, -1.0, NAN),
        (-0.5, 2.0, NAN),
        (-0.5, 0.0, NAN),
        (-0.5, INF, NAN),
        (INF, 2.0, 0.0),
        (INF, 0.0, 0.0),
        (INF, -1.0, NAN),
        (INF, INF, NAN),
    ],
)
def test_limits_of_the_incomplete_gamma_functions(a: float, x: float, lower: float) -> None:
    """Where SciPy's versions differ."""
    with np.errstate(all="ignore"):
        result = [definition(name)(np.asarray(a), np.asarray(x)) for name in ("gammainc", "gammaincc")]
    np.testing.assert_array_equal(result, [lower, 1 - lower])

"""The confluent hypergeometric function beside mpmath and SciPy, in its definition and on every library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import TraceError, array_namespace, grad, jvp, special, vmap
from portanet.backends.overrides import OVERRIDABLE
from tests.support import asarray, assert_close, to_numpy

FAMILIES = {
    "positive": ((0.0, 5.0), (0.0, 5.0), (-40.0, 40.0)),
    "a above b": ((3.0, 15.0), (0.1, 3.0), (-30.0, 0.0)),
    "negative a": ((-15.0, 0.0), (0.1, 5.0), (0.0, 30.0)),
    "negative b": ((-5.0, 5.0), (-8.0, 0.0), (-10.0, 10.0)),
    "any": ((-10.0, 10.0), (-10.0, 10.0), (-50.0, 50.0)),
    "large x": ((-10.0, 10.0), (0.1, 10.0), (-600.0, 600.0)),
    "large": ((0.0, 200.0), (0.0, 200.0), (-300.0, 300.0)),
    "oscillating": ((-100.0, 0.0), (0.1, 20.0), (0.0, 50.0)),
    "huge -x": ((-5.0, 5.0), (0.1, 5.0), (-1e5, 0.0)),
    "waves": ((-3000.0, 3000.0), (0.1, 3.0), (-0.2, 0.2)),
}
LOST = ("large", "oscillating", "waves")
"""Families in which cancellations may take all digits."""
POINTS = [
    (4.0, 1.0, -1e4), (153.8, 155.1, -299.8), (1.0, 40.0, 180.0), (4.1639, 1.1552, -21721.7), (-1.0, 1.5, 1.5),
    (-3.0, -5.0, -2.0), (1.0, 1e6, 1e5), (1.0, 200.0, 400.0), (60.0, 120.0, -300.0), (1e-200, 2.0, -3.0),
    (3.1, 0.1, -500.0), (2.0, 0.5, -60.0), (-2.0 + 1e-9, 1.5, -300.0), (0.5, -50.0 + 1e-9, 20.0),
]  # fmt: skip


def family(name: str, count: int, dtype: str = "float64") -> list[Any]:
    rng = np.random.default_rng(len(name))
    return [rng.uniform(low, high, count).astype(dtype) for low, high in FAMILIES[name]]


def expected_of(*columns: Any) -> np.ndarray:
    mpmath = pytest.importorskip("mpmath")
    value = lambda *point: float(mpmath.hyp1f1(*map(float, point), maxterms=10**5, zeroprec=2000))
    with mpmath.workdps(40):
        return np.asarray([value(*point) for point in zip(*columns, strict=True)])


def definition(*arrays: Any) -> Any:
    special.hyp1f1  # noqa: B018 -- imports its module
    with np.errstate(all="ignore"):
        return OVERRIDABLE["hyp1f1"].definition(*arrays)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_value_is_right_or_nan(name: str) -> None:
    columns = family(name, 150)
    result, expected = definition(*columns), expected_of(*columns)
    known = ~np.isnan(result)
    np.testing.assert_allclose(result[known], expected[known], rtol=1e-12, atol=1e-300)
    assert np.mean(known) >= (0.25 if name in LOST else 1.0)


@pytest.mark.parametrize("name", FAMILIES)
def test_single_precision(name: str) -> None:
    columns = family(name, 150, "float32")
    result, expected = definition(*columns), expected_of(*columns)
    known = ~np.isnan(result)
    assert result.dtype == np.float32
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(result[known], expected[known].astype("float32"), rtol=5e-5, atol=1e-36)
    assert np.mean(known) >= (0.1 if name in LOST else 0.9)


def test_each_way_on_every_library(xp: Any) -> None:
    columns = [np.asarray(column) for column in zip(*POINTS, strict=True)]
    result = definition(*(asarray(x, "float64") for x in columns))
    assert_close(result, expected_of(*columns), rtol=2e-12, dtype="float64")


def test_what_is_lost_is_nan_and_leaves_its_neighbours(xp: Any) -> None:
    columns = [np.asarray(column) for column in ((-500.5, 0.5), (1.5, 1.5), (100.0, -1.0))]
    result = definition(*(asarray(x, "float64") for x in columns))
    np.testing.assert_allclose(to_numpy(result), [math.nan, 0.7468241328124270], rtol=1e-14)


def test_poles_and_polynomials(xp: Any) -> None:
    a, b, x = np.asarray(
        [(1.0, -3.0, 1.0), (0.0, 0.0, 1.0), (-4.0, -3.0, 1.0), (-2.0, -3.0, 1.0), (0.0, 1.0, 5.0), (2.0, 1.0, 0.0)]
    ).T
    expected = [math.inf, math.inf, math.inf, 1 + 2 / 3 + 1 / 6, 1.0, 1.0]
    assert_close(special.hyp1f1(*(asarray(v, "float64") for v in (a, b, x))), expected, rtol=1e-15, dtype="float64")
    assert_close(definition(*(asarray(v, "float64") for v in (a, b, x))), expected, rtol=1e-15, dtype="float64")


def test_derivatives_by_x(xp: Any) -> None:
    """M(1/2, 3/2, -x^2) is the integral of a normal density; a polynomial has its own derivatives."""
    x = asarray(0.7, "float64")
    f = lambda x: x * special.hyp1f1(0.5, 1.5, -x * x)
    bell = math.exp(-0.49)
    slopes = []
    for _ in range(3):
        f = grad(f)
        slopes.append(float(to_numpy(f(x))))
    np.testing.assert_allclose(slopes, [bell, -1.4 * bell, (4 * 0.49 - 2) * bell], rtol=1e-12)
    cubic = lambda x: special.hyp1f1(-1.0, -1.0, x)
    assert_close(grad(cubic)(x), 1.0, dtype="float64")
    assert_close(jvp(grad(cubic), (x,), (x,))[1], 0.0, dtype="float64")
    one = asarray([0.7, -0.2], "float64")
    slope = vmap(grad(lambda x: special.hyp1f1(0.5, 1.5, x)))(one)
    assert_close(slope, special.hyp1f1(1.5, 2.5, one) / 3, rtol=1e-12, dtype="float64")


def test_parameters_have_no_derivative() -> None:
    one = np.asarray(1.0)
    for name, f in (("a", lambda t: special.hyp1f1(t, 2.5, 0.5)), ("b", lambda t: special.hyp1f1(1.5, t, 0.5))):
        with pytest.raises(TraceError, match=rf"special\.hyp1f1 has no derivative by its argument `{name}`"):
            grad(f)(one)


def test_numpy_has_scipys_values_and_returns_where_scipy_does_not() -> None:
    scipy_special = pytest.importorskip("scipy.special")
    columns = family("any", 50)
    np.testing.assert_array_equal(special.hyp1f1(*columns), scipy_special.hyp1f1(*columns))
    with np.errstate(all="ignore"):
        lost = special.hyp1f1(-0.5, 1.0, np.asarray([math.inf, 1e300]))
    np.testing.assert_array_equal(lost, [math.nan, -math.inf])


def test_a_batch_of_one_operand(xp: Any) -> None:
    x = asarray(np.linspace(-3.0, 3.0, 4), "float64")
    namespace = array_namespace(x)
    table = vmap(lambda a: special.hyp1f1(a, 2.0, x))(namespace.asarray(x, copy=True))
    assert_close(table, special.hyp1f1(namespace.expand_dims(x, axis=1), 2.0, x), rtol=1e-12, dtype="float64")

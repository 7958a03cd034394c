"""Values and derivatives at single points, where differences cannot show them: zeros, ties, bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, jvp, lift, special, stop_gradient, vjp
from portanet.backends import Backend
from tests.support import asarray, to_numpy

INF, NAN = math.inf, math.nan


def slopes(f: Callable[..., Any], *xs: Any) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Values, gradients of their sum, and the tangent along ones."""
    arrays = [asarray(np.asarray(x, "float64"), "float64") for x in xs]
    call = lambda *a: f(array_namespace(*a), *a)
    out, pullback = vjp(call, *arrays)
    tangent = jvp(call, arrays, [ones(x) for x in arrays])[1]
    return to_numpy(out), [to_numpy(g) for g in pullback(ones(out))], to_numpy(tangent)


def ones(x: Any) -> Any:
    return asarray(np.ones(tuple(x.shape)), "float64")


def check(f: Callable[..., Any], xs: Any, value: Any, gradients: Any) -> None:
    """For elementwise functions: values, the gradient by each operand, and forward mode, which is their sum."""
    result, pulled, pushed = slopes(f, *xs)
    np.testing.assert_allclose(result, value, rtol=1e-14)
    for g, expected in zip(pulled, gradients, strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-14)
    np.testing.assert_allclose(pushed, np.sum(np.asarray(gradients), axis=0), rtol=1e-14)


BASES = [0.0, -2.0, 3.0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("exponent", "values", "derivative"),
    [
        (0, [1, 1, 1], [0, 0, 0]),
        (0.0, [1, 1, 1], [0, 0, 0]),
        (1, BASES, [1, 1, 1]),
        (2, [0, 4, 9], [0, -4, 6]),
        (3, [0, -8, 27], [0, 12, 27]),
        (-1, [INF, -0.5, 1 / 3], [-INF, -0.25, -1 / 9]),
    ],
)
def test_powers_at_zero_and_below(xp: Any, exponent: float, values: Any, derivative: Any) -> None:
    check(lambda xp, x: x**exponent, [BASES], values, [derivative])
    check(lambda xp, x: xp.pow(x, stop_gradient(x) * 0 + exponent), [BASES], values, [derivative])


def test_zero_to_the_power_zero(xp: Any) -> None:
    check(lambda xp, x, y: x**y, ([0.0, 0.0, 2.0], [0.0, 2.0, 0.0]), [1, 0, 1], ([0, 0, 0], [0, 0, math.log(2)]))
    check(lambda xp, y: 0.0**y, ([0.0, 2.0],), [1, 0], ([0, 0],))
    check(lambda xp, y: 1.0**y, ([0.0, 2.0],), [1, 1], ([0, 0],))
    check(lambda xp, y: (-2.0) ** y, ([2.0],), [4], ([NAN],))
    check(lambda xp, y: 4.0**y, ([0.5],), [2], ([2 * math.log(4)],))
    assert float(slopes(lambda xp, x: (x**2) ** 0, 0.0)[1][0]) == 0.0


def test_second_derivatives_of_powers_at_zero(xp: Any) -> None:
    def second(n: float) -> float:
        def first(x: Any) -> Any:
            out, pullback = vjp(lambda a: a**n, x)
            return pullback(out * 0 + 1)[0]

        return float(slopes(lambda xp, x: first(x), 0.0)[1][0])

    assert [second(n) for n in (0, 1, 2, 3)] == [0.0, 0.0, 2.0, 0.0]


@pytest.mark.parametrize("axis", [0, 1, -1, None, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", [2, 1, 3, 0.5, 0, -1, -2, INF, -INF])
def test_norms_of_zeros(backend: Backend, order: float, axis: Any, keepdims: bool) -> None:
    """Where all elements are 0: norm 0, derivative 0, no NaN; where some are 0, as NumPy says."""
    if backend.name == "jax" and (axis != 0 or keepdims):
        pytest.skip("JAX compiles every operation for every shape, which takes minutes")
    norm = lambda xp, x: xp.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=order)
    value, (gradient,), tangent = slopes(norm, np.zeros((2, 3)))
    assert value.shape == np.sum(np.zeros((2, 3)), axis=axis, keepdims=keepdims).shape
    assert not np.any(value)
    assert not np.any(tangent)
    np.testing.assert_array_equal(gradient, np.zeros((2, 3)))
    x = np.array([[3.0, 0.0, -4.0], [0.0, 1.0, 2.0]])
    value, (gradient,), _ = slopes(norm, x)
    with np.errstate(divide="ignore"):
        expected = np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=order)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    assert np.all(np.isfinite(gradient))


def test_norms_of_tied_elements(xp: Any) -> None:
    for order in (INF, -INF):
        norm = lambda xp, x, order=order: xp.linalg.vector_norm(x, ord=order)
        value, (gradient,), _ = slopes(norm, [2.0, -2.0])
        assert value == 2.0
        np.testing.assert_array_equal(gradient, [0.5, -0.5])


def test_clip_at_its_bounds(xp: Any) -> None:
    x = [-2.0, -1.0, 0.0, 1.0, 2.0]
    low, high = [-1.0] * 5, [1.0] * 5
    check(lambda xp, x: xp.clip(x, -1.0, 1.0), (x,), [-1, -1, 0, 1, 1], ([0, 1, 1, 1, 0],))
    check(lambda xp, x: xp.clip(x, -1.0), (x,), [-1, -1, 0, 1, 2], ([0, 1, 1, 1, 1],))
    check(lambda xp, x: xp.clip(x, max=1.0), (x,), [-2, -1, 0, 1, 1], ([1, 1, 1, 1, 0],))
    inside = ([0, 1, 1, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1])
    check(lambda xp, x, a, b: xp.clip(x, a, b), (x, low, high), [-1, -1, 0, 1, 1], inside)


def test_ties_of_two(xp: Any) -> None:
    x, y = [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]
    check(lambda xp, x, y: xp.maximum(x, y), (x, y), [2, 2, 3], ([0, 0.5, 1], [1, 0.5, 0]))
    check(lambda xp, x, y: xp.minimum(x, y), (x, y), [1, 2, 2], ([1, 0.5, 0], [0, 0.5, 1]))
    check(lambda xp, x: xp.maximum(x, 2.0), (x,), [2, 2, 3], ([0, 0.5, 1],))
    check(lambda xp, x: xp.minimum(2.0, x), (x,), [1, 2, 2], ([1, 0.5, 0],))


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_ties_of_extrema_along_axes(xp: Any, name: str, keepdims: bool) -> None:
    x = np.array([[5.0, 1.0, 5.0], [2.0, 2.0, 2.0]]) * (1 if name == "max" else -1)
    weights = np.array([3.0, 6.0])
    for axis, transposed in ((1, False), (-1, False), (0, True), (-2, True)):
        data = x.T if transposed else x

        def extreme(xp: Any, a: Any, axis: int = axis, transposed: bool = transposed) -> Any:
            out = getattr(xp, name)(a, axis=axis, keepdims=keepdims)
            return xp.reshape(out, (2,)) * asarray(weights, "float64")

        value, (gradient,), tangent = slopes(extreme, data)
        expected = np.array([[1.5, 0, 1.5], [2, 2, 2]])
        np.testing.assert_allclose(value, getattr(np, name)(x, axis=1) * weights)
        np.testing.assert_allclose(gradient, expected.T if transposed else expected, rtol=1e-14)
        np.testing.assert_allclose(tangent, weights)


def test_sorting_with_ties(xp: Any) -> None:
    """The derivative of each place goes to one element: of equal ones, in their order."""
    weights = asarray(np.array([1.0, 10.0, 100.0, 1000.0]), "float64")
    x = [2.0, 1.0, 2.0, 1.0]
    value, (gradient,), _ = slopes(lambda xp, x: xp.sort(x) * weights, x)
    np.testing.assert_array_equal(value, [1, 10, 200, 2000])
    np.testing.assert_array_equal(gradient, [100, 1, 1000, 10])
    value, (gradient,), _ = slopes(lambda xp, x: xp.sort(x, descending=True) * weights, x)
    np.testing.assert_array_equal(value, [2, 20, 100, 1000])
    assert sorted(gradient[[0, 2]]) == [1, 10]
    assert sorted(gradient[[1, 3]]) == [100, 1000]
    for pick, first in (("argmax", 0), ("argmin", 1)):
        index = getattr(lift(asarray(x)).__array_namespace__(), pick)(lift(asarray(x)))
        assert int(index) == first


def test_unique_values_of_ties(xp: Any) -> None:
    weights = asarray(np.array([1.0, 10.0]), "float64")
    value, (gradient,), _ = slopes(lambda xp, x: xp.unique_values(x) * weights, [[3.0, 1.0], [3.0, 1.0]])
    np.testing.assert_array_equal(value, [1, 30])
    np.testing.assert_array_equal(gradient, [[10, 1], [0, 0]])


@pytest.mark.parametrize("zeros", [(), (1,), (1, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("include_initial", [False, True])
def test_products_of_zeros(xp: Any, zeros: tuple[int, ...], include_initial: bool) -> None:
    """Against products of all the other factors."""
    x = np.array([2.0, -1.5, 3.0, 0.5])
    x[list(zeros)] = 0.0
    others = lambda n: [np.prod(np.delete(x[:n], i)) if i < n else 0.0 for i in range(4)]
    value, (gradient,), _ = slopes(lambda xp, x: xp.prod(x), x)
    assert value == np.prod(x)
    np.testing.assert_allclose(gradient, others(4), rtol=1e-14)
    value, (gradient,), tangent = slopes(lambda xp, x: xp.cumulative_prod(x, include_initial=include_initial), x)
    products = np.cumprod(x)
    np.testing.assert_allclose(value, np.concatenate(([1.0], products)) if include_initial else products)
    jacobian = np.array([others(n) for n in (range(5) if include_initial else range(1, 5))])
    np.testing.assert_allclose(gradient, jacobian.sum(axis=0), rtol=1e-14)
    np.testing.assert_allclose(tangent, jacobian.sum(axis=1), rtol=1e-14)


def test_reductions_of_no_elements(xp: Any) -> None:
    for name, expected in (("sum", 0.0), ("prod", 1.0)):
        for axis in (0, None):
            value, (gradient,), _ = slopes(
                lambda xp, x, f=name, axis=axis: getattr(xp, f)(x, axis=axis), np.ones((0, 2))
            )
            np.testing.assert_array_equal(value, expected if axis is None else [expected] * 2)
            assert gradient.shape == (0, 2)


def test_standard_deviations_of_equal_elements(xp: Any) -> None:
    for keepdims in (False, True):
        std = lambda xp, x, keepdims=keepdims: xp.std(x, axis=1, keepdims=keepdims)
        value, (gradient,), _ = slopes(std, [[2.0, 2.0], [1.0, 3.0]])
        np.testing.assert_allclose(value, [[0], [1]] if keepdims else [0, 1])
        np.testing.assert_allclose(gradient, [[0, 0], [-0.5, 0.5]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_hypot_abs_sign_and_signs_of_zero(xp: Any) -> None:
    check(lambda xp, x, y: xp.hypot(x, y), ([0.0, 3.0], [0.0, 4.0]), [0, 5], ([0, 0.6], [0, 0.8]))
    check(lambda xp, x: xp.abs(x), ([-2.0, 0.0, 3.0],), [2, 0, 3], ([-1, 0, 1],))
    check(lambda xp, x: xp.sign(x), ([-2.0, 0.0, 3.0],), [-1, 0, 1], ([0, 0, 0],))
    signs = ([1.0, -1.0, 2.0], [-1.0, -1.0, 1.0])
    check(lambda xp, x, y: xp.copysign(x, y), signs, [-1, -1, 2], ([-1, 1, 1], [0, 0, 0]))
    check(lambda xp, x, y: xp.logaddexp(x, y), ([INF, 0.0], [0.0, 0.0]), [INF, math.log(2)], ([1, 0.5], [0, 0.5]))


@pytest.mark.parametrize(
    ("call", "expected", "gradient"),
    [
        (lambda xp, a: xp.arange(a), [0, 1, 2], 0.0),
        (lambda xp, a: xp.arange(a, 6.0), [2.5, 3.5, 4.5, 5.5], 4.0),
        (lambda xp, a: xp.arange(a, a + 2.0), [2.5, 3.5], 2.0),
        (lambda xp, a: xp.arange(1.0, a), [1, 2], 0.0),
        (lambda xp, a: xp.arange(0.0, 6.0, a), [0, 2.5, 5], 3.0),
        (lambda xp, a: xp.arange(6.0, 0.0, -a), [6, 3.5, 1], -3.0),
        (lambda xp, a: xp.full(3, a), [2.5] * 3, 3.0),
        (lambda xp, a: xp.full((2, 2), a), [[2.5] * 2] * 2, 4.0),
        (lambda xp, a: xp.full((), a), 2.5, 1.0),
        (lambda xp, a: xp.linspace(0.0, a, 3), [0, 1.25, 2.5], 1.5),
        (lambda xp, a: xp.linspace(a, 0.0, 2, endpoint=False), [2.5, 1.25], 1.5),
        (lambda xp, a: xp.linspace(a, 7.0, 1), [2.5], 1.0),
        (lambda xp, a: xp.linspace(7.0, a, 1), [7.0], 0.0),
    ],
)
def test_arrays_made_from_traced_numbers(xp: Any, call: Any, expected: Any, gradient: float) -> None:
    value, (result,), tangent = slopes(call, 2.5)
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    np.testing.assert_allclose(result, gradient, rtol=1e-14)
    np.testing.assert_allclose(np.sum(tangent), gradient, rtol=1e-14)


def test_factorisations_that_the_matrix_does_not_determine(xp: Any) -> None:
    """By default, `svd` has full matrices and `qr` has not."""
    weigh = lambda parts: sum(array_namespace(part).sum(part) for part in parts)
    for rows, columns in ((3, 2), (2, 3)):
        x = np.arange(6.0).reshape(rows, columns) ** 2
        for options in ({}, {"full_matrices": True}):
            with pytest.raises(ValueError, match=r"only with full_matrices=False.*Received: full_matrices=True"):
                slopes(lambda xp, x, o=options: weigh(xp.linalg.svd(x, **o)), x)
        slopes(lambda xp, x: weigh(xp.linalg.svd(x, full_matrices=False)), x)
        slopes(lambda xp, x: weigh(xp.linalg.qr(x)), x)
        if rows > columns:
            with pytest.raises(ValueError, match=r"Use mode='reduced'. Received: mode='complete'"):
                slopes(lambda xp, x: weigh(xp.linalg.qr(x, mode="complete")), x)
        else:
            slopes(lambda xp, x: weigh(xp.linalg.qr(x, mode="complete")), x)


def test_the_slope_of_zeta_is_accurate(xp: Any) -> None:
    """By its first argument, also where all terms of the series matter."""
    mpmath = pytest.importorskip("mpmath")
    s, q = np.asarray([1.05, 1.5, 3.0, 8.0, 20.0]), np.asarray([0.05, 1.0, 2.5, 0.7, 30.0])
    slopes = grad(lambda t: array_namespace(t).sum(special.zeta(t, asarray(q, "float64"))))(asarray(s, "float64"))
    with mpmath.workdps(60):
        expected = [float(mpmath.zeta(mpmath.mpf(a), mpmath.mpf(b), 1)) for a, b in zip(s, q, strict=True)]
    np.testing.assert_allclose(to_numpy(slopes), expected, rtol=1e-12)

"""Exact values about gradients from the source documents, with their line numbers.

K: N. Ketkar, Deep Learning with Python (2017). S: D. Shanahan, Nabla: the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, check_grads, grad, jvp, numeric_grad, show, value_and_grad
from tests.support import asarray, assert_close, to_numpy


def total(x: Any) -> Any:
    return array_namespace(x).sum(x)


# Expressions


def test_functions_of_scalars(xp):
    """K 974: ((a - b + c) d) / e at 1..5 is 1.6."""
    args = [asarray(v, "float64") for v in (1.0, 2.0, 3.0, 4.0, 5.0)]
    f = lambda a, b, c, d, e: ((a - b + c) * d) / e
    value, slopes = value_and_grad(f, range(5))(*args)
    assert_close(value, 1.6, dtype="float64")
    for got, want in zip(slopes, (0.8, -0.8, 0.8, 0.4, -0.32), strict=True):
        assert_close(got, want, dtype="float64")


def test_functions_of_matrices(xp):
    """K 1018: (a + b - c) d with 1, 2, 5, 3 is -6."""
    a, b, c, d = (asarray(np.full((2, 2), v)) for v in (1.0, 2.0, 5.0, 3.0))
    f = lambda a, b, c, d: (a + b - c) * d
    value, slopes = value_and_grad(lambda *args: (total(f(*args)), f(*args)), range(4), has_aux=True)(a, b, c, d)
    assert_close(value[1], np.full((2, 2), -6.0))
    for got, want in zip(slopes, (3.0, 3.0, -3.0, -2.0), strict=True):
        assert_close(got, np.full((2, 2), want))


def test_functions_of_scalars_and_matrices(xp):
    """K 1067: (((a p) + (b - q) - (c + r)) d / s) u, with the above and p..u = 1..5, is -26.25."""
    matrices = [asarray(np.full((2, 2), v), "float64") for v in (1.0, 2.0, 5.0, 3.0)]
    scalars = [asarray(v, "float64") for v in (1.0, 2.0, 3.0, 4.0, 5.0)]

    def f(a: Any, b: Any, c: Any, d: Any, p: Any, q: Any, r: Any, s: Any, u: Any) -> Any:
        return (((a * p) + (b - q) - (c + r)) * d / s) * u

    value, slopes = value_and_grad(lambda *args: total(f(*args)), range(9))(*matrices, *scalars)
    assert_close(value, 4 * -26.25, dtype="float64")
    # one element: the inner sum is -7, and d / s * u = 3.75
    for got, want in zip(slopes[:4], (3.75, 3.75, -3.75, -8.75), strict=True):
        assert_close(got, np.full((2, 2), want), dtype="float64")
    for got, want in zip(slopes[4:], (3.75, -3.75, -3.75, 26.25 / 4, -5.25), strict=True):
        assert_close(got, 4 * want, dtype="float64")


def test_the_wengert_list_of_a_product(xp):
    """S 3240: e = (a + b)(b + 1) at a = 2, b = 1: e = 6, de/da = b + 1 = 2, de/db = a + 2 b + 1 = 5."""
    f = lambda a, b: (a + b) * (b + 1)
    a, b = asarray(2.0), asarray(1.0)
    value, (da, db) = value_and_grad(f, (0, 1))(a, b)
    assert_close(value, 6.0)
    assert_close(da, 2.0)
    assert_close(db, 5.0)
    one, zero = asarray(1.0), asarray(0.0)
    assert_close(jvp(f, (a, b), (one, zero))[1], 2.0)
    assert_close(jvp(f, (a, b), (zero, one))[1], 5.0)
    assert len(show(f, a, b).lines()) == 5


# Losses and penalties


def test_losses(xp):
    """K 1266-1267: output (.01, .01, .01), target (.99, .99, .01); the third squared error is computed."""
    output, target = asarray([[0.01, 0.01, 0.01]], "float64"), asarray([[0.99, 0.99, 0.01]], "float64")

    def binary(p: Any) -> Any:
        xp = array_namespace(p)
        return -xp.mean(xp.log(p) * target + xp.log(1 - p) * (1 - target))

    def categorical(p: Any) -> Any:
        return -total(array_namespace(p).log(p) * target)

    value, slope = value_and_grad(binary)(output)
    assert_close(value, 3.058146503109446, dtype="float64", rtol=1e-14)
    p, t = to_numpy(output), to_numpy(target)
    assert_close(slope, (p - t) / (p * (1 - p)) / 3, dtype="float64")
    value, slope = value_and_grad(categorical)(output)
    assert_close(value, 9.16428867, dtype="float64", rtol=1e-9)
    assert_close(slope, -t / p, dtype="float64")
    assert_close((output - target) ** 2, [[0.9604, 0.9604, 0.0]], dtype="float64")
    assert_close(grad(lambda p: total((p - target) ** 2))(output), [[-1.96, -1.96, 0.0]], dtype="float64")


def test_penalties(xp):
    """K 1307: L1 of (0, 1, 3) is 4, L2 (the sum of squares) 10; the derivative of |x| at 0 is 0."""
    x = asarray([0.0, 1.0, 3.0])
    for f, value, slope in ((lambda x: total(abs(x)), 4.0, [0, 1, 1.0]), (lambda x: total(x**2), 10.0, [0, 2, 6.0])):
        got, result = value_and_grad(f)(x)
        assert_close(got, value)
        assert_close(result, slope)


# Derivatives


def test_symbolic_derivative(xp):
    """K 3161: d(2 x^3 + x^2) = 6 x^2 + 2 x."""
    f = lambda x: 2 * x**3 + x**2
    for x in (-1.5, 0.0, 0.5, 2.0):
        assert_close(grad(f)(asarray(x, "float64")), 6 * x**2 + 2 * x, dtype="float64")


def test_listing_9_1(xp):
    """K 3293-3302: sqrt(x1^2 + x2^2) at (1, 2): 2.2360680, gradient .4472136, .8944272, by all methods."""

    def f(x1: Any, x2: Any) -> Any:
        return array_namespace(x1).sqrt(x1 * x1 + x2 * x2)

    x1, x2, one, zero = (asarray(v, "float64") for v in (1.0, 2.0, 1.0, 0.0))
    value, slopes = value_and_grad(f, (0, 1))(x1, x2)
    assert_close(value, 2.2360680, dtype="float64", rtol=1e-7)
    forward = [jvp(f, (x1, x2), t)[1] for t in ((one, zero), (zero, one))]
    numeric = [numeric_grad(f, i, "richardson")(x1, x2) for i in (0, 1)]
    for result in (slopes, forward, numeric):
        for got, want in zip(result, (0.4472136, 0.8944272), strict=True):
            assert_close(got, want, dtype="float64", rtol=1e-7)
    check_grads(f, (x1, x2))


@pytest.mark.parametrize(
    ("w", "error", "x", "stepped"),
    [
        ([5.0, 4.0, 8.0], 2.0, [34.0, 1.0, 4.0], [4.32, 3.98, 7.92]),
        ([2.0, -1.0, 4.0, 8.0], 7.0, [1.0, 5.0, 1.0, 2.0], [1.93, -1.35, 3.93, 7.86]),
    ],
)
def test_one_step_of_linear_regression(xp, w, error, x, stepped):
    """S 304 and 698: w - .01 (O - t) x; the gradient of half the squared error with O - t as given."""
    data = asarray(x, "float64")
    target = float(np.dot(w, x)) - error
    slope = grad(lambda w: 0.5 * (total(w * data) - target) ** 2)(asarray(w, "float64"))
    assert_close(asarray(w, "float64") - 0.01 * slope, stepped, dtype="float64")


# Control flow follows the values


def test_scan(xp):
    """K 1660: 2^5 = 32 by repeated multiplication; its derivative is 5 2^4, its second one 20 2^3."""

    def power(a: Any, k: int) -> Any:
        result = a
        for _ in range(k - 1):
            result = result * a
        return result

    value, slope = value_and_grad(lambda a: power(a, 5))(asarray(2.0))
    assert_close(value, 32.0)
    assert_close(slope, 80.0)
    assert_close(grad(grad(lambda a: power(a, 5)))(asarray(2.0)), 160.0)


def test_conditionals(xp):
    def f(x: Any) -> Any:
        if x > 1:
            return x**2
        return -x if x < 0 else 3 * x

    for x, slope in ((2.0, 4.0), (-2.0, -1.0), (0.5, 3.0)):
        assert_close(grad(f)(asarray(x)), slope)
        assert_close(jvp(f, (asarray(x),), (asarray(1.0),))[1], slope)


def test_recursion(xp):
    def factorial_like(x: Any) -> Any:
        """x (x - 1) (x - 2) ... while the factor is positive."""
        return x * factorial_like(x - 1) if x > 1 else x

    assert_close(grad(factorial_like)(asarray(3.5, "float64")), 2.5 * 1.5 * 0.5 + 3.5 * 1.5 * 0.5 + 3.5 * 2.5 * 0.5
                 + 3.5 * 2.5 * 1.5, dtype="float64")  # fmt: skip


def test_a_loop_that_ends_by_the_value(xp):
    """Newton's iteration for the square root: its derivative converges to that of the root."""

    def root(a: Any) -> Any:
        x = a
        while abs(x * x - a) > 1e-14:
            x = (x + a / x) / 2
        return x

    value, slope = value_and_grad(root)(asarray(2.0, "float64"))
    assert_close(value, 2**0.5, dtype="float64")
    assert_close(slope, 0.5 / 2**0.5, dtype="float64")

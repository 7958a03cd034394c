"""Associated Legendre functions beside mpmath, where SciPy's lose digits, and at the ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

from portanet.autodiff import TraceError, grad, special, vmap

POINTS = [
    (0, 0.5, -0.999), (0, 7.3, -1 + 1e-9), (1, 12.7, -0.9), (3, 5.5, 1 - 1e-9), (5, 39.1, -1 + 1e-6), (7, 34.5, -0.999),
    (2, 25.0, -0.99), (40, 0.3, 0.0), (26, 39.4, -0.837), (100, 0.3, 0.01), (8, -3.7, 0.4), (-4, 6.2, -0.6),
]  # fmt: skip


def test_values_against_mpmath() -> None:
    mpmath = pytest.importorskip("mpmath")
    m, v, x = (np.asarray(column, dtype=np.float64) for column in zip(*POINTS, strict=True))
    result = special.lpmv(m, v, x)
    with mpmath.workdps(40):
        for got, (order, degree, point) in zip(result, POINTS, strict=True):
            n, size, z = max(degree, -1 - degree), abs(order), mpmath.mpf(point)
            expected = mpmath.hyp2f1(size - mpmath.mpf(n), size + 1 + mpmath.mpf(n), size + 1, (1 - z) / 2)
            expected *= ((1 - z) * (1 + z)) ** (mpmath.mpf(size) / 2) / (mpmath.mpf(2) ** size * mpmath.factorial(size))
            if order >= 0:
                expected *= (-1) ** size * mpmath.rf(mpmath.mpf(n) - size + 1, 2 * size)
            np.testing.assert_allclose(got, float(expected), rtol=1e-11, err_msg=f"{order}, {degree}, {point}")


def test_derivatives_of_polynomials_at_the_ends() -> None:
    one = np.asarray(1.0)
    cubic = lambda x: special.lpmv(0, 3.0, x)  # (5 x^3 - 3 x) / 2
    np.testing.assert_allclose(grad(cubic)(one), 6.0)
    np.testing.assert_allclose(grad(grad(cubic))(-one), -15.0)
    np.testing.assert_allclose(grad(lambda x: special.lpmv(2, 2.0, x))(-one), 6.0)  # 3 (1 - x^2)


def test_infinity_at_minus_one_has_the_sign_of_the_limit() -> None:
    x = np.asarray([-1.0, -1 + 1e-12])
    for m, v in ((0, 0.5), (0, -0.5), (1, 0.5), (1, -0.5), (3, 2.7), (-1, 0.0), (-2, 2.7)):
        end, near = special.lpmv(m, v, x)
        assert end == math.copysign(math.inf, near)


def test_batches_and_parameters_without_derivative() -> None:
    x = np.asarray([-0.4, 0.3])
    np.testing.assert_allclose(vmap(lambda x: special.lpmv(1, 2.5, x))(x), special.lpmv(1, 2.5, x))
    for name, f in (("m", lambda t: special.lpmv(t, 2.5, x[0])), ("v", lambda t: special.lpmv(1, t, x[0]))):
        with pytest.raises(TraceError, match=rf"special\.lpmv has no derivative by its argument `{name}`"):
            grad(f)(np.asarray(1.0))

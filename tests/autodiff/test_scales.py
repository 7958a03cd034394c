"""Derivatives of very large and very small values, whose squares are not finite or 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hessian, jvp

MATRIX = np.random.default_rng(0).normal(size=(4, 4))


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("scale", [1e160, 1e-160])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("phase", [1.0, 0.6 + 0.8j])
def test_second_derivatives_of_singular_values(shape: tuple[int, int], scale: float, phase: complex) -> None:
    x, t = MATRIX[: shape[0], : shape[1]], MATRIX.T[: shape[0], : shape[1]]
    weights = np.arange(1.0, 1.0 + min(shape))

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = xp.astype(x, xp.complex128) * phase if isinstance(phase, complex) else x
        return xp.sum(xp.linalg.svdvals(z) * weights)

    def slope(x: Any) -> Any:
        return array_namespace(x).sum(grad(f)(x) * (t * scale))

    expected = np.tensordot(hessian(f)(x), t, 2)  # the derivative of degree 0 along a direction of the same scale
    np.testing.assert_allclose(jvp(grad(f), (x * scale,), (t * scale,))[1], expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(grad(slope)(x * scale), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("dtype", "x", "rtol"), [("float16", 3e3, 2e-3), ("float32", 1e25, 1e-6), ("float64", 1e200, 1e-12)]
)
def test_inverse_functions(dtype: str, x: float, rtol: float) -> None:
    at = np.asarray(x, dtype=dtype)
    # The cotangent keeps the results in range.
    slope = grad(lambda v: array_namespace(v).asinh(v) * x)(at)
    np.testing.assert_allclose(slope, 1.0, rtol=rtol)
    for argnum, sign in ((0, 1.0), (1, -1.0)):
        slope = grad(lambda a, b: array_namespace(a).atan2(a, b) * x, argnums=argnum)(at / 2, at / 2)
        np.testing.assert_allclose(slope, sign, rtol=rtol)
    small = np.asarray(1e-30, dtype="float32")
    slope = grad(lambda a: array_namespace(a).atan2(a, small) * 1e-30)(small)
    np.testing.assert_allclose(slope, 0.5, rtol=1e-5)

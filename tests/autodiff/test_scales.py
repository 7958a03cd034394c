"""Derivatives of very large and very small values, whose squares are not finite or 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hessian, hvp, jvp, value_and_grad
from portanet.backends import Backend
from tests.support import asarray, assert_close, to_numpy

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


@pytest.mark.parametrize("scale", [1e160, 1e-160])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_second_derivatives_of_singular_values_on_every_library(backend: Backend, scale: float) -> None:
    if scale > 1 and backend.name == "jax":
        pytest.skip("slow to compile")

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.sum(xp.linalg.svdvals(x) * asarray([1.0, 3.0], "float64"))

    x, t = MATRIX[:2, :2], MATRIX[2:, 2:]
    product = hvp(f, (asarray(x * scale, "float64"),), (asarray(t * scale, "float64"),))
    step = 1e-5
    slopes = [to_numpy(grad(f)(asarray(x + s * step * t, "float64"))) for s in (1, -1)]
    np.testing.assert_allclose(to_numpy(product), (slopes[0] - slopes[1]) / (2 * step), rtol=1e-7)


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


def test_determinants_that_overflow(xp: Any) -> None:
    """JAX computes those of small matrices in `slogdet`."""
    for size in (1, 2, 3):
        for scale in (1e200, 1e-200):
            x = asarray(MATRIX[:size, :size] * scale, "float64")
            expected = np.linalg.slogdet(MATRIX[:size, :size])[1] + size * np.log(scale)
            logarithm, slope = value_and_grad(lambda x: array_namespace(x).linalg.slogdet(x).logabsdet)(x)
            assert_close(logarithm, expected, dtype="float64")
            assert_close(slope * scale, np.linalg.inv(MATRIX[:size, :size]).T, dtype="float64")

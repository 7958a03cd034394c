"""U V^H of the singular value decomposition: smooth also where singular values coincide, as they do for rotations."""

from __future__ import annotations

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, jvp, numeric_grad
from tests.support import asarray, assert_close, to_numpy

rng = np.random.default_rng(0)
WEIGHTS = rng.normal(size=(3, 3))
TURNED = np.linalg.qr(rng.normal(size=(3, 3)))[0]
CASES = {
    "identity": np.eye(3),
    "rotation": TURNED,
    "scaled": 1e3 * TURNED,
    "nearly": TURNED + 1e-15 * rng.normal(size=(3, 3)),
    "two of three": TURNED @ np.diag([2.0, 1.0, 1.0]),
    "general": rng.normal(size=(3, 3)),
    "tall": np.eye(4, 3),
}


def nearest(x):
    """A weighted sum of the elements of the nearest rotation."""
    xp = array_namespace(x)
    u, _, vh = xp.linalg.svd(x, full_matrices=False)
    weights = np.resize(WEIGHTS, x.shape)
    return xp.sum((u @ vh) * xp.asarray(weights, dtype=x.dtype, device=x.device))


@pytest.mark.parametrize("name", CASES)
def test_first_derivatives(xp, name):
    matrix, size = CASES[name], np.max(np.abs(CASES[name]))
    want = numeric_grad(nearest, method="richardson", step=1e-3 * size)(matrix)
    x = asarray(matrix, "float64")
    assert_close(grad(nearest)(x), want, dtype="float64", rtol=1e-6, atol=1e-7 / size)
    assert_close(jvp(nearest, (x,), (x * 0 + 1.0,))[1], want.sum(), dtype="float64", rtol=1e-6, atol=1e-6 / size)
    single = to_numpy(grad(nearest)(asarray(matrix, "float32")))
    np.testing.assert_allclose(single, want, rtol=1e-3, atol=1e-4 / size)


def test_second_derivatives(xp):
    """Where singular values differ; see the conventions."""
    matrix, step = CASES["general"], WEIGHTS.T
    moved = [grad(nearest)(asarray(matrix + h * step, "float64")) for h in (1e-5, -1e-5)]
    want = (to_numpy(moved[0]) - to_numpy(moved[1])) / 2e-5
    x, t = asarray(matrix, "float64"), asarray(step, "float64")
    assert_close(jvp(grad(nearest), (x,), (t,))[1], want, dtype="float64", rtol=1e-5, atol=1e-6)


def test_unitary_matrices(xp):
    """d of the nearest unitary matrix at the identity is the skew part of dA, also for complex matrices."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))[0]
    t = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))

    def nearest_matrix(x):
        u, _, vh = array_namespace(x).linalg.svd(x, full_matrices=False)
        return u @ vh

    inside = turn.conj().T @ t
    want = turn @ (inside - inside.conj().T) / 2
    got = jvp(nearest_matrix, (asarray(turn, "complex128"),), (asarray(t, "complex128"),))[1]
    np.testing.assert_allclose(to_numpy(got), want, atol=1e-12)

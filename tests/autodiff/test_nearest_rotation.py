"""U V^H of the singular value decomposition: smooth also where singular values coincide, as they do for rotations."""

from __future__ import annotations

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hessian, jvp, numeric_grad
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


def polar(x):
    """The nearest rotation, or unitary matrix."""
    u, _, vh = array_namespace(x).linalg.svd(x, full_matrices=False)
    return u @ vh


def nearest(x):
    """A weighted sum of the elements of the nearest rotation."""
    xp = array_namespace(x)
    return xp.sum(polar(x) * xp.asarray(np.resize(WEIGHTS, x.shape), dtype=x.dtype, device=x.device))


@pytest.mark.parametrize("name", CASES)
def test_first_derivatives(xp, name):
    matrix, size = CASES[name], np.max(np.abs(CASES[name]))
    want = numeric_grad(nearest, method="richardson", step=1e-3 * size)(matrix)
    x = asarray(matrix, "float64")
    assert_close(grad(nearest)(x), want, dtype="float64", rtol=1e-6, atol=1e-7 / size)
    assert_close(jvp(nearest, (x,), (x * 0 + 1.0,))[1], want.sum(), dtype="float64", rtol=1e-6, atol=1e-6 / size)
    single = to_numpy(grad(nearest)(asarray(matrix, "float32")))
    np.testing.assert_allclose(single, want, rtol=1e-3, atol=1e-4 / size)


@pytest.mark.parametrize("name", CASES)
def test_second_derivatives(xp, name):
    matrix, size = CASES[name], np.max(np.abs(CASES[name]))
    step, h = np.resize(WEIGHTS.T, matrix.shape), 1e-4 * size

    def moved(h):
        return to_numpy(grad(nearest)(asarray(matrix + h * step, "float64")))

    want = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
    x, t = asarray(matrix, "float64"), asarray(step, "float64")
    tolerance = {"rtol": 1e-6, "atol": 1e-7 / size**2, "dtype": "float64"}
    assert_close(jvp(grad(nearest), (x,), (t,))[1], want, **tolerance)
    assert_close(grad(lambda x: array_namespace(x).sum(grad(nearest)(x) * t))(x), want, **tolerance)
    if name in ("rotation", "tall"):
        product = array_namespace(x).tensordot(hessian(nearest)(x), t, axes=2)
        assert_close(product, want, **tolerance)


@pytest.mark.parametrize("name", CASES)
def test_nuclear_norm(xp, name):
    """Its gradient is the nearest rotation."""

    def norm(x):
        return array_namespace(x).linalg.matrix_norm(x, ord="nuc")

    x, t = asarray(CASES[name], "float64"), asarray(np.resize(WEIGHTS, CASES[name].shape), "float64")
    assert_close(norm(x), np.linalg.norm(CASES[name], "nuc"), dtype="float64")
    assert_close(grad(norm)(x), polar(x), dtype="float64", atol=1e-12)
    assert_close(jvp(grad(norm), (x,), (t,))[1], jvp(polar, (x,), (t,))[1], dtype="float64", rtol=1e-9, atol=1e-12)


def test_unitary_matrices(xp):
    """d of the nearest unitary matrix at the identity is the skew part of dA, also for complex matrices."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))[0]
    t = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    inside = turn.conj().T @ t
    want = turn @ (inside - inside.conj().T) / 2
    x, direction = asarray(turn, "complex128"), asarray(t, "complex128")
    first = lambda x: jvp(polar, (x,), (direction,))[1]
    np.testing.assert_allclose(to_numpy(first(x)), want, atol=1e-12)

    def unitary(h):
        u, _, vh = np.linalg.svd(turn + h * t)
        return u @ vh

    second = (unitary(1e-4) - 2 * unitary(0) + unitary(-1e-4)) / 1e-8
    np.testing.assert_allclose(to_numpy(jvp(first, (x,), (direction,))[1]), second, atol=1e-6)


EIGENSPACE = TURNED @ np.diag([1.0, 1.0, 3.0]) @ TURNED.T


def projector(x):
    """That on the space of the two small eigenvalues."""
    xp = array_namespace(x)
    vectors = xp.linalg.eigh(x)[1][:, :2]
    return vectors @ xp.matrix_transpose(vectors)


def test_projectors_on_eigenspaces(xp):
    x, t = asarray(EIGENSPACE, "float64"), asarray(WEIGHTS + WEIGHTS.T, "float64")
    first = lambda x: jvp(projector, (x,), (t,))[1]
    h = 1e-4
    at = [projector(EIGENSPACE + k * h * (WEIGHTS + WEIGHTS.T)) for k in (-1, 0, 1)]
    assert_close(first(x), (at[2] - at[0]) / (2 * h), dtype="float64", atol=1e-6)
    assert_close(jvp(first, (x,), (t,))[1], (at[2] - 2 * at[1] + at[0]) / h**2, dtype="float64", atol=1e-5)


@pytest.mark.parametrize("values", ["svdvals", "eigvalsh"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_second_derivatives_of_values_that_coincide_are_nan(xp, values):
    """A function of the values has one, but it is not that of a fixed basis: no wrong number may come out."""

    def squares(x):
        return array_namespace(x).sum(getattr(array_namespace(x).linalg, values)(x) ** 2)

    x = asarray(EIGENSPACE, "float64")
    assert_close(grad(squares)(x), 2 * EIGENSPACE, dtype="float64", atol=1e-12)
    assert np.isnan(to_numpy(hessian(squares)(x))).all()
    t = asarray(WEIGHTS, "float64")
    assert np.isnan(to_numpy(jvp(lambda x: jvp(squares, (x,), (t,))[1], (x,), (t,))[1]))
    distinct = asarray(TURNED @ np.diag([1.0, 2.0, 3.0]) @ TURNED.T, "float64")
    want = WEIGHTS if values == "svdvals" else (WEIGHTS + WEIGHTS.T) / 2
    assert_close(jvp(grad(squares), (distinct,), (t,))[1], 2 * want, dtype="float64", atol=1e-12)

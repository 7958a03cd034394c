"""Functions of matrices where algorithms may fail: defective, singular, empty, tiny and huge matrices."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import TraceError, array_namespace, check_grads, grad, jvp, linalg
from portanet.autodiff.linalg import divided_differences
from portanet.backends.overrides import OVERRIDABLE
from tests.support import asarray, assert_close, to_numpy

JORDAN = np.asarray([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]])
ROTATION = np.asarray([[math.cos(1.0), -math.sin(1.0)], [math.sin(1.0), math.cos(1.0)]])
TURN = np.asarray([[0.0, -1.0], [1.0, 0.0]])


def double(x: Any) -> Any:
    return asarray(x, "float64")


def test_defective_matrices(xp: Any) -> None:
    """Jordan blocks have f, f', f''/2 above each other."""
    root, e = math.sqrt(2), math.exp(2)
    expected = {
        "expm": (e, e, e / 2),
        "sqrtm": (root, 1 / (2 * root), -1 / (16 * root)),
        "logm": (math.log(2), 0.5, -1 / 8),
    }
    for name, (value, slope, half) in expected.items():
        block = [[value, slope, half], [0, value, slope], [0, 0, value]]
        assert_close(getattr(linalg, name)(double(JORDAN)), block, rtol=1e-13, atol=1e-14, dtype="float64")


@pytest.mark.parametrize("name", ["expm", "sqrtm", "logm"])
def test_derivatives_at_defective_and_special_matrices(name: str) -> None:
    for matrix in (JORDAN, np.eye(3), np.asarray([[3.0]]), JORDAN.T @ JORDAN):
        check_grads(getattr(linalg, name), (matrix,), directions=1)
    if name == "expm":
        check_grads(linalg.expm, (np.zeros((2, 2)),), directions=1)
        check_grads(linalg.expm, (np.asarray([[0.0, 1.0], [0.0, 0.0]]),), directions=1)


def test_rotations(xp: Any) -> None:
    assert_close(linalg.expm(double(TURN)), ROTATION, rtol=1e-14, dtype="float64")
    assert_close(linalg.logm(double(ROTATION)), TURN, rtol=1e-13, atol=1e-14, dtype="float64")
    half = np.asarray([[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]])
    assert_close(linalg.sqrtm(double(ROTATION)), half, rtol=1e-14, dtype="float64")


def test_roots_and_logarithms_that_do_not_exist(xp: Any) -> None:
    """A real matrix without a real root is NaN, and has a complex one; others of a stack are right."""
    stack = np.stack([-np.eye(2), 4 * np.eye(2), [[1.0, 1e200], [math.nan, 1.0]], np.diag([-1.0, 9.0])])
    root, logarithm = to_numpy(linalg.sqrtm(double(stack))), to_numpy(linalg.logm(double(stack)))
    for out, one in ((root, 2 * np.eye(2)), (logarithm, math.log(4) * np.eye(2))):
        np.testing.assert_allclose(out[1], one, rtol=1e-14, atol=1e-15)
        assert np.isnan(out[[0, 2, 3]]).all()
    flipped = linalg.sqrtm(asarray(np.diag([-1.0, 9.0]), "complex128"))
    assert_close(flipped, np.diag([1j, 3.0]), rtol=1e-13, atol=1e-14, dtype="complex128")
    assert_close(
        linalg.logm(asarray(np.diag([-1.0, 1.0]), "complex128")), np.diag([math.pi * 1j, 0]), atol=1e-13, rtol=1e-13,
        dtype="complex128",
    )  # fmt: skip


def test_roots_of_singular_matrices(xp: Any) -> None:
    values = np.asarray([[2.0, 0.0], [1.0, 0.0]])  # 0 and 2, and no other zero in its Jordan form
    assert_close(linalg.sqrtm(double(np.zeros((2, 2)))), np.zeros((2, 2)), dtype="float64")
    root = linalg.sqrtm(double(np.stack([values, np.eye(2), np.diag([0.0, 4.0])])))
    expected = np.stack([values / math.sqrt(2), np.eye(2), np.diag([0.0, 2.0])])
    assert_close(root, expected, rtol=1e-12, atol=1e-14, dtype="float64")
    nilpotent = np.asarray([[0.0, 1.0], [0.0, 0.0]])
    assert not np.isfinite(to_numpy(OVERRIDABLE["matrix_square_root"].definition(double(nilpotent)))).any()


AT_FOUR = {"expm": math.exp(4), "sqrtm": 2, "logm": math.log(4), "cosm": math.cos(4), "polar": 4}


@pytest.mark.parametrize("name", [*AT_FOUR, "fractional_matrix_power", "funm_hermitian"])
@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3), (1, 1)])
def test_empty_stacks_and_single_numbers(xp: Any, name: str, shape: tuple[int, ...]) -> None:
    calls = {
        "fractional_matrix_power": lambda x: linalg.fractional_matrix_power(x, 0.5),
        "funm_hermitian": lambda x: linalg.funm_hermitian(lambda s: s * s, x),
        "polar": lambda x: linalg.polar(x)[1],
    }
    call = calls.get(name) or getattr(linalg, name)
    x = double(np.full(shape, 4.0))
    out, slope = jvp(call, (x,), (x,))
    assert tuple(out.shape) == tuple(slope.shape) == shape
    if shape == (1, 1):
        expected = {**AT_FOUR, "fractional_matrix_power": 2, "funm_hermitian": 16}[name]
        np.testing.assert_allclose(to_numpy(out), expected, rtol=1e-13)


@pytest.mark.parametrize("size", [1e-160, 1e-8, 1.0, 1e8, 1e160])
def test_scales(xp: Any, size: float) -> None:
    """Values and derivatives of powers, at sizes whose squares overflow or vanish."""
    matrix, direction = size * np.asarray([[4.0, 1.0], [1.0, 3.0]]), np.asarray([[1.0, 2.0], [0.0, 1.0]])
    root, slope = jvp(linalg.sqrtm, (double(matrix),), (double(direction * size),))
    np.testing.assert_allclose(to_numpy(root @ root), matrix, rtol=1e-13)
    np.testing.assert_allclose(to_numpy(root @ slope + slope @ root), direction * size, rtol=1e-12, atol=1e-13 * size)
    logarithm, slope = jvp(linalg.logm, (double(matrix),), (double(direction * size),))
    one, moved = jvp(linalg.logm, (double(matrix / size),), (double(direction),))
    np.testing.assert_allclose(to_numpy(logarithm), to_numpy(one) + math.log(size) * np.eye(2), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(to_numpy(slope), to_numpy(moved), rtol=1e-11)
    factor = lambda x: linalg.polar(x)[0]
    turned = jvp(factor, (double(matrix),), (double(direction * size),))[1]
    expected = jvp(factor, (double(matrix / size),), (double(direction),))[1]
    np.testing.assert_allclose(to_numpy(turned), to_numpy(expected), rtol=1e-12, atol=1e-15)
    if size <= 1:
        tiny, slope = jvp(linalg.expm, (double(matrix),), (double(direction),))
        if size < 1e-100:
            np.testing.assert_allclose(to_numpy(slope), direction, atol=1e-150)
            np.testing.assert_allclose(to_numpy(tiny), np.eye(2) + matrix, rtol=1e-15)


SCALED: dict[str, tuple[Any, float]] = {
    "sqrtm": (linalg.sqrtm, 0.5),
    "logm": (linalg.logm, 0.0),
    "root of a symmetric matrix": (lambda a: linalg.funm_hermitian(lambda s: s**0.5, a), 0.5),
    "logarithm of a symmetric matrix": (lambda a: linalg.funm_hermitian(FUNCTIONS["logarithm"][0], a), 0.0),
    "power": (lambda a: linalg.fractional_matrix_power(a, 0.3), 0.3),
    "rotation": (lambda a: linalg.polar(a)[0], 0.0),
    "stretch": (lambda a: linalg.polar(a)[1], 1.0),
    "circulant": (lambda a: linalg.solve_circulant(a[0, :], array_namespace(a).ones_like(a[0, :])), -1.0),
    "cholesky": (lambda a: linalg.cho_solve(linalg.cho_factor(a), array_namespace(a).ones_like(a[0, :])), -1.0),
}
"""Functions, and the power of the scale in their values."""


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("scale", [1e160, 1e-160])
def test_second_derivatives_at_scales(name: str, scale: float) -> None:
    """Along a direction of the same scale, against those at scale 1."""
    function, power = SCALED[name]
    matrix = np.asarray([[4.0, 1.0, 0.5], [0.3, 3.0, 0.2], [0.1, 0.2, 2.0]])
    if name in ("cholesky", "root of a symmetric matrix", "logarithm of a symmetric matrix"):
        matrix = (matrix + matrix.T) / 2

    def second(x: np.ndarray, t: np.ndarray) -> Any:
        return jvp(lambda y: jvp(function, (y,), (t,))[1], (x,), (t,))[1]

    expected = second(matrix, DIRECTION)
    result = second(matrix * scale, DIRECTION * scale) / scale**power
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-11 * np.max(np.abs(expected)))


def test_exponentials_that_overflow_or_are_not_finite(xp: Any) -> None:
    with np.errstate(all="ignore"):
        out = to_numpy(linalg.expm(double(np.stack([1e4 * np.eye(2), -1e4 * np.eye(2), np.eye(2)]))))
        strange = to_numpy(linalg.expm(double([[math.inf, 0.0], [0.0, 1.0]])))
    assert np.isinf(out[0].diagonal()).all() or np.isnan(out[0]).any()
    np.testing.assert_array_equal(out[1], 0)
    np.testing.assert_allclose(out[2], math.e * np.eye(2))
    assert not np.isfinite(strange).all()


def test_gradients_by_the_exponent() -> None:
    matrix = np.asarray([[4.0, 1.0], [1.0, 3.0]])
    slope = grad(lambda t: linalg.fractional_matrix_power(matrix, t)[0, 1])(np.asarray(0.5))
    expected = (linalg.sqrtm(matrix) @ linalg.logm(matrix))[0, 1]
    np.testing.assert_allclose(slope, expected, rtol=1e-13)
    check_grads(lambda a, t: linalg.fractional_matrix_power(a, t), (matrix, np.asarray(1.7)), directions=1)


# Functions of symmetric and Hermitian matrices

FUNCTIONS = {
    "exp": (lambda s: array_namespace(s).exp(s), linalg.expm),
    "cube": (lambda s: s**3, lambda a: a @ a @ a),
    "root": (lambda s: array_namespace(s).sqrt(s), linalg.sqrtm),
    "logarithm": (lambda s: array_namespace(s).log(s), linalg.logm),
}
SPECTRA = {
    "equal": [2.0, 2.0, 2.0],
    "pair": [1.0, 3.0, 3.0],
    "rounding": [1.0, 1 + 4e-16, 5.0],
    "near": [1.0, 1 + 1e-9, 1 + 1e-4],
    "further": [1.0, 1.02, 1.3],
    "tiny": [1e-5, 1.1e-5, 1.0],
    "distinct": [0.3, 1.0, 4.0],
}
BASIS = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
DIRECTION = np.asarray([[0.3, -1.0, 0.5], [-1.0, 0.2, 0.7], [0.5, 0.7, -0.4]])


@pytest.mark.parametrize(("function", "spectrum"), list(itertools.product(FUNCTIONS, SPECTRA)))
def test_functions_of_symmetric_matrices(function: str, spectrum: str) -> None:
    """Value and derivatives up to the third order, against functions of any matrices."""
    f, peer = FUNCTIONS[function]
    matrix = BASIS @ np.diag(SPECTRA[spectrum]) @ BASIS.T
    own, other = lambda a: linalg.funm_hermitian(f, a), peer
    for order in range(4):
        result, expected = own((matrix + matrix.T) / 2), other((matrix + matrix.T) / 2)
        digits = 1e-13 * 100**order * (1e3 if spectrum == "tiny" else 1)
        np.testing.assert_allclose(result, expected, rtol=0, atol=digits * max(1.0, np.max(np.abs(expected))))
        own, other = ((lambda a, g=g: jvp(g, (a,), (DIRECTION,))[1]) for g in (own, other))


@pytest.mark.parametrize("matrix", [np.zeros((2, 2)), np.eye(3), BASIS @ np.diag([1.0, 1.0, 2.0]) @ BASIS.T])
def test_gradients_of_functions_of_symmetric_matrices(xp: Any, matrix: np.ndarray) -> None:
    wave = lambda s: array_namespace(s).sin(2 * s) + s
    check_grads(lambda a: linalg.funm_hermitian(wave, a), (double(matrix),), directions=1)


def test_functions_of_hermitian_matrices(xp: Any) -> None:
    matrix = np.asarray([[1.0, 0.5 - 1j], [0.5 + 1j, 2.0]])
    f, peer = FUNCTIONS["exp"]
    function = lambda a: linalg.funm_hermitian(f, a)
    assert_close(function(asarray(matrix, "complex128")), linalg.expm(matrix), rtol=1e-13, dtype="complex128")
    check_grads(function, (asarray(matrix, "complex128"),), directions=1)
    stack = np.stack([matrix, np.eye(2), 2 * np.eye(2)])
    assert_close(function(asarray(stack, "complex128")), peer(stack), rtol=1e-13, atol=1e-15, dtype="complex128")


@pytest.mark.parametrize("elements", [1, 8, 60])
def test_points_in_parts(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are evaluated at a limited number of points at once; the parts add up to the same."""
    points = [np.asarray([0.0, 1.0, 2.0, 3.0]) + shift for shift in (0.0, 1e-3, 2e-3)]
    sizes = []

    def wave(x: Any) -> Any:
        sizes.append(math.prod(x.shape))
        return array_namespace(x).sin(x)

    scale = np.asarray(3.0)
    whole = divided_differences.divided_difference(wave, points, scale)
    assert max(sizes) == 4 * divided_differences.NODES**2
    sizes.clear()
    monkeypatch.setattr(divided_differences, "ELEMENTS", elements)
    parts = divided_differences.divided_difference(wave, points, scale)
    assert max(sizes) == max(4, elements)  # one set of nodes is not divided
    np.testing.assert_allclose(parts, whole, rtol=1e-13)
    np.testing.assert_allclose(whole, -np.sin(points[1]) / 2, rtol=1e-12, atol=1e-6)


def test_kinks_of_functions_between_eigenvalues() -> None:
    """The derivative is taken only near eigenvalues: a kink or a pole between them does not count."""
    step = lambda s: array_namespace(s).abs(s)
    matrix, direction = np.diag([-1.0, 2.0]), np.asarray([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(
        jvp(lambda a: linalg.funm_hermitian(step, a), (matrix,), (direction,))[1], direction / 3, rtol=1e-15
    )
    inverse = jvp(lambda a: linalg.funm_hermitian(lambda s: 1 / s, a), (matrix,), (direction,))[1]
    np.testing.assert_allclose(inverse, -np.linalg.inv(matrix) @ direction @ np.linalg.inv(matrix), rtol=1e-15)


def test_a_function_that_closes_over_a_traced_array_is_refused() -> None:
    def f(p: Any) -> Any:
        return linalg.funm_hermitian(lambda s: s**p, np.eye(2))[0, 0]

    with pytest.raises(TraceError, match="no derivative by arrays that `f` closes over"):
        grad(f)(np.asarray(2.0))


@pytest.mark.parametrize("rank", [(3, 3), (5, 2), (2, 5)])
def test_polar_decompositions_of_rotations(xp: Any, rank: tuple[int, int]) -> None:
    """Where all singular values coincide."""
    matrix = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0][: rank[0], : rank[1]]
    u, _, vh = np.linalg.svd(matrix, full_matrices=False)
    for side in ("right", "left") if rank[0] == rank[1] else ("right",) if rank[0] > rank[1] else ("left",):
        check_grads(lambda a, side=side: linalg.polar(a, side), (double(u @ vh),), directions=1)

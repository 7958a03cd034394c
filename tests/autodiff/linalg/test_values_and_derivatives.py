"""Functions of matrices: values against SciPy, derivatives against differences, and against JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, check_grads, grad, hessian, jacobian, linalg, vjp, vmap
from portanet.autodiff.rules.linalg import sign_and_logarithm
from portanet.backends import Backend
from portanet.tree import tree_leaves
from tests.autodiff.linalg.matrix_cases import CASES, DEFINITE, FIRST, REGULAR, RIGHT, SQUARE, STACK, Case
from tests.support import asarray, assert_close, to_numpy

scipy_linalg = pytest.importorskip("scipy.linalg")
TOLERANCE = {"float64": 1e-12, "float32": 2e-5, "complex128": 1e-12, "complex64": 2e-5}


EXPONENTIALS = {"expm", "expm_frechet", "cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm"}
"""SciPy's `expm` is exact to 1e-12 only; see `test_exponentials_against_mpmath`."""


def test_every_function_has_a_case() -> None:
    assert set(linalg.__all__) == {case.name for case in CASES} | {"funm_hermitian"}


def drawn(case: Case, dtype: str) -> list[np.ndarray]:
    """Arrays of the dtype; complex ones with imaginary parts that keep matrices regular."""
    arrays = []
    for x in case.arrays:
        z = x.astype(dtype)
        if "complex" in dtype and case.name not in ("cho_solve", "cho_factor", "solveh_banded"):
            z = z + 0.3j * np.flip(x, axis=-1)
        arrays.append(z.astype(dtype))
    return arrays


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values(backend: Backend, case: Case, dtype: str) -> None:
    if backend.name == "jax" and (case is not FIRST[case.name] or dtype != "float64"):
        pytest.skip("JAX compiles every operation: one case of each function")
    arrays = drawn(case, dtype)
    expected = case.call(scipy_linalg, *(x.astype("complex128" if "complex" in dtype else "float64") for x in arrays))
    result = case.call(linalg, *(asarray(x, dtype) for x in arrays))
    rtol = max(TOLERANCE[dtype], 2e-11 if case.name in EXPONENTIALS else 0.0)
    for got, want in zip(tree_leaves(result), tree_leaves(expected), strict=True):
        if np.issubdtype(want.dtype, np.integer):
            np.testing.assert_array_equal(to_numpy(got), want)
        else:
            kind = (
                dtype
                if np.iscomplexobj(want)
                else dtype.replace("complex128", "float64").replace("complex64", "float32")
            )
            assert_close(got, want, rtol=rtol, atol=rtol * max(1.0, float(np.max(np.abs(want)))), dtype=kind)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives(backend: Backend, case: Case) -> None:
    if backend.name not in ("numpy", "torch") and case is not FIRST[case.name]:
        pytest.skip("an operation takes much longer here; the rules are the same")
    if backend.name == "jax" and case.name not in ("logm", "solve_triangular", "polar", "lu"):
        pytest.skip("JAX compiles every operation")
    if backend.name == "strict" and case.name in ("logm", "fractional_matrix_power", "tanhm"):
        pytest.skip("many steps of sqrtm and expm, each of them slow here")
    if case.label == "large":
        pytest.skip("differences are not accurate enough")
    arrays = tuple(asarray(x, "float64") for x in drawn(case, "float64"))
    check_grads(lambda *xs: tree_leaves(case.call(linalg, *xs)), arrays, directions=1)
    if backend.name == "numpy":
        arrays = tuple(asarray(x, "complex128") for x in drawn(case, "complex128"))
        check_grads(lambda *xs: tree_leaves(case.call(linalg, *xs)), arrays, directions=1)


@pytest.mark.parametrize("case", FIRST.values(), ids=str)
def test_batches(case: Case) -> None:
    """Values, gradients of examples, and operands that all examples share, against a loop."""
    arrays = drawn(case, "float64")
    batches = [np.stack([x, 1.1 * x]) for x in arrays]

    def f(*xs: Any) -> Any:
        xp = array_namespace(*xs)
        return sum(xp.sum(xp.sin(part)) for part in tree_leaves(case.call(linalg, *xs)))

    for axes in {(0,) * len(arrays), tuple(i and None for i in range(len(arrays)))}:
        given = [batch if axis == 0 else x for batch, x, axis in zip(batches, arrays, axes, strict=True)]
        slopes = vmap(grad(f), axes)(*given)
        for k in range(2):
            one = [x[k] if axis == 0 else x for x, axis in zip(given, axes, strict=True)]
            np.testing.assert_allclose(slopes[k], grad(f)(*one), rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(vmap(f, axes)(*given)[k], f(*one), rtol=1e-12)


@pytest.mark.parametrize("name", ["expm", "sqrtm", "logm"])
def test_batched_jacobians_and_hessians(backend: Backend, name: str) -> None:
    if backend.name == "jax":
        pytest.skip("JAX compiles every operation")
    function = getattr(linalg, name)
    x = asarray(DEFINITE, "float64")
    columns = [vjp(function, x)[1](asarray(e.reshape(3, 3), "float64"))[0] for e in np.eye(9)]
    expected = np.stack([to_numpy(c) for c in columns]).reshape(3, 3, 3, 3)
    assert_close(jacobian(function)(x), expected, rtol=1e-10, dtype="float64")
    second = to_numpy(hessian(lambda a: function(a)[0, 1] ** 2)(x)).reshape(9, 9)
    np.testing.assert_allclose(second, second.T, rtol=1e-9, atol=1e-12)


def test_gradients_against_jax() -> None:
    jax = pytest.importorskip("jax")
    peers = jax.scipy.linalg

    def functions(module: Any) -> list[tuple[Any, tuple[np.ndarray, ...]]]:
        return [
            (lambda a: module.expm(a), (SQUARE,)),
            (lambda a, b: module.solve_triangular(a, b, trans=1, lower=True), (REGULAR, RIGHT)),
            (lambda a, b: module.cho_solve((a, True), b), (REGULAR, RIGHT)),
            (lambda c: module.toeplitz(c), (RIGHT[:, 0],)),
            (lambda a: module.lu_factor(a)[0], (RIGHT,)),
            (lambda a, b: module.lu_solve(module.lu_factor(a), b, 1), (SQUARE, RIGHT)),
        ]

    with jax.enable_x64(True):
        for (mine, arrays), (theirs, _) in zip(functions(linalg), functions(peers), strict=True):
            everything = tuple(range(len(arrays)))
            gradients = grad(lambda *xs, f=mine: array_namespace(*xs).sum(f(*xs) ** 3), argnums=everything)(*arrays)
            expected = jax.grad(lambda *xs, f=theirs: (f(*xs) ** 3).sum(), everything)(*arrays)
            for got, want in zip(gradients, expected, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("size", [1.0, 5.0, 20.0])
def test_exponentials_against_mpmath(xp: Any, size: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    x = np.random.default_rng(1).normal(size=(4, 5, 5)) * size
    with mpmath.workdps(40):
        expected = np.asarray([mpmath.expm(mpmath.matrix(a.tolist())).tolist() for a in x], dtype="float64")
    error = np.max(np.abs(to_numpy(linalg.expm(asarray(x, "float64"))) - expected), axis=(1, 2))
    assert np.max(error / np.max(np.abs(expected), axis=(1, 2))) < 1e-13 * (1 + size / 4)


def test_namespaces_of_traced_arrays_have_the_functions() -> None:
    def first(x: Any) -> Any:
        xp = x.__array_namespace__()
        assert set(linalg.__all__) <= set(dir(xp.linalg))
        return xp.linalg.expm(x)[..., 0, 0]

    np.testing.assert_allclose(grad(first)(np.zeros((2, 2))), [[1, 0], [0, 0]])
    np.testing.assert_allclose(vmap(first)(STACK), linalg.expm(STACK)[:, 0, 0])
    with pytest.raises(AttributeError, match=r"no function 'linalg\.schur'"):
        grad(lambda x: x.__array_namespace__().linalg.schur(x))(np.zeros((2, 2)))


def test_integers_and_half_precision(backend: Backend) -> None:
    whole = asarray(np.asarray([[2, 0], [1, 4]]), "int32")
    assert linalg.expm(whole).dtype == backend.xp.__array_namespace_info__().default_dtypes()["real floating"]
    assert_close(linalg.solve_triangular(whole, asarray([2.0, 9.0]), lower=True), [1.0, 2.0])
    if hasattr(backend.xp, "float16") and backend.name != "jax":
        half = asarray(np.eye(2), "float16")
        for function in (linalg.expm, linalg.sqrtm, linalg.logm):
            assert function(half).dtype == half.dtype
        assert linalg.lu_factor(half)[0].dtype == sign_and_logarithm(half)[1].dtype == half.dtype


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: linalg.expm(x), r"`A` of linalg.expm must be a square matrix.*Received: shape \(2, 3\)"),
        (lambda x: linalg.logm([[1.0]]), r"`A` of linalg.logm must be an array of numbers.*Received: \[\[1.0\]\]"),
        (lambda x: linalg.sqrtm(x > 0), "must be an array of numbers. Received: dtype bool"),
        (lambda x: linalg.fractional_matrix_power(x[:, :2], "2"), "`t` of .* must be a real number. Received: '2'"),
        (lambda x: linalg.fractional_matrix_power(x[:, :2], x), r"must be one number.*Received: .*\(2, 3\)"),
        (lambda x: linalg.expm_frechet(x, x), r"`A` of linalg.expm_frechet must be a square matrix.*\(2, 3\)"),
        (lambda x: linalg.expm_frechet(x[:, :2], x), r"`E` .* shape of `A`, \(2, 2\). Received: shape \(2, 3\)"),
        (lambda x: linalg.solve_triangular(x[:, :2], x.T), r"`b` .* \(2,\) or \(..., 2, k\).*Received: shape \(3, 2\)"),
        (lambda x: linalg.solve_triangular(x[:, :2], x, trans="X"), "`trans` .*Received: 'X'"),
        (lambda x: linalg.solve_triangular(x[:, :2], x, lower="no"), "`lower` .*Received: 'no'"),
        (lambda x: linalg.lu_factor(x[0, :]), r"`a` of linalg.lu_factor must have shape .*Received: shape \(3,\)"),
        (lambda x: linalg.lu_solve(x, x), r"`lu_and_piv` .*lu_factor returns. Received: "),
        (lambda x: linalg.lu_solve((x[:, :2], x[0, :2]), x), r"`lu_and_piv\[1\]` .*integers.*dtype float64"),
        (lambda x: linalg.lu(x, p_indices="yes"), "`p_indices` .*Received: 'yes'"),
        (lambda x: linalg.cho_solve(x, x), r"`c_and_lower` .*cho_factor returns. Received: "),
        (lambda x: linalg.solve_banded(1, x, x), "`l_and_u` .*two numbers.*Received: 1"),
        (lambda x: linalg.solve_banded((1, 1), x, x), r"`ab` .*\(..., 3, n\).*Received: shape \(2, 3\)"),
        (lambda x: linalg.solveh_banded(x[0, :], x), r"`ab` .*Received: shape \(3,\)"),
        (lambda x: linalg.toeplitz(x[0, 0]), r"`c` .*a vector.*Received: shape \(\)"),
        (lambda x: linalg.solve_toeplitz((x[0, :], x[0, :2]), x), "equal length. Received: lengths 3 and 2"),
        (lambda x: linalg.block_diag(), "at least one array.*Received: none"),
        (lambda x: linalg.khatri_rao(x, x.T), r"same number of columns.*Received: shapes \(2, 3\) and \(3, 2\)"),
        (lambda x: linalg.polar(x, "up"), "`side` .*Received: 'up'"),
        (lambda x: linalg.funm_hermitian(3, x[:, :2]), "`f` .*must be a function.*Received: 3"),
        (lambda x: linalg.funm_hermitian(lambda s: 1.0, x[:, :2]), "`f` .*of the same shape. Received: .*1.0"),
    ],
)
def test_bad_calls(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call(np.ones((2, 3)))

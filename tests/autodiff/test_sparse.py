import sys
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from portanet.autodiff import (
    array_namespace,
    grad,
    hessian,
    hessian_sparsity,
    jacobian,
    jacobian_sparsity,
    sparse_hessian,
    sparse_jacobian,
)
from portanet.autodiff.sparse.coloring import color_columns, grouped, star_coloring
from portanet.backends import device_of
from tests.support import asarray, assert_close, to_numpy

POINT = np.asarray([0.5, -1.0, 2.0, 0.3, -0.7, 1.5])


def diffusion(x: Any) -> Any:
    """Of n elements to n - 2, three diagonals."""
    xp = array_namespace(x)
    return xp.sin(x[:-2]) - x[1:-1] ** 3 + x[2:] * x[:-2]


def rosenbrock(x: Any) -> Any:
    return array_namespace(x).sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def three_diagonals(n: int) -> tuple[Any, Any]:
    i = np.arange(n - 2)
    return np.concatenate([i, i, i]), np.concatenate([i, i + 1, i + 2])


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
def test_jacobian_with_each_form_of_pattern(mode: Any, xp: Any) -> None:
    x = asarray(POINT)
    expected = to_numpy(jacobian(diffusion)(x))
    rows, columns = three_diagonals(6)
    dense = np.zeros((4, 6), dtype=bool)
    dense[rows, columns] = True
    patterns = [
        None,
        (rows, columns),
        (asarray(rows), asarray(columns)),
        (rows.tolist(), columns.tolist()),
        dense,
        asarray(dense),
        dense.tolist(),
        scipy.sparse.csr_array(dense),
        scipy.sparse.lil_matrix(dense),
    ]
    for sparsity in patterns:
        matrix = sparse_jacobian(diffusion, sparsity, mode=mode)(x)
        assert isinstance(matrix, scipy.sparse.csr_array)
        assert matrix.dtype == expected.dtype
        assert matrix.nnz == 12
        np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-6)


def test_jacobian_against_scipy() -> None:
    rows, columns = three_diagonals(6)
    pattern = scipy.sparse.coo_array((np.ones(12), (rows, columns)), shape=(4, 6))
    numeric = scipy.optimize._numdiff.approx_derivative(
        diffusion, POINT, sparsity=(pattern, scipy.optimize._numdiff.group_columns(pattern))
    )
    np.testing.assert_allclose(sparse_jacobian(diffusion, pattern)(POINT).toarray(), numeric.toarray(), atol=1e-6)


def test_hessian(xp: Any) -> None:
    x = asarray(POINT)
    expected = to_numpy(hessian(rosenbrock)(x))
    lower = scipy.sparse.dia_array((np.ones((2, 6)), [0, -1]), shape=(6, 6))
    for sparsity in (None, lower, lower + lower.T, hessian_sparsity(rosenbrock)(x)):
        matrix = sparse_hessian(rosenbrock, sparsity)(x)
        assert matrix.nnz == 16
        np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-5)


def test_passes_are_few(xp: Any) -> None:
    runs = []

    def f(x: Any) -> Any:
        runs.append(1)
        return diffusion(x)

    n = 50
    matrix = sparse_jacobian(f, three_diagonals(n), verify=False)(asarray(np.linspace(-1.0, 1.0, n)))
    assert matrix.nnz == 3 * (n - 2)
    assert len(runs) == 1
    rows, columns = three_diagonals(n)
    assert max(color_columns(rows.tolist(), columns.tolist(), (n - 2, n))) == 2


def test_an_arrow_needs_two_colors_by_symmetry(xp: Any) -> None:
    def f(x: Any) -> Any:
        return array_namespace(x).sum(x[0] * x[1:] ** 2) + x[0] ** 4

    matrix = sparse_hessian(f)(asarray(POINT))
    np.testing.assert_allclose(matrix.toarray(), to_numpy(hessian(f)(asarray(POINT))), rtol=1e-6)
    assert max(star_coloring([[1, 2, 3], [0], [0], [0]])) == 1


@st.composite
def matrices(draw: st.DrawFn, square: bool = False) -> Any:
    rows = draw(st.integers(1, 12))
    columns = rows if square else draw(st.integers(1, 12))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    present = generator.random((rows, columns)) < draw(st.floats(0.0, 0.6))
    return np.where(present, generator.standard_normal((rows, columns)), 0.0)


@settings(max_examples=60, deadline=None)
@given(matrices(), st.sampled_from(["forward", "reverse", None]))
def test_any_pattern_of_a_jacobian(a: Any, mode: Any) -> None:
    point = np.linspace(-1.0, 1.0, a.shape[1])

    def f(x: Any) -> Any:
        return array_namespace(x).matmul(a, x)

    np.testing.assert_allclose(sparse_jacobian(f, a != 0, mode=mode)(point).toarray(), a, rtol=1e-12)
    rows, columns = np.nonzero(a)
    colors = np.asarray(color_columns(rows.tolist(), columns.tolist(), a.shape))
    for row in range(a.shape[0]):
        of_row = colors[columns[rows == row]]
        assert len(set(of_row)) == len(of_row)


@settings(max_examples=60, deadline=None)
@given(matrices(square=True))
def test_any_pattern_of_a_hessian(a: Any) -> None:
    symmetric = a + a.T

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        return 0.5 * xp.sum(x * xp.matmul(symmetric, x))

    point = np.linspace(-1.0, 1.0, len(a))
    np.testing.assert_allclose(sparse_hessian(f, a != 0)(point).toarray(), symmetric, rtol=1e-12, atol=1e-12)
    rows, columns = np.nonzero(symmetric)
    off = rows != columns
    neighbors = grouped(rows[off].tolist(), columns[off].tolist(), len(a))
    colors = star_coloring(neighbors)
    for p, around in enumerate(neighbors):  # every path p - q - r - s
        for q in around:
            assert colors[p] != colors[q]
            for r in set(neighbors[q]) - {p}:
                for s in set(neighbors[r]) - {p, q}:
                    assert len({colors[p], colors[q], colors[r], colors[s]}) > 2


def test_shapes_are_flattened_in_c_order(xp: Any) -> None:
    x = asarray(POINT.reshape(2, 3))

    def f(x: Any) -> Any:
        return array_namespace(x).matrix_transpose(x * x)

    expected = to_numpy(jacobian(f)(x)).reshape(6, 6)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(sparse_jacobian(f, mode=mode)(x).toarray(), expected, rtol=1e-6)


def test_coordinates_can_be_differentiated(xp: Any) -> None:
    x = asarray(POINT, "float64")
    pattern = three_diagonals(6)
    matrix = sparse_jacobian(diffusion, pattern, format="coo")(x)
    assert matrix.shape == (4, 6)
    dense = np.zeros((4, 6))
    dense[to_numpy(matrix.rows), to_numpy(matrix.columns)] = to_numpy(matrix.values)
    np.testing.assert_allclose(dense, to_numpy(jacobian(diffusion)(x)))

    def total(x: Any) -> Any:
        return array_namespace(x).sum(sparse_jacobian(diffusion, pattern, format="coo")(x).values ** 2)

    def of_dense(x: Any) -> Any:
        return array_namespace(x).sum(jacobian(diffusion)(x) ** 2)

    assert_close(grad(total)(x), to_numpy(grad(of_dense)(x)), dtype="float64")


def test_options(xp: Any) -> None:
    x, s = asarray(POINT), asarray(3.0)

    def f(s: Any, x: Any) -> Any:
        return s * diffusion(x), array_namespace(x).max(x)

    expected = 3.0 * to_numpy(jacobian(diffusion)(x))
    for chosen in ({"argnums": 1}, {"argnums": -1}, {"argnames": "x"}):
        matrix, aux = sparse_jacobian(f, has_aux=True, **chosen)(s, x)
        np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-6)
        assert_close(aux, 2.0)
    matrix, aux = sparse_hessian(lambda x: (rosenbrock(x), x), has_aux=True)(x)
    np.testing.assert_allclose(matrix.toarray(), to_numpy(hessian(rosenbrock)(x)), rtol=1e-5)
    assert_close(aux, POINT)
    assert len(jacobian_sparsity(lambda s, x: s * diffusion(x), argnames="x")(s, x)[0]) == 12


def test_empty_patterns(xp: Any) -> None:
    x = asarray([1.0, 2.0])
    for mode in ("forward", "reverse"):
        matrix = sparse_jacobian(lambda x: array_namespace(x).sign(x), mode=mode)(x)
        assert matrix.shape == (2, 2)
        assert matrix.nnz == 0
    assert sparse_hessian(lambda x: array_namespace(x).sum(x))(x).nnz == 0


def test_complex_values(xp: Any) -> None:
    z = asarray([1.0 + 2.0j, -0.5j, 0.3], "complex128")

    def f(z: Any) -> Any:
        return z[1:] ** 2 * z[:-1]

    expected = to_numpy(jacobian(f)(z))
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(sparse_jacobian(f, mode=mode)(z).toarray(), expected)


def test_probes_look_around_the_point(xp: Any) -> None:
    def f(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.where(x > 0.0, x * xp.flip(x), x**2)

    rows, columns = jacobian_sparsity(f, points=20)(asarray([0.0, 0.0]))  # every derivative is 0 there
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len(jacobian_sparsity(f, points=1)(asarray([0.0, 0.0]))[0]) == 0


def test_points_outside_of_the_domain_are_left_out() -> None:
    def f(x: Any) -> Any:
        if bool(array_namespace(x).any(x > 1.0)):
            raise ValueError("too large")
        return x * x

    assert len(jacobian_sparsity(f)(np.asarray([0.5, 0.9]))[0]) == 2
    with pytest.raises(ValueError, match="too large"):
        jacobian_sparsity(f)(np.asarray([0.5, 1.9]))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_elements_outside_of_the_pattern_are_noticed(mode: Any, xp: Any) -> None:
    rows, columns = three_diagonals(6)
    keep = (rows != 2) | (columns != 3)
    wrong = (rows[keep], columns[keep])
    with pytest.raises(
        ValueError, match=rf"not zero; mend `sparsity`.* in {'row 2' if mode == 'forward' else 'column 3'}"
    ):
        sparse_jacobian(diffusion, wrong, mode=mode)(asarray(POINT))
    sparse_jacobian(diffusion, wrong, mode=mode, verify=False)(asarray(POINT))


def test_a_pattern_found_elsewhere_is_noticed(xp: Any) -> None:
    def f(x: Any, n: int) -> Any:
        return x * array_namespace(x).roll(x, n)

    g = sparse_jacobian(f)
    g(asarray(POINT), 1)
    with pytest.raises(ValueError, match="the pattern was found at other arguments: pass `sparsity`"):
        g(asarray(POINT), 2)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match=r"`sparsity` of sparse_jacobian must have shape \(4, 6\).*\(4, 5\)"):
        sparse_jacobian(diffusion, np.ones((4, 5)))(POINT)
    with pytest.raises(ValueError, match=r"must have shape \(4, 6\). Received: larger indices"):
        sparse_jacobian(diffusion, ([7], [0]))(POINT)
    with pytest.raises(ValueError, match=r"must have shape .*6\). Received: larger indices"):
        sparse_jacobian(diffusion, ([0], [6]))(POINT)
    for sparsity in ("banded", ([0.5], [1]), ([0, 1], [1]), ([-1], [0]), np.ones(3)):
        with pytest.raises(ValueError, match=r"`sparsity` of sparse_hessian must be a matrix of scipy.sparse"):
            sparse_hessian(rosenbrock, sparsity)
    with pytest.raises(ValueError, match="`argnums` of sparse_jacobian must be one argument"):
        sparse_jacobian(diffusion, argnums=(0, 1))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"one floating-point array that returns one.*argument 0 of type dict"):
        sparse_jacobian(lambda d: d["x"])({"x": POINT})
    with pytest.raises(TypeError, match=r"one floating-point array that returns one.*a result of type list"):
        sparse_jacobian(lambda x: [x])(POINT)


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match=r"pip install .*\[scipy\]'; or use format='coo'"):
        sparse_jacobian(diffusion)(POINT)
    assert len(sparse_jacobian(diffusion, format="coo")(POINT).values) == 12


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_matrices_without_elements(mode: Any, xp: Any) -> None:
    x = asarray(POINT, "float32")
    matrix = sparse_jacobian(lambda x: x[:4] * 0.0, sparsity=np.zeros((4, 6)), mode=mode, format="coo")(x)
    assert (matrix.values.shape, matrix.rows.shape, matrix.shape) == ((0,), (0,), (4, 6))
    assert matrix.values.dtype == x.dtype
    assert device_of(matrix.values) == device_of(matrix.rows) == device_of(x)

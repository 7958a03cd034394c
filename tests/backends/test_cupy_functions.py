"""What we have in place of functions of CuPy gives what NumPy gives: on a GPU, and with a stand-in for CuPy."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import backend_class, use_backend
from tests.backends.cupy_standin import in_place_of_cupy, needs_compiler

GPU = backend_class("cupy").unavailable() is None


@pytest.fixture(params=["stand-in", pytest.param("gpu", marks=pytest.mark.skipif(not GPU, reason="needs a GPU"))])
def cupy(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "gpu":
        import cupy

        yield cupy
    else:
        with in_place_of_cupy() as stand_in:
            yield stand_in


@pytest.fixture
def xp(cupy: Any) -> types.ModuleType:
    from portanet.backends.cupy import namespace

    return namespace


def normal(*shape: int, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(3).standard_normal(shape).astype(dtype)


def same(result: Any, expected: Any, rtol: float = 1e-6) -> None:
    expected = np.asarray(expected)
    assert result.dtype == expected.dtype
    host = result.get() if hasattr(result, "get") else result  # compat's functions leave the stand-in
    np.testing.assert_allclose(host, expected, rtol=rtol, atol=rtol)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float16", "float32", "int32", "uint8", "complex64"])
def test_sign_and_clip(cupy: Any, xp: Any, dtype: str) -> None:
    integers = [-3, -1, 0, 2, 5] if dtype == "int32" else [0, 1, 2, 5, 255]
    values = integers if dtype in ("int32", "uint8") else [-3.5, -0.0, 0.0, 0.5, 7.25, np.nan]
    values += [np.inf, -np.inf] * dtype.startswith("float")
    host = np.asarray(values, dtype=dtype)
    x = cupy.asarray(host)
    with np.errstate(invalid="ignore"):
        same(xp.sign(x), np.sign(host))
    if dtype == "complex64":
        return
    for least, most in ((-1, 2), (None, 1), (-2, None), (None, None)):
        result = xp.clip(x, least, most)
        same(result, host if least is most is None else np.clip(host, 0 if dtype == "uint8" else least, most))
        assert result is not x
    bounds = np.asarray([0] * len(values), dtype=dtype)
    same(xp.clip(x, cupy.asarray(bounds), 3), np.clip(host, bounds, 3))
    if dtype in ("int32", "uint8"):
        same(xp.clip(x, -(2**40), 2**40), host)
        same(xp.clip(x, 0.0, 3.0), np.clip(host, 0, 3))


@needs_compiler
@pytest.mark.parametrize(("dtype", "count"), [("bool", 3), ("float16", 2), ("float32", 1), ("int64", 8), ("int32", 9)])
def test_concat_and_stack(cupy: Any, xp: Any, dtype: str, count: int) -> None:
    hosts = [(normal(2, 3 + k % 2, 2) * 9).astype(dtype) for k in range(count)]
    x = [cupy.asarray(host) for host in hosts]
    same(xp.concat(x, axis=1), np.concatenate(hosts, axis=1))
    same(xp.concat(x, axis=None), np.concatenate(hosts, axis=None))
    hosts = [host[:, :3] for host in hosts]
    x = [cupy.swapaxes(cupy.asarray(np.swapaxes(host, 0, 2).copy()), 0, 2) for host in hosts]  # not contiguous
    for axis in (0, 2, -1, -3):
        same(xp.concat(x, axis=axis), np.concatenate(hosts, axis=axis))
        same(xp.stack(x, axis=axis), np.stack(hosts, axis=axis))
    same(xp.stack([a[0, 0, 0] for a in x]), np.stack([host[0, 0, 0] for host in hosts]))


@needs_compiler
def test_concat_of_several_dtypes_of_nothing_and_of_other_shapes(cupy: Any, xp: Any, monkeypatch: Any) -> None:
    one, two = normal(2, 3, dtype="float32"), normal(2, 3)
    same(xp.concat([cupy.asarray(one), cupy.asarray(two)]), np.concatenate([one, two]))
    same(xp.concat([cupy.asarray(one[:0]), cupy.asarray(one[:0])]), one[:0])
    same(xp.concat([cupy.asarray(one[:0]), cupy.asarray(one)]), one)
    with pytest.raises(ValueError, match="equal shapes but for axis 0"):
        xp.concat([cupy.asarray(one), cupy.asarray(one[:, :2])])
    monkeypatch.setattr(xp.joining, "LARGE", 1)
    same(xp.concat([cupy.asarray(one), cupy.asarray(one)], axis=1), np.concatenate([one, one], axis=1))


def test_numbers_become_arrays_without_a_transfer(cupy: Any, xp: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(cupy, "asarray", None)
    monkeypatch.setattr(cupy, "array", None)
    for number in (True, 3, 2.5, 1j):
        same(xp.asarray(number), np.asarray(number))
        same(xp.asarray(number, dtype=xp.complex64), np.asarray(number, dtype="complex64"))


@needs_compiler
@pytest.mark.parametrize(("rows", "columns", "size"), [(0, 3, 4), (1, 1, 1), (40, 3, 7), (40, 0, 7), (5, 3, 100)])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rows_are_added_in_their_order(cupy: Any, xp: Any, rows: int, columns: int, size: int, dtype: str) -> None:
    from portanet.backends.cupy.indexing import index_add

    host = (normal(rows, columns) * 50).astype(dtype)
    index = np.random.default_rng(1).integers(0, size, rows).astype("int32")
    expected = np.zeros((size, columns), dtype="float32" if dtype == "float16" else dtype)
    for row, place in zip(host, index, strict=True):
        expected[place] += row
    result = index_add(cupy.asarray(host), cupy.asarray(index), size)
    np.testing.assert_array_equal(result.get(), expected.astype(dtype))
    turned = cupy.asarray(host.T.copy()).T
    np.testing.assert_array_equal(index_add(turned, cupy.asarray(index), size).get(), expected.astype(dtype))


@needs_compiler
@pytest.mark.parametrize("shape", [(2000, 33), (9, 300, 5, 8), (3, 40000), (70000, 2), (65536,)])
def test_sums_and_means(cupy: Any, xp: Any, shape: tuple[int, ...], monkeypatch: Any) -> None:
    host = normal(*shape, dtype="float32")
    x, launched = cupy.asarray(host), []
    monkeypatch.setattr(xp.sums, "sum_leading", lambda *args, f=xp.sums.sum_leading: launched.append(1) or f(*args))
    for axis in (0, -1, (0, 1), (1, 0), (0, 2), None):
        if axis is not None and np.max(axis) >= len(shape):
            continue
        launched.clear()
        for keepdims in (False, True):
            same(xp.sum(x, axis=axis, keepdims=keepdims), np.sum(host, axis=axis, keepdims=keepdims), 2e-4)
            same(xp.mean(x, axis=axis, keepdims=keepdims), np.mean(host, axis=axis, keepdims=keepdims))
        leading = axis == 0 or (axis in ((0, 1), (1, 0)) and len(shape) > 2)
        assert bool(launched) == (leading and shape[-1] not in (2, 65536))
    same(xp.sum(x, axis=0, dtype=xp.float64), np.sum(host, axis=0, dtype="float64"))
    same(xp.sum(cupy.asarray([1, 2], dtype="int32")), np.asarray(3))


@needs_compiler
@pytest.mark.parametrize("axis", [0, -1])
def test_cumulative_sums_and_products(cupy: Any, xp: Any, axis: int) -> None:
    import array_api_compat.numpy as standard

    host = normal(3, 4, dtype="float32")
    for name in ("cumulative_sum", "cumulative_prod"):
        for options in ({}, {"include_initial": True}, {"include_initial": True, "dtype": np.float64}):
            expected = getattr(standard, name)(host, axis=axis, **options)
            same(getattr(xp, name)(cupy.asarray(host), axis=axis, **options), expected)
        same(
            getattr(xp, name)(cupy.asarray(host[0]), include_initial=True),
            getattr(standard, name)(host[0], include_initial=True),
        )


# Linear algebra: every function of the standard, over shapes

STACKS = [(), (2,), (2, 3), (1, 3)]


def square(lead: tuple[int, ...], n: int = 3) -> np.ndarray:
    return normal(*lead, n, n) + 4 * np.eye(n)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(STACKS, STACKS)))
def test_solve_reads_shapes_as_numpy_does(cupy: Any, xp: Any, a: Any, b: Any) -> None:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        pytest.skip("these stacks do not broadcast")
    matrices = square(a)
    for right in (normal(*b, 3, 2), normal(3), normal(*b, 3, 3)):
        same(xp.linalg.solve(cupy.asarray(matrices), cupy.asarray(right)), np.linalg.solve(matrices, right))


def definite(lead: tuple[int, ...]) -> np.ndarray:
    x = square(lead)
    return x @ np.swapaxes(x, -1, -2)


LINALG: dict[str, tuple[Callable[..., Any], Callable[[tuple[int, ...]], list[np.ndarray]]]] = {
    "cholesky": (lambda la, x: la.cholesky(x), lambda lead: [definite(lead)]),
    "cross": (lambda la, x, y: la.cross(x, y), lambda lead: [normal(*lead, 3), normal(3)]),
    "det": (lambda la, x: la.det(x), lambda lead: [square(lead)]),
    "diagonal": (lambda la, x: la.diagonal(x, offset=1), lambda lead: [normal(*lead, 3, 4)]),
    "eigh": (lambda la, x: la.eigh(x)[0], lambda lead: [definite(lead)]),
    "eigvalsh": (lambda la, x: la.eigvalsh(x), lambda lead: [definite(lead)]),
    "inv": (lambda la, x: la.inv(x), lambda lead: [square(lead)]),
    "matmul": (lambda la, x, y: la.matmul(x, y), lambda lead: [normal(*lead, 2, 3), normal(3, 4)]),
    "matmul of a vector": (lambda la, x, y: la.matmul(x, y), lambda lead: [normal(3), normal(*lead, 3, 4)]),
    "matrix_norm": (lambda la, x: la.matrix_norm(x, keepdims=True), lambda lead: [normal(*lead, 3, 4)]),
    "matrix_norm, nuclear": (lambda la, x: la.matrix_norm(x, ord="nuc"), lambda lead: [normal(*lead, 3, 4)]),
    "matrix_norm, 2": (lambda la, x: la.matrix_norm(x, ord=2), lambda lead: [normal(*lead, 3, 4)]),
    "matrix_power": (lambda la, x: la.matrix_power(x, -2), lambda lead: [square(lead)]),
    "matrix_rank": (lambda la, x: la.matrix_rank(x), lambda lead: [normal(*lead, 3, 4)]),
    "matrix_transpose": (lambda la, x: la.matrix_transpose(x), lambda lead: [normal(*lead, 3, 4)]),
    "outer": (lambda la, x, y: la.outer(x, y), lambda lead: [normal(3), normal(4)]),
    "pinv": (lambda la, x: la.pinv(x), lambda lead: [normal(*lead, 3, 4)]),
    "qr": (lambda la, x: abs(la.qr(x)[1]), lambda lead: [normal(*lead, 4, 3)]),
    "slogdet": (lambda la, x: la.slogdet(x)[1], lambda lead: [square(lead)]),
    "svd": (lambda la, x: la.svd(x, full_matrices=False)[1], lambda lead: [normal(*lead, 3, 4)]),
    "svdvals": (lambda la, x: la.svdvals(x), lambda lead: [normal(*lead, 4, 3)]),
    "tensordot": (lambda la, x, y: la.tensordot(x, y, axes=1), lambda lead: [normal(*lead, 3), normal(3, 4)]),
    "tensordot of no axis": (lambda la, x, y: la.tensordot(x, y, axes=0), lambda lead: [normal(*lead, 3), normal(2)]),
    "tensordot of axes": (
        lambda la, x, y: la.tensordot(x, y, axes=((-1, -2), (0, 2))),
        lambda lead: [normal(*lead, 3, 4), normal(4, 2, 3)],
    ),
    "trace": (lambda la, x: la.trace(x), lambda lead: [normal(*lead, 3, 4)]),
    "vecdot": (lambda la, x, y: la.vecdot(x, y), lambda lead: [normal(*lead, 3), normal(3)]),
    "vecdot of complex": (lambda la, x, y: la.vecdot(x, y), lambda lead: [normal(*lead, 3) + 1j, normal(3) - 2j]),
    "vecdot of an axis": (lambda la, x, y: la.vecdot(x, y, axis=-2), lambda lead: [normal(*lead, 3, 2)] * 2),
    "vector_norm": (lambda la, x: la.vector_norm(x, axis=-1), lambda lead: [normal(*lead, 3)]),
    "vector_norm of all": (lambda la, x: la.vector_norm(x, ord=1, keepdims=True), lambda lead: [normal(*lead, 3)]),
}


@pytest.mark.parametrize("name", LINALG)
def test_functions_of_linear_algebra_read_shapes_as_numpy_does(cupy: Any, xp: Any, name: str) -> None:
    import array_api_compat.numpy as standard

    function, arrays = LINALG[name]
    for lead in STACKS:
        hosts = arrays(lead)
        same(function(xp.linalg, *map(cupy.asarray, hosts)), function(standard.linalg, *hosts))


def test_every_function_of_linear_algebra_is_compared() -> None:
    import array_api_strict

    standard = {name for name in array_api_strict.linalg.__all__ if name.islower() and name != "solve"}
    assert standard - {name.partition(",")[0].partition(" of ")[0] for name in LINALG} <= {"eig", "eigvals"}


def test_arrays_in_page_locked_memory_may_be_changed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """CuPy copies these from where they are, at some later time."""
    x = np.ones(3, dtype="float32")
    with in_place_of_cupy() as cupy, use_backend("cupy"):
        from portanet.backends.cupy import namespace

        stream = cupy.cuda.get_current_stream()
        for page_locked in (False, True):
            monkeypatch.setattr(cupy.cuda.runtime, "page_locked", {x.ctypes.data} if page_locked else set())
            for send in (portanet.asarray, namespace.asarray):
                before = stream.waits
                assert float(send(x).get().sum()) == 3
                assert (stream.waits > before) == page_locked

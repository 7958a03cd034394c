"""Writes through views: values and derivatives are those of the same program on plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portanet import use_backend
from portanet.autodiff import TraceError, array_namespace, grad, hessian, jvp, lift, value_and_grad
from portanet.autodiff.views import remember
from portanet.backends import Backend
from tests.autodiff.programs import program
from tests.support import asarray, assert_close, to_numpy

POINT = np.random.default_rng(0).normal(size=(3, 4)) * 0.5
DIRECTION = np.random.default_rng(1).normal(size=(3, 4))
STEP = 1e-6
VIEWS: dict[str, Callable[[Any, Any], Any]] = {
    "getitem": lambda xp, z: z[1, :],
    "column": lambda xp, z: z[:, -1],
    "steps": lambda xp, z: z[::-1, ::2],
    "new axis": lambda xp, z: z[None, :, 1],
    "element": lambda xp, z: z[1, 1, ...],
    "of a view": lambda xp, z: xp.reshape(z[1:, :], (-1,))[2:][::3],
    "reshape": lambda xp, z: xp.reshape(z, (4, 3))[1, :],
    "T": lambda xp, z: z.T[0, :],
    "mT": lambda xp, z: z.mT[0, :],
    "matrix_transpose": lambda xp, z: xp.linalg.matrix_transpose(z)[2, :],
    "permute_dims": lambda xp, z: xp.permute_dims(xp.reshape(z, (3, 2, 2)), (2, 0, 1))[0, :, :],
    "moveaxis": lambda xp, z: xp.moveaxis(z, 0, 1)[3, :],
    "expand_dims": lambda xp, z: xp.expand_dims(z, axis=1)[0, :, :],
    "squeeze": lambda xp, z: xp.squeeze(z[:1, :], axis=0),
    "unstack": lambda xp, z: xp.unstack(z, axis=1)[2],
    "iteration": lambda xp, z: list(z)[1],
    "broadcast_arrays": lambda xp, z: xp.broadcast_arrays(z, z[0, :])[0],
    "asarray": lambda xp, z: xp.asarray(z),
    "astype": lambda xp, z: xp.astype(z, z.dtype, copy=False),
}
COPIES: dict[str, Callable[[Any, Any], Any]] = {
    "asarray": lambda xp, z: xp.asarray(z, copy=True),
    "astype": lambda xp, z: xp.astype(z, z.dtype),
    "mask": lambda xp, z: z[z == z],
    "take": lambda xp, z: xp.take(z, xp.asarray([0, 1], device=z.device), axis=1),
    "clip": lambda xp, z: xp.clip(z),
    "tile": lambda xp, z: xp.tile(z, (1, 1)),
    "reshape": lambda xp, z: xp.reshape(z, z.shape, copy=True),
}


def has_views(backend: Backend) -> bool:
    return backend.name in ("numpy", "cupy", "torch")


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_programs(seed: int) -> None:
    f = program(seed)
    with np.errstate(all="ignore"):
        want = f(POINT.copy())
        slope = (f(POINT + STEP * DIRECTION) - f(POINT - STEP * DIRECTION)) / (2 * STEP)
        if not abs(want) < 1e3:
            return
        x = POINT.copy()
        try:
            value, gradient = value_and_grad(f)(x)
            forward, tangent = jvp(f, (x,), (DIRECTION,))
        except TraceError as error:
            if "from outside" not in str(error):
                raise
            return
    scale = 1.0 + abs(want) + abs(slope)
    assert np.array_equal(x, POINT)
    assert abs(value - want) < 1e-9 * scale
    assert abs(forward - want) < 1e-9 * scale
    assert abs(np.sum(gradient * DIRECTION) - slope) < 1e-4 * scale
    assert abs(tangent - slope) < 1e-4 * scale


@given(st.integers(0, 10**9))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_random_programs_twice(seed: int) -> None:
    """Forward over reverse and reverse over reverse, against differences of gradients."""
    f = program(seed, length=6)

    def slope(x: Any) -> Any:
        return array_namespace(x).sum(grad(f)(x) * DIRECTION)

    with np.errstate(all="ignore"):
        if not abs(f(POINT.copy())) < 1e2:
            return
        try:
            want = (grad(f)(POINT + STEP * DIRECTION) - grad(f)(POINT - STEP * DIRECTION)) / (2 * STEP)
            tangent = jvp(grad(f), (POINT,), (DIRECTION,))[1]
            reverse = grad(slope)(POINT)
        except TraceError as error:
            if "from outside" not in str(error):
                raise
            return
    scale = 1.0 + np.max(np.abs(want))
    assert np.max(np.abs(tangent - want)) < 1e-4 * scale
    assert np.max(np.abs(reverse - want)) < 1e-4 * scale


def through(view: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """Three writes through a view, before and after which the whole is read."""

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = x * 2.0
        part = view(xp, z)
        total = xp.sum(part * part)
        part[...] = part * part
        part += 1.0
        part *= 0.5
        z[0, 0] = 3.0 * z[0, 1]
        return total + xp.sum(z * z * z) + xp.sum(part)

    return f


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view(backend: Backend, xp: Any, name: str) -> None:
    f = through(VIEWS[name])
    x = asarray(POINT)
    if name in ("asarray", "astype") and not has_views(backend):
        pytest.skip("the same array")
    if name == "steps" and backend.name == "torch":
        pytest.skip("no negative steps in PyTorch")
    if not has_views(backend):
        with pytest.raises(TraceError, match=r"test_views\.py:\d+ wrote to an array that shares memory"):
            grad(f)(x)
        return
    with use_backend("numpy", dtype="float64"):
        want = grad(f)(POINT)
        slope = (f(POINT + STEP * DIRECTION) - f(POINT - STEP * DIRECTION)) / (2 * STEP)
        assert abs(np.sum(want * DIRECTION) - slope) < 1e-5 * (1 + abs(slope))
    assert_close(grad(f)(x), want, rtol=1e-4)
    assert_close(jvp(f, (x,), (asarray(DIRECTION),))[1], np.sum(want * DIRECTION), rtol=1e-4)
    assert_close(value_and_grad(f)(x)[0], f(POINT), rtol=1e-4)


@pytest.mark.parametrize("name", sorted(COPIES))
def test_copies_stay_copies(xp: Any, name: str) -> None:
    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = x * 2.0
        part = COPIES[name](xp, z)
        part[...] = 0.0 * part
        return xp.sum(z * z) + xp.sum(part)

    assert_close(grad(f)(asarray(POINT)), 8.0 * POINT, rtol=1e-4)


def test_covariances_keep_their_regularization(backend: Backend, xp: Any) -> None:
    """The pattern of scikit-learn's GaussianMixture: rows of a new array are passed to a function that writes."""

    def regularize(matrix: Any, value: float) -> None:
        for i in range(matrix.shape[0]):
            matrix[i, i] += value

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        covariances = xp.empty((2, 4, 4), dtype=x.dtype, device=backend.device)
        for k in range(2):
            centered = x - (k + 1.0) * xp.mean(x, axis=0)
            covariances[k, :, :] = centered.T @ centered
            regularize(covariances[k, :, :], 0.5)
        return xp.sum(xp.linalg.slogdet(covariances)[1])

    x = asarray(POINT)
    if not has_views(backend):
        with pytest.raises(TraceError, match=r"test_views\.py:\d+ wrote to an array that shares memory"):
            grad(f)(x)
        return

    def expected(x: Any) -> float:
        parts = [x - (k + 1.0) * np.mean(x, axis=0) for k in range(2)]
        return sum(float(np.linalg.slogdet(c.T @ c + 0.5 * np.eye(4))[1]) for c in parts)

    value, slope = value_and_grad(f)(x)
    assert_close(value, expected(POINT), rtol=1e-4)
    difference = (expected(POINT + STEP * DIRECTION) - expected(POINT - STEP * DIRECTION)) / (2 * STEP)
    assert np.isclose(np.sum(to_numpy(slope) * DIRECTION), difference, rtol=1e-4)


def test_complex_parts(backend: Backend) -> None:
    if not has_views(backend):
        pytest.skip("has no views")

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = xp.astype(x, xp.complex128) * (1.0 + 2.0j)
        real, imag = xp.real(z), xp.imag(z)
        real += imag * imag
        imag[0] = 3.0 * real[1]
        return xp.sum(xp.abs(z * z))

    x = np.asarray([0.3, -0.7, 1.1])
    slope = [(f(x + STEP * e) - f(x - STEP * e)) / (2 * STEP) for e in np.eye(3)]
    with use_backend(backend.name, dtype="float64"):
        got = grad(f)(asarray(x))
    assert np.allclose(to_numpy(got), slope, rtol=1e-5)


def test_views_of_arguments(backend: Backend, xp: Any) -> None:
    """In-place operators change what the function sees, never the caller's array; items cannot be set."""

    def f(x: Any) -> Any:
        row = x[0, :]
        row += 1.0
        return array_namespace(x).sum(x * x)

    def g(x: Any) -> Any:
        row = x[0, :]
        row[0] = 1.0
        return array_namespace(x).sum(row)

    x = asarray(POINT)
    if has_views(backend):
        moved = POINT.copy()
        moved[0] += 1.0
        assert_close(grad(f)(x), 2 * moved, rtol=1e-4)
    else:
        with pytest.raises(TraceError, match="shares memory"):
            grad(f)(x)
    with pytest.raises(TraceError, match=r"came from outside.*a view of one"):
        grad(g)(x)
    assert_close(x, POINT, rtol=1e-4)


def test_read_only_views() -> None:
    def f(x: Any, view: Callable[[Any, Any], Any]) -> Any:
        xp = array_namespace(x)
        part = view(xp, x * 2.0)
        part += 1.0
        return xp.sum(part)

    for view in (lambda xp, z: xp.broadcast_to(z, (2, 3, 4)), lambda xp, z: xp.linalg.diagonal(z)):
        with pytest.raises(ValueError, match="read-only"):
            f(POINT, view)
        with pytest.raises(ValueError, match=r"result of .* is read-only"):
            grad(lambda x, view=view: f(x, view))(POINT)


def test_in_place_operators_keep_shape_and_dtype(backend: Backend, xp: Any) -> None:
    def widened(x: Any) -> Any:
        y = array_namespace(x).sum(x, axis=0)
        y += x
        return array_namespace(x).sum(y)

    def to_float(x: Any) -> Any:
        n = array_namespace(x).zeros((3, 4), dtype=array_namespace(x).int64, device=x.device)
        n += x
        return array_namespace(x).sum(x)

    if backend.name == "jax":
        return
    with pytest.raises(ValueError, match="cannot change the shape"):
        grad(widened)(asarray(POINT))
    with pytest.raises(TypeError):
        grad(to_float)(asarray(POINT))


def test_in_place_operators_on_items(xp: Any) -> None:
    """`x[key] += y` is defined in every library."""

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = x * x
        z[0, :] += 1.0
        z[:, 1] *= x[:, 0]
        z[1, 1] += z[0, 0]
        z[2, 1:] -= z[0, 1:]
        return xp.sum(z * z)

    want = [(f(POINT + STEP * e) - f(POINT - STEP * e)) / (2 * STEP) for e in np.eye(12).reshape(12, 3, 4)]
    assert np.allclose(to_numpy(grad(f)(asarray(POINT))).ravel(), want, rtol=1e-3, atol=1e-4)


def test_many_views_of_one_array_are_forgotten() -> None:
    kept: list[int] = []

    def f(x: Any) -> Any:
        z = x * 2.0
        total = z[0, 0]
        for _ in range(100):
            total = total + z[1, 1] * array_namespace(x).sum(z[1, :])
        kept.append(len(z._views))
        return total

    grad(f)(POINT)
    assert kept[0] < 40


class Counted(list[Any]):
    """A list that knows how many of its entries were looked at."""

    looks = 0

    def __iter__(self) -> Any:
        self.looks += len(self)
        return super().__iter__()


def test_each_view_costs_a_constant_number_of_looks() -> None:
    references, alive = Counted(), [lift(POINT) for _ in range(1000)]
    for view in alive:
        remember(references, view)
    assert [reference() for reference in references] == alive
    assert references.looks <= 3 * len(alive)


def test_second_derivatives_through_views(backend: Backend, xp: Any) -> None:
    if not has_views(backend):
        pytest.skip("has no views")

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = xp.stack([x, x * x])
        row = z[1, :]
        row *= x
        z.T[0, :] *= 2.0
        return xp.sum(z * z)

    x = asarray([1.0, 2.0])
    # z = [[2 x0, x1], [2 x0^3, x1^3]]
    assert_close(hessian(f)(x), [[8 + 120.0, 0.0], [0.0, 2 + 30 * 16.0]], rtol=1e-4)

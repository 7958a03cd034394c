"""`vmap`: axes, trees, nesting, writes, indexing, and what is refused."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import array_api_extra as xpx
import numpy as np
import pytest

from portanet import autodiff
from portanet.autodiff import (
    TraceError,
    array_namespace,
    checkpoint,
    grad,
    hessian,
    is_traced,
    jacobian,
    jvp,
    stop_gradient,
    vjp,
    vmap,
)
from tests.autodiff.test_views import has_views
from tests.support import asarray, to_numpy

RNG = np.random.default_rng(0)
X, Y, W = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=3)


def double(x: Any) -> Any:
    return asarray(x, np.asarray(x).dtype.name)


def close(value: Any, expected: Any) -> None:
    assert not is_traced(value)
    np.testing.assert_allclose(to_numpy(value), expected, rtol=1e-10, atol=1e-12)


def f(w: Any, x: Any) -> Any:
    xp = array_namespace(w, x)
    return xp.sum(xp.sin(w * x)) * xp.max(w * x) + xp.linalg.vector_norm(w + x)


def loop(function: Any, *columns: Any) -> Any:
    return np.stack([to_numpy(function(*map(double, row))) for row in zip(*columns, strict=True)])


def test_nesting_in_every_order(xp: Any) -> None:
    w, x, v = double(W), double(X), double(Y)
    over_x = vmap(f, (None, 0))

    def total(w: Any) -> Any:
        return array_namespace(w).sum(over_x(w, x) ** 2)

    def total_by_loop(w: Any) -> Any:
        return sum(f(w, double(row)) ** 2 for row in X)

    close(vmap(grad(f))(v, x), loop(grad(f), Y, X))
    close(vmap(hessian(f))(v, x), loop(hessian(f), Y, X))
    close(vmap(jacobian(grad(f), mode="reverse"))(v, x), loop(hessian(f), Y, X))
    close(grad(total)(w), to_numpy(grad(total_by_loop)(w)))
    close(hessian(total)(w), to_numpy(hessian(total_by_loop)(w)))
    close(jvp(grad(total), (w,), (w,))[1], to_numpy(jvp(grad(total_by_loop), (w,), (w,))[1]))
    close(vmap(grad(total))(v), loop(grad(total_by_loop), Y))
    close(vmap(vmap(f, (None, 0)), (0, None))(v, x), [[float(f(double(a), double(b))) for b in X] for a in Y])
    both = vmap(vmap(grad(f), (None, 0)), (0, None))(v, x)
    close(both, np.stack([loop(lambda b, a=a: grad(f)(double(a), b), X) for a in Y]))

    def of_gradients(w: Any) -> Any:
        return array_namespace(w).sum(vmap(grad(f), (None, 0))(w, x) ** 3)

    def of_gradients_by_loop(w: Any) -> Any:
        return sum(array_namespace(w).sum(grad(f)(w, double(row)) ** 3) for row in X)

    close(grad(of_gradients)(w), to_numpy(grad(of_gradients_by_loop)(w)))
    close(vmap(grad(of_gradients))(v), loop(grad(of_gradients_by_loop), Y))


def test_pullbacks_and_tangents_in_a_batch(xp: Any) -> None:
    """The cotangents are batched, and the recording is not."""

    def g(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.cumulative_sum(xp.sin(x) * xp.sum(x)) @ xp.linalg.inv(xp.expand_dims(x, axis=0) + 3.0 * eye)

    x, eye = double(W), xp.eye(3, dtype=xp.float64, device=double(W).device)
    expected = to_numpy(jacobian(g)(x))
    _, pullback = vjp(g, x)
    close(vmap(lambda t: pullback(t, retain=True)[0])(eye), expected)
    close(vmap(lambda t: jvp(g, (x,), (t,))[1], out_axes=1)(eye), expected)


def test_levels_are_not_confused(xp: Any) -> None:
    one, x = double(1.0), double(W)
    close(vmap(lambda x: grad(lambda y: x * y)(one))(x), W)
    close(vmap(lambda x: 0 * x + grad(lambda y: x * x)(one))(x), 0 * W)
    product = vmap(lambda x: vmap(lambda y: x * y)(x))
    close(product(double(X)), X[:, :, None] * X[:, None, :])
    close(vmap(lambda a: vmap(lambda b: vmap(lambda c: a * b + c)(x))(x))(x), W[:, None, None] * W[:, None] + W)


class Pair(NamedTuple):
    first: Any
    second: Any


def test_axes_and_trees(xp: Any) -> None:
    x, w = double(X), double(W)
    close(vmap(lambda x: x[0])(x), X[:, 0])
    close(vmap(lambda x: x[0], 1)(x), X[0])
    close(vmap(lambda x: x, -1, 1)(x), X)
    close(vmap(lambda x: x + 1.0, -1)(x[0, :]), X[0] + 1.0)
    close(vmap(lambda x: x, 1, -1)(x), X)
    tree = {"a": x, "b": [w, double(X.T.copy())]}
    out = vmap(lambda t: Pair(t["a"] * t["b"][0], t["b"][1]), ({"a": 0, "b": [None, 1]},), Pair(1, 0))(tree)
    close(out.first, (X * W).T)
    close(out.second, X)
    close(vmap(lambda x, *, y: x + y)(x, y=double(Y)), X + Y)
    assert vmap(lambda x, *, flag: x if flag else None)(x, flag=True).shape == (4, 3)
    close(vmap(lambda x: 2.0)(x), np.full(4, 2.0))
    close(vmap(lambda x: w, out_axes=None)(x), W)
    close(vmap(lambda x: w)(x), np.stack([W] * 4))
    assert vmap(lambda x: None)(x) is None


def test_empty_batches(xp: Any) -> None:
    empty = double(np.zeros((0, 3)))
    close(vmap(f, (None, 0))(double(W), empty), np.zeros(0))
    close(vmap(grad(f), (0, 0))(empty, empty), np.zeros((0, 3)))
    close(vmap(lambda x: array_namespace(x).reshape(x, (-1, 1)))(empty), np.zeros((0, 3, 1)))
    close(vmap(lambda x: x[1:])(empty), np.zeros((0, 2)))


def test_control_flow_and_conversions_are_refused(xp: Any) -> None:
    x = double(W)
    for function in (
        lambda x: x if x > 0 else -x,
        lambda x: x * float(x),
        lambda x: x * int(x),
        lambda x: np.asarray(x),
        lambda x: x[: x.__index__()],
    ):
        with pytest.raises(TraceError, match="one per example"):
            vmap(function)(x)
    with pytest.raises(TraceError, match=r"xp.where"):
        vmap(grad(lambda x: x if x > 0 else -x))(x)
    for function in (np.sin, np.sum, math.sin):
        with pytest.raises(TraceError, match=r"one per example.* at .*test_vmap\.py:\d+$"):
            vmap(lambda x, function=function: function(x))(x)
    with pytest.raises(TraceError, match="one per example"), autodiff.allow_conversion():
        vmap(lambda x: x * float(x))(x)


def test_leaked_arrays_are_refused(xp: Any) -> None:
    kept = []
    vmap(lambda x: kept.append(x) or x)(double(W))
    with pytest.raises(TraceError, match="after its function had returned"):
        kept[0] + 1
    with pytest.raises(TraceError, match="after its function had returned"):
        bool(kept[0])


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ((0, None), "one per example|nothing"),
        ((1, 0), r"same size.*3 for argument 0, 4 for argument 1"),
        ((0, 2), "argument 1 has no axis 2"),
        ((0,), "one entry per positional argument"),
        ((None, None), "at least one array"),
        ((0, "a"), "must be integers"),
        (({"a": 0}, 0), "a tree like argument 0"),
    ],
)
def test_axes_that_do_not_fit(xp: Any, axes: Any, message: str) -> None:
    if axes == (0, None):
        vmap(lambda x, y: x + y[0, :], axes)(double(X), double(Y))
        return
    with pytest.raises((ValueError, TypeError), match=message):
        vmap(lambda x, y: x, axes)(double(X), double(Y))


def test_results_that_do_not_fit(xp: Any) -> None:
    x = double(X)
    with pytest.raises(ValueError, match="out_axes=None is for results"):
        vmap(lambda x: x, out_axes=None)(x)
    with pytest.raises(ValueError, match="out_axes must be an axis"):
        vmap(lambda x: x, out_axes=2)(x)
    with pytest.raises(TypeError, match="must return arrays"):
        vmap(lambda x: "text")(x)
    with pytest.raises(IndexError, match="out of bounds"):
        vmap(lambda x: array_namespace(x).sum(x, axis=1))(x)
    with pytest.raises(IndexError, match="out of bounds"):
        vmap(lambda x: array_namespace(x).sum(x, axis=-2))(x)
    with pytest.raises(ValueError, match="at least 2 axes"):
        vmap(lambda x: array_namespace(x).linalg.inv(x))(double(np.zeros((3, 3))))
    with pytest.raises(ValueError, match=r"xp.where\(mask"):
        vmap(lambda x: x[x > 0])(x)


def test_writes(xp: Any) -> None:
    def fill(x: Any) -> Any:
        xp = array_namespace(x)
        out = xp.zeros((2, 3), dtype=x.dtype, device=x.device)
        out[0, :] = x * x
        out[1, 1] = xp.sum(x)
        out += xp.sin(x)
        level = xp.full((3,), x[0])
        level[1] += x[2]
        out[1, :] *= level
        row = xp.asarray(x, copy=True)
        row *= 2.0
        row[row > 0.5] = 0.1
        row[1:] -= x[:2]
        return xp.sum(out * row)

    close(vmap(fill)(double(X)), np.stack([fill(row) for row in X]))  # JAX's arrays cannot be written to outside
    close(vmap(grad(fill))(double(X)), loop(grad(fill), X))
    total = grad(lambda x: array_namespace(x).sum(vmap(fill)(x)))
    close(total(double(X)), loop(grad(fill), X))
    close(vmap(hessian(fill))(double(X)), loop(hessian(fill), X))

    def at(x: Any) -> Any:
        return xpx.at(x)[1].set(x[0] ** 2, copy=True) + xpx.at(x)[:2].add(1.0, copy=True)

    close(vmap(at)(double(X)), loop(at, X))
    with pytest.raises(TraceError, match="cannot be written to"):
        vmap(lambda x: x.__setitem__(0, 1.0))(double(X))


def test_writes_through_views(backend: Any) -> None:
    if not has_views(backend):
        pytest.skip("has no views")

    def rows(x: Any) -> Any:
        out = array_namespace(x).asarray(x, copy=True)
        out = array_namespace(x).reshape(out, (3, 2))
        row = out[1, :]
        row += x[:2]
        out.T[0, 2] = x[5] * 3.0
        return out * row[0]

    x = np.arange(24.0).reshape(4, 6)
    close(vmap(rows)(double(x)), loop(rows, x))
    close(vmap(jacobian(rows))(double(x)), loop(jacobian(rows), x))


M = RNG.normal(size=(4, 3, 5))
ROWS, COLUMNS = RNG.integers(-3, 3, size=(4, 2)), RNG.integers(-5, 5, size=(4, 2))


@pytest.mark.parametrize(
    "index",
    [
        lambda m, i, j: m[i, j],
        lambda m, i, j: m[i[0], j[1]],
        lambda m, i, j: m[i[0], ...],
        lambda m, i, j: m[..., j[0]],
        lambda m, i, j: m[:, j],
        lambda m, i, j: m[i, 1:4],
        lambda m, i, j: m[i, None, ::2],
        lambda m, i, j: m[1, j],
        lambda m, i, j: m[i[:, None], j[None, :]],
        lambda m, i, j: m[None, i, :, None],
    ],
)
def test_batched_integers_as_an_index(backend: Any, index: Any) -> None:
    if backend.name == "strict":
        pytest.skip("plain arrays of array-api-strict refuse most of these")
    m, i, j = double(M), double(ROWS), double(COLUMNS)
    expected = np.stack([index(*row) for row in zip(M, ROWS, COLUMNS, strict=True)])
    close(vmap(index)(m, i, j), expected)
    close(
        vmap(index, (None, 0, 0))(m[0, ...], i, j),
        np.stack([index(M[0], *row) for row in zip(ROWS, COLUMNS, strict=True)]),
    )
    close(
        vmap(index, (0, None, None))(m, i[0, ...], j[0, ...]), np.stack([index(row, ROWS[0], COLUMNS[0]) for row in M])
    )

    def squares(m: Any, i: Any, j: Any) -> Any:
        return array_namespace(m).sum(index(m, i, j) ** 2)

    by_loop = [
        to_numpy(grad(squares)(double(a), double(b), double(c))) for a, b, c in zip(M, ROWS, COLUMNS, strict=True)
    ]
    close(vmap(grad(squares))(m, i, j), by_loop)
    close(grad(lambda m: array_namespace(m).sum(vmap(squares)(m, i, j)))(m), by_loop)
    close(vmap(grad(squares), (0, None, None))(m, i[0, ...], j[0, ...])[0, ...], by_loop[0])


def test_batched_integers_on_strict(xp: Any) -> None:
    m, i, j = double(M), double(ROWS), double(COLUMNS)
    close(vmap(lambda m, i, j: m[i, j])(m, i, j), np.stack([a[b, c] for a, b, c in zip(M, ROWS, COLUMNS, strict=True)]))
    close(vmap(lambda m, i: m[i[0], ...])(m, i), np.stack([a[b[0]] for a, b in zip(M, ROWS, strict=True)]))
    for axis in (0, 1, -2):
        take = lambda m, i, axis=axis: array_namespace(m, i).take(m, i, axis=axis)
        close(vmap(take)(m, i), np.stack([np.take(a, b, axis) for a, b in zip(M, ROWS, strict=True)]))
        close(vmap(take, (None, 0))(m[0, ...], i), np.stack([np.take(M[0], b, axis) for b in ROWS]))


@pytest.mark.parametrize(
    "key",
    [
        lambda i, j: (i, j),
        lambda i, j: (i[0], slice(None)),
        lambda i, j: (slice(None), j[0]),
        lambda i, j: (i[0], slice(1, 3)),
        lambda i, j: (1, j),
    ],
)
def test_writes_at_batched_integers(backend: Any, key: Any) -> None:
    if backend.name == "strict":
        pytest.skip("plain arrays of array-api-strict refuse most of these")

    def write(m: Any, i: Any, j: Any, v: Any) -> Any:
        out = array_namespace(m, v).asarray(m * 2.0, copy=True)
        out[key(i, j)] = v
        return out

    v = RNG.normal(size=4)
    expected = []
    for a, b, c, d in zip(M, ROWS, COLUMNS, v, strict=True):
        part = a * 2.0
        part[key(b, c)] = d
        expected.append(part)
    close(vmap(write)(double(M), double(ROWS), double(COLUMNS), double(v)), np.stack(expected))
    squares = vmap(grad(lambda v, m, i, j: array_namespace(v).sum(write(m, i, j, v) ** 2)))
    columns = (v, M, ROWS, COLUMNS)
    gradient = grad(lambda v, m, i, j: array_namespace(v).sum(write(m, i, j, v) ** 2))
    close(squares(*map(double, columns)), loop(gradient, *columns))


def test_checkpoint_and_stop_gradient(xp: Any) -> None:
    block = checkpoint(lambda x: array_namespace(x).sin(x) * x)
    function = lambda x: array_namespace(x).sum(block(block(x)) * stop_gradient(x))
    close(vmap(grad(function))(double(X)), loop(grad(function), X))
    total = grad(lambda x: array_namespace(x).sum(vmap(function)(x)))
    close(total(double(X)), loop(grad(function), X))


def test_two_libraries_are_refused(backend: Any) -> None:
    if backend.name == "numpy":
        pytest.skip("the same library")
    with pytest.raises(TraceError, match="two libraries"):
        vmap(lambda x: x * np.ones(3))(double(X))


def test_representation() -> None:
    shown = []
    vmap(lambda x: shown.append(repr(x)) or x)(np.zeros(2))
    assert shown == ["TracedArray(BatchedArray(array([0., 0.]), a batch of 2), constant)"]

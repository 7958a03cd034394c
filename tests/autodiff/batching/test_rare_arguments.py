"""Arguments that few programs use under `vmap`, against a loop over the examples; and what is refused."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    TraceError,
    array_namespace,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    jacobian,
    jvp,
    lift,
    unwrap,
    vjp,
    vmap,
)
from portanet.backends import Backend
from tests.autodiff.batching.test_vmap import W, X, Y, close, double, loop
from tests.support import asarray, to_numpy

RNG = np.random.default_rng(3)
MATRICES = RNG.normal(size=(4, 3, 2))
COMPLEX = RNG.normal(size=(2, 3, 4, 3)) + 1j


def test_shapes_of_an_example(xp: Any) -> None:
    assert vmap(lambda x: x * x.size * x.ndim)(double(MATRICES))[1, 0, 0] == double(MATRICES)[1, 0, 0] * 12
    close(vmap(lambda x: x.mT @ x)(double(MATRICES)), MATRICES.swapaxes(1, 2) @ MATRICES)
    with pytest.raises(TraceError, match=r"Export through DLPack needs one value"):
        vmap(lambda x: x.__dlpack__() and x)(double(X))


def test_an_outer_example_beside_a_recorded_inner_one(xp: Any) -> None:
    def energy(x: Any, y: Any) -> Any:
        xp = array_namespace(x, y)
        return xp.sum(xp.concat([x, y, y * x]) ** 3) + xp.sum(xp.stack([y, x], axis=1) ** 2 * y[:, None])

    over_x = vmap(grad(energy), (0, None))
    expected = np.stack([loop(lambda x, y=y: grad(energy)(x, double(y)), X) for y in Y])
    close(vmap(over_x, (None, 0))(double(X), double(Y)), expected)
    close(
        vmap(vmap(grad(energy, 1), (0, None)), (None, 0))(double(X), double(Y)),
        np.stack([loop(lambda x, y=y: grad(energy, 1)(x, double(y)), X) for y in Y]),
    )


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "expand_dims, axis by position": (lambda xp, x: xp.expand_dims(x, -2), (MATRICES,)),
    "isin number": (lambda xp, x: xp.isin(3, xp.astype(x, xp.int64)), (np.arange(12.0).reshape(4, 3),)),
    "isin number inverted": (
        lambda xp, x: xp.isin(3, xp.astype(x, xp.int64), invert=True),
        (np.arange(12.0).reshape(4, 3),),
    ),
    "rank with a tolerance": (
        lambda xp, x, r: xp.linalg.matrix_rank(x, rtol=xp.abs(r)),
        (MATRICES, np.asarray([1e-9, 0.5, 0.9, 0.99])),
    ),
    "inverse with a tolerance": (
        lambda xp, x, r: xp.linalg.pinv(x, rtol=r),
        (MATRICES, np.asarray([1e-9, 0.5, 0.9, 0.99])),
    ),
    "inverses with a tolerance": (
        lambda xp, x, r: xp.linalg.pinv(xp.stack([x, 2 * x]), rtol=r),
        (MATRICES, np.asarray([1e-9, 0.5, 0.9, 0.99])),
    ),
    "inverses with tolerances": (
        lambda xp, x, r: xp.linalg.pinv(xp.stack([x, 2 * x]), rtol=xp.stack([r, r / 2])),
        (MATRICES, np.asarray([1e-9, 0.5, 0.9, 0.99])),
    ),
    "fftn of the last axes": (lambda xp, x: xp.fft.fftn(x, s=(2, 3)), (COMPLEX,)),
    "vecdot along the first axis": (lambda xp, x, y: xp.vecdot(x, y, axis=0), (MATRICES, 2 - MATRICES)),
    "cross along the first axis": (lambda xp, x, y: xp.linalg.cross(x, y, axis=0), (MATRICES, 2 - MATRICES)),
    "cumulative sum of a vector": (lambda xp, x: xp.cumulative_sum(x, include_initial=True), (X,)),
    "a list of examples": (lambda xp, x, y: xp.asarray([x[0], 2.0, y[1]]), (X, Y)),
    "filled": (lambda xp, x: xp.full_like(x, x[0]) + xp.full((3,), x[1]), (X,)),
    "filled with a plain number": (lambda xp, x: xp.full_like(x, 0.5, dtype=xp.float32), (X,)),
    "between numbers": (lambda xp, x: xp.linspace(x[0], x[1], 5) + xp.linspace(0.0, x[2], 5, endpoint=False), (X,)),
    "new axes": (lambda xp, x: xp.expand_dims(xp.expand_dims(x, axis=0), axis=-1), (X,)),
    "sorter": (lambda xp, x, y: xp.searchsorted(x, y, side="right", sorter=xp.argsort(x)), (X, Y)),
    "repetitions": (lambda xp, x: xp.tile(x, (2, 1, 3)), (MATRICES,)),
    "ends": (lambda xp, x, y: xp.diff(x, axis=0, prepend=y[:1, :], append=x[1:2, :], n=2), (MATRICES, MATRICES + 1)),
}


BEYOND_STRICT = ("isin", "fftn", "along the first axis")


@pytest.mark.filterwarnings("ignore:`axes` should not be")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_rare_arguments(name: str, backend: Backend) -> None:
    function, columns = FUNCTIONS[name]
    if backend.name == "strict" and any(part in name for part in BEYOND_STRICT):
        pytest.skip("refused by array-api-strict")

    def f(*xs: Any) -> Any:
        return function(array_namespace(*xs), *xs)

    expected = loop(lambda *xs: unwrap(f(*map(lift, xs))), *columns)
    np.testing.assert_allclose(to_numpy(vmap(f)(*map(double, columns))), expected, rtol=1e-9, atol=1e-12)


REDUCTIONS = [
    "argmax", "argmin", "sum", "mean", "max", "min", "prod", "var", "std", "all", "any", "count_nonzero",
    "linalg.vector_norm",
]  # fmt: skip


@pytest.mark.parametrize("name", [*REDUCTIONS, "cumulative_sum", "cumulative_prod", "sort", "argsort", "flip", "roll"])
def test_every_axis(name: str, backend: Backend) -> None:
    """Of vectors and of arrays with several axes, with every option."""
    if backend.name == "jax":
        pytest.skip("which compiles each; the rules are the same")
    option = {"cumulative": "include_initial", "sort": "descending", "argsort": "descending"}
    switch = "keepdims" if name in REDUCTIONS else option.get(name.partition("_")[0])
    several = name in REDUCTIONS[2:] or name == "flip"
    axes = [
        0,
        1,
        2,
        -1,
        -2,
        *([(0, 2), (-1, 1)] if several else []),
        *([None] if name in (*REDUCTIONS, "flip") else []),
    ]
    columns = RNG.permutation(4 * 2 * 3 * 2).reshape(4, 2, 3, 2) / 8.0
    for x, axis in [(columns, a) for a in axes] + [(columns[:, 0, :, 0], a) for a in (0, -1)]:
        for options in [{}] if switch is None else [{}, {switch: True}, {switch: False}]:

            def f(x: Any, axis: Any = axis, options: Any = options) -> Any:
                xp = array_namespace(x)
                args = (2,) if name == "roll" else ()
                return operator.attrgetter(name)(xp)(
                    x > 1 if name in ("all", "any") else x, *args, axis=axis, **options
                )

            result, expected = to_numpy(vmap(f)(double(x))), loop(f, x)
            np.testing.assert_allclose(result, expected, rtol=1e-12, err_msg=f"{axis}, {options}")
            assert result.dtype == expected.dtype


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda xp, x: xp.repeat(x, xp.astype(x, xp.int64)), r"the size of the result differs between examples"),
        (lambda xp, x: xp.nonzero(x), r"xp\.count_nonzero and xp\.argsort for a fixed number"),
        (lambda xp, x: xp.unique_values(x), r"xp\.sort, and compare neighbours"),
        (lambda xp, x: xp.matmul(x[0], x), r"matmul needs arrays with at least one axis\. Received: shapes \(\) and"),
        (lambda xp, x: xp.matmul(x, x[0]), r"matmul needs arrays with at least one axis"),
        (lambda xp, x: xp.cumulative_sum(xp.stack([x, x])), r"needs an axis for arrays with several.*2 axes"),
        (lambda xp, x: xp.zeros(x[0]), r"sizes must be the same for all examples"),
        (lambda xp, x: xp.sum(x, axis=x[0]), r"argument 'axis' must be the same for all examples"),
        (lambda xp, x: xp.linalg.inv(x), r"needs an array with at least 2 axes\. Received: shape \(3,\)"),
        (lambda xp, x: xp.flip(x, axis=1), r"axis 1 is out of bounds for an array with 1 axes"),
        (lambda xp, x: xp.flip(x, axis=-2), r"axis -2 is out of bounds for an array with 1 axes"),
        (lambda xp, x: x[x > 0], r"a mask that differs between examples"),
    ],
)
def test_refused(xp: Any, function: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError, IndexError, TraceError), match=message):
        vmap(lambda x: function(array_namespace(x), x))(double(X))


def test_options_of_a_function_with_its_own_tangent(xp: Any) -> None:
    @custom_jvp
    def scaled(x: Any, *, by: Any) -> Any:
        return x * by, lambda t: 3 * t * by

    by = double(np.asarray([1.0, 2.0, 3.0, 4.0]))
    tangents = vmap(lambda x, t, b: jvp(lambda x: scaled(x, by=b), (x,), (t,))[1])(double(X), double(Y), by)
    close(tangents, 3 * Y * np.arange(1.0, 5.0)[:, None])
    gradient = vmap(grad(lambda x, b: array_namespace(x).sum(scaled(x, by=b) * x)))(double(X), by)
    close(gradient, 4 * X * np.arange(1.0, 5.0)[:, None])
    close(vmap(lambda x: scaled(x, by=double(W)))(double(X)), X * W)
    mapped = lambda x: vmap(lambda x, b: scaled(x, by=b))(x, by)
    close(jvp(mapped, (double(X),), (double(Y),))[1], 3 * Y * np.arange(1.0, 5.0)[:, None])
    close(vjp(mapped, double(X))[1](double(Y))[0], 3 * Y * np.arange(1.0, 5.0)[:, None])


def test_options_of_a_function_with_its_own_pullback(xp: Any) -> None:
    @custom_vjp
    def scaled(x: Any, *, by: Any) -> Any:
        return x * by, lambda g: (3 * g * by,)

    by = double(np.asarray([1.0, 2.0, 3.0, 4.0]))
    mapped = lambda x: vmap(lambda x, b: scaled(x, by=b))(x, by)
    close(vjp(mapped, double(X))[1](double(Y))[0], 3 * Y * np.arange(1.0, 5.0)[:, None])
    inside = vmap(lambda x, b: grad(lambda x: array_namespace(x).sum(scaled(x, by=b) * x))(x))(double(X), by)
    close(inside, 4 * X * np.arange(1.0, 5.0)[:, None])


def test_values_written_where_a_mask_is_true(backend: Backend) -> None:
    """One value per example, and one for all."""
    if backend.name in ("strict", "dpnp"):
        pytest.skip("refuses such writes")

    def write(x: Any, v: Any) -> Any:
        out = array_namespace(x).asarray(x * 1.0, copy=True)
        out[x > 0] = v
        return out

    v = np.arange(1.0, 5.0)
    close(vmap(write)(double(X), double(v)), np.where(X > 0, v[:, None], X))
    close(vmap(write, (0, None))(double(X), double(v)[1, ...]), np.where(X > 0, 2.0, X))
    close(vmap(write, (0, None))(double(X), 5.0), np.where(X > 0, 5.0, X))
    close(vmap(write, (None, 0))(double(X[0]), double(v)), np.where(X[0] > 0, v[:, None], X[0]))
    loss = lambda x, v: array_namespace(x).sum(write(x, v * v) * x)
    close(vmap(grad(loss, 1))(double(X), double(v)), 2 * v * np.sum(np.maximum(X, 0), axis=1))
    close(vmap(hessian(loss, 1))(double(X), double(v)), 2 * np.sum(np.maximum(X, 0), axis=1))

    def wide(x: Any, v: Any) -> Any:
        out = array_namespace(x).asarray(x * 1.0, copy=True)
        out[1:] = v[None, None, 1:]
        out[[0], ...] = v[None, :1] if backend.name != "jax" else v[:1]
        return out

    close(vmap(wide)(double(X), double(Y)), Y)

    def rows(x: Any, v: Any, mask: Any) -> Any:
        out = array_namespace(x).asarray(x * 1.0, copy=True)
        out[mask] = v
        return out

    mask = asarray([True, False, True], "bool")
    expected = MATRICES.copy()
    expected[:, [0, 2]] = np.arange(16.0).reshape(4, 2, 2)
    close(vmap(rows, (0, 0, None))(double(MATRICES), double(np.arange(16.0).reshape(4, 2, 2)), mask), expected)
    expected[:, [0, 2]] = np.arange(4.0).reshape(2, 2)
    close(vmap(rows, (0, None, None))(double(MATRICES), double(np.arange(4.0).reshape(2, 2)), mask), expected)
    expected[:, [0, 2]] = np.arange(2.0)
    close(vmap(rows, (0, None, None))(double(MATRICES), double(np.arange(2.0)), mask), expected)


def test_rows_of_one_array_are_joined_on_numpy(backend: Backend) -> None:
    """The standard has lists of arrays alone."""
    if backend.name != "numpy":
        pytest.skip("takes a list alone")
    x = RNG.normal(size=(2, 3, 2, 2))
    for name, options in (("concat", {}), ("concat", {"axis": -1}), ("stack", {"axis": 1})):
        f = lambda x, name=name, options=options: getattr(array_namespace(x), name)(x * x, **options)
        close(vmap(f)(x), loop(f, x))
        close(vmap(jacobian(f))(x), loop(jacobian(f), x))


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like", "full_like"])
def test_new_arrays_are_on_the_device_asked_for(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    other, seen = strict.Device("device1"), []

    def f(x: Any) -> Any:
        values = (2.0,) if name == "full_like" else ()
        seen.append(getattr(array_namespace(x), name)(x, *values, device=other).device)
        return x

    vmap(f)(strict.ones((2, 3)))
    assert seen == [other]

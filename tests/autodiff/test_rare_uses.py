"""Uses of traced arrays and of their namespace that few programs have."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    TracedArray,
    TraceError,
    array_namespace,
    check_grads,
    grad,
    jvp,
    lift,
    stop_gradient,
    unwrap,
    vjp,
    vmap,
)
from portanet.autodiff.debugging.anomaly import first_anomaly
from portanet.backends import Backend, device_of
from portanet.variables import Variable
from tests.support import asarray, assert_close, to_numpy


def test_results_that_are_numbers(xp: Any) -> None:
    """Their tangent is 0."""
    x = asarray([1.0, 2.0])
    value, tangent = jvp(lambda x: 3.0, (x,), (x,))
    assert (value, tangent) == (3.0, 0.0)
    assert jvp(lambda x: (x[0] * 2.0, 4), (x,), (x,))[1][1] == 0.0


def test_texts_of_traced_numbers(xp: Any) -> None:
    seen: list[str] = []

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        seen.extend([f"{x[0]:.3f}", f"{xp.argmax(x):3d}", f"{x[0]:>8.1f}"])
        return xp.sum(x)

    grad(f)(asarray([1.23456, 2.0]))
    assert seen == ["1.235", "  1", "     1.2"]
    assert f"{lift(asarray([1.0 + 2.0j], 'complex128'))[0]:.1f}" == "1.0+2.0j"
    constant = lift(asarray([1.0, 2.0]))
    assert f"{constant}" == str(constant)
    with pytest.raises(TypeError, match=r"unsupported format string|__format__"):
        f"{constant:.3f}"  # as the library's arrays do


def test_arrays_without_axes_have_no_elements(xp: Any) -> None:
    x = lift(asarray(2.0))
    with pytest.raises(TypeError, match=r"Iteration over a 0-d array\. Received: an array of shape \(\)"):
        iter(x)
    with pytest.raises(TypeError, match=r"len\(\) of a 0-d array"):
        len(x)
    assert [float(v) for v in lift(asarray([1.0, 2.0]))] == [1.0, 2.0]
    assert len(lift(asarray([[1.0, 2.0]] * 3))) == 3


def test_constants_leave_through_dlpack() -> None:
    x = np.asarray([1.0, 2.0])
    out = np.from_dlpack(lift(x))
    assert np.shares_memory(out, x)
    assert not np.shares_memory(np.from_dlpack(lift(x), copy=True), x)
    with pytest.raises(TraceError, match=r"Export through DLPack would cut the derivative"):
        grad(lambda x: np.from_dlpack(x).sum())(x)


def test_conversions_by_the_namespace(xp: Any) -> None:
    x = asarray([1.0, 2.0], "float32")
    constant = lift(x)
    namespace = array_namespace(constant)
    assert namespace.stop_gradient(x) is x
    assert stop_gradient(constant)._trace is None
    assert namespace.asarray(constant) is constant
    copied = namespace.asarray(constant, copy=True)
    assert copied is not constant
    copied[0] = 5.0
    assert_close(unwrap(constant), [1.0, 2.0], dtype="float32")
    assert namespace.asarray(constant, device=device_of(x)) is constant
    assert namespace.asarray(constant, dtype=xp.float32) is constant
    assert namespace.asarray(constant, dtype=xp.float64).dtype == xp.float64
    with pytest.raises(ValueError, match=r"copy=False cannot change dtype or device\. Received: dtype=.*float64"):
        namespace.asarray(constant, dtype=xp.float64, copy=False)
    assert namespace.astype(constant, xp.float32, copy=False) is constant
    assert namespace.astype(constant, xp.float32) is not constant
    inside = vmap(lambda v: namespace.asarray(v, dtype=xp.float64) * 2.0)(x)
    assert_close(inside, [2.0, 4.0], dtype="float64")


def test_constants_as_options_of_plain_arrays(xp: Any) -> None:
    x, low = asarray([1.0, 2.0, 3.0]), lift(asarray(1.5))
    assert_close(unwrap(array_namespace(low).clip(x, min=low)), [1.5, 2.0, 3.0])
    assert_close(unwrap(array_namespace(low).clip(x, low, 2.5)), [1.5, 2.0, 2.5])


def test_the_namespace_of_variables(backend: Backend) -> None:
    """Functions take variables, in its sections too; dtypes and constants are the library's."""
    w = Variable([4.0, 3.0], name="w")
    xp, library = array_namespace(w), backend.xp
    assert xp.__name__ == library.__name__
    assert xp.float32 is library.float32
    assert (xp.pi, xp.newaxis) == (library.pi, None)
    assert_close(xp.astype(w, xp.float64), [4.0, 3.0], dtype="float64")
    assert_close(xp.linalg.vector_norm(w), 5.0)
    assert_close(xp.add(w, w), [8.0, 6.0])
    assert_close(xp.stack([w, w]), [[4.0, 3.0]] * 2)
    assert_close(xp.clip(w, max=w[1]), [3.0, 3.0])


def test_devices() -> None:
    """On array-api-strict, which has two that any computer has."""
    strict = pytest.importorskip("array_api_strict")
    here, there = strict.Device("CPU_DEVICE"), strict.Device("device1")
    x = strict.asarray([1.0, 2.0], device=here)

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        y = xp.asarray(x, device=there)
        assert y.device == there
        filled = xp.full_like(y, x[0] if x.device == there else 0.5, device=there)
        assert filled.device == there
        for like in (xp.zeros_like(x, device=there), xp.ones_like(x, device=there), xp.full_like(x, 2.0, device=there)):
            assert like.device == there
        back = xp.asarray(y * filled, device=here)
        return xp.sum(back) + xp.sum(xp.linspace(x[0], x[1], 3, device=here)) + xp.sum(xp.arange(x[0], 4.0))

    value, pullback = vjp(f, x)
    (slope,) = pullback(strict.asarray(1.0, device=here))
    assert slope.device == here
    assert to_numpy(slope).tolist() == [0.5 + 1.5 + 3.0, 0.5 + 1.5]
    assert float(value) == 1.5 + 4.5 + 6.0


@pytest.mark.parametrize("shape", [(), (2, 2), (1, 3), (0,)])
def test_indices_of_any_shape(shape: tuple[int, ...]) -> None:
    """The standard has vectors of them alone, NumPy any."""
    x, rng = np.arange(12.0).reshape(3, 4) ** 2, np.random.default_rng(0)
    indices = rng.integers(-3, 3, size=shape)
    for axis in (0, 1, -1):
        out, pullback = vjp(lambda x, axis=axis: array_namespace(x).take(x, indices, axis=axis), x)
        np.testing.assert_array_equal(out, np.take(x, indices, axis=axis))
        g = rng.normal(size=out.shape)
        expected = np.zeros_like(x)
        rows = np.moveaxis(expected, axis, 0)
        lead = tuple(range(axis % 2, axis % 2 + indices.ndim))
        np.add.at(rows, indices, np.moveaxis(g, lead, tuple(range(indices.ndim))))
        np.testing.assert_allclose(pullback(g)[0], expected)


def test_functions_without_a_signature() -> None:
    with pytest.raises(TypeError, match=r"argnames must name arguments that the call passes.*Received: argnames='x'"):
        grad(max, argnames="x")(np.ones(2), np.ones(2))


def test_control_flow_that_differs_nearby(backend: Backend) -> None:
    """The operation at fault is not named, since its position differs."""

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        if float(unwrap(x)[0]) > 1.0:
            x = xp.sin(xp.cos(x)) + 3.0
        return xp.sum(stop_gradient(x) * x)

    with pytest.raises(AssertionError) as error:
        check_grads(f, (asarray([1.0], "float64"),))
    assert "operation v" not in str(error.value)


def test_what_cannot_be_an_argument_is_named() -> None:
    with pytest.raises(TypeError, match=r"leave it out of argnums.* Received: argument 1\[0\] of type int"):
        check_grads(lambda x, c: array_namespace(x).sum(x * c[0]), (np.asarray([1.0, 2.0]), [3]))


def test_errors_of_the_library_say_what_it_got(xp: Any) -> None:
    """Of constants, of recorded arrays and of tangents."""
    x = asarray([1.0, 2.0, 3.0])

    def wrong(x: Any) -> Any:
        return array_namespace(x).reshape(x, (2, 2))

    for call in (lambda: wrong(lift(x)), lambda: vjp(wrong, x), lambda: jvp(wrong, (x,), (x,)), lambda: grad(wrong)(x)):
        with pytest.raises(Exception, match=r"(?s)reshape|shape|size|element|\(2, 2\)"):
            call()
    assert type(lift(x)) is TracedArray


@pytest.mark.parametrize("offset", [0, 1, -1, 2])
def test_writing_through_a_diagonal(backend: Backend, offset: int) -> None:
    """Where the library's diagonals are views that may be written to."""
    if backend.name != "torch":
        pytest.skip("not in this library")
    x = asarray(np.arange(12.0).reshape(3, 4), "float64")

    def f(x: Any) -> Any:
        y = x * 2.0
        diagonal = array_namespace(x).linalg.diagonal(y, offset=offset)
        diagonal[...] = diagonal * 5.0
        return y

    factor = np.full((3, 4), 2.0)
    factor[np.eye(3, 4, offset) > 0] = 10.0
    value, pullback = vjp(f, x)
    assert_close(value, np.arange(12.0).reshape(3, 4) * factor, dtype="float64")
    assert_close(pullback(x)[0], np.arange(12.0).reshape(3, 4) * factor, dtype="float64")


def test_a_function_without_anomalies(xp: Any) -> None:
    assert first_anomaly(lambda x: x * 2.0, (asarray([1.0, 2.0]),)) == ""
    with np.errstate(all="ignore"):
        assert "divide" in first_anomaly(lambda x: x / (x - x), (asarray([1.0, 2.0]),))


REDUCTIONS = ["sum", "mean", "max", "min", "prod", "var", "std", "linalg.vector_norm"]


@pytest.mark.parametrize("name", [*REDUCTIONS, "cumulative_sum", "cumulative_prod", "sort"])
def test_derivatives_along_every_axis(name: str) -> None:
    """With every option, against finite differences."""
    x = (np.random.default_rng(2).permutation(12).reshape(2, 3, 2) - 5.5) / 4.0
    option = {"cumulative": "include_initial", "sort": "descending"}.get(name.partition("_")[0], "keepdims")
    axes: list[Any] = [0, 1, -1, -2, *([None, (0, 2), (-1, 1)] if name in REDUCTIONS else [])]
    for axis in axes:
        for given in (False, True):

            def f(x: Any, axis: Any = axis, given: bool = given) -> Any:
                return operator.attrgetter(name)(array_namespace(x))(x, axis=axis, **{option: given})

            check_grads(f, (x,), order=1, directions=1)
            assert f(lift(x)).shape == f(x).shape == vjp(f, x)[0].shape

"""Numbers taken out of traced arrays: a warning, a constant or an error."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import array_api_extra as xpx
import numpy as np
import pytest
from array_api_compat import is_writeable_array

from portanet.autodiff import (
    TraceError,
    TraceWarning,
    allow_conversion,
    array_namespace,
    grad,
    jvp,
    stop_gradient,
    strict_conversion,
    value_and_grad,
    vjp,
    vmap,
)
from portanet.backends import Backend
from tests.support import asarray, assert_close, to_numpy

CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "int": int,
    "complex": lambda x: complex(x).real,
    "math.sin": math.sin,
    "round": math.floor,
}


@pytest.mark.parametrize("name", sorted(CONVERSIONS))
@pytest.mark.parametrize("forward", [False, True])
def test_a_number_taken_out_is_a_constant_with_a_warning(xp: Any, name: str, forward: bool) -> None:
    convert = CONVERSIONS[name]

    def f(x: Any) -> Any:
        for _ in range(3):
            number = convert(x[1])
        return x[0] * number

    x = asarray([1.0, 2.5])
    with pytest.warns(TraceWarning, match=r"cuts the derivative.*xp\.sin.*stop_gradient.*allow_conversion") as record:
        slope = jvp(f, (x,), (asarray([1.0, 0.0]),))[1] if forward else grad(f)(x)[0]
    assert [w.filename for w in record] == [__file__]  # once per place, not three times
    assert math.isclose(float(slope), convert(2.5), rel_tol=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with allow_conversion():
            grad(f)(x)
    with strict_conversion(), pytest.raises(TraceError, match=r"would cut the derivative.*stop_gradient"):
        grad(f)(x)
    with pytest.warns(TraceWarning):
        grad(f)(x)  # as before the contexts


def test_rounding_to_python_numbers_names_the_function_to_use(xp: Any) -> None:
    x = asarray([1.0, 2.75])
    for convert, name in ((round, "round"), (lambda x: round(x, 1), "round"), (math.trunc, "trunc")):
        with pytest.raises(TraceError, match=rf"{name}\(x\) would cut the derivative.*Write xp\.{name}\(x\)"):
            grad(lambda x, convert=convert: x[0] * convert(x[1]))(x)
        with pytest.raises(TraceError, match=r"one per example of vmap.*xp\.where"):
            vmap(convert)(x)
        with allow_conversion():
            slope = grad(lambda x, convert=convert: x[0] * convert(x[1]))(x)
        assert math.isclose(float(slope[0]), convert(2.75), rel_tol=1e-6)
    for divide in (lambda x: divmod(x, 2.0), lambda x: divmod(2.0, x), lambda x: divmod(asarray([1.0, 2.0]), x)):
        for derive in (grad, vmap):
            with pytest.raises(TypeError, match=r"Write xp\.floor_divide\(x, y\).*Received: divmod of an array"):
                derive(divide)(x)


def test_control_flow_and_printing_read_the_value(xp: Any) -> None:
    texts: list[str] = []

    def f(x: Any) -> Any:
        total = array_namespace(x).sum(x)
        if total > 1.0 and bool(x[0] < 3.0) and x[0] != 7.0:
            texts.extend((f"{total}", f"{total:.3f}", f"{total!r}", "%s" % total, format(total, "6.1f")))  # noqa: UP031
        texts.append(f"{float(stop_gradient(total)):.1f}")
        n = array_namespace(x).argmax(x)
        return total * int(n) * float(n)

    with strict_conversion():
        assert_close(grad(f)(asarray([1.0, 2.5])), [1.0, 1.0])
    assert texts[1] == "3.500"
    assert texts[4:] == ["   3.5", "3.5"]


def test_constants_convert_without_a_warning(xp: Any) -> None:
    def f(x: Any, scale: Any) -> Any:
        return array_namespace(x).sum(x) * float(scale) * float(array_namespace(x).ones(()))

    with strict_conversion():
        assert_close(grad(f)(asarray([1.0, 2.0]), asarray(3.0)), [3.0, 3.0])


def test_arrays_convert_where_it_is_allowed(backend: Backend, xp: Any) -> None:
    if backend.name == "strict":
        pytest.skip("arrays of this device are not converted")

    def f(x: Any) -> Any:
        with allow_conversion():
            host = np.asarray(x)
            inner = grad(lambda y: array_namespace(y).sum(y * x))(x)
            total = float(np.sum(host)) + float(np.sum(np.asarray(inner)))
        return x[0] * total

    assert_close(grad(f)(asarray([1.0, 2.0])), [6.0, 0.0])
    with pytest.raises(TraceError, match="Conversion to NumPy"):
        grad(lambda x: x[0] * np.sum(np.asarray(x)))(asarray([1.0, 2.0]))


def test_numbers_in_nested_derivatives(xp: Any) -> None:
    def f(x: Any) -> Any:
        return grad(lambda y: y * y * float(y))(x)

    with pytest.warns(TraceWarning) as record:
        assert math.isclose(float(grad(f)(asarray(3.0))), 6.0, rel_tol=1e-5)  # 2 y times the constant 3
    assert [w.filename for w in record] == [__file__]


@pytest.mark.parametrize("update", ["set", "add", "multiply"])
def test_array_api_extra_at_binds_a_copy_of_an_argument(xp: Any, update: str) -> None:
    def f(x: Any) -> Any:
        y = getattr(xpx.at(x)[0], update)(5.0)
        y = getattr(xpx.at(y)[1], update)(x[0])
        return array_namespace(x).sum(x * y)

    def expected(a: Any) -> Any:
        y = a.copy()
        for i, value in enumerate((5.0, a[0])):
            y[i] = {"set": value, "add": y[i] + value, "multiply": y[i] * value}[update]
        return np.sum(a * y)

    x = asarray([1.0, 2.0, 4.0])
    value, slope = value_and_grad(f)(x)
    a = np.asarray([1.0, 2.0, 4.0])
    assert_close(value, expected(a))
    want = [(expected(a + 1e-6 * e) - expected(a - 1e-6 * e)) / 2e-6 for e in np.eye(3)]
    assert np.allclose(to_numpy(slope), want, rtol=1e-4)
    assert_close(x, [1.0, 2.0, 4.0])


def test_which_arrays_are_writable(backend: Backend, xp: Any) -> None:
    seen: dict[str, bool] = {}

    def f(x: Any, constant: Any) -> Any:
        xp = array_namespace(x)
        y = x * 2.0
        arrays = {
            "argument": x, "constant": constant, "its view": x[0, :], "computed": y, "view": y[0, :],
            "copy": xp.asarray(x, copy=True), "new": xp.zeros(3, device=x.device), "total": xp.sum(y),
        }  # fmt: skip
        seen.update({name: is_writeable_array(a) for name, a in arrays.items()})
        assert all(hasattr(a, "__array_namespace__") for a in arrays.values())
        return xp.sum(y)

    grad(f)(asarray([[1.0, 2.0]]), asarray([1.0]))
    mutable = backend.name != "jax"
    assert seen == {
        "argument": False, "constant": False, "its view": False, "computed": mutable, "view": mutable,
        "copy": True, "new": True, "total": mutable and backend.name != "numpy",
    }  # fmt: skip


@pytest.fixture
def x(xp: Any) -> Any:
    return asarray([1.0, 2.0, 3.0])


def test_functions_of_other_libraries_name_the_line_and_the_remedy(x: Any) -> None:
    """Also for one example of a batch, and where the library hides our error."""
    buffer = np.zeros(3)

    def write(a: Any) -> Any:
        buffer[0] = a[0]
        return a

    def foreign(a: Any) -> Any:
        raise TypeError(f"expected an array, got {type(a).__name__}")

    for call in (lambda a: np.sin(a), write, foreign):
        for run in (vmap(call), vmap(lambda a, call=call: vjp(call, a)[0])):
            with pytest.raises(TraceError, match=r"__array_namespace__|xp.sin|xp.zeros"):
                run(array_namespace(x).stack([x, x]))
    with pytest.raises(TraceError, match=r"test_conversion.py:\d+ passes .*xp.sin and .* Received: TypeError: "):
        grad(foreign)(x)
    with pytest.raises(TypeError, match="must be real number"):
        grad(lambda a: math.sin(None))(x)


def test_array_api_extra_at_in_place_on_an_argument_is_refused_with_the_remedy(xp: Any) -> None:
    def f(x: Any) -> Any:
        return array_namespace(x).sum(xpx.at(x)[0].set(5.0, copy=False))

    with pytest.raises(TraceError, match=r"_at.py:\d+ writes to an array that came from outside .* without copy=False"):
        grad(f)(asarray([1.0, 2.0]))

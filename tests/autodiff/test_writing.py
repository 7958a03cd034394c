"""`x[key] = value` inside a differentiated function: on arrays that it created, not on its arguments."""

from __future__ import annotations

from typing import Any

import pytest

from portanet.autodiff import TraceError, array_namespace, grad, hessian, jvp, show, value_and_grad
from tests.support import asarray, assert_close, to_numpy


def written(x: Any) -> Any:
    """x^2 where x^2 < 5, else 5, except that the first element is 3 x^3; `early` was computed before."""
    xp = array_namespace(x)
    y = x * x
    early = y * 2.0
    y[y > 5.0] = 5.0
    y[0] = 3.0 * x[0] ** 3
    return xp.sum(y) + xp.sum(early)


def test_writing_to_an_intermediate_result(xp):
    x = asarray([1.0, 2.0, 3.0])
    value, slope = value_and_grad(written)(x)
    assert_close(value, 3 + 4 + 5 + 28.0)
    assert_close(slope, [9 + 4.0, 4 + 8.0, 12.0])
    assert_close(jvp(written, (x,), (asarray([1.0, 10.0, 100.0]),))[1], 13 + 120 + 1200.0)
    assert to_numpy(hessian(written)(x)).diagonal().tolist() == [18 + 4.0, 2 + 4.0, 4.0]


def test_the_callers_arrays_are_not_written_to(xp):
    x, constant = asarray([1.0, 2.0]), asarray([3.0, 4.0])

    def write(target: str) -> Any:
        def f(x: Any, constant: Any) -> Any:
            y = {"x": x, "constant": constant}[target]
            y[0] = 0.0
            return array_namespace(x).sum(x * constant)

        return f

    for target in ("x", "constant"):
        with pytest.raises(TraceError, match=r"came from outside the function.*copy=True"):
            grad(write(target))(x, constant)
    with pytest.raises(TraceError, match=r"came from outside the function.*copy=True"):
        jvp(lambda x: write("x")(x, x), (x,), (x,))
    assert_close(x, [1.0, 2.0])


def test_a_copy_may_be_written_to(xp):
    def f(x: Any) -> Any:
        y = array_namespace(x).asarray(x, copy=True)
        y[0] = 0.0
        return array_namespace(x).sum(x * y)

    assert_close(grad(f)(asarray([1.0, 2.0])), [0.0, 4.0])


def test_the_record_keeps_what_was_before(xp):
    def f(x: Any) -> Any:
        y = x * x
        z = y + x
        y[0] = 0.0
        return array_namespace(x).sum(y * z)

    names = [line.split(" = ")[1].split("  ")[0].strip() for line in show(f, asarray([1.0, 2.0])).lines()]
    assert names == ["argument 0", "multiply(v0, v0)", "add(v1, v0)", "assign(v1)", "multiply(v3, v2)", "sum(v4)"]

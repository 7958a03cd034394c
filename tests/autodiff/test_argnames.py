"""Arguments chosen by name, and auxiliary results, of every transform that takes them."""

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, hessian, hvp, jacobian, value_and_grad, value_and_jacobian
from tests.support import asarray, assert_close, to_numpy


def close(actual: Any, expected: Any) -> None:
    """Of any dtype."""
    assert_close(actual, expected, dtype=str(actual.dtype).rpartition(".")[2])


def loss(w: Any, x: Any, *, bias: Any = 0.0, power: int = 2) -> Any:
    return array_namespace(w).sum((w * x + bias) ** power)


W, X, B = [1.0, -2.0], [3.0, 0.5], [0.1, 0.2]
RESIDUAL = np.asarray(W) * X + B
BY_W, BY_X, BY_B = 2 * RESIDUAL * X, 2 * RESIDUAL * W, 2 * RESIDUAL


def test_by_position_and_by_keyword(xp: Any) -> None:
    w, x, b = asarray(W, "float64"), asarray(X, "float64"), asarray(B, "float64")
    close(grad(loss, argnames="w")(w, x, bias=b), BY_W)
    close(grad(loss, argnames="w")(w=w, x=x, bias=b), BY_W)
    close(grad(loss, argnames="x")(w, x=x, bias=b), BY_X)
    close(grad(loss, argnames="bias")(w, x, bias=b), BY_B)
    value, (by_bias, by_w) = value_and_grad(loss, argnames=["bias", "w"])(w, x, bias=b, power=2)
    close(value, np.sum(RESIDUAL**2))
    close(by_bias, BY_B)
    close(by_w, BY_W)


def test_one_name_in_a_list_gives_a_tuple(xp: Any) -> None:
    (by_w,) = grad(loss, argnames=("w",))(asarray(W, "float64"), asarray(X, "float64"), bias=asarray(B, "float64"))
    close(by_w, BY_W)


def test_jacobians_and_hessians_by_name(xp: Any) -> None:
    w, x = asarray(W, "float64"), asarray(X, "float64")

    def f(w: Any, x: Any) -> Any:
        return w * w * x

    for mode in ("forward", "reverse", None):
        close(jacobian(f, mode=mode, argnames="x")(w, x=x), np.diag(np.square(W)))
        value, (by_x, by_w) = value_and_jacobian(f, mode=mode, argnames=["x", "w"])(w, x)
        close(value, np.square(W) * X)
        close(by_x, np.diag(np.square(W)))
        close(by_w, np.diag(2 * np.asarray(W) * X))
    close(hessian(loss, argnames="x")(w, x=x), np.diag(2 * np.square(W)))
    ((ww, wx), (xw, xx)) = hessian(loss, argnames=["w", "x"])(w, x)
    expected = hessian(loss, argnums=(0, 1))(w, x)
    for block, wanted in zip((ww, wx, xw, xx), (*expected[0], *expected[1]), strict=True):
        close(block, to_numpy(wanted))


def test_names_through_transforms(xp: Any) -> None:
    w, x = asarray(W, "float64"), asarray(X, "float64")
    second = jacobian(grad(loss, argnames="x"), argnames="w")(w, x)
    close(second, to_numpy(hessian(loss, argnums=(0, 1))(w, x)[1][0]))


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
def test_auxiliary_results_of_jacobians(mode: Any, xp: Any) -> None:
    x = asarray([1.0, 2.0], "float64")

    def f(x: Any) -> Any:
        return x**2, {"sum": array_namespace(x).sum(x), "name": "f"}

    jac, aux = jacobian(f, mode=mode, has_aux=True)(x)
    close(jac, [[2.0, 0.0], [0.0, 4.0]])
    close(aux["sum"], 3.0)
    assert aux["name"] == "f"
    (value, aux), jac = value_and_jacobian(f, mode=mode, has_aux=True)(x)
    close(value, [1.0, 4.0])
    close(aux["sum"], 3.0)
    close(jac, [[2.0, 0.0], [0.0, 4.0]])


def test_auxiliary_results_of_second_derivatives(xp: Any) -> None:
    x = asarray([1.0, 2.0], "float64")

    def f(x: Any) -> Any:
        return x[0] ** 2 * x[1], x + 1.0

    matrix, aux = hessian(f, has_aux=True)(x)
    close(matrix, [[4.0, 2.0], [2.0, 0.0]])
    close(aux, [2.0, 3.0])
    assert not hasattr(aux, "_trace")
    product, aux = hvp(f, (x,), (asarray([1.0, 0.0], "float64"),), has_aux=True)
    close(product, [4.0, 2.0])
    close(aux, [2.0, 3.0])


def test_an_empty_argument_still_gives_the_value(xp: Any) -> None:
    (value, aux), jac = value_and_jacobian(lambda x: (x * 2.0, 7), mode="forward", has_aux=True)(asarray([]))
    assert value.shape == (0,)
    assert jac.shape == (0, 0)
    assert aux == 7


def test_an_argument_chosen_twice(xp: Any) -> None:
    x = asarray([1.0, 2.0], "float64")
    for chosen in ({"argnums": [0, -1]}, {"argnames": ["x", "x"]}):
        for mode in ("forward", "reverse", None):
            for part in jacobian(lambda x: x * x, mode=mode, **chosen)(x):
                close(part, [[2.0, 0.0], [0.0, 4.0]])


def test_python_floats(xp: Any) -> None:
    x = asarray([1.0, 2.0], "float64")
    for mode in ("forward", "reverse", None):
        close(jacobian(lambda x, s: x * s, argnames="s", mode=mode)(x, s=3.0), [1.0, 2.0])
        close(jacobian(lambda x, s: x * s * s, 1, mode=mode)(x, 3.0), [6.0, 12.0])
    close(hessian(lambda x, s: array_namespace(x).sum(x) * s * s, argnames="s")(x, 3.0), 6.0)


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, value_and_jacobian, hessian])
def test_mistakes(transform: Any) -> None:
    with pytest.raises(ValueError, match=r"`argnames` of \w+ must be the name.*Received: argnames=3"):
        transform(loss, argnames=3)
    with pytest.raises(ValueError, match=r"`argnums` of \w+ must be left out where `argnames`.*argnums=1"):
        transform(loss, 1, argnames="w")
    with pytest.raises(ValueError, match=r"`argnums` of \w+ must be an integer or several \(names are for `argnames`"):
        transform(loss, "w")
    with pytest.raises(TypeError, match=r"argnames must name arguments that the call passes.*'bias'.*\['w', 'x'\]"):
        transform(loss, argnames="bias")(np.ones(2), np.ones(2))
    with pytest.raises(TypeError, match=r"leave it out of argnums.*Received: argument power of type int"):
        transform(loss, argnames="power")(np.ones(2), np.ones(2), power=3)

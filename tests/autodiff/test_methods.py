"""Methods of NumPy's and PyTorch's arrays on traced arrays: the error says what to write."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import grad, lift
from portanet.autodiff.methods import OTHERS, OWN, WITHOUT_DERIVATIVE
from portanet.backends import Backend
from tests.support import asarray, assert_close

METHODS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "sum": (
        lambda x: x.sum(),
        r"write xp\.sum\(x, \.\.\.\) with xp = x\.__array_namespace__\(\)\. Received: x\.sum of an",
    ),
    "mean": (lambda x: x.mean(axis=0), r"write xp\.mean\(x"),
    "reshape": (lambda x: x.reshape(-1), r"write xp\.reshape\(x"),
    "astype": (lambda x: x.astype("float64"), r"write xp\.astype\(x"),
    "max": (lambda x: x.max(), r"write xp\.max\(x"),
    "clip": (lambda x: x.clip(0, 1), r"write xp\.clip\(x"),
    "squeeze": (lambda x: x.squeeze(), r"write xp\.squeeze\(x"),
    "cumsum": (lambda x: x.cumsum(), r"write xp\.cumulative_sum\(x"),
    "dot": (lambda x: x.dot(x), r"write x @ y"),
    "item": (lambda x: x.item(), r"write float\(x\), the value without its derivative\. Received: x\.item"),
    "flatten": (lambda x: x.flatten(), r"write xp\.reshape\(x, \(-1,\)\)"),
    "transpose": (lambda x: x.transpose(), r"write xp\.permute_dims\(x, axes\)"),
    "copy": (lambda x: x.copy(), r"write xp\.asarray\(x, copy=True\)"),
    "detach": (lambda x: x.detach(), r"write portanet\.autodiff\.stop_gradient\(x\)\. Received"),
    "numpy": (lambda x: x.numpy(), r"write portanet\.to_host\("),
    "at": (lambda x: x.at[0].set(1), r"write x\[key\] = values"),
    "add_": (lambda x: x.add_(1), r"write x \+ y"),
    "relu": (lambda x: x.relu(), r"write portanet\.activations\.relu\(x\)"),
    "trace": (lambda x: x.trace(), r"write xp\.linalg\.trace\(x"),
    "unknown": (
        lambda x: x.unknown,
        r"use functions of xp = .*Received: x\.unknown of an array of shape \(2, 3\)",
    ),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_the_standard_has_not(method: str, backend: Backend) -> None:
    call, message = METHODS[method]
    for x in (asarray(np.ones((2, 3))), lift(asarray(np.ones((2, 3))))):
        with pytest.raises(AttributeError, match="methods of the array API standard alone; .*" + message):
            grad(call)(x)


def test_methods_without_derivative(backend: Backend) -> None:
    """Those of the library itself: of any array where the result has no derivative, and reductions of constants."""
    plain = asarray(np.asarray([[1.0, 5.0], [4.0, 2.0]]))
    if not hasattr(plain, "argmax"):
        with pytest.raises(AttributeError, match=r"write xp\.argmax"):
            grad(lambda x: x[0, x.argmax()])(plain)
        return

    def f(x: Any) -> Any:
        assert (x > 0).all()
        assert not (x > 9).any()
        column = int(x[0, ...].argmax())
        return x[0, column] ** 2 * (x > 3).sum() + 0 * (x > 3).sum(axis=0)[0]

    assert_close(grad(f)(plain), [[0.0, 20.0], [0.0, 0.0]])
    assert_close(grad(lambda x: grad(f)(x)[0, 1])(plain), [[0.0, 4.0], [0.0, 0.0]])


def test_none_is_no_array(backend: Backend) -> None:
    """`x == None` is an identity, as for the arrays of PyTorch and the standard."""

    def f(x: Any) -> Any:
        assert (x == None) is False  # noqa: E711 -- so written by others
        assert (x != None) is True  # noqa: E711
        return x[0]

    assert_close(grad(f)(asarray([2.0, 3.0])), [1.0, 0.0])


def test_the_transpose_of_three_axes(backend: Backend) -> None:
    with pytest.raises(ValueError, match=r"write x\.mT .*or xp\.permute_dims.*shape \(1, 2, 3\)$"):
        grad(lambda x: x.T)(asarray(np.ones((1, 2, 3))))


def test_what_numpy_has_is_answered() -> None:
    """Every method of NumPy's arrays for data has an answer that is more than a hint at the namespace."""
    storage = {"argpartition", "base", "byteswap", "choose", "compress", "ctypes", "dump", "dumps", "flags", "getfield"}
    storage |= {"partition", "put", "setfield", "setflags", "strides", "tobytes", "tofile", "tostring"}

    def ask(traced: Any) -> Any:
        for name in set(dir(np.ndarray)) - storage - WITHOUT_DERIVATIVE:
            if not name.startswith("_") and not hasattr(type(traced), name):
                with pytest.raises(AttributeError, match=f"; write .*Received: x.{name} of"):
                    getattr(traced, name)
        return traced[0, 0]

    grad(ask)(np.ones((2, 3)))


def test_answers_are_functions_that_exist() -> None:
    from portanet import activations

    xp = lift(np.ones(2)).__array_namespace__()
    for text in OTHERS.values():
        for part in text.split("xp.")[1:]:
            name = part.split("(")[0].split(",")[0].split(" ")[0].rstrip(")")
            for step in name.split("."):
                section = xp if "." not in name or step != name.split(".")[-1] else getattr(xp, name.split(".")[0])
                assert hasattr(section, step), text
    assert set(activations.__all__) >= OWN


def test_other_attributes_are_missing_as_ever(backend: Backend) -> None:
    x = lift(asarray([1.0]))
    assert not hasattr(x, "iloc")
    assert getattr(x, "__cuda_array_interface__", None) is None
    with pytest.raises(TypeError):
        copy.deepcopy(x)
    assert_close(grad(lambda x: x.__array_namespace__().sum(x**2))(asarray([1.0, 2.0])), [2.0, 4.0])


def test_private_attributes_of_other_libraries_name_the_remedy() -> None:
    with pytest.raises(AttributeError, match=r"x.__array_namespace__\(\).* Received: x\._array of an array of shape"):
        getattr(lift(np.ones(2)), "_array")  # noqa: B009 -- as a library asks

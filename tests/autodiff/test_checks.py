from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    GradientError,
    array_namespace,
    check_grads,
    custom_jvp,
    custom_vjp,
    numeric_grad,
    numeric_jvp,
    stop_gradient,
)
from portanet.autodiff.debugging.suspects import wrong_rule
from portanet.autodiff.dispatch import Rule
from portanet.autodiff.rules import RULES
from tests.support import asarray, assert_close


def smooth(t: Any, y: Any) -> Any:
    xp = array_namespace(y)
    return {"p": xp.tanh(xp.matmul(t["w"], y)), "count": xp.argmax(y), "q": [xp.exp(-y) / (1 + t["w"][0, :] ** 2)]}


def arguments() -> Any:
    rng = np.random.default_rng(0)
    return {"w": asarray(rng.normal(size=(3, 3)))}, asarray(rng.normal(size=3))


def test_right_derivatives_pass_to_third_order(xp):
    check_grads(smooth, arguments(), order=3, directions=1)


def test_one_mode_alone(xp):
    check_grads(smooth, arguments(), modes=("reverse",))
    check_grads(smooth, arguments(), modes=("forward",), order=1)


@custom_vjp
def wrong_sine(x: Any) -> Any:
    """The derivative is wrong where x > 1."""
    xp = array_namespace(x)
    return xp.sin(x), lambda g: (g * array_namespace(g, x).where(x > 1, 0.5, array_namespace(g, x).cos(x)),)


def test_a_wrong_pullback_is_found_with_argument_element_and_rule(xp):
    t, y = {"w": asarray([1.0, 2.0])}, asarray([[0.1, 0.2], [0.3, 1.5]])
    f = lambda t, y: array_namespace(y).exp(wrong_sine(2.0 * (0.5 * y))) * t["w"]
    with pytest.raises(GradientError) as failure:
        check_grads(f, (t, y))
    message = str(failure.value)
    assert "derivative of the function is wrong, worst for argument 1, element (1, 1)" in message
    assert "The rule of `wrong_sine` (operation v4" in message
    with pytest.raises(AssertionError, match=r"reverse-mode derivative of the function.*`wrong_sine` \(operation v4"):
        check_grads(f, (t, y), modes=("reverse",))
    with pytest.raises(AssertionError, match=r"forward-mode derivative of the function.*`wrong_sine` \(operation v4"):
        check_grads(f, (t, y), modes=("forward",))


def test_the_path_inside_a_tree_is_named(xp):
    with pytest.raises(GradientError, match=re.escape("argument 0['w'][1], element (2,)")):
        check_grads(lambda t: wrong_sine(t["w"][1]), ({"w": [asarray([5.0]), asarray([0.1, 0.2, 2.0])]},))


def test_a_lost_derivative_is_found(xp):
    x = asarray([1.0, 2.0])
    with pytest.raises(GradientError, match="is wrong"):
        check_grads(lambda x: x * stop_gradient(x), (x,))


def test_a_wrong_second_derivative_is_found(xp):
    @custom_vjp
    def cube(x: Any) -> Any:
        return x**3, lambda g: (g * stop_gradient(3 * x**2),)

    x = asarray([1.0, 2.0])
    check_grads(cube, (x,), order=1)
    with pytest.raises(GradientError, match=r"derivative of the (forward|reverse)-mode derivative of the function is"):
        check_grads(cube, (x,))


@custom_jvp
def twice(x: Any) -> Any:
    return 2 * x, lambda t: 2.001 * t


def test_a_small_error_is_found(xp):
    with pytest.raises(GradientError, match="`twice`"):
        check_grads(twice, (asarray([1.0, 2.0]),))


def test_a_wrong_rule_of_the_namespace_is_named(monkeypatch):
    """The wrong rule may be among many others and have several results."""
    from portanet.autodiff import namespace

    right = RULES["tanh"]
    broken = lambda xp, ans, x: lambda t: t * (1 - ans)
    fields = {name: getattr(right, name) for name in right.__dataclass_fields__}
    monkeypatch.setitem(RULES, "tanh", Rule(**{**fields, "pulls": (broken,), "pushes": right.pushes}))
    monkeypatch.setattr(namespace, "_NAMESPACES", {})
    x = np.asarray([0.3, -0.4, 0.5])
    f = lambda x: array_namespace(x).tanh(array_namespace(x).exp(x) * 2) * x
    with pytest.raises(GradientError, match=r"reverse-mode.*The rule of `tanh` \(operation v3"):
        check_grads(f, (x,))
    check_grads(f, (x,), modes=("forward",), order=1)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("slope", [0.01, 100.0])
@pytest.mark.parametrize(("factor", "suspected"), [(0.5, False), (1.7, True)])
def test_errors_from_1e_4_on_are_suspected(xp, mode, slope, factor, suspected):
    """Absolute for small slopes, relative for large ones: twice that in reverse mode, which compares two products."""
    size = 1 + slope if mode == "forward" or slope < 1 else 2 * slope
    f = custom_jvp(lambda x: (slope * x, lambda t: (slope + factor * 1e-4 * size) * t))
    x, v = asarray([0.5], "float64"), asarray([1.0], "float64")
    assert (wrong_rule(f, (x,), (v,), mode) is not None) == suspected


KINKS = {
    "abs": (lambda xp, x: xp.abs(x), r"-1 and 1"),
    "maximum": (lambda xp, x: xp.maximum(x, 2 * x), r"1 and 2"),
    "where": (lambda xp, x: xp.where(x < 0, 0.0, x), r"0 and 1"),
    "step": (lambda xp, x: xp.where(x < 0, 0.0 * x, 1 + 0.0 * x), r"1e\+06 and 0"),
    "root": (lambda xp, x: xp.sqrt(xp.abs(x) + 1e-300), "-1000 and 1000"),
}


@pytest.mark.parametrize("name", KINKS)
def test_points_without_derivative_are_found(xp, name):
    function, sides = KINKS[name]
    f = lambda unused, x: function(array_namespace(x), x) + unused**2
    with pytest.raises(GradientError, match=rf"The function is not differentiable at this point.*{sides}") as failure:
        check_grads(f, (asarray([1.0]), asarray([[1.0, -2.0], [0.0, 3.0]])))
    assert "argument 1, element (1, 0)" in str(failure.value)


def test_a_kink_of_the_derivative_is_found(xp):
    f = lambda x: x * abs(x)
    check_grads(f, (asarray([0.0]),), order=1)
    with pytest.raises(GradientError, match="mode derivative of the function is not differentiable at this point"):
        check_grads(f, (asarray([0.0]),))


def test_a_kink_nearby_and_large_values_do_no_harm(xp):
    check_grads(lambda x: abs(x), (asarray([1e-3, -1e-4]),))
    check_grads(lambda x: x * x, (asarray([1e3, 1.0]),))
    check_grads(lambda x: 1e6 + x * x, (asarray([1.0]),), order=1)
    check_grads(lambda x: array_namespace(x).sin(50 * x), (asarray([0.3]),))


def test_floats_are_arguments_like_arrays(xp):
    x = asarray([0.3, 2.0])
    check_grads(lambda x, a: x**a, (x, 1.7))
    slope = numeric_jvp(lambda x, a: x * a, (x, 2.0), (x, 1.0))
    assert_close(slope, [0.9, 6.0], rtol=1e-2)
    assert_close(numeric_grad(lambda x, a: x[0] * a * a, 1)(asarray([3.0], "float64"), 2.0), 12.0, dtype="float64")
    with pytest.raises(GradientError, match="argument 1, element"):
        check_grads(lambda x, a: x * abs(a), (x, 0.0))


def test_functions_that_cannot_be_checked(xp):
    x = asarray([1.0, 0.0])
    with pytest.raises(GradientError, match="not finite at this point"):
        check_grads(lambda x: x * float("inf"), (asarray([1.0]),))
    state = iter(range(1000))
    with pytest.raises(GradientError, match="different values in two calls"):
        check_grads(lambda x: x * float(next(state)), (x,))
    with pytest.raises(TypeError, match=r"close over it.*Received: argument 1 with dtype .*int32"):
        check_grads(lambda x, n: x, (x, asarray([1], "int32")))
    with pytest.raises(TypeError, match=r"close over it.*Received: argument 1\['n'\] of type int"):
        check_grads(lambda x, options: x, (x, {"n": 3}))
    with pytest.raises(TypeError, match=r"`args` of check_grads must be a tuple of arguments. Received: "):
        check_grads(lambda x: x, x)
    with pytest.raises(ValueError, match=r"Received: modes=\('sideways',\)"):
        check_grads(lambda x: x, (x,), modes=("sideways",))  # type: ignore[arg-type]

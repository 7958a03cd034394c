from __future__ import annotations

from typing import Any

import pytest

from portanet.autodiff import (
    TracedArray,
    TraceError,
    array_namespace,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)
from tests.support import asarray, assert_close, to_numpy

CALLS: dict[str, int] = {"pullback": 0}


@custom_vjp
def softplus(x: Any, sharpness: float = 1.0) -> Any:
    xp = array_namespace(x)
    y = xp.log1p(xp.exp(-xp.abs(sharpness * x))) + xp.where(x > 0, sharpness * x, 0.0)

    def pullback(g: Any) -> Any:
        CALLS["pullback"] += 1
        xp = array_namespace(g, x)
        return (g * (sharpness / (1 + xp.exp(-sharpness * x))),)

    return y, pullback


@custom_jvp
def softplus_forward(x: Any, sharpness: float = 1.0) -> Any:
    xp = array_namespace(x)
    y = xp.log1p(xp.exp(-xp.abs(sharpness * x))) + xp.where(x > 0, sharpness * x, 0.0)

    def pushforward(t: Any) -> Any:
        xp = array_namespace(t, x)
        return t * (sharpness / (1 + xp.exp(-sharpness * x)))

    return y, pushforward


def reference(x: Any, sharpness: float = 1.0) -> Any:
    xp = array_namespace(x)
    return xp.log(1 + xp.exp(sharpness * x))


def polar_parts(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Radius, angle, and an integer that has no derivative."""
    xp = array_namespace(x, y)
    return xp.sqrt(x * x + y * y), xp.atan2(y, x), xp.astype(x > y, xp.int32)


@custom_vjp
def polar(x: Any, y: Any) -> Any:
    r, angle, larger = polar_parts(x, y)

    def pullback(gs: Any) -> Any:
        gr, ga, gi = gs
        assert gi is None
        gx = gy = x * 0.0
        if gr is not None:
            gx, gy = gx + gr * (x / r), gy + gr * (y / r)
        if ga is not None:
            gx, gy = gx - ga * (y / (r * r)), gy + ga * (x / (r * r))
        return gx, gy

    return (r, angle, larger), pullback


@custom_jvp
def polar_forward(x: Any, y: Any) -> Any:
    r, angle, larger = polar_parts(x, y)

    def pushforward(tx: Any, ty: Any) -> Any:
        tx = x * 0.0 if tx is None else tx
        ty = x * 0.0 if ty is None else ty
        return tx * (x / r) + ty * (y / r), ty * (x / (r * r)) - tx * (y / (r * r)), None

    return (r, angle, larger), pushforward


BOTH = pytest.mark.parametrize("op", [softplus, softplus_forward], ids=["vjp", "jvp"])
POLAR = pytest.mark.parametrize("op", [polar, polar_forward], ids=["vjp", "jvp"])


@BOTH
def test_plain_arguments_give_the_result_alone(xp, op):
    x = asarray([-1.0, 0.0, 1.0])
    assert_close(op(x), [0.313262, 0.693147, 1.313262], rtol=1e-5)


@BOTH
@pytest.mark.parametrize("sharpness", [1.0, 2.5])
def test_all_modes_and_orders_agree_with_the_composed_function(xp, op, sharpness):
    x, t = asarray([-1.3, 0.2, 2.0], "float64"), asarray([0.5, -1.0, 2.0], "float64")
    scalar = lambda f: lambda x: array_namespace(x).sum(f(x, sharpness=sharpness) ** 2)
    f, want = scalar(op), scalar(reference)
    close = lambda a, b: assert_close(a, to_numpy(b), dtype="float64", rtol=1e-9)
    close(grad(f)(x), grad(want)(x))
    close(jvp(f, (x,), (t,))[1], jvp(want, (x,), (t,))[1])
    second = lambda f: jvp(grad(f), (x,), (t,))[1]
    close(second(f), second(want))
    back_over_forward = lambda f: grad(lambda x: jvp(f, (x,), (t,))[1])(x)
    close(back_over_forward(f), back_over_forward(want))
    forward_twice = lambda f: jvp(lambda x: jvp(f, (x,), (t,))[1], (x,), (t,))[1]
    close(forward_twice(f), forward_twice(want))
    back_twice = lambda f: grad(lambda x: array_namespace(x).sum(grad(f)(x) * t))(x)
    close(back_twice(f), back_twice(want))


@POLAR
@pytest.mark.parametrize("outputs", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
def test_several_results_of_which_some_are_not_used(xp, op, outputs, argnums):
    x, y = asarray([1.0, -2.0], "float64"), asarray([0.5, 1.5], "float64")
    scalar = lambda f: lambda x, y: sum(array_namespace(x, y).sum(f(x, y)[i] ** 2) for i in outputs)
    got, want = grad(scalar(op), argnums)(x, y), grad(scalar(polar_parts), argnums)(x, y)
    for a, b in zip(_tuple(got), _tuple(want), strict=True):
        assert_close(a, to_numpy(b), dtype="float64")


def _tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


@POLAR
def test_forward_mode_with_several_results(xp, op):
    x, y = asarray([1.0, -2.0], "float64"), asarray([0.5, 1.5], "float64")
    t = asarray([0.3, -0.7], "float64")
    got = jvp(lambda x: op(x, y), (x,), (t,))
    want = jvp(lambda x: polar_parts(x, y), (x,), (t,))
    for a, b in zip(got[0][:2] + got[1][:2], want[0][:2] + want[1][:2], strict=True):
        assert_close(a, to_numpy(b), dtype="float64")
    assert to_numpy(got[1][2]).tolist() == [0, 0]


@POLAR
def test_second_derivatives_with_several_results(xp, op):
    v = asarray([1.0, 0.5], "float64")
    f = lambda op: lambda v: op(v[0], v[1])[0] * op(v[0], v[1])[1]
    assert_close(hessian(f(op))(v), to_numpy(hessian(f(polar_parts))(v)), dtype="float64")


def test_forward_mode_runs_the_pullback_once(xp):
    x = asarray([1.0, 2.0])
    CALLS["pullback"] = 0
    jvp(softplus, (x,), (x,))
    assert CALLS["pullback"] == 1


def test_the_function_gets_plain_arrays_unless_derivatives_are_nested(xp):
    kinds = []

    @custom_vjp
    def square(x: Any, y: Any) -> Any:
        kinds.append((type(x) is TracedArray, type(y) is TracedArray))
        return x * x + y, lambda g: (2 * g * x, g)

    f = lambda x: square(x, asarray(1.0))
    grad(f)(asarray(3.0))
    assert kinds.pop() == (False, False)
    assert_close(grad(grad(f))(asarray(3.0)), 2.0)
    assert kinds.pop() == (True, True)


def test_a_traced_cotangent_finds_operands_that_can_be_traced(xp):
    """Not every library defers `plain * traced` to the right operand, and overridden functions expect plain arrays."""
    kinds = set()

    @custom_vjp
    def square(x: Any) -> Any:
        def pullback(g: Any) -> Any:
            kinds.add((type(x) is TracedArray, type(g) is TracedArray))
            return (2.0 * x * g,)

        return x * x, pullback

    _, pull = vjp(square, asarray([3.0]))
    assert_close(grad(lambda g: array_namespace(g).sum(pull(g)[0] ** 2))(asarray([1.0])), [72.0])
    assert kinds == {(True, True)}


def test_options_that_are_constant_arrive_as_plain_arrays(xp):
    kinds = []

    @custom_vjp
    def scaled(x: Any, factor: Any = 1.0) -> Any:
        kinds.append(type(factor) is TracedArray)
        return x * factor, lambda g: (g * factor,)

    def f(x: Any) -> Any:
        factor = stop_gradient(x)
        return array_namespace(x).sum(scaled(asarray([2.0]), factor=factor) * scaled(x, factor=factor))

    assert_close(grad(f)(asarray([3.0])), [18.0])
    assert kinds == [False, False]


def test_none_means_no_derivative(xp):
    @custom_vjp
    def scaled(x: Any, factor: Any) -> Any:
        return x * factor, lambda g: (g * factor, None)

    x, factor = asarray([1.0, 2.0]), asarray([3.0, 4.0])
    total = lambda x, k: array_namespace(x, k).sum(scaled(x, k))
    gx, gk = grad(total, (0, 1))(x, factor)
    assert_close(gx, [3.0, 4.0])
    assert_close(gk, [0.0, 0.0])
    assert_close(jvp(scaled, (x, factor), (x, x))[1], [3.0, 8.0])
    assert_close(jvp(lambda k: scaled(x, k), (factor,), (x,))[1], [0.0, 0.0])


def test_a_cotangent_given_as_a_function_is_computed_only_if_wanted(xp):
    asked = []

    @custom_vjp
    def product(x: Any, y: Any) -> Any:
        def for_x() -> Any:
            asked.append("x")
            return g_by_y[0]

        def pullback(g: Any) -> Any:
            g_by_y[:] = [g * y]
            return for_x, g * x

        g_by_y: list[Any] = []
        return x * y, pullback

    x, y = asarray(3.0), asarray(5.0)
    assert_close(grad(product, 1)(x, y), 3.0)
    assert asked == []
    assert_close(grad(product)(x, y), 5.0)
    assert asked == ["x"]
    assert_close(grad(grad(lambda x: product(x, x)))(x), 2.0)
    assert_close(jvp(product, (x, y), (x, y))[1], 30.0)


@pytest.mark.parametrize("declare", [custom_vjp, custom_jvp])
def test_hidden_traced_arrays_are_refused(xp, declare):
    @declare
    def scale(x: Any, factor: Any = 1.0) -> Any:
        return x * factor, lambda t: (t * factor,)

    x = asarray(2.0)
    with pytest.raises(TraceError, match=r"positional arguments only.*option 'factor'"):
        grad(lambda x: scale(x, factor=x))(x)

    def closes_over(x: Any) -> Any:
        @declare
        def inner(y: Any) -> Any:
            return x * y, lambda t: (x * t,)

        return inner(x)

    with pytest.raises(TraceError, match="inner closes over a traced array"):
        grad(closes_over)(x)
    with pytest.raises(TraceError, match="inner closes over a traced array"):
        jvp(closes_over, (x,), (x,))


@BOTH
def test_float32_stays_float32(xp, op):
    x = asarray([1.0, 2.0], "float32")
    value, slope = value_and_grad(lambda x: array_namespace(x).sum(op(x)))(x)
    assert_close(value, to_numpy(xp.sum(op(x))), dtype="float32")
    assert slope.dtype == x.dtype
    assert vjp(op, x)[1](x)[0].dtype == x.dtype
    assert jvp(op, (x,), (x,))[1].dtype == x.dtype


@pytest.mark.parametrize("wrong", [lambda g: 3.0 * g, lambda g: (g, g), lambda g: (), lambda g: None])
def test_a_pullback_that_does_not_return_one_cotangent_per_argument(xp, wrong):
    """An array in place of a tuple of one would be taken for the cotangents of its rows."""
    tripled = custom_vjp(lambda x: (3.0 * x, wrong))
    x = asarray([1.0, 2.0])
    total = lambda x: array_namespace(x).sum(tripled(x))
    for derivative in (
        lambda: grad(total)(x),
        lambda: jvp(total, (x,), (x,)),
        lambda: vmap(grad(lambda x: tripled(x)))(x),
        lambda: grad(lambda x: array_namespace(x).sum(vmap(tripled)(x)))(x),
    ):
        with pytest.raises(TypeError, match=r"pullback of .* must return a tuple of one cotangent per positional arg"):
            derivative()
    listed = custom_vjp(lambda x: (3.0 * x, lambda g: [5.0 * g]))
    assert_close(grad(lambda x: array_namespace(x).sum(listed(x)))(x), [5.0, 5.0])


@pytest.mark.parametrize("early", [False, True])
def test_early_pullbacks_come_before_those_of_what_their_results_did_not_enter(xp, early):
    called = []

    def watched(name, early=False):
        def same(x):
            return x, lambda g: (called.append(name), (g,))[1]

        return custom_vjp(same, early=early)

    def f(first, second, unused):
        first, second, _ = (watched(name, early)(x) for name, x in (("1", first), ("2", second), ("3", unused)))
        hidden = watched("hidden")(first * first)
        return array_namespace(hidden).sum(hidden * second * second)

    x = asarray([1.0, 2.0])
    grads = grad(f, argnums=(0, 1))(x, x, x)
    assert called == (["2", "hidden", "1"] if early else ["hidden", "2", "1"])
    for g in grads:
        assert_close(g, [2.0, 16.0])
    hessian = vjp(lambda x: grad(lambda y: f(y, y, y))(x), x)[1](asarray([1.0, 0.0]))[0]
    assert_close(hessian, [12.0, 0.0])

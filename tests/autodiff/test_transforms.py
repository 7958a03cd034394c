from __future__ import annotations

import dataclasses
import gc
import threading
import weakref
from typing import Any, NamedTuple

import numpy as np
import pytest

from portanet.autodiff import (
    TracedArray,
    TraceError,
    allow_conversion,
    array_namespace,
    grad,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)
from tests.support import asarray, assert_close, to_numpy


def total(x: Any) -> Any:
    return array_namespace(x).sum(x)


class Line(NamedTuple):
    slope: Any
    offset: Any


@dataclasses.dataclass
class Layer:
    w: Any
    b: Any


# grad and value_and_grad


def test_gradient_of_a_sum_of_cubes(xp):
    x = asarray([1.0, -2.0, 3.0])
    value, slope = value_and_grad(lambda x: total(x**3))(x)
    assert_close(value, 20.0)
    assert_close(slope, [3.0, 12.0, 27.0])
    assert_close(grad(lambda x: total(x**3))(x), [3.0, 12.0, 27.0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_has_the_dtype_of_its_argument(xp, dtype):
    x = asarray([1.0, 2.0], dtype)
    w = asarray([3.0, 4.0], "float64")

    def f(x: Any, w: Any) -> Any:
        xp = array_namespace(x, w)
        return xp.sum(x * xp.astype(w, x.dtype))

    value, (gx, gw) = value_and_grad(f, (0, 1))(x, w)
    assert_close(value, 11.0, dtype=dtype)
    assert_close(gx, [3.0, 4.0], dtype=dtype)
    assert_close(gw, [1.0, 2.0], dtype="float64")


def test_argnums(xp):
    f = lambda x, y, z: total(x * y + z)
    x, y, z = asarray([1.0, 2.0]), asarray([3.0, 4.0]), asarray([5.0, 6.0])
    assert_close(grad(f)(x, y, z), y)
    assert_close(grad(f, 1)(x, y, z), x)
    assert_close(grad(f, -1)(x, y, z), [1.0, 1.0])
    last, first = grad(f, (2, 0))(x, y, z)
    assert_close(last, [1.0, 1.0])
    assert_close(first, y)
    same, again = grad(f, [1, 1])(x, y, z)
    assert_close(same, x)
    assert_close(again, x)
    with pytest.raises(TypeError, match=r"argnums names positional arguments.*Received: argnums=3 and 3"):
        grad(f, 3)(x, y, z)


def test_has_aux_gives_plain_arrays_and_other_objects(xp):
    def f(x: Any) -> Any:
        y = x * x
        return total(y), {"squares": y, "mask": y > 2.0, "note": "kept", "none": None}

    x = asarray([1.0, 2.0])
    (value, aux), slope = value_and_grad(f, has_aux=True)(x)
    assert_close(value, 5.0)
    assert_close(slope, [2.0, 4.0])
    assert_close(aux["squares"], [1.0, 4.0])
    assert to_numpy(aux["mask"]).tolist() == [False, True]
    assert aux["note"] == "kept"
    assert aux["none"] is None
    assert grad(f, has_aux=True)(x)[1]["note"] == "kept"
    with pytest.raises(TypeError, match=r"must return \(value, aux\)"):
        grad(total, has_aux=True)(x)


@pytest.mark.parametrize(
    "make",
    [
        lambda w, b: {"w": w, "b": b},
        lambda w, b: [w, b],
        lambda w, b: (w, b),
        lambda w, b: Line(w, b),
        lambda w, b: Layer(w, b),
        lambda w, b: {"deep": [Line(w, (Layer(None, b),))]},
    ],
    ids=["dict", "list", "tuple", "namedtuple", "dataclass", "nested"],
)
def test_gradient_has_the_structure_of_its_argument(xp, make):
    from portanet.tree import tree_items

    w, b = asarray([2.0, 3.0]), asarray(1.0)
    tree = make(w, b)

    def f(tree: Any) -> Any:
        leaves = [leaf for _, leaf in tree_items(tree)]
        w, b = leaves if leaves[0].ndim else leaves[::-1]
        return total(w * w) * b

    slope = grad(f)(tree)
    assert type(slope) is type(tree)
    assert [path for path, _ in tree_items(slope)] == [path for path, _ in tree_items(tree)]
    by_rank = {leaf.ndim: leaf for _, leaf in tree_items(slope)}
    assert_close(by_rank[1], [4.0, 6.0])
    assert_close(by_rank[0], 13.0)


def test_python_floats_take_the_library_and_dtype_of_the_arrays_beside_them(xp):
    x = asarray([1.0, 2.0])
    assert_close(grad(lambda a, x: total(a * x))(3.0, x), 3.0)
    assert_close(grad(lambda a: a * a)(3.0), 6.0)
    counts = asarray([1, 2], "int32")
    assert float(grad(lambda a, n: a * a)(3.0, counts)) == 6.0


def test_keyword_arguments_are_constants(xp):
    x = asarray([1.0, 2.0])
    assert_close(grad(lambda x, scale, power=1: total(scale * x**power))(x, scale=x, power=2), [2.0, 8.0])


def test_an_argument_that_does_not_matter_has_gradient_zero(xp):
    x, y = asarray([1.0, 2.0]), asarray([[3.0]])
    gx, gy = grad(lambda x, y: total(x), (0, 1))(x, y)
    assert_close(gx, [1.0, 1.0])
    assert_close(gy, [[0.0]])
    assert_close(grad(lambda x: array_namespace(x).asarray(5.0))(asarray(1.0)), 0.0)


# Errors


@pytest.mark.parametrize("dtype", ["int32", "int64", "bool"])
def test_integer_and_boolean_arguments_are_refused_by_name(xp, dtype):
    x = asarray(np.asarray([1, 0]), dtype)
    with pytest.raises(TypeError, match=rf"Received: argument 1\['n'\]\[0\] with dtype .*{dtype}"):
        grad(lambda x, t: total(x), 1)(asarray([1.0]), {"n": [x]})


def test_arguments_that_are_no_arrays_are_refused_by_name():
    with pytest.raises(TypeError, match=r"Received: argument 0\['k'\] of type str"):
        grad(total)({"k": "three"})
    with pytest.raises(TypeError, match=r"Received: argument 0 of type int"):
        grad(total)(3)


def test_results_that_have_no_gradient_are_refused(xp):
    x = asarray([1.0, 2.0])
    with pytest.raises(TypeError, match=r"take the sum or mean.*Received: an output of shape \(2,\)"):
        grad(lambda x: x * 2.0)(x)
    with allow_conversion(), pytest.raises(TypeError, match=r"must return a 0-d array. Received: float"):
        grad(lambda x: float(total(x)))(x)
    with pytest.raises(TypeError, match=r"an output of dtype .*int"):
        grad(lambda x: array_namespace(x).sum(array_namespace(x).astype(x, xp.int32)))(x)


def test_cotangents_and_tangents_must_match(xp):
    x = asarray([1.0, 2.0])
    _, pullback = vjp(lambda x: x * x, x)
    with pytest.raises(TypeError, match=r"A cotangent must have .*\(2,\).*Received: \(3,\)"):
        pullback(asarray([1.0, 1.0, 1.0]))
    with pytest.raises(TypeError, match=r"A tangent must have .*Received: \(2,\) .*float64"):
        jvp(lambda x: x * x, (x,), (asarray([1.0, 1.0], "float64"),))
    with pytest.raises(ValueError, match=r"different structure.*without \[\"\['a'\]\"\]"):
        jvp(lambda t: t["a"], ({"a": x},), ({"b": x},))
    with pytest.raises(TypeError, match="1 primals and 0 tangents"):
        jvp(lambda x: x, (x,), ())


def test_a_traced_array_cannot_outlive_its_trace(xp):
    kept = []
    grad(lambda x: (kept.append(x), total(x))[1])(asarray([1.0]))
    with pytest.raises(TraceError, match="after its trace ended"):
        kept[0] * 2.0


def test_a_trace_ends_when_its_function_raises(xp):
    kept = []

    def f(x: Any) -> Any:
        kept.append(x)
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        grad(f)(asarray([1.0]))
    with pytest.raises(TraceError, match="after its trace ended"):
        kept[0] * 2.0


# vjp and jvp


def test_vjp_of_trees(xp):
    x, y = asarray([1.0, 2.0]), asarray([3.0, 4.0])
    value, pullback = vjp(lambda x, t: {"p": x * t["y"], "s": (x + t["y"],)}, x, {"y": y})
    assert_close(value["p"], [3.0, 8.0])
    gx, gt = pullback({"s": (asarray([10.0, 10.0]),), "p": asarray([1.0, 0.0])})
    assert_close(gx, [13.0, 10.0])
    assert_close(gt["y"], [11.0, 10.0])


def test_a_pullback_frees_what_it_used_unless_told_to_keep_it(xp):
    x = asarray([1.0, 2.0])
    ones = asarray([1.0, 1.0])
    _, pullback = vjp(lambda x: x * x, x)
    assert_close(pullback(ones, retain=True)[0], [2.0, 4.0])
    assert_close(pullback(ones)[0], [2.0, 4.0])
    with pytest.raises(TraceError, match="retain=True"):
        pullback(ones)


def test_jvp_of_trees_with_aux(xp):
    x = asarray([1.0, 2.0])

    def f(t: Any) -> Any:
        return {"sq": t["x"] * t["x"], "fixed": array_namespace(t["x"]).ones_like(t["x"])}, "beside"

    value, slope, aux = jvp(f, ({"x": x},), ({"x": asarray([1.0, 10.0])},), has_aux=True)
    assert_close(value["sq"], [1.0, 4.0])
    assert_close(slope["sq"], [2.0, 40.0])
    assert_close(slope["fixed"], [0.0, 0.0])
    with pytest.raises(TypeError, match=r"with has_aux=True. Received: a result of type str"):
        jvp(lambda x: (x, "beside"), (x,), (x,))
    assert aux == "beside"


def test_forward_and_reverse_are_transposes(xp):
    rng = np.random.default_rng(0)
    x, t, g = (asarray(rng.normal(size=n), "float64") for n in ((3, 4), (3, 4), (3, 3)))

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.tanh(xp.matmul(x, xp.matrix_transpose(xp.exp(x))))

    _, along = jvp(f, (x,), (t,))
    (back,) = vjp(f, x)[1](g)
    assert_close(xp.sum(g * along), to_numpy(xp.sum(back * t)), dtype="float64")


def test_stop_gradient_over_trees(xp):
    x = asarray([3.0])
    assert_close(grad(lambda t: total(t["x"] * stop_gradient(t)["x"]))({"x": x})["x"], [3.0])
    assert stop_gradient("text") == "text"


# Nesting


def test_derivatives_of_any_order(xp):
    f = lambda x: x**5
    expected = [32.0, 80.0, 160.0, 240.0, 240.0, 120.0, 0.0]
    for want in expected:
        assert_close(f(asarray(2.0, "float64")), want, dtype="float64")
        f = grad(f)


def test_every_order_of_modes_gives_the_same_second_derivative(xp):
    x = asarray(0.7, "float64")
    one = asarray(1.0, "float64")
    f = lambda x: array_namespace(x).sin(x) * array_namespace(x).exp(x)
    forward = lambda f: lambda x: jvp(f, (x,), (one,))[1]
    want = 2 * np.cos(0.7) * np.exp(0.7)
    for outer in (grad, forward):
        for inner in (grad, forward):
            assert_close(outer(inner(f))(x), want, dtype="float64")


def test_no_perturbation_confusion(xp):
    """d/dx x d/dy (x + y) = 1; a system that confuses its levels returns 2 (Siskind and Pearlmutter 2005)."""
    x = asarray(1.0)
    forward = lambda f: lambda x: jvp(f, (x,), (asarray(1.0),))[1]
    for outer in (grad, forward):
        for inner in (grad, forward):
            assert_close(outer(lambda x, inner=inner: x * inner(lambda y: x + y)(asarray(1.0)))(x), 1.0)
            assert_close(outer(lambda x, inner=inner: x * inner(lambda y: x * y)(x))(x), 2.0)


def test_constant_results_inside_a_trace_stay_usable_with_its_arrays(xp):
    """The inner gradient is constant, yet code must find one common namespace for its arrays."""
    import array_api_compat

    def f(x: Any) -> Any:
        slope = grad(lambda y: total(3.0 * y))(x)
        value, tangent = jvp(lambda y: array_namespace(y).ones_like(y), (x,), (x,))
        assert all(type(a) is TracedArray for a in (slope, value, tangent))
        ns = array_api_compat.array_namespace(x, slope, value, tangent, use_compat=None)
        return ns.sum(x * slope + tangent)

    assert_close(grad(f)(asarray([1.0, 2.0])), [3.0, 3.0])


def test_results_for_plain_arguments_are_plain(xp):
    x = asarray([1.0, 2.0])
    value, pullback = vjp(lambda x: (x, array_namespace(x).ones((1,))), x)
    assert not any(type(a) is TracedArray for a in (*value, *pullback(value)))


# Resources


def test_a_long_chain_needs_no_recursion():
    x = np.asarray(1.0)

    def f(x: Any) -> Any:
        for _ in range(50_000):
            x = x * 1.00001
        return x

    want = 1.00001**50_000
    assert float(grad(f)(x)) == pytest.approx(want)
    assert float(jvp(f, (x,), (x,))[1]) == pytest.approx(want)
    value, pullback = vjp(f, x)
    del pullback  # dropping the record unused must not recurse either
    assert float(value) == pytest.approx(want)


def test_the_record_is_freed_as_the_pullback_proceeds():
    alive: list[weakref.ref[Any]] = []
    seen: list[int] = []

    def f(x: Any) -> Any:
        for _ in range(10):
            y = x * x  # the pullback of each step holds its input
            alive.append(weakref.ref(y._value))
            x = y
        return total(x)

    from portanet.autodiff import custom_vjp

    @custom_vjp
    def probe(x: Any) -> Any:
        def pullback(g: Any) -> Any:
            seen.append(sum(ref() is not None for ref in alive))
            return (g,)

        return x, pullback

    gc.disable()  # nothing may depend on the garbage collector
    try:
        grad(lambda x: f(probe(x)))(np.ones(3))
    finally:
        gc.enable()
    assert len(alive) == 10
    assert seen == [0]


def test_two_threads_differentiate_at_once():
    rng = np.random.default_rng(0)
    data = [rng.normal(size=(4, 4)) for _ in range(8)]

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        for _ in range(20):
            x = xp.tanh(xp.matmul(x, x))
        return xp.sum(grad(lambda y: xp.sum(y * y * x))(x))

    want = [grad(f)(x) for x in data]
    got: dict[int, Any] = {}
    start = threading.Barrier(2)

    def work(half: int) -> None:
        start.wait()
        for _ in range(3):
            for i in range(half, len(data), 2):
                got[i] = grad(f)(data[i])

    threads = [threading.Thread(target=work, args=(half,)) for half in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, expected in enumerate(want):
        np.testing.assert_array_equal(got[i], expected)

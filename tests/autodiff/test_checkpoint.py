from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, check_grads, checkpoint, grad, hessian, hvp, jvp, value_and_grad
from tests.support import asarray, assert_close, to_numpy


def block(params: Any, x: Any, *, sharp: float = 1.0, training: bool = False) -> Any:
    xp = array_namespace(x, params["w"])
    y = xp.tanh(sharp * xp.matmul(x, params["w"]) + params["b"][0])
    return {"y": y, "positive": y > 0, "note": "kept" if training else "dropped"}


def loss(block: Any) -> Any:
    def f(params: Any, x: Any) -> Any:
        for _ in range(3):
            out = block(params, x, sharp=1.5, training=True)
            assert out["note"] == "kept"
            x = out["y"]
        return array_namespace(x, params["w"]).sum(x * x)

    return f


@pytest.fixture
def arguments(xp):
    rng = np.random.default_rng(0)
    params = {"w": asarray(rng.normal(size=(3, 3)), "float64"), "b": [asarray(rng.normal(size=3), "float64")]}
    return params, asarray(rng.normal(size=(2, 3)), "float64")


def test_same_values_and_gradients(xp, arguments):
    value, slope = value_and_grad(loss(checkpoint(block)), (0, 1))(*arguments)
    want, want_slope = value_and_grad(loss(block), (0, 1))(*arguments)
    assert_close(value, to_numpy(want), dtype="float64")
    assert_close(slope[0]["w"], to_numpy(want_slope[0]["w"]), dtype="float64")
    assert_close(slope[0]["b"][0], to_numpy(want_slope[0]["b"][0]), dtype="float64")
    assert_close(slope[1], to_numpy(want_slope[1]), dtype="float64")


def test_same_derivatives_forward_and_of_second_order(xp, arguments):
    params, x = arguments
    plain, stored = (lambda x, b=b: loss(b)(params, x) for b in (block, checkpoint(block)))
    assert_close(jvp(stored, (x,), (x,))[1], to_numpy(jvp(plain, (x,), (x,))[1]), dtype="float64")
    want = to_numpy(hvp(plain, (x,), (x,)))
    assert_close(hvp(stored, (x,), (x,)), want, dtype="float64", rtol=1e-9)
    assert_close(grad(lambda y: jvp(stored, (y,), (x,))[1])(x), want, dtype="float64", rtol=1e-9)
    assert_close(grad(lambda y: array_namespace(y).sum(grad(stored)(y) * x))(x), want, dtype="float64", rtol=1e-9)
    assert_close(hessian(stored)(x), to_numpy(hessian(plain)(x)), dtype="float64", rtol=1e-9)


def test_plain_arguments_give_plain_results(xp, arguments):
    out = checkpoint(block)(*arguments, training=True)
    assert_close(out["y"], to_numpy(block(*arguments)["y"]), dtype="float64")
    assert out["note"] == "kept"


def test_the_function_runs_again_in_the_reverse_sweep(xp):
    runs = []

    @checkpoint
    def square(x: Any) -> Any:
        runs.append(len(runs))
        return x * x

    grad(lambda x: array_namespace(x).sum(square(x)))(asarray([1.0, 2.0]))
    assert runs == [0, 1]


def test_integer_results_have_no_derivative(xp):
    f = checkpoint(lambda x: (array_namespace(x).argmax(x), x * x))
    assert_close(grad(lambda x: f(x)[1][int(f(x)[0])])(asarray([1.0, 3.0, 2.0])), [0.0, 6.0, 0.0])


@pytest.mark.parametrize("inner", [False, True], ids=["argument", "none"])
def test_closing_over_traced_arrays(xp, inner):
    """The derivative by what the function closes over, in every mode and order, and alone."""

    def f(w: Any, x: Any) -> Any:
        y = array_namespace(w).sin(w)
        block = checkpoint(lambda a: y * a * (a if inner else w))
        return block(asarray(3.0, "float64") if inner else x * w) + block(x)

    check_grads(f, (asarray(2.0, "float64"), asarray(0.7, "float64")))


def test_an_argument_written_to_afterwards_or_inside_is_computed_with_its_first_value(xp):
    @checkpoint
    def block(a: Any) -> Any:
        a *= a
        return a * a

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        y = xp.asarray(x, copy=True)
        out = xp.sum(block(y)) * y[0]
        y[1] = 100.0
        return out

    want = lambda x: (x[0] ** 4 + x[1] ** 4) * x[0]
    x = asarray([2.0, 3.0], "float64")
    assert_close(grad(f)(x), to_numpy(grad(want)(x)), dtype="float64")
    assert_close(hessian(f)(x), to_numpy(hessian(want)(x)), dtype="float64")


def peak_of(f: Any, x: Any) -> int:
    grad(f)(x)
    tracemalloc.start()
    grad(f)(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_deep_chain_needs_the_memory_of_its_links():
    """64 steps in 8 blocks: about 8 + 8 arrays are alive at the worst moment, not 64."""
    x = np.full(20_000, 0.5)

    def steps(x: Any, count: int = 8) -> Any:
        for _ in range(count):
            x = array_namespace(x).sin(x)
        return x

    def chain(block: Any) -> Any:
        def f(x: Any) -> Any:
            for _ in range(8):
                x = block(x)
            return array_namespace(x).sum(x)

        return f

    stored, recomputed = peak_of(chain(steps), x), peak_of(chain(checkpoint(steps)), x)
    assert stored > 60 * x.nbytes
    assert recomputed < 24 * x.nbytes

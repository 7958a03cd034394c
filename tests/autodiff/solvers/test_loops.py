from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import (
    array_namespace,
    check_grads,
    fori_loop,
    grad,
    hessian,
    jvp,
    scan,
    unwrap,
    while_loop,
)
from tests.support import asarray, assert_close, to_numpy


def double(values: Any) -> Any:
    return asarray(values, "float64")


def network(w: Any, h: Any, xs: Any, reverse: bool = False) -> Any:
    """A recurrent network whose step closes over its weights."""

    def step(carry: Any, x: Any) -> Any:
        xp = array_namespace(w, carry["h"], x)
        new = xp.tanh(xp.add(xp.matmul(w, carry["h"]), x))
        return {"h": new}, (new * x, None)

    carry, (ys, _) = scan(step, {"h": h}, xs, reverse=reverse)
    return carry["h"], ys


def looped(w: Any, h: Any, xs: Any, reverse: bool = False) -> Any:
    xp = array_namespace(w, h, xs)
    ys: list[Any] = []
    for i in range(xs.shape[0])[:: -1 if reverse else 1]:
        h = xp.tanh(xp.add(xp.matmul(w, h), xs[i, ...]))
        ys.append(h * xs[i, ...])
    return h, xp.stack(ys[:: -1 if reverse else 1])


@pytest.fixture
def arguments(xp):
    rng = np.random.default_rng(0)
    return double(rng.normal(size=(3, 3))), double(rng.normal(size=3)), double(rng.normal(size=(5, 3)))


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_the_loop(xp, arguments, reverse):
    for got, want in zip(network(*arguments, reverse), looped(*arguments, reverse), strict=True):
        assert_close(got, to_numpy(want), dtype="float64")
    total = lambda f: lambda *args: array_namespace(*args).sum(f(*args, reverse)[1] ** 2) + f(*args, reverse)[0][0]
    got, want = grad(total(network), (0, 1, 2))(*arguments), grad(total(looped), (0, 1, 2))(*arguments)
    for g, w in zip(got, want, strict=True):
        assert_close(g, to_numpy(w), dtype="float64")
    check_grads(lambda *args: network(*args, reverse), arguments, directions=1)


def test_second_derivatives_with_inner_and_outer_levels(xp, arguments):
    w, h, xs = arguments
    for f in (lambda h: network(w, h, xs)[0][1], lambda h: grad(lambda x: network(w, h * 2, x)[0][0])(xs)[0, 0]):
        check_grads(f, (h,), directions=1)
    got, want = (hessian(lambda h, f=f: f(w, h, xs)[0][1])(h) for f in (network, looped))
    assert_close(got, to_numpy(want), dtype="float64")


def test_scan_beside_jax():
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(1)
    w, h, xs = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(6, 3))

    def theirs(w: Any, h: Any, xs: Any) -> Any:
        step = lambda carry, x: ((new := jax.numpy.tanh(w @ carry + x)), new * x)
        carry, ys = jax.lax.scan(step, h, xs, reverse=True)
        return carry.sum() + (ys**3).sum()

    def ours(w: Any, h: Any, xs: Any) -> Any:
        xp = array_namespace(w, h, xs)
        carry, ys = network(w, h, xs, reverse=True)
        return xp.sum(carry) + xp.sum(ys**3)

    for got, want in zip(grad(ours, (0, 1, 2))(w, h, xs), jax.grad(theirs, (0, 1, 2))(w, h, xs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10)


def test_scan_without_inputs_and_of_no_steps(xp):
    carry, ys = scan(lambda c, x: (c * 2.0, c), double(1.0), length=4)
    assert_close(carry, 16.0, dtype="float64")
    assert_close(ys, [1.0, 2.0, 4.0, 8.0], dtype="float64")
    carry, ys = scan(lambda c, x: (c + x["a"], {"y": c * x["a"]}), double([1.0, 2.0]), {"a": double(np.zeros((0, 2)))})
    assert_close(carry, [1.0, 2.0], dtype="float64")
    assert_close(ys["y"], np.zeros((0, 2)), dtype="float64")


def test_fori_loop(xp):
    f = lambda x: fori_loop(2, 7, lambda i, y: y * x + i, x * 0.0)
    want = lambda x: (((2 * x + 3) * x + 4) * x + 5) * x + 6
    x = double([0.5, -1.5])
    assert_close(f(x), to_numpy(want(x)), dtype="float64")
    check_grads(f, (x,), order=3)
    assert fori_loop(3, 3, lambda i, y: y + 1, x) is x


def test_while_loop_with_a_number_of_steps_that_depends_on_values(xp):
    """Newton's iteration: its derivative converges to that of the root."""

    def root(a: Any) -> Any:
        condition = lambda v: array_namespace(v["x"]).abs(v["x"] ** 2 - a) > 1e-13
        return while_loop(condition, lambda v: {"x": (v["x"] + a / v["x"]) / 2, "n": v["n"] + 1}, {"x": a, "n": 0})["x"]

    a = double(3.0)
    assert_close(root(a), 3**0.5, dtype="float64")
    assert_close(grad(root)(a), 0.5 / 3**0.5, dtype="float64")
    assert_close(jvp(root, (a,), (a,))[1], 1.5 / 3**0.5, dtype="float64")
    assert_close(grad(grad(root))(a), -0.25 * 3**-1.5, dtype="float64")
    assert while_loop(lambda v: False, lambda v: v, a) is a


class Stored:
    """Counts the arrays that a loop has made and that are still alive, at the most."""

    def __init__(self) -> None:
        self.alive: weakref.WeakSet[Any] = weakref.WeakSet()
        self.most = self.made = 0

    def note(self, x: Any) -> Any:
        value = unwrap(x)
        if isinstance(value, np.ndarray):
            key = _Key(value)
            self.alive.add(key)
            self.keep(value, key)
            self.made += 1
        self.most = max(self.most, len(self.alive))
        return x

    @staticmethod
    def keep(value: Any, key: Any) -> None:
        """Let the key live as long as the array."""
        weakref.finalize(value, lambda key: None, key).atexit = False


class _Key:
    def __init__(self, value: Any) -> None:
        self.shape = value.shape


@pytest.mark.parametrize("loop", ["scan", "fori_loop", "while_loop", "python"])
def test_the_reverse_pass_stores_about_the_square_root_of_the_steps(loop):
    """Arrays made by the steps and alive at the worst moment, of 400: not 400, but about 20 carries and 20 steps."""
    steps = 400
    stored = Stored()

    def step(w: Any, x: Any) -> Any:
        return stored.note(array_namespace(x, w).sin(stored.note(x * w)))

    def f(w: Any) -> Any:
        xp = array_namespace(w)
        x = np.full(50, 0.5)
        if loop == "scan":
            x = scan(lambda c, _: (step(w, c), None), x, length=steps)[0]
        elif loop == "fori_loop":
            x = fori_loop(0, steps, lambda i, c: step(w, c), x)
        elif loop == "while_loop":
            counter = np.asarray(0.0)
            x = while_loop(lambda v: v[1] < steps, lambda v: (step(w, v[0]), v[1] + 1.0), (x, counter))[0]
        else:
            for _ in range(steps):
                x = step(w, x)
        return xp.sum(x)

    gc.collect()
    slope = grad(f)(np.full(50, 1.1))
    assert np.all(np.isfinite(slope))
    if loop == "python":
        assert stored.most >= 2 * steps
    else:
        assert stored.made >= 4 * steps  # each step twice
        assert stored.most <= 5 * math.isqrt(2 * steps), stored.most


def test_errors(xp):
    x = double([1.0, 2.0])
    with pytest.raises(ValueError, match=r"carry of argument `f` of scan must have the structure"):
        scan(lambda c, x: (c[0], None), x, length=2)
    for condition, received in ((lambda v: None, "NoneType"), (lambda v: v > 0, r"shape \(2,\)")):
        with pytest.raises(TypeError, match=rf"`cond_fun` of while_loop must return a boolean.*Received: {received}"):
            while_loop(condition, lambda v: v, x)
    with pytest.raises(ValueError, match=r"value of argument `body_fun` of while_loop must have"):
        while_loop(lambda v: True, lambda v: {"x": v}, x)
    with pytest.raises(ValueError, match=r"value of argument `body_fun` of fori_loop must have"):
        fori_loop(0, 2, lambda i, v: asarray([1.0, 2.0], "float32"), x)
    with pytest.raises(ValueError, match=r"one number of steps.*Received: xs of 2, length of 3"):
        scan(lambda c, x: (c, x), x, x, length=3)
    with pytest.raises(ValueError, match=r"Received: neither xs nor length"):
        scan(lambda c, x: (c, x), x)
    with pytest.raises(TypeError, match=r"must return \(carry, y\)"):
        scan(lambda c, x: c, x, length=2)
    with pytest.raises(TypeError, match=r"first axis for the steps.*Received: xs\['a'\] of shape \(\)"):
        scan(lambda c, x: (c, x), x, {"a": x[0]})


def test_forms_that_change_between_steps(xp):
    x = double([1.0, 2.0])
    xp = array_namespace(x)
    grown = lambda c, _: (xp.concat([c, c]), None)
    with pytest.raises(ValueError, match=r"carry of argument `f` of scan must .* \(2,\) .*Bring `init` to.*\(4,\)"):
        scan(grown, x, length=2)
    with pytest.raises(ValueError, match=r"carry of argument `f` of scan must .*float64.*Received: \(2,\) .*float32"):
        scan(lambda c, _: (xp.astype(c, xp.float32), None), x, length=2)
    steps = [double(np.ones(size)) for size in (2, 2, 2, 3)]
    for outputs in (steps, [xp.astype(y, xp.float32) if i else y for i, y in enumerate(steps[:3])]):
        remaining = iter(outputs)
        with pytest.raises(ValueError, match=r"output y of argument `f` of scan must .*are stacked\. Received"):
            scan(lambda c, _: (c, next(remaining)), x, length=len(outputs))  # noqa: B023
    with pytest.raises(ValueError, match=r"`body_fun` of while_loop must .*Bring `init_val` to"):
        while_loop(lambda v: True, lambda v: xp.astype(v, xp.float32), x)
    with pytest.raises(ValueError, match=r"`body_fun` of fori_loop must .*Bring `init_val` to"):
        fori_loop(0, 2, lambda i, v: xp.astype(v, xp.float32), x)

"""What a recorded operation costs: memory and Python calls, which do not depend on the clock."""

import functools
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import grad, vjp, vmap
from tests.profiles import profile

COUNT = 500
MANY = 5000
"""Operations; of fewer, CPython's lists of free tuples hold some."""


def scaled(xp: Any, x: Any) -> Any:
    return x * 1.0001


def squared(xp: Any, x: Any) -> Any:
    return x * x


def bounded(xp: Any, x: Any) -> Any:
    return xp.tanh(x)


def reshaped(xp: Any, x: Any) -> Any:
    return xp.reshape(x, (1,) * (1 - x.ndim))


def calls_of(function: Callable[..., Any], *args: Any) -> int:
    """The Python calls of the second call."""
    function(*args)
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    profile(functools.partial(function, *args), count)
    return calls


def divided(xp: Any, x: Any) -> Any:
    return 2.0 / x


def raised(xp: Any, x: Any) -> Any:
    return x**3


def wave(xp: Any, x: Any) -> Any:
    return xp.sin(x)


def total(xp: Any, x: Any) -> Any:
    return xp.sum(x)


def multiplied(xp: Any, x: Any) -> Any:
    return xp.matmul(x, MATRIX)


MATRIX = np.eye(1)


def repeated(step: Callable[[Any, Any], Any], count: int = COUNT) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        xp = x.__array_namespace__()
        for _ in range(count):
            x = step(xp, x)
        return xp.sum(x)

    return f


@pytest.mark.parametrize(
    ("step", "most"),
    [
        (scaled, 170), (squared, 300), (bounded, 190), (divided, 250), (raised, 250), (wave, 250), (total, 230),
        (reshaped, 260), (multiplied, 280),
    ],
)  # fmt: skip
def test_memory_of_an_operation(step: Callable[[Any, Any], Any], most: int) -> None:
    x = np.asarray([0.5] if step in (reshaped, multiplied) else 0.5)
    function = repeated(step, MANY)
    vjp(function, x)
    kept = []
    tracemalloc.start()
    try:
        for _ in range(3):  # what else the process does meanwhile can only add
            before = tracemalloc.get_traced_memory()[0]
            _, pullback = vjp(function, x)
            kept.append((tracemalloc.get_traced_memory()[0] - before) / MANY)
            pullback(1.0)
            del pullback
    finally:
        tracemalloc.stop()
    assert min(kept) <= most, kept  # bytes, of which 32 are the value of most


@pytest.mark.parametrize(("step", "most"), [(scaled, 9.5), (squared, 14.5), (bounded, 8.5), (reshaped, 19)])
def test_python_calls_of_an_operation(step: Callable[[Any, Any], Any], most: float) -> None:
    """Forward and back, with those of NumPy's compatibility layer and of `step` itself."""
    calls = calls_of(grad(repeated(step)), np.asarray(0.5))
    assert calls / COUNT <= most, calls / COUNT


def test_python_calls_of_gradients_per_example() -> None:
    """Products with weights that all examples share take the short path, and none is taken example by example."""

    def loss(w: Any, x: Any) -> Any:
        xp = w.__array_namespace__()
        return xp.sum(xp.tanh(x @ w) @ w)

    calls = calls_of(vmap(grad(loss), (None, 0)), np.full((4, 4), 0.1), np.full((3, 4), 0.5))
    assert calls <= 560, calls


def test_cotangents_are_complete_when_they_are_pulled() -> None:
    """Each node is pulled once, however the paths from the result to it interleave."""
    pulled = []

    def f(x: Any) -> Any:
        xp = x.__array_namespace__()
        a = xp.sin(x)
        b = xp.exp(a)
        early = a * 2.0
        c = b * a + early
        d = xp.cos(x) * c
        node = a._link
        inner = node.pull
        node.pull = lambda g: pulled.append(g) or inner(g)
        return xp.sum(d + c * early + b)

    x = np.asarray([0.3, 0.7])
    gradient = grad(f)(x)
    s, e = np.sin(x), np.exp(np.sin(x))
    c = e * s + 2 * s
    dc = (e * s + e + 2) * np.cos(x)
    expected = -np.sin(x) * c + np.cos(x) * dc + dc * 2 * s + c * 2 * np.cos(x) + e * np.cos(x)
    np.testing.assert_allclose(gradient, expected, rtol=1e-14)
    assert len(pulled) == 1

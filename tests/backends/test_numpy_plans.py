"""What NumPy's plans repeat: the calls that are of use, and attention as its override computes it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import use_backend
from portanet.tree import tree_map
from tests.training.planned import assert_same, draw, ordinary, plans


@pytest.fixture(autouse=True)
def numpy_backend() -> Iterator[None]:
    with use_backend("numpy"):
        portanet.random.set_seed(0)
        yield


def calls(model: Any, *shapes: tuple[int, ...]) -> list[str]:
    """The names of the functions that the plan for inputs of these shapes calls."""
    for seed in range(4):
        x = [draw(*shape, seed=seed) for shape in shapes]
        assert_same(model(x), ordinary(model, x))
    (planned,) = plans(model)
    functions = [call.func if isinstance(call, functools.partial) else call for call in planned.plan.calls]
    return [getattr(function, "__qualname__", function.__name__) for function in functions]


def test_what_nothing_uses_is_not_computed() -> None:
    x, h, c = layers.Input((1, 64)), layers.Input((128,)), layers.Input((128,))
    model = portanet.Model([x, h, c], layers.LSTM(128, return_state=True)(x, initial_state=[h, c]))
    seen = calls(model, (1, 1, 64), (1, 128), (1, 128))
    assert seen.count("matmul") == 2
    assert len(seen) == 13, f"neither the collected gates nor the outputs of all steps: {seen}"


def test_a_large_product_is_left_to_the_threads_of_blas() -> None:
    model = portanet.Sequential([layers.Input((300,)), layers.Dense(200)])
    assert calls(model, (128, 300)) == ["matmul", "add"]


@pytest.mark.parametrize(
    "arrange",
    [
        lambda a, b: [(a,), b],
        lambda a, b: ([a, b],),
        lambda a, b: [{"x": a}, b],
        lambda a, b: (a, b),
        lambda a, b: [a, a],
    ],
)
def test_structures_of_results(arrange: Callable[[Any, Any], Any]) -> None:
    inputs = layers.Input((4,))
    model = portanet.Model(inputs, arrange(layers.Dense(2)(inputs), layers.Dense(3)(inputs)))
    for seed in range(4):
        x = draw(2, 4, seed=seed)
        results, expected = model(x), ordinary(model, x)
        assert tree_map(np.shape, results) == tree_map(np.shape, expected)
        assert_same(results, expected)
    assert plans(model)


def attention(heads: int, size: int, **options: Any) -> Any:
    x, y = layers.Input((6, 8)), layers.Input((5, 8))
    return portanet.Model([x, y], layers.MultiHeadAttention(heads, size)(x, y, **options))


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3, math.inf, math.nan])
def test_attention_looks_at_values_as_its_override_does(scale: float) -> None:
    model = attention(2, 4)
    assert "_attention.<locals>.run" in calls(model, (2, 6, 8), (2, 5, 8))
    for seed in range(3):
        x = [draw(2, n, 8, seed=seed) * np.float32(scale) for n in (6, 5)]
        with np.errstate(all="ignore"):
            assert_same(model(x), ordinary(model, x))
    assert plans(model)


@pytest.mark.parametrize(("heads", "size", "causal"), [(2, 1, False), (2, 4, True)])
def test_attention_that_is_not_prepared_is_one_call(heads: int, size: int, causal: bool) -> None:
    seen = calls(attention(heads, size, use_causal_mask=causal), (2, 6, 8), (2, 5, 8))
    assert "_attention.<locals>.run" not in seen

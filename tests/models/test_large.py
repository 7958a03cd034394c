"""Large models: what is done with them takes an effort in proportion to the number of layers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, models
from tests.profiles import profile


def stack(n: int) -> portanet.Sequential:
    return portanet.Sequential([layers.Input((2,)), *(layers.Dense(2) for _ in range(n))])


def graph(n: int) -> models.Functional:
    x = start = layers.Input((2,))
    for _ in range(n):
        x = layers.Dense(2)(x)
    return portanet.Model(start, x)


def wide(n: int) -> models.Functional:
    inputs = [layers.Input((2,), name=f"input{i}") for i in range(n)]
    return portanet.Model(inputs, [layers.Dense(1)(x) for x in inputs])


def shared(n: int) -> models.Functional:
    layer, x = layers.Dense(2), layers.Input((2,))
    start = x
    for _ in range(n):
        x = layer(x)
    return portanet.Model(start, x)


def tied(n: int) -> portanet.Sequential:
    """Many layers, each in two places."""
    chain: list[layers.Layer] = [layers.Dense(2) for _ in range(n)]
    return portanet.Sequential([layers.Input((2,)), *chain, *(layers.TiedDense(layer) for layer in reversed(chain))])


def count_calls(function: Callable[[], Any]) -> int:
    """The number of calls of functions, those of C included."""
    count = 0

    def notice(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    profile(function, notice)
    return count


def assert_linear(work: Callable[[int], Callable[[], Any]]) -> None:
    work(3)()  # what is done once
    small, large = (count_calls(work(n)) for n in (60, 240))
    assert large < 4.3 * small, f"{small} calls for 60 layers, {large} for 240"


MODELS = [stack, graph, wide, shared, tied]


@pytest.mark.parametrize("make", MODELS)
def test_building_is_linear(make):
    assert_linear(lambda n: lambda: make(n))


@pytest.mark.parametrize("make", MODELS)
def test_saving_and_loading_are_linear(make, tmp_path):
    def saving(n):
        model = make(n)
        model.compile("adam", "mse")
        return lambda: model.save(tmp_path / str(n))

    assert_linear(saving)
    assert_linear(lambda n: lambda: portanet.load_model(tmp_path / str(n)))


@pytest.mark.parametrize("make", [stack, graph, tied])
def test_training_and_describing_are_linear(make):
    def training(n):
        model = make(n)
        model.compile("adam", "mse")
        return lambda: (model.fit(np.ones((2, 2)), np.ones((2, 2)), verbose=0), model.predict(np.ones((2, 2))))

    def describing(n):
        model = make(n)
        return lambda: model.summary(print_fn=str)

    assert_linear(training)
    assert_linear(describing)


@pytest.mark.parametrize("make", MODELS)
def test_copying_is_linear(make):
    def copying(n):
        model = make(n)
        return lambda: copy.deepcopy(model)

    assert_linear(copying)


def test_two_thousand_layers_come_back(tmp_path):
    model = stack(2000)
    model.save(tmp_path / "m")
    loaded = portanet.load_model(tmp_path / "m")
    assert [layer.name for layer in loaded.layers] == ["dense", *(f"dense_{i}" for i in range(1, 2000))]
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)

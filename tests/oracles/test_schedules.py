"""Schedules against those of Keras 3 and PyTorch."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import schedules

os.environ.setdefault("KERAS_BACKEND", "torch")
STEPS = [*range(0, 130, 3), 9, 10, 11, 20, 30, 69, 70, 71, 99, 100, 101]

KERAS = [
    ("PiecewiseConstantDecay", ([10, 30], [1.0, 0.5, 0.1])),
    ("ExponentialDecay", (0.3, 7, 0.9)),
    ("ExponentialDecay", (0.3, 7, 0.9, True)),
    ("PolynomialDecay", (0.3, 50, 0.01, 2.0)),
    ("PolynomialDecay", (0.3, 20, 0.01, 0.5, True)),
    ("InverseTimeDecay", (0.3, 10, 0.5)),
    ("InverseTimeDecay", (0.3, 10, 0.5, True)),
    ("CosineDecay", (0.3, 60, 0.1)),
    ("CosineDecayRestarts", (0.3, 10, 2.0, 0.9, 0.1)),
    ("CosineDecayRestarts", (0.3, 10, 1.0, 0.9)),
]


@pytest.mark.parametrize(("name", "arguments"), KERAS)
def test_keras(name: str, arguments: Any) -> None:
    keras = pytest.importorskip("keras")
    oracle = getattr(keras.optimizers.schedules, name)(*arguments)
    expected = [float(oracle(step)) for step in STEPS]
    ours = getattr(schedules, name)(*arguments)
    np.testing.assert_allclose([ours(step) for step in STEPS], expected, rtol=1e-5, atol=1e-6)


def test_keras_warm_up() -> None:
    keras = pytest.importorskip("keras")
    options: dict[str, Any] = {"warmup_target": 0.3, "warmup_steps": 10}
    oracle = keras.optimizers.schedules.CosineDecay(0.01, 60, 0.1, **options)
    ours = schedules.CosineDecay(0.01, 60, 0.1, **options)
    np.testing.assert_allclose([ours(s) for s in STEPS], [float(oracle(s)) for s in STEPS], rtol=1e-5, atol=1e-6)


def torch_rates(make: Any, steps: int) -> list[float]:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    schedule = make(torch.optim.lr_scheduler, optimizer)
    result = []
    for _ in range(steps):
        result.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return result


@pytest.mark.parametrize("anneal", ["cos", "linear"])
def test_torch_one_cycle(anneal: str) -> None:
    expected = torch_rates(lambda of, o: of.OneCycleLR(o, 0.3, total_steps=101, anneal_strategy=anneal), 100)
    ours = schedules.OneCycle(0.3, 101, anneal=anneal)
    np.testing.assert_allclose([ours(step) for step in range(100)], expected, rtol=1e-9)


def test_torch_step() -> None:
    expected = torch_rates(lambda of, o: of.StepLR(o, 30, 0.1), 100)
    np.testing.assert_allclose([schedules.StepDecay(0.3, 30)(s) for s in range(100)], expected, rtol=1e-9)


def test_torch_warm_up() -> None:
    expected = torch_rates(lambda of, o: of.LinearLR(o, start_factor=0.1, total_iters=20), 50)
    np.testing.assert_allclose([schedules.Warmup(0.3, 20, 0.03)(s) for s in range(50)], expected, rtol=1e-9)


def test_torch_plateau() -> None:
    torch = pytest.importorskip("torch")
    losses = np.random.default_rng(0).random(60).cumsum().tolist()[::-1][:20] + [5.0] * 20 + [4.0] * 20
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    # PyTorch falls after more than `patience` bad epochs, Keras after `patience`.
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3, threshold_mode="abs")
    plateau, rate, ours, expected = schedules.ReduceOnPlateau(0.5, patience=4), 0.3, [], []
    for loss in losses:
        oracle.step(loss)
        expected.append(optimizer.param_groups[0]["lr"])
        rate = plateau(rate, loss)
        ours.append(rate)
    assert min(expected) < 0.01
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize(("name", "arguments"), KERAS)
def test_keras_between_steps(name: str, arguments: Any) -> None:
    """Steps that are no whole numbers, as numbers and as variables."""
    keras = pytest.importorskip("keras")
    oracle, ours = getattr(keras.optimizers.schedules, name)(*arguments), getattr(schedules, name)(*arguments)
    assert ours.name == oracle.name
    for step in (0.5, 9.25, 10.0, 10.5, 29.75, 30.5, 69.5, 70.25, 120.5):
        expected = pytest.approx(float(oracle(step)), rel=1e-5, abs=1e-6)
        assert ours(step) == expected
        variable = portanet.Variable(portanet.asarray(step))
        assert float(ours(variable)) == expected


@pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning")
def test_a_learning_rate_without_arguments(backend: Any) -> None:
    keras = pytest.importorskip("keras")
    results, weights = [], None
    for library in (portanet, keras):
        model = library.Sequential([library.layers.Input((1,)), library.layers.Dense(1)])
        if weights is not None:
            model.set_weights(weights)
        weights = model.get_weights()
        model.compile(library.optimizers.SGD(lambda: 0.05), "mse")
        results.append(model.fit(np.ones((8, 1)), np.ones((8, 1)), batch_size=2, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(*results, rtol=1e-4)

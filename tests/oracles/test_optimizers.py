"""Trajectories of 100 steps against Keras 3 and PyTorch, on a quadratic and on Rosenbrock's function, in float64."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from portanet import optimizers
from tests.keras.common import as_on_jax

os.environ.setdefault("KERAS_BACKEND", "torch")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # raised inside Keras
STEPS = 100
SCALES = np.array([[1.0, 3.0, 0.5], [2.0, 0.1, 1.5]])


def quadratic(w: Any) -> Any:
    """Gradient of a quadratic in a matrix; its second moments have full rank."""
    return 2 * SCALES * (w - 0.3) + 0.1 * w.sum()


def cubic(w: Any) -> Any:
    """Gradient of a quadratic in an array of rank 3."""
    return 2 * np.arange(1.0, 25.0).reshape(2, 3, 4) * (w - 0.3) + 0.1 * w.sum()


def rosenbrock(w: Any) -> Any:
    """Gradient of (1 - x)^2 + 100 (y - x^2)^2."""
    x, y = w
    return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


PROBLEMS = {
    "quadratic": (quadratic, np.array([[1.0, -2.0, 0.5], [0.3, 1.5, -1.0]])),
    "rosenbrock": (rosenbrock, np.array([-1.2, 1.0])),
}


def ours(optimizer: Any, problem: str) -> Any:
    slope, start = TRAJECTORIES[problem]
    params = {"dense/kernel": start.copy(), "dense/bias": np.array([0.7, -0.2])}
    state = optimizer.init(params)
    path = []
    for _ in range(STEPS):
        grads = {"dense/kernel": slope(params["dense/kernel"]), "dense/bias": 2 * params["dense/bias"]}
        params, state = optimizer.update(params, grads, state)
        path.append(np.concatenate([p.ravel() for p in params.values()]))
    return np.array(path), optimizer.finalize(params, state)


def with_keras(optimizer: Any, problem: str, keras: Any) -> Any:
    slope, start = TRAJECTORIES[problem]
    variables = [keras.Variable(start, dtype="float64", name="kernel")]
    variables.append(keras.Variable(np.array([0.7, -0.2]), dtype="float64", name="bias"))
    path = []
    for _ in range(STEPS):
        values = [keras.ops.convert_to_numpy(v.value) for v in variables]
        grads = [slope(values[0]), 2 * values[1]]
        optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64") for g in grads], variables)
        path.append(np.concatenate([keras.ops.convert_to_numpy(v.value).ravel() for v in variables]))
    optimizer.finalize_variable_values(variables)
    return np.array(path), [keras.ops.convert_to_numpy(v.value) for v in variables]


KERAS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 1e-3}),
    ("SGD", {"learning_rate": 5e-4, "momentum": 0.9}),
    ("SGD", {"learning_rate": 5e-4, "momentum": 0.9, "nesterov": True}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True}),
    ("Adadelta", {"learning_rate": 1.0, "epsilon": 1e-4}),
    ("Adam", {"learning_rate": 0.05}),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("Adamax", {"learning_rate": 0.05}),
    ("Nadam", {"learning_rate": 0.05}),
    ("Lion", {"learning_rate": 0.01}),
    ("Adafactor", {"learning_rate": 0.1}),
    ("Adafactor", {"learning_rate": 0.1, "relative_step": False}),
    ("Lamb", {"learning_rate": 0.05}),
    ("Ftrl", {"learning_rate": 0.05}),
    (
        "Ftrl",
        {
            "learning_rate": 0.05,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.5,
            "beta": 0.3,
            "l1_regularization_strength": 0.3,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "weight_decay": 0.1,
        },
    ),
    ("Muon", {"learning_rate": 0.01}),
    ("Muon", {"learning_rate": 0.01, "exclude_layers": ["kern"], "adam_lr_ratio": 3.0, "weight_decay": None}),
    ("Muon", {"learning_rate": 0.01, "nesterov": False, "rms_rate": None, "ns_steps": 3, "adam_weight_decay": None}),
    ("Muon", {"learning_rate": 0.01, "gradient_accumulation_steps": 2}),
    ("Muon", {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.9}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.02}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.05, "warmup_steps": 20, "beta_1": 0.7, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": 0.01, "weight_decay": 2**-7, "clipnorm": 0.5}),  # Keras clips in float32
    ("SGD", {"learning_rate": 1e-3, "global_clipnorm": 2.0}),
    ("SGD", {"learning_rate": 1e-3, "clipvalue": 0.5}),
    ("Adam", {"learning_rate": 0.05, "loss_scale_factor": 8.0, "clipnorm": 1.0}),
    ("Adam", {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.9}),
    ("SGD", {"learning_rate": 1e-3, "use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7}),
    ("Adam", {"learning_rate": 0.05, "gradient_accumulation_steps": 4, "global_clipnorm": 1.0}),
]

TRAJECTORIES = {"cubic": (cubic, np.linspace(-1.0, 2.0, 24).reshape(2, 3, 4)), **PROBLEMS}


@pytest.fixture
def keras() -> Any:
    keras = pytest.importorskip("keras")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    with as_on_jax(keras):
        yield keras
    keras.config.set_floatx(before)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("name", "options"), KERAS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(KERAS)])
def test_keras(keras: Any, name: str, options: dict[str, Any], problem: str) -> None:
    expected, final = with_keras(getattr(keras.optimizers, name)(**options), problem, keras)
    result, finalized = ours(getattr(optimizers, name)(**options), problem)
    assert np.abs(expected[-1] - expected[0]).max() > 1e-3
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)
    for p, q in zip(finalized.values(), final, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["Adafactor", "Lamb"])
def test_keras_on_rank_three(keras: Any, name: str) -> None:
    """Optimizers that look at more than one element of a parameter."""
    test_keras(keras, name, {"learning_rate": 0.02}, "cubic")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_keras_weight_decay_without_biases(keras: Any, problem: str) -> None:
    oracle, optimizer = (of.AdamW(0.05, weight_decay=0.5) for of in (keras.optimizers, optimizers))
    for each in (oracle, optimizer):
        each.exclude_from_weight_decay(var_names=["bias"])
    expected, _ = with_keras(oracle, problem, keras)
    np.testing.assert_allclose(ours(optimizer, problem)[0], expected, rtol=1e-6, atol=1e-6)
    everything, _ = ours(optimizers.AdamW(0.05, weight_decay=0.5), problem)
    assert np.abs(everything - expected)[:, -2:].max() > 1e-3


@pytest.mark.parametrize("problem", PROBLEMS)
def test_keras_schedule(keras: Any, problem: str) -> None:
    made = [of.schedules.ExponentialDecay(0.05, 20, 0.5) for of in (keras.optimizers, optimizers)]
    expected, _ = with_keras(keras.optimizers.Adam(made[0]), problem, keras)
    np.testing.assert_allclose(ours(optimizers.Adam(made[1]), problem)[0], expected, rtol=1e-6, atol=1e-6)


def with_torch(make: Any, problem: str, torch: Any) -> Any:
    slope, start = TRAJECTORIES[problem]
    params = [torch.tensor(start, dtype=torch.float64), torch.tensor([0.7, -0.2], dtype=torch.float64)]
    optimizer = make(params)
    path = []
    for _ in range(STEPS):
        params[0].grad = torch.tensor(slope(params[0].numpy()))
        params[1].grad = 2 * params[1]
        optimizer.step()
        path.append(np.concatenate([p.numpy().ravel() for p in params]))
    return np.array(path)


TINY = 1e-30  # where PyTorch and Keras place epsilon differently
TORCH = {
    "sgd": (lambda t, p: t.SGD(p, 1e-3), lambda: optimizers.SGD(1e-3)),
    "adagrad": (lambda t, p: t.Adagrad(p, 0.1, eps=TINY), lambda: optimizers.Adagrad(0.1, 0.0, TINY)),
    "rmsprop": (lambda t, p: t.RMSprop(p, 0.01, 0.9, TINY), lambda: optimizers.RMSprop(0.01, epsilon=TINY)),
    "rmsprop_momentum": (
        lambda t, p: t.RMSprop(p, 0.01, 0.9, TINY, momentum=0.5, centered=True),
        lambda: optimizers.RMSprop(0.01, momentum=0.5, epsilon=TINY, centered=True),
    ),
    "adadelta": (lambda t, p: t.Adadelta(p, 1.0, 0.95, 1e-4), lambda: optimizers.Adadelta(1.0, 0.95, 1e-4)),
    "adam": (lambda t, p: t.Adam(p, 0.05, eps=TINY), lambda: optimizers.Adam(0.05, epsilon=TINY)),
    "adamw": (
        lambda t, p: t.AdamW(p, 0.05, eps=TINY, weight_decay=0.1),
        lambda: optimizers.AdamW(0.05, 0.1, epsilon=TINY),
    ),
    "adamax": (lambda t, p: t.Adamax(p, 0.05, eps=TINY), lambda: optimizers.Adamax(0.05, epsilon=TINY)),
    "rprop": (lambda t, p: t.Rprop(p, 0.05), lambda: optimizers.Rprop(0.05)),
}


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str, problem: str) -> None:
    torch = pytest.importorskip("torch")
    make, make_ours = TORCH[name]
    expected = with_torch(lambda params: make(torch.optim, params), problem, torch)
    assert np.abs(expected[-1] - expected[0]).max() > 1e-3
    np.testing.assert_allclose(ours(make_ours(), problem)[0], expected, rtol=1e-6, atol=1e-6)

"""An optimizer's state belongs to the optimizer and the model: other optimizers, models and backends in between."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers, schedules

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
OPTIONS: dict[str, Any] = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}


def network(dtype: Any = None) -> Any:
    portanet.random.set_seed(0)
    return portanet.Sequential(
        [layers.Input((3,)), layers.Dense(4, "tanh", name="first", dtype=dtype), layers.Dense(1, name="last")]
    )


def still() -> Any:
    """An optimizer that changes no weight."""
    return optimizers.SGD(0.0)


def fit(model: Any, optimizer: Any = None) -> Any:
    if optimizer is not None:
        model.compile(optimizer, "mse")
    model.fit(X, Y, **OPTIONS)
    return model


def weights(model: Any) -> list[Any]:
    return model.get_weights()


def assert_same(model: Any, other: Any) -> None:
    for a, b in zip(weights(model), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def steps(model: Any) -> int:
    return int(model.optimizer_state[1]["iterations"])


MAKERS = {
    "adam": lambda: optimizers.Adam(0.01),
    "schedule": lambda: optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9),
    "accumulation": lambda: optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "lookahead": lambda: optimizers.Lookahead("adam", sync_period=3),
    "several": lambda: optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.Adam(0.01), {".*/bias": optimizers.SGD(0.01, momentum=0.9)})
    ),
    "scaled": lambda: optimizers.LossScaleOptimizer("adam"),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_an_optimizer_goes_on_after_another(backend: Any, make: Any) -> None:
    first, second = make(), still()
    model = fit(fit(network(), first), second)
    assert steps(model) == 4
    fit(fit(fit(model, first), second), first)
    plain = make()
    assert_same(model, fit(fit(fit(network(), plain))))
    assert steps(model) == 12
    model.compile(second, "mse")
    assert steps(model) == 8
    model.compile(make(), "mse")
    assert model.optimizer_state is None


def test_weights_that_are_frozen_in_between(backend: Any) -> None:
    first, second = optimizers.Adam(0.01), still()
    model = fit(network(), first)
    model.get_layer("first").trainable = False
    fit(fit(model, second), first)
    model.get_layer("first").trainable = True
    fit(fit(model, second), first)
    plain = fit(network(), optimizers.Adam(0.01))
    plain.get_layer("first").trainable = False
    fit(plain)
    plain.get_layer("first").trainable = True
    assert_same(model, fit(plain))


def test_two_models_with_one_optimizer_train_independently(backend: Any) -> None:
    shared = optimizers.Adam(0.01)
    pair = [network(), network()]
    for _ in range(2):
        for model in pair:
            fit(model, shared)
    alone = fit(fit(network(), optimizers.Adam(0.01)))
    for model in pair:
        assert_same(model, alone)
        assert steps(model) == 8


def test_files_hold_the_state_of_the_present_optimizer(backend: Any, tmp_path: Any) -> None:
    first, second = optimizers.Adam(0.01), still()
    model = fit(fit(fit(network(), first), second), first)
    model.save(tmp_path / "model")
    loaded = portanet.load_model(tmp_path / "model")
    assert steps(loaded) == 8
    assert_same(fit(loaded), fit(model))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies(backend: Any, way: Any) -> None:
    first, second = optimizers.Adam(0.01), still()
    model = fit(fit(fit(network(), first), second), first)
    twin = way(model)
    assert twin.optimizer is not first
    assert_same(fit(twin), fit(model))
    # The copy has a state of its own for the original's optimizer, which goes on in the original alone.
    twin.compile(first, "mse")
    assert twin.optimizer_state is None
    # As in Keras, a copy of an optimizer starts anew.
    alone = way(first)
    assert alone.get_config() == first.get_config()
    model.compile(alone, "mse")
    assert model.optimizer_state is None
    fit(model, first)
    assert steps(model) == 16


def test_a_model_that_moves_takes_every_state_with_it(backend: Any) -> None:
    first, second = optimizers.Adam(0.01), still()
    model = fit(fit(network(), first), second)
    with portanet.use_backend("numpy"):
        model.to("numpy")
        fit(fit(model, first), second)
    model.to(backend)
    fit(model, first)
    assert steps(model) == 12
    plain = fit(fit(fit(network(), optimizers.Adam(0.01))))
    for a, b in zip(weights(model), weights(plain), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_model_in_another_dtype_takes_its_state_along(backend: Any) -> None:
    model = fit(network(), optimizers.Adam(0.01)).to(backend.name, backend.device, "float64")
    model.fit(X, Y, **OPTIONS)
    assert {str(m.dtype).rpartition(".")[2] for m in model.optimizer_state[1]["m"].values()} == {"float64"}
    assert steps(model) == 8


def test_loss_scaling_on_and_off_keeps_the_moments(backend: Any, tmp_path: Any) -> None:
    def run(*wraps: Any) -> Any:
        optimizer, model = optimizers.Adam(0.01), network()
        for wrap in wraps:
            fit(model, wrap(optimizer))
        return model

    def same(optimizer: Any) -> Any:
        return optimizer

    plain = run(same, same, same)
    for wraps in ((same, optimizers.LossScaleOptimizer, same), (optimizers.LossScaleOptimizer, same, same)):
        model = run(*wraps)
        model.save(tmp_path / "model")
        assert steps(portanet.load_model(tmp_path / "model")) == steps(model) == 12
        assert_same(model, plain)


def test_automatic_loss_scaling_goes_on_after_another_optimizer(backend: Any) -> None:
    if backend.name == "strict":
        pytest.skip("strict has no float16")

    def run(*chosen: Any) -> Any:
        model = network("mixed_float16")
        for optimizer in chosen:
            model.compile(optimizer, "mse")
            model.fit(X / 100, Y / 100, **OPTIONS)
        return model

    first, plain = optimizers.Adam(0.001), optimizers.Adam(0.001)
    model = run(first, still(), first)
    assert steps(model) == 8
    assert_same(model, run(plain, plain))


class Headed(portanet.Model):
    """A model whose last layer can be replaced."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.body = layers.Dense(4, "tanh")
        self.head = layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.head(self.body(x))


@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("again", [False, True])
def test_a_new_layer_in_the_place_of_another_has_no_state(backend: Any, units: int, again: bool) -> None:
    first, second = optimizers.Adam(0.01), still()
    portanet.random.set_seed(0)
    model = fit(fit(fit(Headed(), first), second), first)
    if again:
        model = pickle.loads(pickle.dumps(model))
    model.head = layers.Dense(units)
    model(portanet.asarray(X))
    model.compile(model.optimizer, "mse")
    target, before = X[:, :units], model.get_weights()
    _, gradients = model.loss_and_gradients(X, target)
    gradients = {path: model.backend.to_host(g) for path, g in gradients.items()}
    model.train_on_batch(X, target)
    assert steps(model) == 9
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    for path, moment in model.optimizer_state[1]["m"].items():
        fresh = np.allclose(model.backend.to_host(moment), 0.1 * gradients[path], rtol=1e-4, atol=1e-7)
        assert fresh == path.startswith("dense_1")
    if not again:
        model.compile(second, "mse")
        model.train_on_batch(X, target)
        assert steps(model) == 5


def test_a_state_is_forgotten_with_its_optimizer() -> None:
    model = network()
    for _ in range(3):
        fit(model, optimizers.Adam(0.01))
    gc.collect()
    assert not model._earlier

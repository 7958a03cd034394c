"""`trainable` may be set at any time; the optimizer's state outlives freezing, recompiling, saving and loading."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers, schedules
from tests.support import to_numpy

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
OPTIONS: dict[str, Any] = {"batch_size": 4, "shuffle": False, "verbose": 0}


def network(optimizer: Any = None) -> Any:
    portanet.random.set_seed(0)
    model = portanet.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, name="first"),
            layers.BatchNormalization(name="norm", center=False, scale=False),
            layers.Dense(1, name="last"),
        ]
    )
    model.compile(optimizers.Adam(0.01) if optimizer is None else optimizer, "mse")
    return model


def values(model: Any) -> dict[str, Any]:
    return {path: v.numpy() for path, v in model.named_variables().items()}


def moments(model: Any) -> dict[str, Any]:
    return {path: np.array(to_numpy(m)) for path, m in model.optimizer_state[1]["m"].items()}


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {path for path in after if path not in before or (before[path] != after[path]).any()}


class Freeze(portanet.callbacks.Callback):
    """Sets `trainable` of a layer after some batches, and notes what each batch changes."""

    def __init__(self, layer: str, at: dict[int, bool]) -> None:
        self.layer, self.at, self.batches = layer, at, 0
        self.log: list[set[str]] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.before = values(self.model)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.log.append({path.split("/")[0] for path in changed(self.before, values(self.model))})
        self.batches += 1
        if self.batches in self.at:
            self.model.get_layer(self.layer).trainable = self.at[self.batches]


@pytest.mark.parametrize("layer", ["first", "norm"])
def test_in_a_callback_it_holds_from_the_next_step(backend: Any, layer: str) -> None:
    freeze = Freeze(layer, {1: False, 3: True})
    network().fit(X, Y, epochs=2, callbacks=[freeze], **OPTIONS)
    everything = {"first", "norm", "last"}
    assert freeze.log == [everything, everything - {layer}, everything - {layer}, everything]


def test_of_a_variable_it_holds_from_the_next_step(backend: Any) -> None:
    model = network()
    model.train_on_batch(X, Y)
    model.get_layer("first").kernel.trainable = False
    before = values(model)
    model.train_on_batch(X, Y)
    after = changed(before, values(model))
    assert "first/kernel" not in after
    assert "first/bias" in after


def test_statistics_of_a_layer_frozen_between_fits(backend: Any) -> None:
    model = network()
    model.fit(X, Y, **OPTIONS)
    model.get_layer("norm").trainable = False
    before = values(model)
    model.fit(X, Y, **OPTIONS)
    assert not any(path.startswith("norm/") for path in changed(before, values(model)))


@pytest.mark.parametrize("optimizer", [optimizers.Adam, lambda: optimizers.Lookahead("adam", sync_period=2)])
def test_moments_outlive_freezing(backend: Any, optimizer: Any) -> None:
    model = network(optimizer())
    model.fit(X, Y, epochs=2, **OPTIONS)
    old = moments(model)
    model.get_layer("first").trainable = False
    model.fit(X, Y, **OPTIONS)
    assert changed(old, moments(model)) == {"last/kernel", "last/bias"}
    model.get_layer("first").trainable = True
    assert int(model.optimizer_state[1]["iterations"]) == 6
    model.fit(X, Y, **OPTIONS)
    assert int(model.optimizer_state[1]["iterations"]) == 8
    assert changed(old, moments(model)) == set(old)


def test_a_layer_that_begins_frozen(backend: Any) -> None:
    model = network(optimizers.Adam(0.01, use_ema=True))
    model.get_layer("first").trainable = False
    model.fit(X, Y, **OPTIONS)
    assert set(moments(model)) == {"last/kernel", "last/bias"}
    model.get_layer("first").trainable = True
    before = values(model)
    model.fit(X, Y, **OPTIONS)
    assert set(moments(model)) == {"first/kernel", "first/bias", "last/kernel", "last/bias"}
    assert int(model.optimizer_state[1]["iterations"]) == 4
    # The average of what joined late starts from the weight, not from zero.
    np.testing.assert_allclose(values(model)["first/kernel"], before["first/kernel"], atol=0.1)


@pytest.mark.parametrize("rate", [0.01, schedules.ExponentialDecay(0.1, 1, 0.5)])
def test_recompiling_with_the_same_optimizer_goes_on(backend: Any, rate: Any) -> None:
    def run(optimizer: Any, again: bool) -> Any:
        model = network(optimizer)
        model.fit(X, Y, epochs=2, **OPTIONS)
        if again:
            model.compile(optimizer, "mse", metrics=["mae"])
        model.fit(X, Y, epochs=2, **OPTIONS)
        return model

    whole, recompiled = run(optimizers.Adam(rate), False), run(optimizers.Adam(rate), True)
    for path, value in values(whole).items():
        np.testing.assert_array_equal(values(recompiled)[path], value)
    assert int(recompiled.optimizer_state[1]["iterations"]) == 8
    recompiled.compile(optimizers.Adam(rate), "mse")
    assert recompiled.optimizer_state is None


def test_recompiling_keeps_the_loss_scale(backend: Any) -> None:
    if backend.name == "strict":
        pytest.skip("strict has no float16")
    optimizer = optimizers.SGD(0.01)
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, dtype="mixed_float16")])
    for _ in range(2):
        model.compile(optimizer, "mse")
        model.fit(X / 100, Y / 100, **OPTIONS)
    assert int(model.optimizer_state[1]["iterations"]) == 4


def test_load_freeze_resume(backend: Any, tmp_path: Any) -> None:
    model = network()
    model.fit(X, Y, epochs=2, **OPTIONS)
    model.save(tmp_path / "model")
    runs = []
    for one in (model, portanet.load_model(tmp_path / "model")):
        one.get_layer("first").trainable = False
        one.fit(X, Y, epochs=3, initial_epoch=one.position, **OPTIONS)
        one.save(tmp_path / "frozen")
        one = portanet.load_model(tmp_path / "frozen")
        assert not one.get_layer("first").trainable
        one.get_layer("first").trainable = True
        one.fit(X, Y, epochs=4, initial_epoch=one.position, **OPTIONS)
        runs.append((values(one), moments(one)))
        assert int(one.optimizer_state[1]["iterations"]) == 8
    assert not changed(runs[0][0], runs[1][0])
    assert not changed(runs[0][1], runs[1][1])


def test_everything_frozen(backend: Any) -> None:
    model = network()
    model.fit(X, Y, **OPTIONS)
    model.trainable = False
    before, old = values(model), moments(model)
    model.fit(X, Y, **OPTIONS)
    assert not changed(before, values(model))
    model.trainable = True
    assert not changed(old, moments(model))
    model.fit(X, Y, **OPTIONS)
    assert int(model.optimizer_state[1]["iterations"]) == 4


def test_a_learning_rate_set_in_a_batch_holds_from_the_next_step(backend: Any) -> None:
    class Stop(portanet.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.0
            self.seen = [*getattr(self, "seen", []), values(self.model)["last/kernel"]]

    stop = Stop()
    network().fit(X, Y, callbacks=[stop], **OPTIONS)
    np.testing.assert_array_equal(stop.seen[0], stop.seen[1])


def test_a_model_that_is_frozen_from_the_start(backend):
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    model.trainable = False
    model.compile("adam", "mse")
    x = np.ones((4, 2), dtype="float32")
    before = model.get_weights()
    assert model.fit(x, x[:, :1], epochs=2, verbose=0).history["loss"] == [1.0, 1.0]
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_a_layer_that_is_gone_takes_its_moments_along() -> None:
    """Those of the others, and the number of steps, stay."""
    model = network()
    model.fit(X, Y, **OPTIONS)
    model.add(layers.Dense(1, name="more"))
    model.fit(X, Y, **OPTIONS)
    model.pop()
    left = {path for path in moments(model) if not path.startswith("more/")}
    model.fit(X, Y, **OPTIONS)
    paths, state = model.optimizer_state
    assert set(paths) == set(state["m"]) == left
    assert int(to_numpy(state["iterations"])) == 6


def test_a_new_rate_has_the_precision_of_what_is_trained() -> None:
    model = portanet.Sequential(
        [layers.Input((3,)), layers.Dense(1), layers.Dense(1, trainable=False, dtype="float64")]
    )
    model.compile("sgd", "mse")
    model.fit(X, Y, **OPTIONS)
    model.optimizer.learning_rate = 0.5
    model.fit(X, Y, **OPTIONS)
    assert str(model.optimizer_state[1]["learning_rate"].dtype).endswith("float32")

"""Layers frozen and thawed between runs against Keras 3, with one optimizer object and compilations in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers, schedules

# Keras warns of its own use of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
rng = np.random.default_rng(0)
X = rng.normal(size=(12, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def network(library: Any, module: Any) -> Any:
    return library.Sequential(
        [
            module.Input((3,)),
            module.Dense(4, activation="tanh", name="first"),
            module.BatchNormalization(name="norm"),
            module.Dense(1, name="last"),
        ]
    )


@pytest.mark.parametrize("frozen", ["first", "norm", "last"])
@pytest.mark.parametrize("name", ["Adam", "SGD", "Nadam"])
def test_as_keras(backend: Any, frozen: str, name: str) -> None:
    keras = pytest.importorskip("keras")
    options = {"momentum": 0.9} if name == "SGD" else {}
    model, twin = network(portanet, layers), network(keras, keras.layers)
    twin.set_weights(model.get_weights())
    ours = getattr(optimizers, name)(schedules.ExponentialDecay(0.01, 2, 0.7), **options)
    theirs = getattr(keras.optimizers, name)(keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.7), **options)
    for trainable in (True, False, True):
        for one, optimizer in ((model, ours), (twin, theirs)):
            one.get_layer(frozen).trainable = trainable
            one.compile(optimizer, "mse")
        fit = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
        expected, result = twin.fit(X, Y, **fit).history, model.fit(X, Y, **fit).history
        np.testing.assert_allclose(result["loss"], expected["loss"], rtol=1e-4)
        for variable in twin.variables:
            path = variable.path.split("/", 1)[1]
            if path in model.named_variables():
                value = model.named_variables()[path].numpy()
                np.testing.assert_allclose(value, variable.numpy(), rtol=1e-3, atol=1e-5, err_msg=path)
    assert int(model.optimizer_state[1]["iterations"]) == int(theirs.iterations.numpy()) == 18


def test_optimizers_in_turn(backend: Any) -> None:
    keras = pytest.importorskip("keras")
    model, twin = network(portanet, layers), network(keras, keras.layers)
    twin.set_weights(model.get_weights())
    pairs = [
        (module.Adam(rate.ExponentialDecay(0.01, 2, 0.7)), module.SGD(0.01, momentum=0.9))
        for module, rate in ((optimizers, schedules), (keras.optimizers, keras.optimizers.schedules))
    ]
    for number, frozen in ((0, ""), (1, ""), (0, ""), (1, "first"), (0, "first"), (0, ""), (1, "")):
        for one, pair in zip((model, twin), pairs, strict=True):
            for layer in ("first", "last"):
                one.get_layer(layer).trainable = layer != frozen
            one.compile(pair[number], "mse")
        fit = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
        expected, result = twin.fit(X, Y, **fit).history, model.fit(X, Y, **fit).history
        np.testing.assert_allclose(result["loss"], expected["loss"], rtol=1e-4)
        assert int(model.optimizer_state[1]["iterations"]) == int(pairs[1][number].iterations.numpy())
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)

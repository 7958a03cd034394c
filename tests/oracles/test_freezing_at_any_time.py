"""Layers frozen and thawed in callbacks, between calls of fit and without compiling again, against Keras 3."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers, schedules

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
FIT: dict[str, Any] = {"batch_size": 4, "epochs": 6, "shuffle": False, "verbose": 0}


def network(library: Any, kind: Any) -> Any:
    # A constant before batch normalization has no gradient but rounding, which Adam would scale up.
    norm, dense = kind.BatchNormalization(momentum=0.6, center=False), kind.Dense(3, use_bias=False)
    inner = library.Sequential([kind.Input((4,)), norm, dense], name="inner")
    return library.Sequential(
        [
            kind.Input((3,)),
            kind.Dense(4, activation="tanh", name="first"),
            inner,
            kind.BatchNormalization(momentum=0.8, name="norm"),
            kind.Dense(1, name="last"),
        ]
    )


def optimizer(module: Any, decay: Any, name: str) -> Any:
    rate = decay(0.02, 2, 0.9)
    return module.SGD(rate, momentum=0.9) if name == "SGD" else getattr(module, name)(rate)


def chosen(model: Any, what: str) -> Any:
    return model if what == "model" else model.get_layer(what)


def freezing(library: Any, model: Any, what: str, when: str) -> Any:
    """A callback that freezes at the start of epoch 1 (of batch 2 in it), and thaws two epochs later."""

    class Freezing(library.callbacks.Callback):  # type: ignore[misc, name-defined]
        epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch
            if when == "epoch":
                self.change(epoch)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if when == "batch" and batch == 2:
                self.change(self.epoch)

        def change(self, epoch: int) -> None:
            if epoch in (1, 3):
                chosen(model, what).trainable = epoch == 3

    return Freezing()


@functools.cache
def start() -> list[Any]:
    with portanet.use_backend("numpy"):
        portanet.random.set_seed(0)
        return [v.numpy() for v in network(portanet, layers).weights]


def run(library: Any, kind: Any, module: Any, decay: Any, name: str, what: str, when: str) -> tuple[Any, Any]:
    """The history, and weights by path, of training, then evaluation, with changes in between."""
    model = network(library, kind)
    model.set_weights(start())
    model.compile(optimizer(module, decay, name), "mse")
    losses: list[float] = []
    if when == "runs":
        for trainable in (True, False, True):
            chosen(model, what).trainable = trainable
            losses += model.fit(X, Y, **{**FIT, "epochs": 2}).history["loss"]
    else:
        losses += model.fit(X, Y, **FIT, callbacks=[freezing(library, model, what, when)]).history["loss"]
    losses.append(model.evaluate(X, Y, verbose=0))
    weights = model.weights
    return losses, [np.asarray(w.numpy()) for w in weights]


@functools.cache
def expected(name: str, what: str, when: str) -> Any:
    decay = keras.optimizers.schedules.ExponentialDecay
    return run(keras, keras.layers, keras.optimizers, decay, name, what, when)


@pytest.mark.parametrize("when", ["epoch", "batch", "runs"])
@pytest.mark.parametrize("what", ["first", "inner", "norm", "last"])
@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop"])
def test_as_keras(backend: Any, name: str, what: str, when: str) -> None:
    losses, weights = expected(name, what, when)
    result, values = run(portanet, layers, optimizers, schedules.ExponentialDecay, name, what, when)
    np.testing.assert_allclose(result, losses, rtol=1e-3)
    for value, weight in zip(values, weights, strict=True):
        np.testing.assert_allclose(value, weight, rtol=1e-3, atol=1e-4)

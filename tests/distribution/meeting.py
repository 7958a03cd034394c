"""A workload in which the examples of a batch meet."""

from __future__ import annotations

from typing import Any

import numpy as np

import portanet
from portanet import layers
from portanet.backends import to_host
from portanet.callbacks import Callback


class Sampling(layers.Layer):
    """Draws for examples and for all of them, and adds a loss."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = portanet.random.SeedGenerator(3)
        self.loss = portanet.losses.MeanSquaredError()

    def call(self, x: Any) -> Any:
        self.add_loss(self.loss(x * 0.0, x))
        draws = (portanet.random.normal, portanet.random.uniform, portanet.random.truncated_normal)
        for draw in draws:
            x = x + draw(x.shape, dtype="float32", seed=self.generator)
        x = x * portanet.random.normal((1, x.shape[1]), dtype="float32", seed=self.generator)
        chances = portanet.random.binomial(x.shape, 2, 0.5, dtype="float32", seed=self.generator)
        return portanet.random.dropout(x + chances, 0.3, seed=self.generator)


def spread(y_true: Any, y_pred: Any) -> Any:
    """One number for a batch, which is no mean over examples."""
    xp = y_pred.__array_namespace__()
    return xp.sqrt(xp.mean(xp.square(y_true - y_pred)))


def meeting() -> Any:
    """Losses and metrics in which the examples of a batch meet, and draws of functions."""
    from tests.distribution import programs  # which imports this module

    x, y = programs.data(50, 6)
    targets = np.eye(3, dtype="float32")[y]
    results = {}
    for loss, goal in ((portanet.losses.Triplet(), y), (spread, targets), (portanet.losses.Dice(), targets)):
        model = portanet.Sequential(
            [layers.Input((6,)), layers.Dense(4), Sampling(), layers.Dense(3, activation="softmax")]
        )
        own = record_batches()
        fitting = {"epochs": 2, "callbacks": [own]}
        fit = programs.fitted(model, x, goal, "adam", loss, [spread] if goal is targets else [], **fitting)
        results[portanet.losses.get(loss, "loss", "fit").name] = {**fit, "batches": own.losses}
    images = np.random.default_rng(0).integers(0, 255, (20, 6, 6, 3)).astype("float32")
    augmentation = [layers.AugMix((0, 1)), layers.Equalization((0, 1))]
    model = portanet.Sequential([layers.Input((6, 6, 3)), *augmentation, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    # Parts of three examples, as many as AugMix has chains.
    history = model.fit(images / 255, np.zeros((20, 1), "float32"), batch_size=6, epochs=2, verbose=0)
    return {**results, "images": programs.record(model, history.history)}


def record_batches() -> Any:
    """A callback that computes the loss and gradients of each batch again."""

    class Batches(Callback):
        def __init__(self) -> None:
            self.losses: list[float] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            loss, gradients = self.model.loss_and_gradients(*self.model.batch)
            self.losses.append(float(loss) + sum(float(np.abs(to_host(g)).sum()) for g in gradients.values()))

    return Batches()

"""Processes that do not wait for each other within an epoch, some of them slower than others."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import portanet
from portanet import distribution, layers
from portanet.callbacks import Callback
from portanet.distribution import server
from tests.distribution import programs

KINDS: dict[str, Any] = {
    "EASGD": lambda: distribution.EASGD(2, asynchronous=True),
    "Downpour": lambda: distribution.Downpour(2, 0.5, 1e-2),
    "Adagrad": lambda: distribution.Downpour(1, 0.5, 1e-2, delay_tolerant=False),
}


class Slow(Callback):
    """Lets the first process be slower than the others."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch % 8 == 0 and programs.rank() == 0:
            time.sleep(2e-3)


def asynchronous(backend: str = "numpy") -> Any:
    """Where least squares end, and a run with dropout and batch normalisation."""
    x, y, optimum = programs.least_squares()
    results: dict[str, Any] = {}
    with portanet.use_backend(backend):
        for name, make in KINDS.items():
            portanet.random.set_seed(3)
            distribution.set_distribution(make())
            model = portanet.Sequential([layers.Input((4,)), layers.Dense(1, use_bias=False)])
            model.compile(portanet.optimizers.SGD(0.05, momentum=0.5, nesterov=True), "mse")
            apart = programs.Apart()
            model.fit(x, y, batch_size=6, epochs=25, verbose=0, callbacks=[apart, Slow()])
            found = model.get_weights()[0]
            results[name] = {
                "distance": float(np.abs(found - optimum).max()),
                "found": found.ravel().tolist(),
                "first": apart.first,
                "last": apart.last,
                "loss": model.history.history["loss"],
            }
        results["network"] = _network()
    return results


def _network() -> Any:
    """Weights of a run in which a callback sets others, and losses; means of batches are no gradients."""
    x, y = programs.data(48, 6)
    server.LEAST = 8  # so that each process holds a part
    distribution.set_distribution(distribution.Downpour(2))
    inner = [layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.3)]
    model = portanet.Sequential([layers.Input((6,)), *inner, layers.Dense(3)])
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))

    class Halve(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                self.model.set_weights([0.5 * weight for weight in self.model.get_weights()])

    fit = model.fit(x, y, batch_size=8, epochs=6, validation_data=(x, y), verbose=0, callbacks=[Halve()])
    variance = model.layers[1].moving_variance.numpy()
    return {
        "history": fit.history,
        "weights": [w.tolist() for w in model.get_weights()],
        "least": float(variance.min()),
    }

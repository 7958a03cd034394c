"""The argument `training` of calls, losses and layers, by method: whether weights are about to be updated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

X, Y = np.ones((4, 3), dtype="float32"), np.ones((4, 1), dtype="float32")
seen: set[tuple[str, Any]] = set()


class Watched(layers.Dense):
    def call(self, x: Any, training: bool = False) -> Any:
        seen.add(("layer", training))
        return super().call(x)


class Model(portanet.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = Watched(1)

    def call(self, x: Any, training: bool = False) -> Any:
        seen.add(("model", training))
        return self.dense(x)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: Any = None) -> Any:  # fmt: skip
        seen.add(("loss", training))
        return super().compute_loss(x, y, y_pred, sample_weight, training)


METHODS: dict[str, tuple[Callable[[Model], Any], set[tuple[str, Any]]]] = {
    "fit": (
        lambda model: model.fit(X, Y, validation_data=(X, Y), verbose=0),
        {(what, flag) for what in ("layer", "model", "loss") for flag in (True, False)},
    ),
    **{
        name: (call, {("layer", flag), ("model", flag), ("loss", flag)})
        for name, call, flag in (
            ("fit without validation", lambda model: model.fit(X, Y, verbose=0), True),
            ("train_on_batch", lambda model: model.train_on_batch(X, Y), True),
            ("loss_and_gradients", lambda model: model.loss_and_gradients(X, Y), True),
            ("evaluate", lambda model: model.evaluate(X, Y, verbose=0), False),
            ("test_on_batch", lambda model: model.test_on_batch(X, Y), False),
        )
    },
    **{
        name: (call, {("layer", flag), ("model", flag)})
        for name, call, flag in (
            ("predict", lambda model: model.predict(X, verbose=0), False),
            ("predict_on_batch", lambda model: model.predict_on_batch(X), False),
            ("call", lambda model: model(X), False),
            ("call with training=True", lambda model: model(X, training=True), True),
        )
    },
}


@pytest.mark.parametrize("name", METHODS)
def test_training(name: str) -> None:
    call, expected = METHODS[name]
    with portanet.use_backend("numpy"):
        model = Model()
        model.compile("sgd", "mse")
        call(model)  # and shapes are tried
        seen.clear()
        call(model)
    assert seen == expected

"""Training with averages of the weights, stopped and gone on with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, optimizers

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
MAKERS: dict[str, Any] = {
    "plain": lambda: optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9),
    "overwritten": lambda: optimizers.Adam(0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4),
    "accumulated": lambda: optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=2),
    "lookahead": lambda: optimizers.Lookahead(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), sync_period=4),
    "scaled": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)),
}


def network(name: str) -> Any:
    portanet.random.set_seed(0)
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(2), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(MAKERS[name](), "mse")
    return model


def fit(model: Any, epochs: int, **options: Any) -> Any:
    return model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, **options).history


@pytest.mark.parametrize("through_a_file", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_two_epochs_and_two_more_are_four(backend: Any, name: str, through_a_file: bool, tmp_path: Any) -> None:
    whole, model = network(name), network(name)
    expected = fit(whole, 4)
    portanet.random.set_seed(0)
    fit(model, 2)
    if through_a_file:
        model.save(tmp_path / "model")
        model = portanet.load_model(tmp_path / "model")
    assert fit(model, 4, initial_epoch=model.position) == expected
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_the_user_has_set_are_what_training_goes_on_from(backend: Any) -> None:
    model = network("plain")
    fit(model, 2)
    model.set_weights([np.full_like(w, 0.5) for w in model.get_weights()])
    seen = []
    watch = portanet.callbacks.LambdaCallback(on_train_batch_begin=lambda b, logs: seen.append(model.get_weights()))
    fit(model, 3, initial_epoch=model.position, callbacks=[watch])
    assert all((w == 0.5).all() for w in seen[0])


def test_another_fit_goes_on_from_the_averages(backend: Any) -> None:
    """As in Keras, where it is not told to go on from a position."""
    model = network("plain")
    fit(model, 2)
    averages, seen = model.get_weights(), []
    watch = portanet.callbacks.LambdaCallback(on_train_batch_begin=lambda b, logs: seen.append(model.get_weights()))
    fit(model, 1, callbacks=[watch])
    for one, other in zip(seen[0], averages, strict=True):
        np.testing.assert_array_equal(one, other)

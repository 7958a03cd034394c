"""Evaluation with averaged weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks
from tests.training.test_averages import MAKERS, X, Y, fit, network


def averages(model: Any) -> list[Any]:
    """The averages in the optimizer's state, in the order of the weights."""
    to_host = model.backend.to_host
    return [to_host(model.optimizer_state[1]["average"][path]) for path in model.trainable_paths()]


def equal(a: list[Any], b: list[Any]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_training_is_the_same_and_evaluation_that_of_the_averages(
    backend: Any, name: str, swap_on_epoch: bool, tmp_path: Any
) -> None:
    plain, swapping = network(name), network(name)
    expected = fit(plain, 3)
    portanet.random.set_seed(0)
    swap, seen = callbacks.SwapEMAWeights(swap_on_epoch), []

    def look(epoch: int, logs: Any) -> None:
        seen.append((swapping.get_weights(), averages(swapping)))

    watch = [callbacks.LambdaCallback(on_epoch_end=look), callbacks.ModelCheckpoint(tmp_path / "last")]
    history = fit(swapping, 3, validation_data=(X, Y), callbacks=[swap, *watch])
    assert history["loss"] == expected["loss"]
    assert equal(swapping.get_weights(), plain.get_weights())
    assert equal(averages(swapping), averages(plain))
    # The last validation was that of the averages, which are the weights in the end.
    assert history["val_loss"][-1] == pytest.approx(swapping.evaluate(X, Y, verbose=0), rel=1e-6)
    shown, held = seen[-1]
    assert equal(shown if swap_on_epoch else held, averages(plain))
    saved = portanet.load_model(tmp_path / "last")
    assert equal(saved.get_weights(), averages(plain)) == swap_on_epoch
    assert equal(*(list(m.position.weights.values()) for m in (plain, swapping)))
    portanet.random.set_seed(0)
    later = [fit(model, 4, initial_epoch=model.position)["loss"] for model in (swapping, plain)]
    assert later[0] == later[1]


def test_prediction_with_averages(backend: Any) -> None:
    model = network("plain")
    run = portanet.training.TrainingRun(model)
    for _ in range(3):
        run(portanet.asarray(X), portanet.asarray(Y))
    weights = model.get_weights()
    result = model.predict(X, callbacks=[callbacks.SwapEMAWeights()])
    assert equal(model.get_weights(), weights)
    model.set_weights(averages(model))
    np.testing.assert_array_equal(result, model.predict(X))


def test_an_optimizer_without_averages_is_refused() -> None:
    model = network("plain")
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"set use_ema=True. Received: optimizer 'sgd'"):
        fit(model, 1, validation_data=(X, Y), callbacks=[callbacks.SwapEMAWeights()])

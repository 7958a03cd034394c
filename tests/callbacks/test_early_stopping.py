import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import EarlyStopping
from tests.callbacks.scripted import Script, losses


def test_ends_after_patience_and_restores():
    ended = Script().play(EarlyStopping(patience=2, restore_best_weights=True), losses(3, 1, 2, 2, 0))
    assert (ended.position.epoch, ended.weights) == (4, 1)


def test_the_end_of_training_restores_too():
    ended = Script().play(EarlyStopping(patience=9, restore_best_weights=True), losses(3, 1, 2))
    assert (ended.stop_training, ended.weights) == (False, 1)


def test_messages(capsys):
    Script().play(EarlyStopping(verbose=1, restore_best_weights=True), losses(1, 2, 3))
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: early stopping",
        "Restoring the weights of the best epoch: 1",
    ]


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_a_resumed_run_ends_like_the_uninterrupted_one(after):
    values = losses(3, 1, 2, 1, 2, 0)
    whole = Script().play(EarlyStopping(patience=3, restore_best_weights=True), values)
    first, stop = Script(), EarlyStopping(patience=3, restore_best_weights=True)
    states = []
    stop.on_train_end = lambda logs: states.append(stop.get_state())
    first.play(stop, values[:after])
    second = Script()
    second.position = first.position
    second.play(EarlyStopping(patience=3, restore_best_weights=True), values[after:], states[0])
    assert (second.position, second.weights) == (whole.position, whole.weights)


def test_a_run_that_had_ended_does_not_go_on():
    state = {"wait": 1, "stopped_epoch": 4, "best": 1.0, "best_epoch": 3, "best_weights": None}
    assert Script().play(EarlyStopping(), losses(1), state).position.epoch == 0


def test_the_best_weights_of_a_model(backend):
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile(portanet.optimizers.SGD(2.0), "mse")  # diverges
    x, y = np.ones((4, 2), dtype="float32"), np.zeros((4, 1), dtype="float32")
    stop = EarlyStopping("val_loss", restore_best_weights=True)
    history = made.fit(x, y, epochs=5, verbose=0, validation_data=(x, y), callbacks=[stop])
    assert history.epoch == [0, 1]
    np.testing.assert_allclose(made.evaluate(x, y, verbose=0), history.history["val_loss"][0], rtol=1e-6)


@pytest.mark.parametrize(("mode", "values"), [("min", (3, 1, 2)), ("max", (1, 3, 2))])
def test_nan_is_never_the_best_value(mode, values):
    nan = float("nan")
    stop = EarlyStopping(mode=mode, patience=3, restore_best_weights=True)
    ended = Script().play(stop, losses(nan, *values, nan, nan))
    assert (ended.stop_training, ended.weights, stop.best, stop.best_epoch) == (True, 2, values[1], 2)


def test_the_first_epoch_never_ends_training():
    """As in Keras, not even without patience."""
    stop = EarlyStopping(patience=0)
    Script().play(stop, losses(float("nan"), float("nan"), 1.0))
    assert stop.stopped_epoch == 1


def test_nan_alone_ends_training():
    ended = Script().play(EarlyStopping(patience=2), losses(*[float("nan")] * 5))
    assert (ended.stop_training, ended.position.epoch) == (True, 2)


def test_a_baseline_of_nan_and_a_state_with_nan_are_improved_on():
    nan = float("nan")
    stop = EarlyStopping(patience=2, baseline=nan)
    assert Script().play(stop, losses(3, 2, 1)).stop_training is False
    state = {"wait": 1, "stopped_epoch": 0, "best": nan, "best_epoch": 0, "best_weights": None}
    Script().play(stop, losses(3, 2), state)
    assert stop.best == 2

import numpy as np
import pytest

import portanet
from portanet import layers, schedules
from portanet.callbacks import LearningRateScheduler, ReduceLROnPlateau
from tests.callbacks.scripted import Script, losses


def model(rate):
    made = portanet.Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    made.compile(portanet.optimizers.SGD(rate), "mae")
    return made


X, Y = np.ones((1, 1), dtype="float32"), np.full((1, 1), 100.0, dtype="float32")


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch: 0.5**epoch,
        lambda epoch, rate: rate * 0.5 if epoch else rate,
        schedules.ExponentialDecay(1.0, 1, 0.5),
    ],
)
def test_steps_have_the_scheduled_size(schedule, backend):
    made = model(1.0)
    history = made.fit(X, Y, epochs=3, verbose=0, callbacks=[LearningRateScheduler(schedule)])
    assert history.history["learning_rate"] == [1.0, 0.5, 0.25]
    np.testing.assert_allclose(made.get_weights()[0], [[1.75]])  # the gradient is -1


def test_steps_get_smaller_on_a_plateau(backend):
    made = model(1.0)
    reduce = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)
    history = made.fit(X, Y, epochs=4, verbose=0, callbacks=[reduce])
    assert history.history["learning_rate"] == [1.0, 1.0, 0.5, 0.25]
    np.testing.assert_allclose(made.get_weights()[0], [[2.75]])


def test_both_note_the_learning_rate_once():
    both = [LearningRateScheduler(lambda epoch: 1.0), ReduceLROnPlateau("loss")]
    history = model(1.0).fit(X, Y, epochs=2, verbose=0, callbacks=both)
    assert history.history["learning_rate"] == [1.0, 1.0]


def test_messages(capsys):
    Script().play(ReduceLROnPlateau(patience=1, verbose=1), losses(1, 1))
    Script().play(LearningRateScheduler(lambda epoch: 0.25, verbose=1), losses(1))
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: learning rate reduced to 0.1",
        "Epoch 1: learning rate 0.25",
    ]


@pytest.mark.parametrize("after", range(1, 8))
def test_a_resumed_run_falls_like_the_uninterrupted_one(after):
    def plateau():
        return ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1)

    values = losses(3, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1)
    whole = Script().play(plateau(), values)
    assert whole.optimizer.learning_rate < 0.5
    first, reduce = Script(), plateau()
    first.play(reduce, values[:after])
    second = Script(learning_rate=first.optimizer.learning_rate)
    second.position = first.position
    second.play(plateau(), values[after:], reduce.get_state())
    assert second.position == whole.position


def test_what_a_schedule_gives_must_be_a_number():
    with pytest.raises(ValueError, match=r"must return a number. Received: None for epoch 0"):
        Script().play(LearningRateScheduler(lambda epoch: None), losses(1))
    with pytest.raises(ValueError, match=r"must return a number. Received: '0.5' for epoch 0"):
        Script().play(LearningRateScheduler(lambda epoch: "0.5"), losses(1))
    with pytest.raises(ValueError, match=r"must return a number. Received: True for epoch 0"):
        Script().play(LearningRateScheduler(lambda epoch: True), losses(1))
    with pytest.raises(ValueError, match=r"must be a function .*Received: schedule=0.1"):
        LearningRateScheduler(0.1)


def test_a_schedule_of_the_optimizer_is_not_changed():
    scripted = Script(learning_rate=schedules.Constant(0.1))
    with pytest.raises(TypeError, match="ReduceLROnPlateau changes a learning rate that is a number, but"):
        scripted.play(ReduceLROnPlateau(), losses(1))


def test_a_function_without_a_signature_takes_epoch_and_rate():
    """As Keras calls it first."""
    history = model(0.5).fit(X, Y, epochs=3, verbose=0, callbacks=[LearningRateScheduler(max)])
    assert history.history["learning_rate"] == [0.5, 1.0, 2.0]

"""Hooks: which are called, when, with what arguments; and stopping training from a callback."""

import copy

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import Callback
from tests.callbacks.scripted import Counting


class Diary(Callback):
    def __init__(self):
        self.entries = []

    def on_train_begin(self, logs=None):
        self.entries.append("train begins")

    def on_epoch_begin(self, epoch, logs=None):
        self.entries.append(f"epoch {epoch} begins")

    def on_train_batch_begin(self, batch, logs=None):
        self.entries.append(f"batch {batch} begins")

    def on_train_batch_end(self, batch, logs=None):
        self.entries.append(f"batch {batch} ends: {sorted(logs)}")

    def on_epoch_end(self, epoch, logs=None):
        self.entries.append(f"epoch {epoch} ends: {sorted(logs)}")

    def on_train_end(self, logs=None):
        self.entries.append("train ends")


def model():
    made = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


X, Y = np.ones((4, 3), dtype="float32"), np.ones((4, 1), dtype="float32")


def test_hooks_come_in_order(backend):
    diary = Diary()
    model().fit(X, Y, batch_size=2, epochs=1, verbose=0, validation_data=(X, Y), callbacks=[diary])
    assert diary.entries == [
        "train begins",
        "epoch 0 begins",
        "batch 0 begins",
        "batch 0 ends: ['loss']",
        "batch 1 begins",
        "batch 1 ends: ['loss']",
        "epoch 0 ends: ['loss', 'val_loss']",
        "train ends",
    ]


def test_a_callback_ends_training():
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    diary, trained = Diary(), model()
    history = trained.fit(X, Y, batch_size=1, epochs=3, verbose=0, callbacks=[Stop(), diary])
    assert [e for e in diary.entries if e.startswith("batch")] == ["batch 0 begins", "batch 0 ends: ['loss']"]
    assert history.epoch == [0]


def test_on_train_end_is_called_after_an_error():
    class Fail(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise KeyError("no")

    diary = Diary()
    with pytest.raises(KeyError):
        model().fit(X, Y, verbose=0, callbacks=[diary, Fail()])
    assert diary.entries[-1] == "train ends"


def test_a_restored_position_is_where_training_goes_on():
    """Two epochs in one run, and the same in two runs, the second starting in the middle of an epoch."""

    class GoOn(Callback):
        def __init__(self, position):
            self.position = position

        def on_train_begin(self, logs=None):
            self.model.position = self.position

    class StopAt(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.position.epoch == 1 and batch == 0:
                dict(logs)  # brings the sums of the epoch up to date
                self.model.interrupted = copy.deepcopy(self.model.position)
                raise InterruptedError

    x = np.arange(12, dtype="float32").reshape(4, 3) / 12
    portanet.random.set_seed(3)
    whole = model()
    expected = whole.fit(x, Y, batch_size=2, epochs=3, verbose=0).history
    portanet.random.set_seed(3)
    resumed = model()
    with pytest.raises(InterruptedError):
        resumed.fit(x, Y, batch_size=2, epochs=3, verbose=0, callbacks=[StopAt()])
    result = resumed.fit(x, Y, batch_size=2, epochs=3, verbose=0, callbacks=[GoOn(resumed.interrupted)]).history
    assert result == expected
    np.testing.assert_array_equal(resumed.get_weights()[0], whole.get_weights()[0])


def test_fit_goes_on_from_a_position_with_its_seed_and_callbacks():
    x = np.arange(12, dtype="float32").reshape(4, 3) / 12
    portanet.random.set_seed(3)
    whole, counting = model(), Counting()
    expected = whole.fit(x, Y, batch_size=2, epochs=4, verbose=0, callbacks=[counting]).history
    portanet.random.set_seed(3)
    resumed, counting = model(), Counting()
    resumed.fit(x, Y, batch_size=2, epochs=2, verbose=0, callbacks=[counting])
    position = copy.deepcopy(resumed.position)
    position.callbacks = resumed.callbacks.get_states()
    portanet.random.set_seed(5)
    counting = Counting()
    result = resumed.fit(x, Y, batch_size=2, epochs=4, verbose=0, callbacks=[counting], initial_epoch=position)
    assert (result.history, counting.count, portanet.random.get_seed()) == (expected, 4, 3)
    np.testing.assert_array_equal(resumed.get_weights()[0], whole.get_weights()[0])

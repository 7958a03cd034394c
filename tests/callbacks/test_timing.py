from types import SimpleNamespace

import numpy as np

import portanet
from portanet import layers
from portanet.callbacks import LambdaCallback, Timing

X, Y = np.ones((4, 2), dtype="float32"), np.ones((4, 1), dtype="float32")


class Clock:
    """Time that passes in callbacks alone."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr("portanet.callbacks.timing.time", SimpleNamespace(perf_counter=lambda: self.now))

    def wait(self, seconds):
        self.now += seconds


def fit(timing, clock, **options):
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    slow = LambdaCallback(
        on_train_batch_end=lambda batch, logs: clock.wait(0.5), on_epoch_end=lambda epoch, logs: clock.wait(2.0)
    )
    return made.fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[slow, timing], **options)


def test_times_of_epochs_and_steps(backend, capsys, monkeypatch):
    timing = Timing(verbose=1)
    fit(timing, Clock(monkeypatch), validation_data=(X, Y))
    assert [(row["epoch"], row["steps"]) for row in timing.rows] == [(0, 2), (1, 2)]
    later = timing.rows[1]
    assert (later["seconds"], later["step_seconds"]) == (3.0, 0.5)  # the wait at the end is outside of steps
    head, _, _, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["epoch", "seconds", "steps", "ms", "/", "step", "memory", "MiB"]
    assert second.split()[:3] == ["2", f"{later['seconds']:.2f}", "2"]


def test_a_resumed_epoch_counts_whole(monkeypatch):
    clock = Clock(monkeypatch)
    first = Timing()
    first.on_epoch_begin(0)
    first.on_train_batch_end(0)
    clock.wait(1.0)
    state = first.get_state()
    second = Timing()
    second.set_model(portanet.Sequential([layers.Input((2,))]))
    second.on_train_begin()
    second.set_state(state)
    second.on_epoch_begin(0)
    clock.wait(2.0)
    second.on_train_batch_end(1)
    second.on_epoch_end(0)
    (row,) = second.rows
    assert (row["steps"], row["seconds"], row["step_seconds"]) == (2, 3.0, 1.5)

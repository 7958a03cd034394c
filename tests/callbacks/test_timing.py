import time

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import LambdaCallback, Timing

X, Y = np.ones((4, 2), dtype="float32"), np.ones((4, 1), dtype="float32")


def fit(timing, **options):
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    slow = LambdaCallback(
        on_train_batch_end=lambda batch, logs: time.sleep(0.02), on_epoch_end=lambda epoch, logs: time.sleep(0.05)
    )
    return made.fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[slow, timing], **options)


def test_times_of_epochs_and_steps(backend, capsys):
    timing = Timing(verbose=1)
    fit(timing, validation_data=(X, Y))
    assert [(row["epoch"], row["steps"]) for row in timing.rows] == [(0, 2), (1, 2)]
    later = timing.rows[1]
    assert later["seconds"] >= 0.09
    assert 0.02 <= later["step_seconds"] < later["seconds"] / 2  # the sleep at the end of the epoch is outside of steps
    head, _, _, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["epoch", "seconds", "steps", "ms", "/", "step", "memory", "MiB"]
    assert second.split()[:3] == ["2", f"{later['seconds']:.2f}", "2"]


def test_a_resumed_epoch_counts_whole():
    first = Timing()
    first.on_epoch_begin(0)
    first.on_train_batch_end(0)
    time.sleep(0.02)
    state = first.get_state()
    second = Timing()
    second.set_model(portanet.Sequential([layers.Input((2,))]))
    second.on_train_begin()
    second.set_state(state)
    second.on_epoch_begin(0)
    second.on_train_batch_end(1)
    second.on_epoch_end(0)
    (row,) = second.rows
    assert (row["steps"], row["step_seconds"]) == (2, pytest.approx(row["seconds"] / 2))
    assert row["seconds"] >= 0.02

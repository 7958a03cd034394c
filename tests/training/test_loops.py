"""Costs of a run of many steps besides the steps: transfers, compilations, memory, open files."""

import gc
import os
import sys

import numpy as np
import pytest

import portanet
from portanet.training import TrainingRun
from tests.support import asarray
from tests.training.models import line, rows

X, Y = rows(64)


@pytest.fixture
def transfers(backend, monkeypatch):
    """Counts transfers from the device to the host."""
    result = []
    original = type(backend).to_host

    def to_host(x):
        result.append(x.shape)
        return original(x)

    monkeypatch.setattr(type(backend), "to_host", staticmethod(to_host))
    return result


def test_losses_stay_on_the_device_between_fetches(backend, transfers):
    class Look(portanet.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            assert logs
            assert list(logs) == ["loss", "mae"]
            assert "mae" in logs
            assert "val_loss" not in logs
            self.steps += 1

    model, look = line(metrics=["mae"]), Look()
    for epochs in (1, 2):
        transfers.clear()
        model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=[look])
        # Two sums for the loss and two for the metric, once per epoch; and the targets, which are checked first.
        assert len(transfers) == 4 * epochs + 1
    assert look.steps == 48
    transfers.clear()
    model.evaluate(X, Y, batch_size=4, verbose=0)
    assert len(transfers) == 5


def test_a_loop_of_ones_own_is_that_of_fit(backend, transfers):
    expected = line(optimizer="adam").fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0).history["loss"]
    model = line(optimizer="adam")
    run, curve = TrainingRun(model), []
    x, y = asarray(X), asarray(Y)
    transfers.clear()
    for _ in range(2):
        totals = model.totals()
        for i in range(0, 64, 16):
            totals.add(run(x[i : i + 16, ...], y[i : i + 16, ...]))
        curve.append(totals.logs()["loss"])
    assert curve == expected
    assert len(transfers) == 4


def test_a_step_is_compiled_once_and_once_more_for_a_smaller_last_batch(backend):
    traces = []

    def watched(y_true, y_pred):
        traces.append(y_pred.shape)
        return (y_true - y_pred)[:, 0]

    model = line(metrics=[watched], optimizer="adam")
    model.fit(X[:40], Y[:40], batch_size=16, epochs=4, verbose=0)
    model.fit(X[:40], Y[:40], batch_size=16, epochs=2, verbose=0)
    if backend.name == "jax":
        assert traces == [(16, 1), (8, 1)]
    else:
        assert len(traces) == 18


def test_gradients_are_accumulated(backend):
    """Four batches of 16 give the step of one batch of 64."""
    small = line(optimizer=portanet.optimizers.Adam(0.1, gradient_accumulation_steps=4))
    large = line(optimizer=portanet.optimizers.Adam(0.1))
    small.fit(X, Y, batch_size=16, epochs=3, verbose=0)
    large.fit(X, Y, batch_size=64, epochs=3, verbose=0)
    for a, b in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_hooks_of_evaluation_and_prediction(backend):
    calls = []

    class Diary(portanet.callbacks.Callback):
        def on_test_begin(self, logs=None):
            calls.append("test begins")

        def on_test_batch_end(self, batch, logs=None):
            calls.append(("test", batch, sorted(logs)))

        def on_test_end(self, logs=None):
            calls.append(("test ends", sorted(logs)))

        def on_predict_batch_end(self, batch, logs=None):
            calls.append(("predict", batch, logs["outputs"].shape))

    model = line()
    expected = ["test begins", ("test", 0, ["loss"]), ("test", 1, ["loss"]), ("test ends", ["loss"])]
    model.evaluate(X, Y, batch_size=40, verbose=0, callbacks=[Diary()])
    assert calls == expected
    calls.clear()
    model.fit(X, Y, validation_data=(X, Y), validation_batch_size=40, epochs=1, verbose=0, callbacks=[Diary()])
    assert calls == expected
    calls.clear()
    model.predict(X, batch_size=40, callbacks=[Diary()])
    assert calls == [("predict", 0, (40, 1)), ("predict", 1, (24, 1))]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_ten_thousand_steps_take_no_more_memory_than_a_thousand(backend, tmp_path):
    if backend.name not in ("numpy", "torch"):
        pytest.skip("the same loop; slow here")
    np.save(tmp_path / "x.npy", np.tile(X, (250, 1)))
    x, targets = np.load(tmp_path / "x.npy", mmap_mode="r"), np.tile(Y, (250, 1))
    model = line(optimizer="adam")

    def train(epochs):
        """1000 steps per epoch; each epoch reads a memory map in a separate thread."""
        model.fit(x, targets, batch_size=4, steps_per_epoch=1000, epochs=epochs, verbose=0, validation_data=(X, Y))
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))

    train(1)
    memory, files = train(1)
    later, files_later = train(10)
    assert later - memory < 2_000_000  # a leak of 200 bytes per step would show
    assert files_later == files

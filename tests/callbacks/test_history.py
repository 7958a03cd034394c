"""The record of training as a callback."""

from __future__ import annotations

from typing import Any

import numpy as np

import portanet
from portanet import callbacks, layers

X, Y = np.ones((4, 2), dtype="float32"), np.ones((4, 1), dtype="float32")


def compiled() -> Any:
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(portanet.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def test_it_holds_what_fit_returns(backend: Any) -> None:
    record = callbacks.History()
    returned = compiled().fit(X, Y, epochs=3, validation_data=(X, Y), verbose=0, callbacks=[record])
    assert (record.epoch, record.history) == (returned.epoch, returned.history)
    assert list(record.history) == ["loss", "mae", "val_loss", "val_mae"]


def test_several_runs_as_in_keras() -> None:
    """The numbers of epochs are those of the last run, the values those of all."""
    model, record = compiled(), callbacks.History()
    for _ in range(2):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[record])
    assert record.epoch == [0, 1]
    assert len(record.history["loss"]) == 4


def test_a_resumed_run_goes_on(tmp_path: Any) -> None:
    model, record = compiled(), callbacks.History()
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[record])
    model.save(tmp_path / "model")
    loaded, again = portanet.load_model(tmp_path / "model"), callbacks.History()
    loaded.fit(X, Y, epochs=3, initial_epoch=loaded.position, verbose=0, callbacks=[again])
    assert again.epoch == [0, 1, 2]
    assert again.history["loss"][:2] == record.history["loss"]

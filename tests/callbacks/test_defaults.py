"""What callbacks do when nothing is said: their defaults, by what happens."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers
from tests.callbacks.scripted import Script, losses

X, Y = np.ones((4, 2), dtype="float32"), np.full((4, 1), 3.0, dtype="float32")


def compiled(rate: float = 0.1) -> Any:
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(portanet.optimizers.SGD(rate), "mse")
    return model


def rates(callback: Any, values: list[float]) -> list[float]:
    script, seen = Script(), []
    callback.set_model(script)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value})
        seen.append(script.optimizer.learning_rate)
    return seen


def test_early_stopping(capsys: pytest.CaptureFixture[str]) -> None:
    ended = Script().play(callbacks.EarlyStopping(), losses(3, 2, 1.999999, 1.999999, 0))
    assert (ended.stop_training, ended.position.epoch) == (True, 4)  # at once, but only without any improvement
    assert ended.weights == 3  # the last ones
    assert Script().play(callbacks.EarlyStopping(), losses(3, 4, 0)).position.epoch == 2  # from the first epoch on
    assert capsys.readouterr().out == ""


def test_early_stopping_keeps_the_last_weights_of_a_model(backend: Any) -> None:
    model, plain = compiled(2.0), compiled(2.0)
    history = model.fit(X, Y, epochs=5, verbose=0, validation_data=(X, Y), callbacks=[callbacks.EarlyStopping()])
    plain.fit(X, Y, epochs=len(history.epoch), verbose=0)
    assert len(history.epoch) < 5
    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_reduce_lr_on_plateau(capsys: pytest.CaptureFixture[str]) -> None:
    seen = rates(callbacks.ReduceLROnPlateau(), [1.0] * 31)
    expected = [1.0] * 10 + [0.1] * 10 + [0.01] * 10 + [0.001]  # patience 10, factor 0.1, no cooldown
    np.testing.assert_allclose(seen, expected, rtol=1e-12)
    small = [1 - 0.00005 * (epoch > 0) for epoch in range(11)]  # less than 1e-4
    np.testing.assert_allclose(rates(callbacks.ReduceLROnPlateau(), small)[-1], 0.1)
    falling = [1 - 0.00011 * epoch for epoch in range(30)]
    assert rates(callbacks.ReduceLROnPlateau(), falling) == [1.0] * 30
    many = rates(callbacks.ReduceLROnPlateau(), [1.0] * 301)
    np.testing.assert_allclose(many[-1], 1e-30, rtol=1e-9)  # no lower bound
    assert capsys.readouterr().out == ""


def test_model_checkpoint(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = compiled(2.0)  # which gets worse
    pattern = str(tmp_path / "{epoch}.safetensors")
    model.fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y), callbacks=[callbacks.ModelCheckpoint(pattern)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{epoch}.safetensors" for epoch in (1, 2, 3)]
    again = portanet.load_model(tmp_path / "3.safetensors")  # of whole models
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert capsys.readouterr().out == ""


def test_learning_rate_scheduler_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    compiled().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.5)])
    assert capsys.readouterr().out == ""


def test_csv_logger_begins_anew_with_commas(tmp_path: pathlib.Path) -> None:
    for _ in range(2):
        compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.CSVLogger(tmp_path / "log.csv")])
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "0", "1"]
    assert lines[0].startswith("epoch,loss")

"""Every condition of a callback by itself."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers
from portanet.callbacks import CallbackList, ProgressBar
from portanet.callbacks.progress import numbers
from tests.callbacks.scripted import Script, losses

X, Y = np.ones((8, 2), dtype="float32"), np.ones((8, 1), dtype="float32")


def compiled(*middle: Any, rate: float = 0.0) -> Any:
    model = portanet.Sequential([layers.Input((2,)), *middle, layers.Dense(1)])
    model.compile(portanet.optimizers.SGD(rate), "mse")
    return model


def test_the_first_epoch_never_ends_training() -> None:
    nan = float("nan")
    assert Script().play(callbacks.EarlyStopping(), losses(nan, 1, 0.5)).position.epoch == 3
    assert Script().play(callbacks.EarlyStopping(), losses(1, nan, 0.5)).position.epoch == 2
    assert Script().play(callbacks.EarlyStopping(baseline=0.1), losses(1, 0.9, 0.95)).position.epoch == 3


def test_messages_of_early_stopping(capsys: pytest.CaptureFixture[str]) -> None:
    Script().play(callbacks.EarlyStopping(verbose=1), losses(3, 2, 1))  # which does not end training
    assert capsys.readouterr().out == ""
    Script().play(callbacks.EarlyStopping(), losses(3, 4))
    Script().play(callbacks.EarlyStopping(restore_best_weights=True), losses(3, 4))
    assert capsys.readouterr().out == ""
    Script().play(callbacks.EarlyStopping(verbose=1, restore_best_weights=True), losses(3, 2))
    assert capsys.readouterr().out == "Restoring the weights of the best epoch: 2\n"


def test_epochs_before_the_first_are_not_monitored() -> None:
    stop = callbacks.EarlyStopping(start_from_epoch=2, restore_best_weights=True)
    ended = Script().play(stop, losses(0, 0, 3, 2, 2, 1))
    assert (ended.position.epoch, stop.best, stop.best_epoch, ended.weights) == (5, 2, 3, 3)


@pytest.mark.parametrize("missing", ["loss", "val_loss"])
def test_early_stopping_without_its_quantity(missing: str) -> None:
    stop = callbacks.EarlyStopping(missing)
    with pytest.warns(UserWarning, match=f"monitors '{missing}', which is not available"):
        ended = Script().play(stop, losses(1, 2, name="other"))
    assert (ended.stop_training, stop.wait, stop.best) == (False, 0, None)


def test_the_best_only(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "{epoch}.safetensors")
    model = compiled()
    for mode, values, expected in (("min", (2, 3, 1), [1, 3]), ("max", (2, 3, 1), [1, 2])):
        keep = callbacks.ModelCheckpoint(path, "value", save_best_only=True, mode=mode)
        model.fit(X, Y, epochs=1, verbose=0)
        keep.set_model(model)
        keep.on_train_begin({})
        saved = []
        for epoch, value in enumerate(values):
            before = list(keep.files)
            model.position.epoch = epoch + 1
            keep.on_epoch_end(epoch, {"value": value})
            saved += [epoch + 1] if keep.files != before else []
        assert saved == expected
        assert keep.best == (1 if mode == "min" else 3)
    keep = callbacks.ModelCheckpoint(path, "value", save_best_only=True, mode="min", initial_value_threshold=1.5)
    keep.set_model(model)
    keep.on_epoch_end(0, {"value": 1.5})
    assert keep.files == []
    with pytest.warns(UserWarning, match="monitors 'value', which is not available"):
        keep.on_epoch_end(0, {"other": 1.0})  # as Keras saves, too
    assert (len(keep.files), keep.best) == (1, 1.5)


def test_a_backup_is_removed_when_training_is_complete(tmp_path: pathlib.Path) -> None:
    class Stop(callbacks.Callback):
        def __init__(self, moment: str) -> None:
            self.moment = moment

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training |= self.moment == "epoch"

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training |= self.moment == "batch"

    folder = tmp_path / "backup"
    file = folder / "state.safetensors"
    options = {"epochs": 3, "batch_size": 2, "verbose": 0}

    def backup(**settings: Any) -> Any:
        return callbacks.BackupAndRestore(folder, save_freq=1, **settings)

    compiled().fit(X, Y, callbacks=[backup()], **options)
    assert not file.exists()
    compiled().fit(X, Y, callbacks=[backup(), Stop("epoch")], **options)  # a callback has ended it
    assert not file.exists()
    compiled().fit(X, Y, callbacks=[backup(delete_checkpoint=False)], **options)
    assert file.exists()


def test_rows_of_a_file_with_other_columns(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log.csv"
    Script().play(callbacks.CSVLogger(path), [{"loss": 1.0}])  # epoch, loss, val_loss
    Script().play(callbacks.CSVLogger(path, append=True), [{"loss": 2.0, "val_loss": 3.0}])
    assert path.read_text().splitlines()[1:] == ["0,1.0,NA", "0,2.0,3.0"]
    path.write_text("epoch,loss,val_loss,more\n")
    with pytest.raises(ValueError, match="whose columns are epoch, loss, val_loss, more"):  # more than the quantities
        Script().play(callbacks.CSVLogger(path, append=True), [{"loss": 1.0}])
    path.write_text("epoch,loss\n")
    with pytest.raises(ValueError, match="but the quantities are loss, mae"):  # less than they
        Script().play(callbacks.CSVLogger(path, append=True), [{"loss": 1.0, "mae": 1.0}])
    Script().play(callbacks.CSVLogger(path, append=True), [{"loss": 1.0}])
    assert path.read_text().splitlines() == ["epoch,loss", "0,1.0"]


@pytest.mark.parametrize("separator", [",,", ",;", "\r", "\n", '"'])
def test_separators_that_no_table_has(tmp_path: pathlib.Path, separator: str) -> None:
    with pytest.raises(ValueError, match=r"`separator` of CSVLogger must be one character, .* Received: separator="):
        callbacks.CSVLogger(tmp_path / "log.csv", separator)


@pytest.mark.parametrize("frequency", ["step", 0, 1.5, np.asarray([1, 2])])
def test_frequencies_are_words_or_numbers(tmp_path: pathlib.Path, frequency: Any) -> None:
    for make, name in (
        (callbacks.ModelCheckpoint, "save_freq"),
        (callbacks.BackupAndRestore, "save_freq"),
        (callbacks.TensorBoard, "update_freq"),
    ):
        with pytest.raises((TypeError, ValueError), match=rf"`{name}` of {make.__name__} must be .*Received: {name}="):
            make(tmp_path / "a", **{name: frequency})


def test_values_of_json_lines(tmp_path: pathlib.Path) -> None:
    logs = {"n": np.int64(3), "s": "text", "x": float("-inf"), "y": np.float32(0.5), "z": [1, float("nan")], "b": True}
    Script().play(callbacks.JSONLinesLogger(tmp_path / "log"), [logs])
    read = json.loads((tmp_path / "log").read_text())
    assert read == {"epoch": 0, "n": 3, "s": "text", "x": None, "y": 0.5, "z": [1, None], "b": True}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"), (0.001, "0.0010"), (0.00099, "9.900e-04"), (-0.5, "-0.5000"), (-0.0005, "-5.000e-04"),
        (1234.5, "1234.5000"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_digits_of_the_progress_bar(value: float, text: str) -> None:
    assert numbers({"loss": value}) == [f"loss: {text}"]
    assert numbers({"loss": value, "name": "text", "matrix": np.ones(2)}) == [f"loss: {text}"]


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_end", "on_test_batch_end", "on_test_end"])
@pytest.mark.parametrize(
    "make",
    [
        lambda folder: callbacks.CSVLogger(folder / "a"),
        lambda folder: callbacks.JSONLinesLogger(folder / "a"),
        lambda folder: callbacks.PlotHistory(folder / "a.svg"),
        lambda folder: callbacks.ModelCheckpoint(folder / "a.safetensors"),
        lambda folder: callbacks.ModelCheckpoint(folder / "a.safetensors", save_freq=1),
        lambda folder: callbacks.TerminateOnNaN(),
        lambda folder: callbacks.TensorBoard(folder, update_freq="batch"),
        lambda folder: ProgressBar(1),
        lambda folder: ProgressBar(2),
        lambda folder: callbacks.Timing(),
    ],
)
def test_hooks_without_logs(tmp_path: pathlib.Path, make: Any, hook: str) -> None:
    model = compiled()
    model.fit(X, Y, verbose=0)
    callback = make(tmp_path)
    if isinstance(callback, callbacks.TensorBoard):
        pytest.importorskip("tensorboardX")
    callback.set_model(model)
    callback.set_params({"epochs": 1, "steps": 1, "verbose": 0})
    if "test" in hook:
        callback.on_test_begin()
        getattr(callback, hook)(*[0] * ("batch" in hook))
        callback.on_test_end()
        return
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.on_train_batch_begin(0)
    getattr(callback, hook)(0)
    callback.on_train_end()


def test_progress_is_shown_if_asked_for_or_given() -> None:
    assert CallbackList([]).callbacks == []
    assert CallbackList([], verbose=0).callbacks == []
    assert [type(each) for each in CallbackList([], verbose=1).callbacks] == [ProgressBar]
    bar = ProgressBar(0)
    assert CallbackList([bar]).callbacks == [bar]
    with pytest.raises(ValueError, match=r"`verbose` of ProgressBar must be .*Received: verbose=3"):
        ProgressBar(3)


def test_histograms_now_and_then(tmp_path: pathlib.Path) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for frequency, steps in ((0, []), (2, [0, 2]), (3, [0, 3])):
        folder = tmp_path / str(frequency)
        board = callbacks.TensorBoard(folder, histogram_freq=frequency)
        compiled().fit(X, Y, epochs=4, verbose=0, callbacks=[board])
        events = event_accumulator.EventAccumulator(str(folder / "train"), {"histograms": 0})
        events.Reload()
        tag = "dense/kernel/histogram"
        assert ([event.step for event in events.Histograms(tag)] if tag in events.Tags()["histograms"] else []) == steps
        assert not (folder / "batches").exists()


def test_profiles_of_layers_without_gradients() -> None:
    class Whole(layers.Layer):
        casts_integers = False

        def call(self, x: Any) -> Any:
            return x * 2

    class Half(Whole):
        def call(self, x: Any) -> Any:
            return np.astype(x, np.float32) * 0.5

    model = portanet.Sequential([layers.Input((2,), dtype="int32"), Whole(name="whole"), Half(name="half")])
    profiler = callbacks.Profiler(np.ones((4, 2), dtype="int32"), repeats=1)
    whole, half = profiler.profile(model)
    assert whole["backward"] is None  # of integers
    assert half["backward"] is None  # of nothing: there are no weights, and no inputs with a derivative
    assert profiler.table().splitlines()[-1].split()[:1] == ["all"]


def test_one_term_of_the_report_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    stop = callbacks.TerminateOnNaN()
    model = compiled()
    weight = np.ones(8, dtype="float32")
    weight[3] = np.nan
    with np.errstate(all="ignore"):
        model.fit(X, Y, sample_weight=weight, verbose=0, check_finite=False, callbacks=[stop], shuffle=False)
    assert stop.report is not None
    assert "the data: sample_weight in batch 1, 1 of whose 8 elements are not finite (nan)" in stop.report
    for value, ended in ((1.0, False), (None, False), (float("inf"), True)):
        stop = callbacks.TerminateOnNaN()
        stop.set_model(model)
        model.stop_training = False
        stop.on_train_batch_end(0, {} if value is None else {"loss": value})
        assert model.stop_training is ended
    assert "not reproduced by computing the last steps again" in capsys.readouterr().out
